//! Of a code that a hand-over lent to a settlement the alert says whose it is: on the sides, in what it is explained by,
//! and in words.

use serde_json::{Value, json};
use tracewarden::pipeline::topics::Topic;

use crate::support::local::{feed, options, start};
use oracle::World;

const FIRST: &str = "81773220000000016835";
const SECOND: &str = "81773220000000016842";

/// A document of one line per list of codes.
fn document(kind: &str, institution_id: &str, document_id: &str, hour: u32, lines: &[&[&str]]) -> Value {
    let moment = format!("2026-01-05T{hour:02}:00:00+08:00");
    let line = |(number, codes): (usize, &&[&str])| {
        json!({
            "line_id": number.to_string(), "product_code": "XR05CBA198A001010100863", "quantity": "1",
            "amount": "20.00", "fund_amount": "14.00", "trace_codes": codes,
        })
    };
    json!({
        "document_id": document_id, "kind": kind, "institution_id": institution_id, "issued_at": moment,
        "occurred_at": moment, "settlement_id": format!("N{institution_id}"),
        "lines": (1..).zip(lines).map(line).collect::<Vec<_>>(),
    })
}

fn elsewhere(document_id: &str, code: &str) -> Value {
    document("settlement", "P44030500003", document_id, 8, &[&[code]])
}

fn settlement(lines: &[&[&str]]) -> Value {
    document("settlement", "P37020300001", "S1", 9, lines)
}

fn hand_over(document_id: &str, hour: u32, lines: &[&[&str]]) -> Value {
    document("dispense", "P37020300001", document_id, hour, lines)
}

/// Every revision of the rule's alerts about the settlement that borrows, each upload at rest before the next.
fn revisions(uploads: &[Value], rule: &str) -> Vec<Value> {
    let mut local = start(&[], &options(""));
    for upload in uploads {
        feed(&mut local, &[World::text(upload)]);
        local.settle().expect("the stages come to rest");
    }
    local.finish(None).expect("the run ends");
    let outputs = local.drain().expect("outputs are readable").into_iter();
    let alerts = outputs.filter(|output| output.topic == Topic::Alerts);
    let alerts =
        alerts.map(|output| serde_json::from_slice(&output.record.payload.unwrap_or_default()).unwrap());
    alerts.filter(|alert: &Value| alert["rule"] == rule && alert["subject"]["document_id"] == "S1").collect()
}

fn explained_by(alert: &Value) -> (&str, &str) {
    let [document_id, what] =
        ["document_id", "what"].map(|name| alert["cause"][name].as_str().unwrap_or("-"));
    (document_id, what)
}

#[test]
fn an_alert_about_a_lent_code_is_explained_by_the_hand_over_that_lends_or_lends_no_more() {
    let mut corrected = hand_over("D1", 10, &[&[]]);
    corrected["issued_at"] = json!("2026-01-05T11:00:00+08:00");
    let uploads =
        [elsewhere("S9", FIRST), settlement(&[&[]]), hand_over("D1", 10, &[&[FIRST]]), corrected.clone()];
    let alerts = revisions(&uploads, "duplicate_settlement");
    let [raised, .., withdrawn] = &alerts[..] else { panic!("raised and withdrawn: {alerts:#?}") };
    assert_eq!((&raised["status"], &withdrawn["status"]), (&json!("raised"), &json!("withdrawn")));
    assert_eq!(explained_by(raised), ("D1", "asserted"));
    assert_eq!(explained_by(withdrawn), ("D1", "retracted"));
    // Between them the hand-over itself goes, on its own way to the code.
    assert!(alerts.iter().all(|alert| explained_by(alert).0 == "D1"), "{alerts:#?}");
    assert_eq!(alerts[0]["cause"]["group"], "dispensing");
    assert_eq!(alerts[0]["subject"]["lent_from"], json!({"document_id": "D1", "line_id": "1"}));
    let [zh, en] = ["zh", "en"].map(|language| alerts[0]["text"][language].as_str().unwrap_or_default());
    assert!(zh.ends_with("。结算单S1明细1未写该码，系取自同一机构发药单据D1明细1。"), "{zh}");
    assert!(en.ends_with("it is that of line 1 of the hand-over D1 at the same institution."), "{en}");
    let withdrawn = withdrawn["text"]["zh"].as_str().unwrap_or_default();
    assert!(withdrawn.starts_with("【撤销】机构P37020300001的单据D1撤销或更正后"), "{withdrawn}");
}

#[test]
fn what_changes_because_of_the_settlement_is_explained_by_the_settlement() {
    let mut again = settlement(&[&[]]);
    again["issued_at"] = json!("2026-01-05T12:00:00+08:00");
    again["occurred_at"] = json!("2026-01-05T09:30:00+08:00");
    let uploads = [elsewhere("S9", FIRST), settlement(&[&[]]), hand_over("D1", 10, &[&[FIRST]]), again];
    let alerts = revisions(&uploads, "duplicate_settlement");
    assert_eq!(explained_by(&alerts[0]), ("D1", "asserted"));
    assert_eq!(alerts[1]["status"], "amended");
    assert_eq!(explained_by(&alerts[1]), ("S1", "asserted"));
    // A code of its own is nobody's but its own.
    let own = [elsewhere("S9", FIRST), hand_over("D1", 8, &[&[FIRST]]), settlement(&[&[FIRST]])];
    let alerts = revisions(&own, "duplicate_settlement");
    assert_eq!(explained_by(&alerts[0]).0, "S1");
    assert_eq!(alerts[0]["subject"]["lent_from"], Value::Null);
    assert!(!alerts[0]["text"]["zh"].as_str().unwrap_or_default().contains("取自"));
}

#[test]
fn of_several_hand_overs_each_explains_the_code_that_it_lends() {
    let uploads = [
        elsewhere("S8", FIRST),
        elsewhere("S9", SECOND),
        hand_over("D1", 10, &[&[FIRST]]),
        hand_over("D2", 11, &[&[SECOND]]),
        settlement(&[&[], &[]]),
    ];
    let mut found: Vec<(String, &str)> = Vec::new();
    let alerts = revisions(&uploads, "duplicate_settlement");
    for alert in &alerts {
        found.push((alert["code"].as_str().unwrap_or_default().to_owned(), explained_by(alert).0));
    }
    found.sort_unstable();
    assert_eq!(found, [(FIRST.to_owned(), "D1"), (SECOND.to_owned(), "D2")]);
}

#[test]
fn the_codes_of_a_line_are_told_with_the_hand_over_that_lent_them() {
    let uploads = [settlement(&[&[]]), hand_over("D1", 10, &[&["6901234567892"]])];
    let alerts = revisions(&uploads, "invalid_code");
    let codes = &alerts[0]["attributes"]["codes"];
    assert_eq!(
        codes,
        &json!([{"code": "6901234567892", "invalid": "barcode_69",
            "lent_from": {"document_id": "D1", "line_id": "1"}}])
    );
    assert_eq!(explained_by(&alerts[0]), ("D1", "asserted"));
    let [zh, en] = ["zh", "en"].map(|language| alerts[0]["text"][language].as_str().unwrap_or_default());
    assert!(zh.contains("（是商品条码而不是追溯码）（取自发药单据D1明细1）"), "{zh}");
    assert!(en.contains("(a product barcode) (of hand-over D1 line 1)"), "{en}");
    let own = revisions(&[settlement(&[&["6901234567892"]])], "invalid_code");
    assert_eq!(own[0]["attributes"]["codes"], json!([{"code": "6901234567892", "invalid": "barcode_69"}]));
}
