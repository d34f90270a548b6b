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
    assert!(details.ends_with("unexplained: 1\n  no_code P37020300001/settlement/S7/1\n"), "{details}");
    assert!(report.details(Language::English, 0).contains("missed: 1\n  … 1\n"));
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
