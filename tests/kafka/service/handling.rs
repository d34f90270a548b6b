//! What people do about a claim: a ruling lets a held one go, and what was paid and is to be got back is right to the
//! fen over corrections, payments and money that came back.

use serde_json::{Value, json};
use tracewarden::domain::time::Timestamp;
use tracewarden::wire::inbound::moment;

use super::answers::publish;
use crate::support::installation::Installation;
use crate::support::watcher::Watcher;

const INSTITUTION: &str = "H37020300001";
const PRODUCT: &str = "XR05CBA198A001010100863";
const UNTIL: &str = "2026-03-01T00:00:00+08:00";

/// Two boxes, one code: it is held for want of the other. The fund is asked for so much.
fn claim(day: u8, fund_amount: &str) -> Value {
    json!({
        "document_id": "C1", "kind": "settlement", "institution_id": INSTITUTION,
        "issued_at": issued(day), "occurred_at": issued(5), "fund_amount": fund_amount,
        "lines": [{"line_id": "1", "product_code": PRODUCT, "quantity": "2", "amount": "40.00",
            "trace_codes": ["81773220000000016835"]}],
    })
}

fn ruling(day: u8, verdict: &str) -> Value {
    json!({
        "kind": "ruling", "institution_id": INSTITUTION, "document_id": "C1", "verdict": verdict,
        "rules": ["short_codes"], "issued_at": issued(day), "ruled_by": "bureau", "basis": "seen on site",
    })
}

fn payment(day: u8, payment_id: &str, amount: &str, is_recovered: bool) -> Value {
    json!({
        "kind": "payment", "institution_id": INSTITUTION, "document_id": "C1", "payment_id": payment_id,
        "amount": amount, "paid_on": format!("2026-01-{day:02}"), "recovered": is_recovered,
        "issued_at": issued(day),
    })
}

fn issued(day: u8) -> String {
    format!("2026-01-{day:02}T09:00:00+08:00")
}

/// Verdict, payable, paid, to recover, recovered.
type Stands = [Value; 5];

fn stands(
    verdict: &str,
    payable: &str,
    paid: Option<&str>,
    recover: &str,
    recovered: Option<&str>,
) -> Stands {
    [json!(verdict), json!(payable), json!(paid), json!(recover), json!(recovered)]
}

fn of(decision: &Value) -> Stands {
    ["verdict", "payable", "paid", "recover", "recovered"].map(|name| decision[name].clone())
}

#[test]
fn a_ruling_lets_a_held_claim_go_and_what_is_paid_stays_right_over_corrections() {
    needs_kafka!();
    let told = [
        (claim(5, "28.37"), stands("hold", "0.00", None, "0.00", None)),
        (ruling(6, "pay"), stands("pay", "28.37", None, "0.00", None)),
        (payment(7, "B1", "28.37", false), stands("pay", "28.37", Some("28.37"), "0.00", None)),
        // Whoever changes a claim is judged anew: the ruling was about what stood there before.
        (claim(8, "20.02"), stands("hold", "0.00", Some("28.37"), "28.37", None)),
        (ruling(9, "pay"), stands("pay", "20.02", Some("28.37"), "8.35", None)),
        (payment(10, "B2", "8.34", true), stands("pay", "20.02", Some("20.03"), "0.01", Some("8.34"))),
        (payment(11, "B3", "0.01", true), stands("pay", "20.02", Some("20.02"), "0.00", Some("8.35"))),
        (ruling(12, "refuse"), stands("refuse", "0.00", Some("20.02"), "20.02", Some("8.35"))),
        (ruling(13, "none"), stands("hold", "0.00", Some("20.02"), "20.02", Some("8.35"))),
    ];
    let now: Timestamp = moment::rfc3339(UNTIL).unwrap();
    let installation = Installation::new("handling");
    installation.load_reference(&[json!({"type": "item", "product_code": PRODUCT, "traceable": true})]);
    let mut watcher = Watcher::new(&installation);
    let mut service = installation.run(0, &["--clock", "uploads"]);
    for (step, (upload, demanded)) in told.iter().enumerate() {
        publish(&installation, &[upload.to_string()], now);
        let what = format!("{upload} leads to {demanded:?}");
        watcher
            .read_until(&what, |watcher| watcher.decisions.last().is_some_and(|last| of(last) == *demanded));
        // It is in the store, not only in a process.
        if step % 3 == 1 {
            service.kill();
            service = installation.run(0, &["--clock", "uploads"]);
        }
    }
    installation.succeed(&["tick", "--at", &now.to_string()]);
    watcher.read_until_at_rest(now);
    watcher.assert_gapless();
    assert_eq!(watcher.lost_and_doubled(), (Vec::new(), Vec::new()));
    assert_eq!(watcher.dead_letters, Vec::<Value>::new());
    assert_eq!(watcher.decisions.last().map(of).as_ref(), told.last().map(|(_, demanded)| demanded));
    service.stop();
}
