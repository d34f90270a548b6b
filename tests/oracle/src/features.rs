//! What of the text the worlds reach, seen from inside: a table of features, each in enough worlds.
//!
//! The table of rules, kinds and scopes is with the library's other tests; here stands what an answer does not show.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use serde_json::Value;

use crate::code::{self, Scan};
use crate::document::{self, Document, Line};
use crate::finding::{Action, Finding};
use crate::reference::{self, Reference};
use crate::ruling::{Rulings, Verdict};
use crate::timeline::{self, Observation, Sale};
use crate::upload::{self, Content, Upload};
use crate::walk::{Event, Past, Walk};
use crate::world::{Theme, World, themed, world};
use crate::{Timestamp, code_rules, lending, line_rules};

const SEEDS: u64 = 300;
const WORLDS_MIN: usize = 5;

/// What some worlds must show.
const FEATURES: &[&str] = &[
    "upload: malformed only as it is written",
    "upload: read as it is written",
    "reference: a refused record",
    "reference: a shortened GTIN",
    "reference: a record with blanks around a text",
    "code: one identity in several forms",
    "code: a Digital Link",
    "code: a separator written out",
    "code: a separator lost",
    "code: quoted",
    "code: full-width",
    "code: empty characters in it",
    "code: digits with blanks or hyphens",
    "code: nothing at all",
    "code: check_digit",
    "code: placeholder",
    "code: logistics_label",
    "code: part_of_set",
    "code: rounded",
    "code: not_a_trace_code",
    "code: barcode_69",
    "code: doubled",
    "code: truncated",
    "code: overlong",
    "code: unrecognised",
    "day: procurement",
    "day: dispensing",
    "day: settlement",
    "adjustment: of one line",
    "adjustment: of several lines",
    "adjustment: of nothing",
    "adjustment: of too much",
    "adjustment: of a whole line",
    "adjustment: in a hand-over",
    "adjustment: a line is adjusted",
    "lending: by settlement_id",
    "lending: by visit_id",
    "lending: beside a code of its own",
    "lending: from several lines",
    "lending: an invalid code",
    "lending: makes a line split",
    "lending: not where codes are in settlements",
    "lending: one code to two claims",
    "line: waits for codes",
    "line: before the duty",
    "sale: another visit number, the same person",
    "sale: its need is an estimate after adjustments",
    "return: on its day",
    "return: before the moment of a sale of that day",
    "return: of an adjusted line",
    "pair: told twice at one place",
    "pair: on one day",
    "ruling: holds",
    "ruling: refuses",
    "ruling: pays",
    "ruling: pays no more after a change",
    "ruling: of a line before that of the claim",
    "ruling: withdrawn",
];

#[test]
fn worlds_show_every_feature_of_the_text() {
    let mut seeds: BTreeMap<String, usize> = BTreeMap::new();
    for seed in 0..SEEDS {
        for feature in features(&world(seed)) {
            *seeds.entry(feature).or_default() += 1;
        }
    }
    let count = |feature: &str| seeds.get(feature).copied().unwrap_or_default();
    let mut table = format!("worlds of {SEEDS} with:\n");
    for feature in FEATURES {
        writeln!(table, "{:5} {feature}", count(feature)).expect("texts take any length");
    }
    let rare: Vec<&&str> = FEATURES.iter().filter(|feature| count(feature) < WORLDS_MIN).collect();
    assert!(rare.is_empty(), "too rare: {rare:?}\n{table}");
    let unnamed: Vec<_> = seeds.keys().filter(|feature| !FEATURES.contains(&feature.as_str())).collect();
    assert!(unnamed.is_empty(), "not in the table: {unnamed:?}");
}

#[test]
fn worlds_with_a_theme_show_it_often() {
    for (theme, begins, least) in [(Theme::Lending, "lending: ", 60), (Theme::Handling, "ruling: ", 80)] {
        let shows = |seed: &u64| features(&themed(*seed, theme)).iter().any(|one| one.starts_with(begins));
        let count = (0..100).filter(shows).count();
        assert!(count >= least, "{theme:?}: {count} worlds of 100 show {begins}");
    }
}

/// The features of a world.
fn features(world: &World) -> BTreeSet<String> {
    let mut shown = Shown::default();
    let as_written = world.as_written();
    for (object, text) in world.uploads.iter().zip(&as_written.uploads) {
        let is_read = [upload::read(object).is_ok(), upload::read(text).is_ok()];
        shown.when("upload: malformed only as it is written", is_read == [true, false]);
        shown.when("upload: read as it is written", is_read == [true, true]);
    }
    shown.references(&world.reference);
    shown.scans(&world.uploads);
    let uploads: Vec<Upload> = world.uploads.iter().filter_map(|value| upload::read(value).ok()).collect();
    let until = Timestamp::parse(&world.until).expect("worlds end at a time that can be read");
    let now = uploads.iter().map(|upload| upload.issued_at).fold(until, Timestamp::max);
    let reference = Reference::new(&world.reference);
    let own = document::live(&uploads);
    let mut documents = own.clone();
    lending::lend(&mut documents, &reference);
    for (before, after) in own.iter().zip(&documents) {
        shown.document(after);
        shown.lending(before, after, &documents, &reference);
    }
    let mut findings = line_rules::findings(&documents, &reference, now);
    shown.line_rules(&findings, &documents);
    findings.extend(code_rules::findings(&documents, &reference, now));
    for observations in timeline::timelines(&documents, &reference).values() {
        shown.timeline(observations);
    }
    shown.rulings(&uploads, &documents, &findings);
    shown.0
}

#[derive(Default)]
struct Shown(BTreeSet<String>);

impl Shown {
    fn when(&mut self, feature: &str, is_shown: bool) {
        if is_shown {
            self.0.insert(feature.to_owned());
        }
    }

    fn references(&mut self, log: &[Value]) {
        for record in log {
            let is_taken = reference::read(record).is_some();
            self.when("reference: a refused record", !is_taken);
            let prefix = record["prefix"].as_str().unwrap_or_default();
            self.when("reference: a shortened GTIN", is_taken && [8, 12, 13].contains(&prefix.len()));
            let blank = record.as_object().into_iter().flatten().filter_map(|(_, value)| value.as_str());
            let mut blank = blank.filter(|text| text.starts_with([' ', '\u{A0}', '\u{FEFF}']));
            self.when("reference: a record with blanks around a text", is_taken && blank.next().is_some());
        }
    }

    fn scans(&mut self, uploads: &[Value]) {
        let mut forms: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
        for text in uploads.iter().flat_map(scanned) {
            let code = match code::scan(text) {
                None => {
                    self.when("code: nothing at all", !text.is_empty());
                    continue;
                }
                Some(Scan::Invalid { reason, .. }) => {
                    self.when(&format!("code: {reason}"), true);
                    continue;
                }
                Some(Scan::Valid(code)) => code.normal,
            };
            self.when("code: a Digital Link", text.contains("://"));
            self.when(
                "code: a separator written out",
                text.contains(['^', '|', '~', '{', '<', '[', '\u{241D}']),
            );
            self.when("code: a separator lost", text.contains(['_', '?']) && !code.contains(['_', '?']));
            self.when("code: quoted", text.contains(['"', '\'']));
            self.when("code: full-width", text.contains(|c: char| ('\u{FF01}'..='\u{FF5E}').contains(&c)));
            self.when(
                "code: empty characters in it",
                text.contains(['\0', '\u{AD}', '\u{200B}', '\u{2060}']),
            );
            let is_drug = code.len() == 20 && code.bytes().all(|byte| byte.is_ascii_digit());
            self.when("code: digits with blanks or hyphens", is_drug && text.contains('-'));
            forms.entry(code).or_default().insert(text);
        }
        self.when("code: one identity in several forms", forms.values().any(|forms| forms.len() > 2));
    }

    fn document(&mut self, document: &Document) {
        self.when(&format!("day: {}", document.id.group), document.header.is_day);
        for adjustment in &document.adjustments {
            let acts_on = &adjustment.acts_on;
            self.when("adjustment: of nothing", acts_on.is_empty());
            self.when("adjustment: of too much", adjustment.takes_too_much);
            self.when("adjustment: of several lines", acts_on.len() > 1);
            self.when(
                "adjustment: of a whole line",
                acts_on.iter().any(|id| !document.lines.contains_key(id)),
            );
            self.when(
                "adjustment: in a hand-over",
                document.header.kind == "dispense" && !acts_on.is_empty(),
            );
            self.when("adjustment: of one line", acts_on.len() == 1);
        }
        let mut lines = document.lines.values();
        self.when("adjustment: a line is adjusted", lines.any(|line| line.quantity_before.is_some()));
    }

    fn lending(&mut self, before: &Document, after: &Document, all: &[Document], reference: &Reference) {
        let name = if after.text("settlement_id").is_some() { "settlement_id" } else { "visit_id" };
        for (line_id, line) in &after.lines {
            let own: &Line = &before.lines[line_id];
            let is_lent = !line.lent.is_empty();
            self.when(&format!("lending: by {name}"), is_lent);
            self.when("lending: beside a code of its own", is_lent && !own.codes.is_empty());
            self.when("lending: from several lines", line.lent.len() > 1);
            self.when("lending: an invalid code", line.codes.invalid.len() > own.codes.invalid.len());
            self.when("lending: makes a line split", line.fee.split && !own.fee.split);
            let elsewhere = |other: &&Document| other.id != after.id && other.header.kind == "settlement";
            let mut others = all.iter().filter(elsewhere).flat_map(|other| other.lines.values());
            let is_lent_twice = others.any(|other| other.lent.intersection(&line.lent).next().is_some());
            self.when("lending: one code to two claims", is_lent_twice);
        }
        let day = after.header.occurred_at.day();
        let writes_codes = reference.has_uploaded("codes_in_settlement_since", &after.id.institution_id, day);
        let lacks_codes = after.lines.values().any(|line| line.codes.is_empty());
        let is_claim = after.header.kind == "settlement";
        let has_lender = is_claim && !lending::lenders(after, all).is_empty();
        self.when("lending: not where codes are in settlements", writes_codes && lacks_codes && has_lender);
    }

    fn line_rules(&mut self, findings: &[Finding], documents: &[Document]) {
        for finding in findings {
            let subject = &finding.subject;
            let document = documents.iter().find(|document| document.id == subject.document);
            let Some(document) = document.filter(|document| document.header.kind == "settlement") else {
                continue;
            };
            let line = document.lines.get(&subject.line_id);
            let is_known = line.is_some_and(|line| line.text("product_code").is_some());
            let is_no_code = finding.rule == "no_code";
            self.when("line: waits for codes", is_no_code && is_known && finding.action == Action::Hold);
            self.when("line: before the duty", is_no_code && finding.action == Action::Alert);
        }
    }

    fn timeline(&mut self, observations: &[Observation]) {
        let walk = Walk::new(observations, timeline::sales(observations));
        for (at, sale) in walk.sales.iter().enumerate() {
            self.sale(sale);
            let is_adjusted = sale.anchor.quantity_before.is_some();
            self.when(
                "sale: its need is an estimate after adjustments",
                is_adjusted && walk.needs[at].is_estimate,
            );
            for back in walk.returns_of(at) {
                let names_none = back.text("returns.document_id").is_none();
                let is_in_day = back.is_day && sale.time().day() == back.time.day();
                self.when("return: on its day", names_none && is_in_day);
                self.when(
                    "return: before the moment of a sale of that day",
                    names_none && back.time < sale.time(),
                );
                self.when("return: of an adjusted line", back.quantity_before.is_some());
            }
        }
        self.pairs(&walk);
    }

    fn sale(&mut self, sale: &Sale) {
        let (Some(settlement), Some(dispensing)) = (sale.settlement, sale.dispensing) else { return };
        let visits = settlement.text("visit_id").zip(dispensing.text("visit_id"));
        let numbers = settlement.text("settlement_id").zip(dispensing.text("settlement_id"));
        let is_unequal = visits.is_some_and(|(one, other)| one != other);
        self.when("sale: another visit number, the same person", is_unequal && numbers.is_none());
    }

    fn pairs(&mut self, walk: &Walk) {
        let about = code_rules::About { observations: &[], walk, now: Timestamp(0) };
        let mut past = Past::default();
        for (step, event) in walk.events.iter().enumerate() {
            if let Event::Sale(at) = event
                && let Some(settlement) = walk.sales[*at].settlement
                && about.is_short(&past, *at)
            {
                for open in &past.open {
                    let other = walk.sales[open.at].anchor;
                    let is_lent = settlement.is_lent || other.is_lent;
                    let at_one_place = settlement.institution() == other.institution();
                    self.when("pair: told twice at one place", is_lent && at_one_place);
                    self.when("pair: on one day", about.meet_on_a_day(*at, open.at));
                }
            }
            past.pass(walk, step, *event);
        }
    }

    fn rulings(&mut self, uploads: &[Upload], documents: &[Document], findings: &[Finding]) {
        let rulings = Rulings::of(uploads);
        for claim in documents.iter().filter(|document| document.header.kind == "settlement") {
            for (line_id, line) in &claim.lines {
                let named = rulings.named(claim, line_id);
                let on = rulings.on(claim, line_id, line);
                let of_line = |finding: &&Finding| {
                    finding.subject.document == claim.id && finding.subject.line_id == *line_id
                };
                let mut stopping =
                    findings.iter().filter(of_line).filter(|finding| finding.action > Action::Alert);
                let is_paid = on.is_some_and(|ruling| {
                    stopping.any(|finding| ruling.action(finding.rule, finding.action) == Action::Alert)
                });
                let verdict = on.map(|ruling| ruling.verdict);
                self.when("ruling: pays", is_paid);
                self.when("ruling: holds", verdict == Some(Verdict::Hold));
                self.when("ruling: refuses", verdict == Some(Verdict::Refuse));
                self.when("ruling: pays no more after a change", named.is_some() && on.is_none());
                let of_the_claim = rulings.named(claim, "");
                let is_own = named.is_some_and(|(_, ruling)| ruling.line_id.is_some());
                self.when("ruling: of a line before that of the claim", is_own && of_the_claim.is_some());
            }
        }
        let is_withdrawal = |upload: &Upload| matches!(&upload.content, Content::Ruling(ruling) if ruling.verdict == Verdict::None);
        self.when("ruling: withdrawn", uploads.iter().any(is_withdrawal));
    }
}

/// The codes of an upload as they were scanned.
fn scanned(upload: &Value) -> Vec<&str> {
    let lines = upload["lines"].as_array().into_iter().flatten();
    let codes = lines.flat_map(|line| line["trace_codes"].as_array().into_iter().flatten());
    codes.filter_map(|code| code.as_str().or_else(|| code["code"].as_str())).collect()
}
