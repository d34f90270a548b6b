//! Hand-overs that lend: the dispensing brings the codes, the settlement has none, or too few.

use serde_json::{Value, json};

use super::dice::Dice;
use super::episodes::Episodes;
use crate::moment::{DAY_MS, HOUR_MS, Timestamp};

impl Episodes<'_> {
    /// One hand-over or two, and the settlement or two that may borrow of them.
    pub(super) fn hand_over(&mut self) {
        let institution_id = self.dice.pick(&self.taste.institutions);
        let time = self.moment();
        let by_visit = self.dice.chance(30);
        let number = self.dice.pick(&["L1", "L2"]);
        for _ in 0..self.dice.pick(&[1, 1, 1, 2]) {
            let gap = self.gap(by_visit);
            let at = Timestamp(time.0 + gap);
            let mut dispensing = self.fields("dispense", &institution_id, at);
            self.one_code_a_line(&mut dispensing);
            self.name(&mut dispensing, by_visit, number);
            if by_visit && self.dice.chance(40) {
                dispensing["settlement_id"] = json!("S1");
            }
            self.uploads.push(dispensing.clone());
            if self.dice.chance(18) {
                self.give_back(&dispensing, &institution_id, at);
            }
        }
        let Some(handed_over) = self.uploads.last().cloned() else { return };
        for _ in 0..self.dice.pick(&[1, 1, 1, 1, 2]) {
            let mut settlement = self.fields("settlement", &institution_id, time);
            self.name(&mut settlement, by_visit, number);
            settlement["lines"] = self.lines_without_codes(&handed_over);
            self.uploads.push(settlement);
        }
    }

    /// How far the hand-over is from the settlement: in the window, and at its edges.
    fn gap(&mut self, by_visit: bool) -> i64 {
        let edge = if by_visit { 7 * DAY_MS } else { 180 * DAY_MS };
        match self.dice.below(12) {
            0 => edge + self.dice.between(0, 1),
            1 => -edge - self.dice.between(0, 1),
            _ => self.dice.pick(&[0, HOUR_MS, -HOUR_MS, DAY_MS]),
        }
    }

    fn name(&mut self, fields: &mut Value, by_visit: bool, number: &str) {
        let (name, other) =
            if by_visit { ("visit_id", "settlement_id") } else { ("settlement_id", "visit_id") };
        if by_visit && let Some(fields) = fields.as_object_mut() {
            fields.remove(other);
        }
        let number = if self.dice.chance(94) { number } else { "elsewhere" };
        fields[name] = json!(number);
    }

    /// Senders of hand-overs write a line for each box, mostly.
    fn one_code_a_line(&mut self, dispensing: &mut Value) {
        if !self.dice.chance(50) {
            return;
        }
        let at = self.dice.below(self.taste.packages.len());
        let product_code = self.taste.products[at].clone().unwrap_or_else(|| "XA01".to_owned());
        let mut lines: Vec<Value> = Vec::new();
        for _ in 0..self.dice.between(1, 4) {
            let line_id = self.line_id(&lines);
            let mut line = self.line("dispense", line_id);
            line["product_code"] = json!(product_code);
            line["trace_codes"] = self.trace_codes(at, false);
            lines.push(line);
        }
        dispensing["lines"] = Value::Array(lines);
    }

    /// The products that were handed over, in lines of their own, with few codes or none.
    fn lines_without_codes(&mut self, handed_over: &Value) -> Value {
        let from = handed_over["lines"].as_array().cloned().unwrap_or_default();
        let mut lines: Vec<Value> = Vec::new();
        for _ in 0..self.dice.pick(&[1, 1, 2, 2, 3]) {
            let line_id = self.line_id(&lines);
            let mut line = self.dice.pick(&from);
            if line.get("adjusts").is_some() {
                continue;
            }
            line["line_id"] = json!(line_id);
            let Some(fields) = line.as_object_mut() else { continue };
            if self.dice.chance(75) {
                fields.remove("split");
            }
            if self.dice.chance(70) {
                let quantity = self.dice.pick(&[json!(1), json!("2"), json!("3"), json!("0.5"), json!("6")]);
                fields.insert("quantity".to_owned(), quantity);
            }
            self.keep_few_codes(&mut line);
            lines.push(line);
        }
        if lines.is_empty() {
            lines.push(self.line("settlement", "1".to_owned()));
        }
        while lines.len() < 5 && self.dice.chance(self.taste.refund_percent) {
            let line_id = self.line_id(&lines);
            let refund = self.refund(&lines, line_id);
            lines.push(refund);
        }
        Value::Array(lines)
    }

    fn keep_few_codes(&mut self, line: &mut Value) {
        let own = match self.dice.below(10) {
            0 => line["trace_codes"].clone(),
            1 => {
                let codes = line["trace_codes"].as_array().cloned().unwrap_or_default();
                json!(codes.first().into_iter().collect::<Vec<_>>())
            }
            2 => {
                let at = self.dice.below(self.taste.packages.len());
                self.trace_codes(at, false)
            }
            3 => json!([invalid(self.dice)]),
            4 => json!([]),
            _ => Value::Null,
        };
        line["trace_codes"] = own;
    }
}

fn invalid(dice: &mut Dice) -> &'static str {
    dice.pick(&["810000100000", "8.1E+19", "H37020300001"])
}
