//! Codes lent by the hand-over, across the death of a process: what lies between a hand-over and its settlement is in
//! the stores and the log, whichever came first.

use oracle::World;
use serde_json::{Value, json};
use tracewarden::wire::inbound::moment;

use super::answers::{complaint, publish};
use crate::support::installation::Installation;
use crate::support::watcher::Watcher;

/// Sales, each a hand-over and a settlement.
const SALES: usize = 40;
const INSTITUTION: &str = "P37020300001";
const PRODUCT: &str = "XR05CBA198A001010100863";
const UNTIL: &str = "2026-02-01T00:00:00+08:00";

/// The hand-over of a sale, with its code, and the settlement, without.
fn sale(number: usize) -> [Value; 2] {
    let document = |kind: &str, minute: usize, codes: Value| {
        let at = format!("2026-01-05T{:02}:{minute:02}:00+08:00", 8 + number / 10);
        json!({
            "document_id": format!("{kind}-{number}"), "kind": kind, "institution_id": INSTITUTION,
            "issued_at": at, "occurred_at": at, "person_id": format!("N{number}"),
            "settlement_id": format!("S{number}"), "fund_amount": if kind == "settlement" { "14.00" } else { "" },
            "lines": [{"line_id": "1", "product_code": PRODUCT, "quantity": "1", "amount": "20.00",
                "trace_codes": codes}],
        })
    };
    let code = format!("8177322{number:013}");
    [document("dispense", number % 10, json!([code])), document("settlement", 20 + number % 10, json!([]))]
}

/// Half of the sales begin with the hand-over, half with the settlement; the process dies when all have begun.
#[test]
fn a_process_killed_between_hand_over_and_settlement_lends_all_the_same() {
    needs_kafka!();
    let (mut first, mut second) = (Vec::new(), Vec::new());
    for number in 0..SALES {
        let [hand_over, settlement] = sale(number).map(|upload| upload.to_string());
        let is_hand_over_first = number % 2 == 0;
        let (begins, follows) =
            if is_hand_over_first { (hand_over, settlement) } else { (settlement, hand_over) };
        first.push(begins);
        second.push(follows);
    }
    let reference = vec![json!({"type": "item", "product_code": PRODUCT, "traceable": true})];
    let uploads = first.iter().chain(&second).cloned().map(Value::String).collect();
    let expected = World { reference: reference.clone(), uploads, until: UNTIL.into() }.judged();
    let now = moment::rfc3339(UNTIL).unwrap();

    let installation = Installation::new("lending").with("STAGE_BATCH_RECORDS_MAX", "5");
    installation.load_reference(&reference);
    let mut watcher = Watcher::new(&installation);
    let dies = installation.run(0, &["--clock", "uploads"]);
    publish(&installation, &first, now);
    watcher.read_until("the settlements that came first have decisions", |watcher| {
        watcher.decisions.len() >= SALES / 2
    });
    dies.kill();
    publish(&installation, &second, now);
    let service = installation.run(0, &["--clock", "uploads"]);
    installation.succeed(&["tick", "--at", &now.to_string()]);
    watcher.read_until_at_rest(now);
    let text = complaint(&expected, &watcher);
    assert!(text.is_empty(), "expected (-) and found (+) differ:\n{text}\n{}", service.log());
    service.stop();
    // Every count exactly once, whoever died.
    let sales = SALES as u64;
    for (name, count) in [
        ("records_read", 2 * sales),
        ("uploads_read", 2 * sales),
        ("uploads_duplicate", 0),
        ("documents", 2 * sales),
        ("lines_need_codes", sales),
        ("lines_with_lent_code_only", sales),
    ] {
        assert_eq!(watcher.counted(name), count, "{name}");
    }

    let newest = |number: usize| {
        let document = format!("settlement-{number}");
        watcher.decisions.iter().rfind(|decision| decision["claim"]["document_id"] == *document)
    };
    for number in 0..SALES {
        let decision = newest(number).expect("every settlement is decided");
        assert_eq!(
            (&decision["verdict"], &decision["payable"]),
            (&json!("pay"), &json!("14.00")),
            "{decision}"
        );
        let lent = json!([{"code": format!("8177322{number:013}"), "document_id": format!("dispense-{number}"),
            "line_id": "1"}]);
        assert_eq!(decision["lines"][0]["lent"], lent, "{decision}");
    }
}
