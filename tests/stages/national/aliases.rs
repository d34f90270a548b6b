//! Reversals that name their target by another identity: a batch number, a settlement id, the msgid of a request, a
//! visit. They reach every document behind it, before or after them, few or thousands.

use serde_json::{Value, json};
use tracewarden::domain::outcome::UploadOutcome;

use super::messages::{
    DAY, HOSPITAL, PHARMACY, PRODUCT, Settlement, cancel, code, decision, decision_at, fees, line_alert,
    message, reference,
};
use super::run::{SHAPES, permutations, run, shuffled};
use crate::support::local::{Ended, finish, shaped, start};
use oracle::Answer;
use tracewarden::wire::inbound::nhsa;

fn in_every_order(messages: &[String], alerts: &[Value], decisions: &[Value]) {
    let expected = Answer::new(alerts.to_vec(), decisions.to_vec());
    for (number, order) in permutations(messages).iter().enumerate() {
        let complaint = run(&reference(), order, None, SHAPES[number % SHAPES.len()]).complaint(&expected);
        assert!(complaint.is_empty(), "in the order {order:#?}:\n{complaint}");
    }
}

/// The target alone stands; with its reversal it does not, in any order; uploaded anew, later, it stands again.
fn is_reversed_in_every_order(
    target: &[String],
    reversal: &str,
    again: &str,
    alerts: &[Value],
    decisions: &[Value],
) {
    in_every_order(target, alerts, decisions);
    let mut messages = target.to_vec();
    messages.push(reversal.to_owned());
    in_every_order(&messages, &[], &[]);
    messages.push(again.to_owned());
    in_every_order(&messages, alerts, decisions);
}

/// 3505 with a damaged code, which shows as an alert.
fn sale(at: &str, batch: &str, receipts: &[String]) -> String {
    let row = |receipt: &String| {
        json!({
            "med_list_codg": PRODUCT, "fixmedins_hilist_id": "YP1", "fixmedins_bchno": batch, "mdtrt_sn": receipt,
            "rtal_docno": receipt, "sel_retn_cnt": 1, "sel_retn_time": format!("{DAY} 08:00:00"),
            "drugtracinfo": [{"drug_trac_codg": "8177"}],
        })
    };
    let rows: Vec<Value> = receipts.iter().map(row).collect();
    message(PHARMACY, "3505A", at, at, &json!({ "selinfoDetail": rows })).to_string()
}

fn damaged(batch: &str, receipt: &str) -> Value {
    let which = nhsa::digest(["8177"].into_iter()).expect("a code");
    let document = format!("4/{batch}/3505/YP1/{DAY}T08:00:00+08:00//{receipt}/{receipt}/{which}");
    line_alert("invalid_code", PHARMACY, "dispensing", &document, "1")
}

fn delete(at: &str, batch: &str) -> String {
    cancel(PHARMACY, "3507", at, &json!({"fixmedins_bchno": batch, "inv_data_type": "4"}))
}

#[test]
fn a_batch_number_reaches_all_rows_that_share_it_and_no_other() {
    let receipts = ["R1".to_owned(), "R2".to_owned()];
    let other = sale("08:32:00", "B/1", &receipts[..1]);
    let messages = [
        sale("08:30:00", "B", &receipts[..1]),
        sale("08:31:00", "B", &receipts[1..]),
        other,
        delete("09:00:00", "B"),
    ];
    in_every_order(&messages, &[damaged("B%2F1", "R1")], &[]);
    is_reversed_in_every_order(
        &[sale("08:30:00", "B", &receipts)],
        &delete("09:00:00", "B"),
        &sale("09:00:01", "B", &receipts),
        &[damaged("B", "R1"), damaged("B", "R2")],
        &[],
    );
}

const PAID: [(&str, &str, &[&str]); 1] = [("1", "pay", &[])];

fn settlement<'a>(
    at: &'a str,
    batch: Option<&'a str>,
    id: &'a str,
    codes: &'a [(&'a str, String, bool)],
) -> Settlement<'a> {
    Settlement { at, visit: "M1", batch, id, person: "1", fund: "24.00", codes }
}

#[test]
fn a_settlement_id_reaches_the_settlement_of_a_visit_of_a_stay_and_of_a_pharmacy() {
    let codes = [("1", code(1), false)];
    for (batch, infno, document) in [(Some("CB1"), "2208", "M1/CB1"), (None, "2305", "M1")] {
        is_reversed_in_every_order(
            &[
                fees("09:00:00", "M1", batch, &[("1", "1", "30.00")]),
                settlement("09:30:00", batch, "S1", &codes).message(),
            ],
            &cancel(HOSPITAL, infno, "10:00:00", &json!({"setl_id": "S1", "mdtrt_id": "M1"})),
            &settlement("10:30:00", batch, "S2", &codes).message(),
            &[],
            &[decision(document, "24.00", &PAID)],
        );
    }
    is_reversed_in_every_order(
        &[purchase("09:30:00", "Q1", "S1")],
        &cancel(PHARMACY, "2103", "10:00:00", &json!({"setl_id": "S1"})),
        &purchase("10:30:00", "Q1", "S2"),
        &[],
        &[decision_at(PHARMACY, "Q1", "5.00", &PAID)],
    );
}

/// A canonical settlement of an institution, called like an alias.
fn called(document_id: &str, institution_id: &str, number: u32) -> String {
    let upload = json!({
        "document_id": document_id, "kind": "settlement", "institution_id": institution_id,
        "issued_at": format!("{DAY}T08:00:00+08:00"), "occurred_at": format!("{DAY}T08:00:00+08:00"),
        "lines": [{"line_id": "1", "product_code": PRODUCT, "quantity": "1", "fund_amount": "24.00",
            "trace_codes": [code(number)]}],
    });
    upload.to_string()
}

#[test]
fn a_document_called_like_an_alias_is_not_the_alias() {
    let codes = [("1", code(1), false)];
    let national = settlement("09:30:00", Some("CB1"), "S1", &codes).message();
    let (canonical, by_number) = (decision("setl/S1", "24.00", &PAID), decision("M1/CB1", "24.00", &PAID));
    // The national cancellation takes back the national settlement.
    let cancelled = cancel(HOSPITAL, "2208", "10:00:00", &json!({"setl_id": "S1", "mdtrt_id": "M1"}));
    in_every_order(&[called("setl/S1", HOSPITAL, 2), national.clone(), cancelled], &[], &[canonical]);
    // And the canonical reversal the canonical one.
    let reversed = json!({
        "document_id": "R1", "kind": "reversal", "institution_id": HOSPITAL,
        "issued_at": format!("{DAY}T10:00:00+08:00"),
        "reverses": {"group": "settlement", "document_id": "setl/S1"},
    });
    let messages = [called("setl/S1", HOSPITAL, 2), national, reversed.to_string()];
    in_every_order(&messages, &[], &[by_number]);
}

/// 2102.
fn purchase(at: &str, msgid: &str, id: &str) -> String {
    let input = json!({
        "druginfo": {"psn_no": "1"},
        "drugdetail": {"feedetl_sn": "1", "med_list_codg": PRODUCT, "cnt": "1", "det_item_fee_sumamt": "17.80",
            "drugtracinfo": code(1)},
    });
    let mut message = message(PHARMACY, "2102", at, msgid, &input);
    message["output"] = json!({"setlinfo": {"setl_id": id, "fund_pay_sumamt": "5.00"}});
    message.to_string()
}

#[test]
fn the_msgid_of_a_request_reaches_what_it_stated() {
    let codes = [("1", code(1), false)];
    let reverse = |institution, infno: &str, msgid: &str| {
        cancel(institution, "2601", "10:00:00", &json!({"omsgid": msgid, "oinfno": infno}))
    };
    for (batch, infno, document) in [(Some("CB1"), "2207", "M1/CB1"), (None, "2304A", "M1")] {
        is_reversed_in_every_order(
            &[
                fees("09:00:00", "M1", batch, &[("1", "1", "30.00")]),
                settlement("09:30:00", batch, "S1", &codes).message(),
            ],
            &reverse(HOSPITAL, infno, "settle S1"),
            &settlement("10:30:00", batch, "S2", &codes).message(),
            &[],
            &[decision(document, "24.00", &PAID)],
        );
    }
    is_reversed_in_every_order(
        &[purchase("09:30:00", "Q1", "S1")],
        &reverse(PHARMACY, "2102", "Q1"),
        &purchase("10:30:00", "Q1", "S2"),
        &[],
        &[decision_at(PHARMACY, "Q1", "5.00", &PAID)],
    );
}

#[test]
fn the_msgid_of_a_fee_upload_reaches_its_fee_lines_in_every_batch_and_leaves_the_settlement() {
    let codes = [("1", code(1), false)];
    let row = |batch: &str, line: &str| {
        json!({"feedetl_sn": line, "mdtrt_id": "M1", "chrg_bchno": batch, "med_list_codg": PRODUCT, "cnt": 2,
            "det_item_fee_sumamt": "30.00"})
    };
    let both = json!({"feedetail": [row("CB1", "1"), row("CB2", "1")]});
    let other = [("1", code(2), false)];
    let messages = [
        message(HOSPITAL, "2204", "09:00:00", "F1", &both).to_string(),
        settlement("09:30:00", Some("CB1"), "S1", &codes).message(),
        settlement("09:30:00", Some("CB2"), "S2", &other).message(),
    ];
    // Two packs, one code: held, until the fee lines are taken back and nobody knows how many there were.
    let short = |document| line_alert("short_codes", HOSPITAL, "settlement", document, "1");
    let held = |document| decision(document, "0.00", &[("1", "hold", &["short_codes"])]);
    in_every_order(&messages, &[short("M1/CB1"), short("M1/CB2")], &[held("M1/CB1"), held("M1/CB2")]);
    let mut reversed = messages.to_vec();
    reversed.push(cancel(HOSPITAL, "2601", "10:00:00", &json!({"omsgid": "F1", "oinfno": "2204"})));
    let paid = |document| decision(document, "24.00", &PAID);
    in_every_order(&reversed, &[], &[paid("M1/CB1"), paid("M1/CB2")]);
}

#[test]
fn a_reversal_under_an_alias_concerns_its_own_institution() {
    let codes = [("1", code(1), false)];
    let messages = [
        settlement("09:30:00", Some("CB1"), "S1", &codes).message(),
        cancel(PHARMACY, "2208", "10:00:00", &json!({"setl_id": "S1"})),
    ];
    in_every_order(&messages, &[], &[decision("M1/CB1", "24.00", &PAID)]);
}

/// Documents behind one alias: several pages of what the register tells at a time.
const DOCUMENTS: usize = 2_400;
/// Rows in one message.
const ROWS: usize = 300;

fn receipts() -> Vec<String> {
    (0..DOCUMENTS).map(|number| format!("R{number:05}")).collect()
}

fn sales(at: &str) -> Vec<String> {
    receipts().chunks(ROWS).map(|rows| sale(at, "BIG", rows)).collect()
}

fn nothing_is_left(ended: &Ended) {
    let complaint = ended.complaint(&Answer::new(Vec::new(), Vec::new()));
    assert!(complaint.is_empty(), "{}", complaint.lines().take(5).collect::<Vec<_>>().join("\n"));
}

#[test]
fn thousands_of_documents_are_reached_a_page_at_a_time_while_others_join() {
    // How many messages of rows come before the reversal; the others join while its pages are under way.
    let cases = [(0, (1000, 1)), (4, (1000, 1)), (8, (1000, 1)), (4, (3, 4))];
    for (before, shape) in cases {
        let mut local = start(&reference(), &shaped(shape));
        let mut feed = |message: &str| {
            local.feed(message.as_bytes().to_vec(), "uploads.ndjson", 1).expect("a message is taken in");
        };
        // Time is ahead of all that follows: it does not move, so nothing settles between the messages.
        feed(&fees("09:30:00", "M9", Some("CB9"), &[("1", "1", "8.90")]));
        let messages = sales("08:30:00");
        messages[..before].iter().for_each(|message| feed(message));
        feed(&delete("09:00:00", "BIG"));
        messages[before..].iter().for_each(|message| feed(message));
        let ended = finish(local, None);
        nothing_is_left(&ended);
        let told = ended.tally.forwarded as usize;
        assert_eq!(
            told, DOCUMENTS,
            "each is told once, whether it joined before or behind the reversal, {before} before"
        );
        assert_eq!(ended.tally.derived_total() as usize, DOCUMENTS + 2);
    }
}

#[test]
fn what_comes_again_after_that_changes_nothing() {
    let mut local = start(&reference(), &shaped((1000, 2)));
    let all = || {
        let mut messages = sales("08:30:00");
        messages.push(delete("09:00:00", "BIG"));
        messages
    };
    for message in all() {
        local.feed(message.into_bytes(), "uploads.ndjson", 1).expect("a message is taken in");
    }
    local.settle().expect("all comes to rest");
    let published = local.drain().expect("outputs are readable").len();
    assert_eq!(published, 2 * DOCUMENTS, "each alert is raised and withdrawn");
    let told = local.tally().forwarded;
    for message in all() {
        local.feed(message.into_bytes(), "uploads.ndjson", 2).expect("a message is taken in");
    }
    local.settle().expect("all comes to rest");
    assert!(local.drain().expect("outputs are readable").is_empty());
    let tally = local.tally();
    assert_eq!(tally.forwarded, told, "nobody is told again");
    assert_eq!(tally.merged_as(UploadOutcome::Superseded) as usize, DOCUMENTS);
    assert_eq!(tally.merged_as(UploadOutcome::Duplicate), 1);
}

#[test]
fn reversals_and_uploads_of_one_alias_end_the_same_in_any_order() {
    // Three rounds of upload and deletion of overlapping rows; only what is stamped after the last deletion stands.
    let rows = |numbers: std::ops::Range<u32>| numbers.map(|number| format!("R{number}")).collect::<Vec<_>>();
    let messages = [
        sale("08:30:00", "B", &rows(0..6)),
        delete("09:00:00", "B"),
        sale("09:30:00", "B", &rows(3..9)),
        delete("10:00:00", "B"),
        sale("10:30:00", "B", &rows(5..8)),
    ];
    let standing = rows(5..8).iter().map(|receipt| damaged("B", receipt)).collect();
    let expected = Answer::new(standing, Vec::new());
    for seed in 0..60 {
        let order = shuffled(&messages, seed);
        let complaint =
            run(&reference(), &order, None, SHAPES[seed as usize % SHAPES.len()]).complaint(&expected);
        assert!(complaint.is_empty(), "order {seed}:\n{complaint}");
    }
}
