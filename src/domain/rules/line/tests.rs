//! Line rules, from the text of the rules: what fires on which line, with which action.

use super::*;
use crate::domain::amount::{Money, Quantity};
use crate::domain::document::live::{CODES_MAX, LINES_MAX};
use crate::domain::document::merge::Document;
use crate::domain::document::samples::*;
use crate::domain::document::{CodesFacet, Header, LineVersion, Parts, Version};
use crate::domain::finding::BannedReason;
use crate::domain::reference::{Book, Item, Key, Value};
use crate::domain::rules::Severity;
use crate::domain::rules::ruleset::Override;
use crate::domain::trace_code;
use crate::domain::trace_code::InvalidReason;

fn findings_of(version: &Version, rules: &RuleSet) -> Vec<Finding> {
    let mut document = Document::default();
    document.merge(version);
    document.live(&version.key).map(|live| evaluate(&live, None, rules).findings).unwrap_or_default()
}

fn judge_with(book: &Book, kind: Kind, lines: &[Line]) -> Vec<Finding> {
    findings_of(&version(book, true, 1, Some(header(kind)), kind.group(), lines), &RuleSet::default())
}

fn judge(kind: Kind, lines: &[Line]) -> Vec<Finding> {
    judge_with(&book(), kind, lines)
}

/// (rule, line, action) of each finding.
fn brief(findings: &[Finding]) -> Vec<(&'static str, String, Action)> {
    let one = |f: &Finding| (f.rule.name(), f.subject.key.line_id.to_string(), f.action);
    findings.iter().map(one).collect()
}

fn fired(rule: &'static str, line_id: &str, action: Action) -> (&'static str, String, Action) {
    (rule, line_id.to_owned(), action)
}

#[test]
fn a_line_of_a_traceable_product_without_code_is_refused() {
    let mut book = book();
    let item = |traceable| Value::Item(Item { traceable: Some(traceable), watch: false });
    set(&mut book, Key::Item { product_code: "C1".into() }, item(true), None, None);
    set(&mut book, Key::Item { product_code: "X0".into() }, item(false), None, None);
    let lines = ["C1", "T1", "X0", "X9", "Z9", "A9"].map(|product| line(product, product, 1, &[]));
    let judged = |kind| brief(&judge_with(&book, kind, &lines));
    let all = |action| ["C1", "X9", "Z9"].map(|line_id| fired("no_code", line_id, action)).to_vec();
    assert_eq!(judged(Kind::Settlement), all(Action::Refuse));
    assert_eq!(judged(Kind::Dispense), all(Action::Alert));
    assert_eq!(judged(Kind::DispenseReturn), []);
    assert_eq!(judged(Kind::PurchaseIn), []);
}

#[test]
fn a_spoilt_code_is_a_code() {
    let codes = judge(Kind::Dispense, &[line("1", AMBROXOL, 1, &["spoilt"])]);
    assert_eq!(brief(&codes), [fired("invalid_code", "1", Action::Alert)]);
}

#[test]
fn exemptions_and_no_code_stock_excuse_a_line_on_their_days() {
    let exemption =
        |at: Option<&str>| Key::Exemption { product_code: "X9".into(), institution_id: at.map(Text::from) };
    let stock = |at: &str| Key::NoCodeStock { institution_id: at.into(), product_code: "X9".into() };
    let cases = [
        (exemption(None), None, None, true),
        (exemption(Some(INSTITUTION)), None, day(2026, 1, 5), true),
        (exemption(Some("H00000000000")), None, None, false),
        (exemption(None), day(2026, 1, 6), None, false),
        (stock(INSTITUTION), day(2026, 1, 5), day(2026, 1, 5), true),
        (stock(INSTITUTION), None, day(2026, 1, 4), false),
        (stock("H00000000000"), None, None, false),
    ];
    for (key, from, to, excused) in cases {
        let mut book = book();
        set(&mut book, key.clone(), Value::Present, from, to);
        let found = judge_with(&book, Kind::Settlement, &[line("1", "X9", 1, &[])]);
        assert_eq!(found.is_empty(), excused, "{key:?} {from:?} {to:?}");
    }
}

#[test]
fn a_settlement_line_of_which_nothing_is_known_is_held() {
    let nothing = line("1", "", 1, &[]).without_fee();
    let unknown = line("2", "", 1, &[]).without_codes().with_fee(|fee| fee.product_code = None);
    let lines = [nothing, unknown, line("3", "", 1, &[A]).without_fee()];
    let held = [fired("no_code", "1", Action::Hold), fired("no_code", "2", Action::Hold)];
    assert_eq!(brief(&judge(Kind::Settlement, &lines)), held);
    assert_eq!(brief(&judge(Kind::Dispense, &lines)), []);
}

#[test]
fn too_few_codes_are_held_with_the_shortfall() {
    let units = |line: Line, quantity| line.with_fee(|fee| fee.quantity = Some(quantity));
    let cases = [
        (line("1", AMBROXOL, 3, &[A, B]), Some(1000)),
        (line("1", AMBROXOL, 2, &[A, B]), None),
        (line("1", AMBROXOL, 2, &[A, A]), Some(1000)),
        (units(line("1", AMBROXOL, 1, &[A]), Quantity::from_thousandths(1001)), Some(1)),
        // Ten packs in the carton.
        (line("1", SYRUP, 11, &[CARTON]), Some(1000)),
        (line("1", SYRUP, 10, &[CARTON]), None),
        // Split: units. 20 tablets in a pack; unknown in the stranger.
        (line("1", AMBROXOL, 21, &[A]).split(), Some(1000)),
        (line("1", AMBROXOL, 20, &[A]).split(), None),
        (line("1", AMBROXOL, 21, &[A, STRANGER]).split(), None),
        (line("1", AMBROXOL, 1, &["spoilt"]).split(), Some(1000)),
        (line("1", AMBROXOL, 2, &["spoilt"]), Some(2000)),
        (line("1", AMBROXOL, 9, &[A, LOT_CODE]), None),
        (line("1", AMBROXOL, 9, &[]), None),
        (line("1", "T1", 9, &[A]), None),
        (line("1", AMBROXOL, 9, &[A]).with_fee(|fee| fee.quantity = None), None),
    ];
    for (line, thousandths) in cases {
        let found = judge(Kind::Settlement, std::slice::from_ref(&line));
        let short = found.iter().find(|finding| finding.rule == RuleId::ShortCodes);
        assert_eq!(
            short.map(|finding| (finding.action, finding.attributes.shortfall)),
            thousandths.map(|count| (Action::Hold, Some(Quantity::from_thousandths(count)))),
            "{line:?}"
        );
        let dispensed = judge(Kind::Dispense, &[line]);
        assert!(dispensed.iter().all(|finding| finding.rule != RuleId::ShortCodes));
    }
}

#[test]
fn invalid_codes_of_a_line_are_one_finding() {
    let lines = [line("1", AMBROXOL, 1, &["6901234567892", A, "817732200000000"])];
    let found = judge(Kind::Settlement, &lines);
    assert_eq!(brief(&found), [fired("invalid_code", "1", Action::Hold)]);
    let codes: Vec<_> = found
        .iter()
        .flat_map(|finding| &finding.attributes.codes)
        .map(|code| (code.code.to_string(), code.invalid))
        .collect();
    assert_eq!(
        codes,
        [
            ("6901234567892".to_owned(), Some(InvalidReason::Barcode69)),
            ("817732200000000".to_owned(), Some(InvalidReason::Truncated)),
        ]
    );
    assert_eq!(brief(&judge(Kind::Stocktake, &lines)), []);
    assert_eq!(brief(&judge(Kind::OtherOut, &lines)), [fired("invalid_code", "1", Action::Alert)]);
}

#[test]
fn an_unknown_prefix_is_observed_only() {
    let lines = [line("1", AMBROXOL, 3, &[A, STRANGER, "ABC-1234567"])];
    let found = judge(Kind::Settlement, &lines);
    assert_eq!(brief(&found), [fired("unknown_product", "1", Action::Observe)]);
    let codes: Vec<_> = found.iter().flat_map(|f| &f.attributes.codes).map(|code| &*code.code).collect();
    assert_eq!(codes, [STRANGER]);
    assert!(found.iter().all(|finding| !finding.is_alert()));
}

#[test]
fn a_code_of_another_product_is_a_swap() {
    let lines = [line("1", SYRUP, 1, &[A, CARTON]), line("2", AMBROXOL, 1, &[B])];
    let found = judge(Kind::Settlement, &lines);
    assert_eq!(brief(&found), [fired("swap", "1", Action::Refuse)]);
    for finding in &found {
        assert_eq!(finding.basis, Some(Basis::Catalogue));
        assert_eq!(finding.amount_at_risk, Some(Money::from_fen(350)));
        assert_eq!(finding.product_code.as_deref(), Some(SYRUP));
        let codes = finding.attributes.codes.iter().map(|code| (&*code.code, code.product_code.as_deref()));
        assert_eq!(codes.collect::<Vec<_>>(), [(A, Some(AMBROXOL))]);
    }
    let moved = judge(Kind::PurchaseIn, &lines);
    assert_eq!(brief(&moved), [fired("swap", "1", Action::Alert)]);
    assert!(moved.iter().all(|finding| finding.amount_at_risk.is_none()));
    let unknown = line("1", "", 1, &[A]).without_fee();
    assert_eq!(brief(&judge(Kind::Settlement, &[unknown])), []);
}

#[test]
fn a_pack_on_two_whole_lines_is_found_on_the_later_ones() {
    let found = |lines: &[Line]| {
        let mut found = judge(Kind::Settlement, lines);
        found.retain(|finding| finding.rule == RuleId::RepeatedInDocument);
        found
    };
    // By bytes, line 10 comes before line 2.
    let repeated = found(&[
        line("2", AMBROXOL, 2, &[A, B]),
        line("10", AMBROXOL, 1, &[A]),
        line("3", AMBROXOL, 2, &[B, A]),
    ]);
    assert_eq!(
        brief(&repeated),
        [fired("repeated_in_document", "2", Action::Hold), fired("repeated_in_document", "3", Action::Hold),]
    );
    let evidence: Vec<Vec<&str>> = repeated
        .iter()
        .map(|finding| finding.evidence.iter().map(|side| &*side.key.line_id).collect())
        .collect();
    assert_eq!(evidence, [vec!["10", "2"], vec!["10", "2", "3"]]);
    for other in [
        [line("1", AMBROXOL, 1, &[A]).split(), line("2", AMBROXOL, 1, &[A])],
        [line("1", AMBROXOL, 1, &[A]), line("2", AMBROXOL, 1, &[A]).split()],
        [line("1", SYRUP, 1, &[CARTON]), line("2", SYRUP, 1, &[CARTON])],
        [line("1", AMBROXOL, 1, &[LOT_CODE]), line("2", AMBROXOL, 1, &[LOT_CODE])],
    ] {
        assert_eq!(found(&other), [], "{other:?}");
    }
    let strangers = [line("1", AMBROXOL, 1, &[STRANGER]), line("2", AMBROXOL, 1, &[STRANGER])];
    assert_eq!(found(&strangers).len(), 1);
    let dispensed = judge(Kind::Dispense, &[line("1", AMBROXOL, 1, &[A]), line("2", AMBROXOL, 1, &[A])]);
    assert_eq!(brief(&dispensed), [fired("repeated_in_document", "2", Action::Alert)]);
    assert_eq!(
        brief(&judge(Kind::PurchaseIn, &[line("1", AMBROXOL, 1, &[A]), line("2", AMBROXOL, 1, &[A])])),
        []
    );
}

#[test]
fn what_is_banned_is_refused_without_an_alert() {
    let mut book = book();
    set(
        &mut book,
        Key::Recall { product_code: AMBROXOL.into(), lot: "L1".into() },
        Value::Present,
        None,
        day(2026, 1, 5),
    );
    set(&mut book, Key::BannedCode { code: B.into() }, Value::Present, day(2026, 1, 5), None);
    let lines = [
        line("1", AMBROXOL, 1, &[A]).with_fee(|fee| fee.expires_on = day(2026, 1, 5)),
        line("2", AMBROXOL, 1, &[B]).with_fee(|fee| {
            fee.expires_on = day(2026, 1, 4);
            fee.lot = Some("L1".into());
        }),
        line("3", SYRUP, 1, &[CARTON]).with_fee(|fee| fee.lot = Some("L1".into())),
    ];
    let found = judge_with(&book, Kind::Settlement, &lines);
    assert_eq!(brief(&found), [fired("banned", "2", Action::Refuse)]);
    assert!(found.iter().all(|finding| !finding.is_alert()));
    let grounds: Vec<_> = found.iter().flat_map(|finding| finding.attributes.banned.clone()).collect();
    assert_eq!(grounds, [BannedReason::Expired, BannedReason::Recalled, BannedReason::Listed]);
    assert_eq!(brief(&judge_with(&book, Kind::Dispense, &lines)), [fired("banned", "2", Action::Observe)]);
    assert_eq!(brief(&judge_with(&book, Kind::PurchaseReturn, &lines)), []);

    let mut next_day = header(Kind::Settlement);
    next_day.occurred_at = minute(24 * 60).into();
    let version = version(&book, true, 1, Some(next_day), Kind::Settlement.group(), &lines);
    let found = findings_of(&version, &RuleSet::default());
    assert_eq!(
        found.iter().map(|finding| finding.attributes.banned.clone()).collect::<Vec<_>>(),
        [vec![BannedReason::Expired], vec![BannedReason::Expired, BannedReason::Listed]]
    );
}

#[test]
fn the_rule_set_softens_hardens_and_switches_off() {
    let over = |rule, enabled, action| Override {
        rule,
        region: Some("440305".into()),
        tier: Some("pharmacy".into()),
        institution_id: None,
        product_code: None,
        valid_from: None,
        valid_to: day(2026, 1, 5),
        enabled,
        action,
        severity: Some(Severity::Critical),
        grace: None,
    };
    let rules = RuleSet {
        overrides: vec![
            over(RuleId::NoCode, None, Some(Action::Alert)),
            over(RuleId::InvalidCode, Some(false), None),
            over(RuleId::UnknownProduct, None, Some(Action::Hold)),
        ],
        ..RuleSet::default()
    };
    let lines = [
        line("1", AMBROXOL, 1, &[]),
        line("2", AMBROXOL, 1, &[A, "spoilt"]),
        line("3", AMBROXOL, 1, &[STRANGER]),
        line("4", "", 1, &[]).without_fee(),
    ];
    let expected = [
        fired("no_code", "1", Action::Alert),
        fired("unknown_product", "3", Action::Hold),
        fired("no_code", "4", Action::Alert),
    ];
    assert_eq!(brief(&findings_of(&full(Kind::Settlement, 1, &lines), &rules)), expected);
    let late = Header { occurred_at: minute(24 * 60).into(), ..header(Kind::Settlement) };
    let version = version(&book(), true, 1, Some(late), Kind::Settlement.group(), &lines);
    assert_eq!(findings_of(&version, &rules).len(), 4);
}

#[test]
fn a_document_over_its_limits_is_one_finding() {
    let ids: Vec<String> = (0..=LINES_MAX).map(|number| format!("{number:05}")).collect();
    let mut template = full(Kind::Settlement, 1, &[line("x", AMBROXOL, 1, &[])]);
    let one = template.lines.clone();
    template.lines = ids
        .iter()
        .zip(one.iter().cycle())
        .map(|(id, line)| LineVersion { line_id: id.as_str().into(), ..line.clone() })
        .collect();
    let found = findings_of(&template, &RuleSet::default());
    assert_eq!(brief(&found), [fired("over_limit", "00000", Action::Hold)]);
    assert_eq!(found.first().and_then(|finding| finding.attributes.count), Some(5001));
    template.lines.pop();
    assert_eq!(findings_of(&template, &RuleSet::default()).len(), LINES_MAX);

    let mut document = Document::default();
    document.merge(&full(Kind::Settlement, 1, &[line("x", AMBROXOL, 1, &[])]));
    for page in 0..=CODES_MAX / 1000 {
        let mut part = partial(2, &[line("x", AMBROXOL, 1, &[])]);
        for line in &mut part.lines {
            line.line_id = format!("{page}").into();
            let scans =
                (0..1000).filter_map(|serial| trace_code::read(&format!("8177322{page:04}{serial:09}")));
            if let Some(codes) = &mut line.codes {
                codes.content = CodesFacet::collect(scans.map(|scan| (scan, None)));
            }
        }
        document.merge(&part);
    }
    let key = key(Kind::Settlement.group());
    let live = document.live(&key);
    assert_eq!(live.as_ref().map(LiveDocument::is_over_limit), Some(true));
    document.reverse(&reversal(2, Some("0"), Parts::ALL));
    assert_eq!(document.live(&key).as_ref().map(LiveDocument::is_over_limit), Some(false));
}
