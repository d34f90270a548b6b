//! The evaluation on alerts and decisions written by hand.

use super::*;
use crate::sim::DocumentRef;

fn line(document_id: &str) -> LineRef {
    LineRef {
        institution_id: "P37020300001".to_owned(),
        group: "settlement".to_owned(),
        document_id: document_id.to_owned(),
        line_id: "1".to_owned(),
    }
}

fn truth(rule: &str, document_id: &str, effect: Effect, alerted: bool) -> Truth {
    Truth {
        act: Act::SettledTwice,
        act_number: 1,
        title_zh: String::new(),
        title_en: String::new(),
        rule: rule.to_owned(),
        basis: None,
        scope: None,
        code: None,
        subject: line(document_id),
        counterpart: None,
        effect,
        alerted,
        deciding_upload: DocumentRef {
            institution_id: String::new(),
            group: String::new(),
            document_id: String::new(),
        },
        known_from: 0,
    }
}

fn alert(rule: &str, document_id: &str, revision: u32, status: &str) -> String {
    format!(
        r#"{{"alert_id":"{rule}{document_id}","revision":{revision},"status":"{status}","rule":"{rule}",
        "basis":null,"scope":null,"code":null,"counterpart":null,"subject":{{"institution_id":"P37020300001",
        "group":"settlement","document_id":"{document_id}","line_id":"1","role":"settlement"}}}}"#
    )
}

fn decision(document_id: &str, revision: u32, reasons: &str) -> String {
    format!(
        r#"{{"claim":{{"institution_id":"P37020300001","document_id":"{document_id}"}},"revision":{revision},
        "verdict":"hold","withdrawn":false,"lines":[{{"line_id":"1","verdict":"hold","reasons":[{reasons}]}}]}}"#
    )
}

#[test]
fn counts_found_missed_unexplained_and_passing() {
    let mut evaluation = Evaluation::default();
    evaluation.expect([
        truth("no_code", "S1", Effect::Refuse, true),
        truth("no_code", "S2", Effect::Refuse, true),
        truth("banned", "S3", Effect::Refuse, false),
    ]);
    for json in [
        alert("no_code", "S1", 1, "raised"),
        alert("no_code", "S7", 1, "raised"),
        // The later revision counts, whichever comes first.
        alert("no_code", "S8", 2, "withdrawn"),
        alert("no_code", "S8", 1, "raised"),
    ] {
        evaluation.alert(&json).unwrap();
    }
    for json in [decision("S3", 1, r#""banned""#), decision("S1", 2, r#""no_code""#), decision("S1", 1, "")] {
        evaluation.decision(&json).unwrap();
    }
    let report = evaluation.report();
    let no_code =
        RuleScore { expected: 2, found: 1, unexplained: 1, passing: 1, alerts: 2, ..RuleScore::default() };
    assert_eq!(report.rules["no_code"], no_code);
    assert_eq!((no_code.recall(), no_code.precision()), (Some(0.5), Some(0.5)));
    assert_eq!(report.rules["banned"], RuleScore { expected: 1, found: 1, ..RuleScore::default() });
    assert_eq!(report.missed.iter().map(|t| t.subject.document_id.as_str()).collect::<Vec<_>>(), ["S2"]);
    assert_eq!(report.unexplained.len(), 1);
    let details = report.details(Language::English, 10);
    assert!(details.starts_with("missed: 1\n  no_code (settled twice 1) P37020300001/settlement/S2/1\n"));
    assert!(details.contains("\nunexplained: 1\n  no_code P37020300001/settlement/S7/1\n"), "{details}");
    assert!(details.ends_with("in the end: 1\n  no_code P37020300001/settlement/S8/1\n"), "{details}");
    assert!(report.details(Language::English, 0).contains("missed: 1\n  and 1 more\n"));
    assert_eq!(report.lines, LineScore { decided: 2, expected: 3, found: 2, unexplained: 0 });
    assert_eq!(report.acts[&Act::SettledTwice], ActScore { planted: 1, noticed: 1, found: 0 });
}

#[test]
fn the_table_has_both_languages_and_even_columns() {
    let mut evaluation = Evaluation::default();
    evaluation.expect([truth("no_code", "S1", Effect::Refuse, true)]);
    let report = evaluation.report();
    assert!(report.table(Language::English).contains("settled twice"));
    let chinese = report.table(Language::Chinese);
    assert!(chinese.contains("重复结算") && chinese.contains("0.00 %"), "{chinese}");
}

/// An alert with its times and the decision that says what its line is worth.
#[test]
fn times_and_money_are_told_by_rule() {
    let mut evaluation = Evaluation::default();
    evaluation.expect([
        Truth { known_from: 1_000, ..truth("no_code", "S1", Effect::Refuse, true) },
        truth("no_code", "S2", Effect::Refuse, true),
        truth("short_codes", "S1", Effect::Hold, true),
    ]);
    let timed = |json: String, seconds: u32| {
        let time = format!("1970-01-01T08:00:{seconds:02}+08:00");
        json.replacen(
            '{',
            &format!(r#"{{"received_at":"{time}","detected_at":"1970-01-01T08:00:00+08:00","#),
            1,
        )
    };
    let worth = |json: String, amount: &str| {
        json.replacen(r#""line_id""#, &format!(r#""amount":"{amount}","line_id""#), 1)
    };
    for (document, revision, status, seconds) in [
        ("S1", 1, "raised", 2),
        ("S1", 2, "withdrawn", 3),
        // Raised again: this is what stands.
        ("S1", 3, "raised", 5),
        ("S1", 4, "amended", 9),
        ("S9", 1, "raised", 4),
        ("S9", 2, "withdrawn", 24),
    ] {
        evaluation.alert(&timed(alert("no_code", document, revision, status), seconds)).unwrap();
    }
    evaluation.decision(&worth(decision("S1", 1, r#""no_code""#), "24.92")).unwrap();
    evaluation.decision(&worth(decision("S2", 1, ""), "10.00")).unwrap();
    evaluation.scanned(5_000);
    let report = evaluation.report();
    let no_code = report.rules["no_code"];
    assert_eq!(no_code.delay.map(|delay| delay.max_ms), Some(4_000));
    assert_eq!(no_code.stood.map(|stood| stood.median_ms), Some(20_000));
    assert_eq!((no_code.money_found.fen(), no_code.money_missed.fen()), (2492, 1000));
    assert_eq!(report.rules["short_codes"].money_missed.fen(), 2492);
    // Of S1 something was found: over all rules it is not missed.
    assert_eq!((report.money_found.fen(), report.money_missed.fen()), (2492, 1000));
    let json = report.json();
    assert_eq!(json["rules"]["no_code"]["alerts_per_10000_scans"], 2.0);
    assert_eq!(json["money_missed"], "10.00");
}

#[test]
fn the_page_is_harmless_and_in_the_language_asked_for() {
    let mut evaluation = Evaluation::default();
    evaluation.expect([truth("no_code", "<script>&\"", Effect::Refuse, true)]);
    evaluation.alert(&alert("no_code", "S7", 1, "raised")).unwrap();
    evaluation.alert(&alert("</svg><script>", "S8", 1, "raised")).unwrap();
    let report = evaluation.report();
    let english = report.html(None, Language::English).unwrap();
    assert!(english.contains("&lt;script&gt;&amp;&quot;") && !english.contains("<script"), "{english}");
    assert!(english.contains("<svg") && english.contains("Recall and precision"), "{english}");
    assert!(!english.contains("http"), "the page must not need a network: {english}");
    assert!(
        english.contains("id=\"en\" checked") && english.starts_with("<!DOCTYPE html>\n<html lang=\"en\">")
    );
    let chinese = report.html(Some(&Report::default()), Language::Chinese).unwrap();
    assert!(chinese.contains("id=\"zh\" checked") && chinese.contains("<html lang=\"zh-CN\">"), "{chinese}");
    assert!(
        chinese.contains("召回率") && chinese.contains("无码") && chinese.contains("Recall"),
        "{chinese}"
    );
    assert!(chinese.contains("0.00 % → –"), "{chinese}");
}

/// Of alerts from a topic the stamps of their records count, from the receipt of the upload that decided.
#[test]
fn times_of_a_topic_count_from_the_receipt_of_the_upload() {
    let mut evaluation = Evaluation::default();
    evaluation.expect([Truth { known_from: 1, ..truth("no_code", "S1", Effect::Refuse, true) }]);
    let received = r#"{"received_at":"1970-01-01T08:00:07+08:00","detected_at":"1970-01-01T08:00:08+08:00","#;
    for (document, revision, status, recorded_at) in [
        ("S1", 1, "raised", 9_500),
        ("S1", 2, "amended", 60_000),
        ("S9", 1, "raised", 10_000),
        ("S9", 2, "withdrawn", 25_000),
    ] {
        let json = alert("no_code", document, revision, status).replacen('{', received, 1);
        evaluation.recorded_alert(&json, Some(recorded_at)).unwrap();
    }
    let report = evaluation.report();
    let no_code = report.rules["no_code"];
    assert_eq!(report.timing, Timing::SinceReceipt);
    assert_eq!(no_code.delay.map(|delay| delay.median_ms), Some(2_500));
    assert_eq!(no_code.stood.map(|stood| stood.median_ms), Some(15_000));
    assert!(report.table(Language::English).contains("count from the receipt"), "{report:?}");
}
