//! Rulings and payments before, between and after the versions of their claim, in every order of arrival and through
//! crashes: which version a ruling is about goes by its stamp, never by when it came. Each story ends with a verdict, a
//! payable amount, and what was paid and is to be recovered, all written down here by hand; the second implementation says
//! the verdicts too.

use serde_json::{Value, json};

use super::national::run::{SHAPES, permutations};
use super::simulation::province::Province;
use crate::support::local::{feed, finish, shaped, start};
use oracle::World;
use oracle::world::dice::Dice;

/// Runs of each story with crashes, each in another order.
const CRASHES: u64 = 25;
const UNTIL: &str = "2026-02-20T09:00:00+08:00";
const CLAIM: &str = "S1";
const PHARMACY: &str = "P37020300001";

/// A claim, what is said of it, and how it ends.
#[derive(Clone)]
struct Story {
    name: &'static str,
    uploads: Vec<Value>,
    verdict: &'static str,
    payable: &'static str,
    paid: &'static str,
    recover: &'static str,
}

fn day(day: u32) -> String {
    format!("2026-01-{day:02}T09:00:00+08:00")
}

/// A version of the claim: one line of so many boxes with these codes.
fn claim(issued: u32, quantity: u32, codes: &[&str]) -> Value {
    json!({"document_id": CLAIM, "kind": "settlement", "institution_id": PHARMACY, "issued_at": day(issued),
        "occurred_at": day(5), "settlement_id": "J1", "lines": [{"line_id": "1",
        "product_code": "XR05CBA198A001010100863", "quantity": quantity.to_string(), "amount": "40.00",
        "fund_amount": "28.00", "trace_codes": codes}]})
}

/// A version of the hand-over that lends.
fn hand_over(issued: u32, codes: &[&str]) -> Value {
    json!({"document_id": "D1", "kind": "dispense", "institution_id": PHARMACY, "issued_at": day(issued),
        "occurred_at": day(5), "settlement_id": "J1", "lines": [{"line_id": "1",
        "product_code": "XR05CBA198A001010100863", "quantity": "1", "trace_codes": codes}]})
}

fn partial(issued: u32, rest: Value) -> Value {
    let mut upload = json!({"document_id": CLAIM, "kind": "settlement", "institution_id": PHARMACY,
        "issued_at": day(issued), "partial": true});
    for (name, value) in rest.as_object().into_iter().flatten() {
        upload[name] = value.clone();
    }
    upload
}

fn ruling(issued: u32, line_id: Option<&str>, verdict: &str, rules: &[&str]) -> Value {
    json!({"kind": "ruling", "institution_id": PHARMACY, "document_id": CLAIM, "line_id": line_id,
        "verdict": verdict, "rules": rules, "issued_at": day(issued), "ruled_by": "青岛市医保局", "basis": "稽核"})
}

fn payment(issued: u32, id: &str, amount: &str, rest: Value) -> Value {
    let mut upload = json!({"kind": "payment", "institution_id": PHARMACY, "document_id": CLAIM, "payment_id": id,
        "amount": amount, "paid_on": "2026-01-20", "issued_at": day(issued)});
    for (name, value) in rest.as_object().into_iter().flatten() {
        upload[name] = value.clone();
    }
    upload
}

fn reversal(issued: u32) -> Value {
    json!({"document_id": "X1", "kind": "reversal", "institution_id": PHARMACY, "issued_at": day(issued),
        "reverses": {"group": "settlement", "document_id": CLAIM}})
}

const BOX: &str = "81773220000000016835";
const ANOTHER: &str = "81773220000000026835";

const SHORT: &[&str] = &["short_codes"];

fn stories() -> Vec<Story> {
    [of_versions(), of_codes_that_are_lent(), of_adjustments()].concat()
}

fn story(name: &'static str, uploads: Vec<Value>, ends: [&'static str; 4]) -> Story {
    let [verdict, payable, paid, recover] = ends;
    Story { name, uploads, verdict, payable, paid, recover }
}

fn of_versions() -> Vec<Story> {
    vec![
        story(
            "the correction is judged anew, and ruled on by the line",
            vec![
                claim(5, 2, &[BOX]),
                ruling(8, None, "pay", SHORT),
                claim(9, 3, &[BOX]),
                ruling(12, Some("1"), "pay", SHORT),
                ruling(13, None, "none", &[]),
                payment(14, "B1", "28.00", json!({})),
            ],
            ["pay", "28.00", "28.00", "0.00"],
        ),
        story(
            "a ruling that pays does not hold for a later version, of whatever part",
            vec![
                claim(5, 2, &[BOX]),
                ruling(8, None, "pay", SHORT),
                partial(9, json!({"occurred_at": day(5), "settlement_id": "J1"})),
                payment(10, "B1", "28.00", json!({})),
                payment(12, "B2", "3.00", json!({"recovered": true})),
            ],
            ["hold", "0.00", "25.00", "25.00"],
        ),
        story(
            "a refusal before the claim stands over everything that becomes of it",
            vec![
                ruling(1, None, "refuse", &[]),
                claim(5, 1, &[BOX]),
                reversal(6),
                claim(7, 1, &[BOX]),
                payment(8, "B1", "28.00", json!({})),
                payment(9, "B1", "28.00", json!({"withdrawn": true})),
            ],
            ["refuse", "0.00", "", ""],
        ),
        story(
            "a line's own ruling counts before the claim's, also where it does not hold",
            vec![
                ruling(4, None, "refuse", &[]),
                claim(5, 2, &[BOX]),
                ruling(6, Some("1"), "pay", SHORT),
                claim(7, 2, &[BOX]),
                payment(8, "B1", "10.00", json!({})),
            ],
            ["hold", "0.00", "10.00", "10.00"],
        ),
    ]
}

fn of_codes_that_are_lent() -> Vec<Story> {
    let lacking = &["no_code", "short_codes"];
    vec![
        story(
            "what is lent after the ruling is judged anew, and a later ruling lets it pass",
            vec![
                claim(5, 2, &[]),
                ruling(7, None, "pay", lacking),
                hand_over(9, &[BOX]),
                ruling(12, Some("1"), "pay", lacking),
                hand_over(11, &[ANOTHER]),
                payment(14, "B1", "28.00", json!({})),
            ],
            ["pay", "28.00", "28.00", "0.00"],
        ),
        story(
            "the hand-over changes after the ruling",
            vec![
                claim(5, 2, &[]),
                hand_over(6, &[BOX]),
                ruling(7, None, "pay", lacking),
                hand_over(9, &[ANOTHER]),
                payment(14, "B1", "28.00", json!({})),
            ],
            ["hold", "0.00", "28.00", "28.00"],
        ),
    ]
}

fn of_adjustments() -> Vec<Story> {
    vec![
        story(
            "an adjustment before the ruling leaves it as it is",
            vec![
                claim(5, 3, &[BOX]),
                partial(6, json!({"lines": [adjustment("R1")]})),
                ruling(8, None, "pay", SHORT),
                ruling(9, Some("1"), "hold", &[]),
                ruling(10, Some("1"), "none", &[]),
                payment(11, "B1", "30.00", json!({})),
            ],
            ["pay", "23.00", "30.00", "7.00"],
        ),
        story(
            "an adjustment after the ruling undoes it",
            vec![
                claim(5, 4, &[BOX]),
                partial(6, json!({"lines": [adjustment("R1")]})),
                ruling(8, None, "pay", SHORT),
                partial(9, json!({"lines": [adjustment("R2")]})),
                payment(11, "B1", "30.00", json!({})),
            ],
            ["hold", "0.00", "30.00", "30.00"],
        ),
    ]
}

/// One box less on line 1.
fn adjustment(line_id: &str) -> Value {
    json!({"line_id": line_id, "adjusts": "1", "product_code": "XR05CBA198A001010100863", "quantity": "1",
        "amount": "10.00", "fund_amount": "5.00"})
}

fn reference() -> Vec<Value> {
    vec![
        json!({"type": "product", "prefix": "8177322", "product_code": "XR05CBA198A001010100863",
            "name": "盐酸氨溴索片", "packs_per_code": 1, "units_per_pack": 20}),
        json!({"type": "institution", "institution_id": PHARMACY, "name": "康宁大药房", "region": "370203",
            "tier": "pharmacy"}),
    ]
}

impl Story {
    fn world(&self) -> World {
        World { reference: reference(), uploads: self.uploads.clone(), until: UNTIL.to_owned() }
    }

    /// What is not as it was written down of the decision, or nothing.
    fn complaint(&self, decisions: &[Value]) -> String {
        let expected = json!([self.verdict, self.payable, text(self.paid), self.recover]);
        let found: Vec<Value> = decisions.iter().map(|decision| self.shown(decision)).collect();
        if found == [expected.clone()] {
            String::new()
        } else {
            format!("{expected} expected, found {found:?}")
        }
    }

    /// What recovery there is without payments depends on what was published before: then it is not compared.
    fn shown(&self, decision: &Value) -> Value {
        let recover = if self.recover.is_empty() { json!("") } else { decision["recover"].clone() };
        json!([decision["verdict"], decision["payable"], decision["paid"], recover])
    }
}

fn text(text: &str) -> Value {
    if text.is_empty() { Value::Null } else { json!(text) }
}

#[test]
fn a_ruling_counts_by_its_stamp_in_every_order_of_arrival() {
    for story in stories() {
        let world = story.world();
        let expected = world.judged();
        let uploads: Vec<String> = world.uploads.iter().map(World::text).collect();
        for (order, shape) in permutations(&uploads).iter().zip(SHAPES.iter().cycle()) {
            let mut local = start(&world.reference, &shaped(*shape));
            feed(&mut local, order);
            let ended = finish(local, Some(UNTIL));
            let complaint = ended.complaint(&expected) + &story.complaint(&ended.whole_decisions);
            assert!(complaint.is_empty(), "{}: {complaint}\n{}", story.name, order.join("\n"));
        }
    }
}

#[test]
fn a_ruling_counts_by_its_stamp_through_crashes() {
    for story in stories() {
        let expected = story.world().judged();
        for seed in 0..CRASHES {
            let mut world = story.world();
            Dice::new(seed).shuffle(&mut world.uploads);
            let mut province = Province::new(seed, &world);
            province.run(&world);
            let complaint =
                province.complaint(&expected) + &story.complaint(&province.folded().whole_decisions());
            assert!(complaint.is_empty(), "{}, seed {seed}: {complaint}\n{}", story.name, world.to_ndjson());
        }
    }
}
