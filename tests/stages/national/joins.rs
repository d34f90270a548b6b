//! Fee lines and codes come in messages of their own and join into one claim, whichever comes first; parts of it are
//! taken back by line, by batch, by visit; codes of opened packs keep that they were.

use serde_json::{Value, json};
use tracewarden::pipeline::tally::Tally;

use super::messages::{
    HOSPITAL, PHARMACY, PRODUCT, Settlement, cancel, code, decision, decision_at, fees, line_alert, message,
    reference,
};
use super::run::{SHAPES, permutations, run};
use oracle::Answer;

/// In every order of the messages these alerts are open and these decisions stand.
fn ends_in_every_order(messages: &[String], alerts: &[Value], decisions: &[Value]) -> Vec<Tally> {
    let expected = Answer::new(alerts.to_vec(), decisions.to_vec());
    let orders = permutations(messages);
    let ended = |(number, order): (usize, &Vec<String>)| {
        let ended = run(&reference(), order, None, SHAPES[number % SHAPES.len()]);
        let complaint = ended.complaint(&expected);
        assert!(complaint.is_empty(), "in the order {order:#?}:\n{complaint}");
        ended.tally
    };
    orders.iter().enumerate().map(ended).collect()
}

fn no_code(document: &str, line: &str) -> Value {
    line_alert("no_code", HOSPITAL, "settlement", document, line)
}

const PAID: (&str, &[&str]) = ("pay", &[]);
/// The hand-over may still bring its codes.
const WITHOUT_CODE: (&str, &[&str]) = ("hold", &["no_code"]);

fn outpatient<'a>(at: &'a str, id: &'a str, codes: &'a [(&'a str, String, bool)]) -> Settlement<'a> {
    Settlement { at, visit: "M1", batch: Some("CB1"), id, person: "1", fund: "30.00", codes }
}

#[test]
fn fee_lines_and_codes_of_an_outpatient_join_whichever_comes_first() {
    let codes = [("1", code(1), false), ("2", code(2), false)];
    let messages = [
        fees("09:00:00", "M1", Some("CB1"), &[("1", "1", "20.00")]),
        fees("09:05:00", "M1", Some("CB1"), &[("2", "1", "10.00"), ("3", "1", "15.00")]),
        outpatient("09:30:00", "S1", &codes).message(),
    ];
    let lines = [("1", PAID.0, PAID.1), ("2", PAID.0, PAID.1), ("3", WITHOUT_CODE.0, WITHOUT_CODE.1)];
    ends_in_every_order(&messages, &[no_code("M1/CB1", "3")], &[decision("M1/CB1", "20.00", &lines)]);
}

#[test]
fn an_interim_settlement_of_a_stay_is_settled_again_with_all_its_codes() {
    let stay = |at, id, fund, codes| {
        Settlement { at, visit: "Z1", batch: None, id, person: "1", fund, codes }.message()
    };
    let messages = [
        fees("08:00:00", "Z1", None, &[("1", "1", "20.00")]),
        stay("09:00:00", "S1", "8.00", &[("1", code(1), false)]),
        fees("10:00:00", "Z1", None, &[("2", "1", "20.00")]),
        stay("11:00:00", "S2", "16.00", &[("1", code(1), false), ("2", code(2), false)]),
    ];
    let lines = [("1", PAID.0, PAID.1), ("2", PAID.0, PAID.1)];
    ends_in_every_order(&messages, &[], &[decision("Z1", "16.00", &lines)]);
}

/// Two batches of a visit, each with a line that has its code and one that has none; and what else happens.
fn two_batches(event: &str) -> Vec<String> {
    let first = [("1", code(1), false)];
    let second = [("3", code(3), false)];
    vec![
        fees("09:00:00", "M1", Some("CB1"), &[("1", "1", "20.00"), ("2", "1", "10.00")]),
        fees("09:10:00", "M1", Some("CB2"), &[("3", "1", "20.00"), ("4", "1", "10.00")]),
        outpatient("09:30:00", "S1", &first).message(),
        Settlement { batch: Some("CB2"), ..outpatient("09:40:00", "S2", &second) }.message(),
        event.to_owned(),
    ]
}

/// The batch with its line without code, and after that line is gone.
fn whole(document: &str, lines: [&str; 2]) -> Value {
    let lines = [(lines[0], PAID.0, PAID.1), (lines[1], WITHOUT_CODE.0, WITHOUT_CODE.1)];
    decision(document, "20.00", &lines)
}

fn reduced(document: &str, line: &str) -> Value {
    decision(document, "30.00", &[(line, PAID.0, PAID.1)])
}

#[test]
fn a_fee_line_is_taken_back_alone() {
    let by_cancellation = cancel(
        HOSPITAL,
        "2205",
        "10:00:00",
        &json!({"mdtrt_id": "M1", "chrg_bchno": "CB1", "feedetl_sn": "2"}),
    );
    let by_visit = cancel(
        HOSPITAL,
        "2205",
        "10:00:00",
        &json!({"mdtrt_id": "M1", "chrg_bchno": "0000", "feedetl_sn": "2"}),
    );
    // A line of its own that says which one it takes back.
    let refund = fees("10:00:00", "M1", Some("CB1"), &[("5", "-1", "-10.00")]);
    let by_negative_count =
        refund.replace(r#""feedetl_sn":"5""#, r#""feedetl_sn":"5","init_feedetl_sn":"2""#);
    for event in [by_cancellation, by_visit, by_negative_count] {
        ends_in_every_order(
            &two_batches(&event),
            &[no_code("M1/CB2", "4")],
            &[reduced("M1/CB1", "1"), whole("M1/CB2", ["3", "4"])],
        );
    }
}

#[test]
fn a_batch_of_fee_lines_is_taken_back_and_the_codes_stay() {
    let event = cancel(HOSPITAL, "2205", "10:00:00", &json!({"mdtrt_id": "M1", "chrg_bchno": "CB1"}));
    ends_in_every_order(
        &two_batches(&event),
        &[no_code("M1/CB2", "4")],
        &[reduced("M1/CB1", "1"), whole("M1/CB2", ["3", "4"])],
    );
}

#[test]
fn all_batches_of_a_visit_are_taken_back() {
    let event = cancel(HOSPITAL, "2205", "10:00:00", &json!({"mdtrt_id": "M1", "chrg_bchno": "0000"}));
    ends_in_every_order(&two_batches(&event), &[], &[reduced("M1/CB1", "1"), reduced("M1/CB2", "3")]);
}

#[test]
fn fee_lines_of_a_stay_are_taken_back_by_line_by_all_and_by_refund() {
    let codes = [("1", code(1), false)];
    let stay = || Settlement { visit: "Z1", batch: None, ..outpatient("09:30:00", "S1", &codes) }.message();
    let refund = message(
        HOSPITAL,
        "2301",
        "10:00:00",
        "refund",
        &json!({"feedetail": {"feedetl_sn": "9", "init_feedetl_sn": "2", "mdtrt_id": "Z1", "med_list_codg": PRODUCT, "cnt": "-1"}}),
    );
    let events = [
        cancel(HOSPITAL, "2302", "10:00:00", &json!([{"feedetl_sn": "2", "mdtrt_id": "Z1"}])),
        cancel(HOSPITAL, "2302", "10:00:00", &json!({"feedetl_sn": "0000", "mdtrt_id": "Z1"})),
        refund.to_string(),
    ];
    for event in events {
        let messages =
            [fees("09:00:00", "Z1", None, &[("1", "1", "20.00"), ("2", "1", "10.00")]), stay(), event];
        ends_in_every_order(&messages, &[], &[reduced("Z1", "1")]);
    }
}

#[test]
fn fee_lines_uploaded_again_after_their_cancellation_count_again() {
    let first = [("1", code(1), false)];
    let messages = [
        fees("09:00:00", "M1", Some("CB1"), &[("1", "1", "20.00"), ("2", "1", "10.00")]),
        outpatient("09:30:00", "S1", &first).message(),
        cancel(HOSPITAL, "2205", "10:00:00", &json!({"mdtrt_id": "M1", "chrg_bchno": "0000"})),
        fees("10:00:01", "M1", Some("CB1"), &[("1", "1", "20.00"), ("2", "1", "10.00")]),
    ];
    ends_in_every_order(&messages, &[no_code("M1/CB1", "2")], &[whole("M1/CB1", ["1", "2"])]);
}

/// Ten tablets of one pack to each of two patients.
fn two_patients_of_one_pack(split: bool) -> Vec<String> {
    let codes = [("1", code(1), split)];
    let settle = |at, visit, person| Settlement { visit, person, ..outpatient(at, visit, &codes) }.message();
    vec![
        fees("09:00:00", "M1", Some("CB1"), &[("1", "10", "8.90")]),
        settle("09:30:00", "M1", "1"),
        fees("10:00:00", "M2", Some("CB1"), &[("1", "10", "8.90")]),
        settle("10:30:00", "M2", "2"),
    ]
}

#[test]
fn an_opened_pack_may_be_settled_for_two_patients() {
    let paid = |document| decision(document, "30.00", &[("1", PAID.0, PAID.1)]);
    ends_in_every_order(&two_patients_of_one_pack(true), &[], &[paid("M1/CB1"), paid("M2/CB1")]);
}

#[test]
fn a_whole_pack_may_not() {
    let ended = run(&reference(), &two_patients_of_one_pack(false), None, SHAPES[0]);
    let rules: Vec<&Value> = ended.answer.alerts.iter().map(|alert| &alert["rule"]).collect();
    assert!(rules.contains(&&json!("duplicate_settlement")), "{rules:?}");
    let verdicts: Vec<&Value> = ended.answer.decisions.iter().map(|decision| &decision["verdict"]).collect();
    assert_eq!(verdicts, [&json!("hold"), &json!("refuse")]);
}

#[test]
fn a_pharmacy_says_so_beside_the_codes_too() {
    let settle = |at: &str, id: &str| {
        let input = json!({
            "druginfo": {"psn_no": id},
            "drugdetail": {"feedetl_sn": "1", "med_list_codg": PRODUCT, "cnt": "10", "det_item_fee_sumamt": "8.90"},
            "drug_trac_info": {"feedetl_sn": "1", "drug_trac_codg": code(1), "trdn_flag": "1"},
        });
        let mut message = message(PHARMACY, "2102", at, id, &input);
        message["output"] = json!({"setlinfo": {"setl_id": id, "fund_pay_sumamt": "5.00"}});
        message.to_string()
    };
    let messages = [settle("09:00:00", "A"), settle("10:00:00", "B")];
    let paid = |document| decision_at(PHARMACY, document, "5.00", &[("1", PAID.0, PAID.1)]);
    ends_in_every_order(&messages, &[], &[paid("A"), paid("B")]);
}

#[test]
fn a_line_of_negative_count_in_a_pharmacy_takes_back_the_line_that_it_names() {
    let row = |line: &str, count: i32| json!({"feedetl_sn": line, "med_list_codg": PRODUCT, "cnt": count, "det_item_fee_sumamt": "8.90"});
    let refund = json!({"feedetl_sn": "3", "init_feedetl_sn": "2", "med_list_codg": PRODUCT, "cnt": -1});
    let input = json!({
        "druginfo": {"psn_no": "1"}, "drugdetail": [row("1", 1), row("2", 1), refund],
        "drug_trac_info": {"feedetl_sn": "1", "drug_trac_codg": code(1)},
    });
    let mut message = message(PHARMACY, "2102", "09:00:00", "A", &input);
    message["output"] = json!({"setlinfo": {"setl_id": "S1", "fund_pay_sumamt": "5.00"}});
    let paid = decision_at(PHARMACY, "A", "5.00", &[("1", PAID.0, PAID.1)]);
    ends_in_every_order(&[message.to_string()], &[], &[paid]);
}

#[test]
fn a_settlement_within_the_second_of_the_cancellation_ends_cancelled_and_is_counted() {
    let codes = [("1", code(1), false)];
    let again = |at| {
        [
            outpatient("09:30:00", "S1", &codes).message(),
            cancel(HOSPITAL, "2208", "10:00:00", &json!({"setl_id": "S1"})),
            outpatient(at, "S2", &codes).message(),
        ]
    };
    for tally in ends_in_every_order(&again("10:00:00"), &[], &[]) {
        assert_eq!(tally.reversed_at_issue, 1);
    }
    for tally in ends_in_every_order(&again("10:00:01"), &[], &[reduced("M1/CB1", "1")]) {
        assert_eq!(tally.reversed_at_issue, 0);
    }
}
