//! What happens in a world: stock in, sales in one or two halves, hand-overs that lend, returns, stock out.

use serde_json::{Value, json};

use super::codes::Package;
use super::dice::Dice;
use crate::moment::{DAY_MS, Day, HOUR_MS, SECOND_MS, Timestamp};

/// The taste of one world; different tastes reach different rules.
#[derive(Clone, Debug)]
pub(super) struct Taste {
    /// Where things happen.
    pub(super) institutions: Vec<String>,
    /// The packages that are traded.
    pub(super) packages: Vec<Package>,
    /// The product that the world's reference gives each package, if any.
    pub(super) products: Vec<Option<String>>,
    /// The day on which the world begins.
    pub(super) first_day: Day,
    /// How many lines are split, in percent.
    pub(super) split_percent: usize,
    /// Times are multiples of this from the beginning, so that some are equal.
    pub(super) grid_ms: i64,
    /// How many steps of the grid there are.
    pub(super) steps: i64,
    /// By how much uploads are late, at most.
    pub(super) late_ms_max: i64,
    /// How many header ids are given, in percent.
    pub(super) id_percent: usize,
    /// How many lines carry several codes, in percent.
    pub(super) many_percent: usize,
    /// How often anything odd is said about a line, in percent.
    pub(super) odd_percent: usize,
    /// How often a code comes mangled, in percent.
    pub(super) mangled_percent: usize,
    /// How many times are given as a day, in percent.
    pub(super) day_percent: usize,
    /// How many lines are of a product without codes, in percent.
    pub(super) plain_percent: usize,
    /// How often a line is taken back in part, in percent.
    pub(super) refund_percent: usize,
    /// How many sales lend their codes, in percent.
    pub(super) lend_percent: usize,
}

/// The uploads of a world while they are made.
#[derive(Debug)]
pub(super) struct Episodes<'a> {
    /// The choices.
    pub(super) dice: &'a mut Dice,
    /// The world's taste.
    pub(super) taste: Taste,
    /// What was uploaded so far.
    pub(super) uploads: Vec<Value>,
}

const STOCK_IN: [&str; 7] =
    ["purchase_in", "purchase_in", "purchase_in", "transfer_in", "gift_in", "gain_in", "other_in"];
const STOCK_OUT: [&str; 6] =
    ["purchase_return", "transfer_out", "gift_return", "loss_out", "destroyed", "other_out"];

/// A moment as some sender writes it: any offset, and what is finer than a millisecond means nothing.
pub(super) fn write_time(dice: &mut Dice, time: Timestamp) -> String {
    let (offset_minutes, zone) = dice.pick(&[
        (480, "+08:00"),
        (480, "+08:00"),
        (480, "+08:00"),
        (0, "Z"),
        (0, "+00:00"),
        (-300, "-05:00"),
        (540, "+09:00"),
        (330, "+05:30"),
    ]);
    let fraction = match time.0.rem_euclid(SECOND_MS) {
        0 => dice.pick(&["", "", "", ".000", ".0009"]).to_owned(),
        500 => dice.pick(&[".5", ".500", ".5009999"]).to_owned(),
        millis => format!(".{millis:03}{}", dice.pick(&["", "0", "99"])),
    };
    time.text(offset_minutes, zone, &fraction)
}

/// The moment that a text names; of a day its beginning.
pub(super) fn read_time(value: &Value) -> Option<Timestamp> {
    let text = value.as_str()?;
    Timestamp::parse(text).or_else(|| Some(Day::parse(text)?.beginning()))
}

impl Episodes<'_> {
    /// One episode: one or two documents, seldom more.
    pub(super) fn happen(&mut self) {
        if self.dice.chance(self.taste.lend_percent) {
            return self.hand_over();
        }
        if self.dice.chance(3 + self.taste.refund_percent / 3) {
            return self.bill();
        }
        match self.dice.below(20) {
            0..=2 => {
                let kind = self.dice.pick(&STOCK_IN);
                self.document(kind);
            }
            3 => {
                let kind = self.dice.pick(&STOCK_OUT);
                self.document(kind);
            }
            4 if self.dice.chance(30) => self.document("stocktake"),
            4..=9 => self.sale_in_two_halves(),
            10..=12 => self.document("settlement"),
            13..=15 => self.document("dispense"),
            _ => self.document("dispense_return"),
        }
    }

    fn document(&mut self, kind: &str) {
        let institution_id = self.dice.pick(&self.taste.institutions);
        let time = self.moment();
        let fields = self.fields(kind, &institution_id, time);
        self.uploads.push(fields);
    }

    /// A dispensing and the settlement that reports it: the same lines, ids and person, mostly; a pharmacy's window
    /// writes a visit number of its own.
    fn sale_in_two_halves(&mut self) {
        let institution_id = self.dice.pick(&self.taste.institutions);
        let time = self.moment();
        let dispensing = self.fields("dispense", &institution_id, time);
        let gap = self.dice.pick(&[0, 0, HOUR_MS, 24 * HOUR_MS, 24 * HOUR_MS + 1, -HOUR_MS]);
        let gap = if self.dice.chance(5) { 180 * DAY_MS + self.dice.between(0, 1) } else { gap };
        let mut settlement = self.fields("settlement", &institution_id, Timestamp(time.0 + gap));
        for name in ["visit_id", "settlement_id", "person_id", "person_cert"] {
            if !self.dice.chance(85) {
                continue;
            }
            match dispensing.get(name).cloned() {
                Some(value) => settlement[name] = value,
                None => drop(settlement.as_object_mut().map(|fields| fields.remove(name))),
            }
        }
        if self.dice.chance(15) {
            settlement["visit_id"] = json!(self.dice.pick(&["W1", "W2"]));
            settlement.as_object_mut().map(|fields| fields.remove("settlement_id"));
        }
        if self.dice.chance(80) {
            settlement["lines"] = dispensing["lines"].clone();
        }
        if self.dice.chance(20) {
            // One hand-over of several lines, of which the settlement names one: the others join its sale.
            let lines = settlement["lines"].as_array().map_or(0, Vec::len);
            settlement["lines"] = json!([settlement["lines"][self.dice.below(lines)]]);
        }
        self.uploads.push(dispensing.clone());
        self.uploads.push(settlement);
        if self.dice.chance(20) {
            self.give_back(&dispensing, &institution_id, time);
        }
    }

    /// A line of a dispensing comes back, soon after.
    pub(super) fn give_back(&mut self, dispensing: &Value, institution_id: &str, time: Timestamp) {
        let later = self.dice.pick(&[0, HOUR_MS, DAY_MS, -HOUR_MS]);
        let mut back = self.fields("dispense_return", institution_id, Timestamp(time.0 + later));
        let lines = dispensing["lines"].as_array().cloned().unwrap_or_default();
        let line = self.dice.pick(&lines);
        if self.dice.chance(60) {
            back["returns"] = json!({ "document_id": dispensing["document_id"], "line_id": line["line_id"] });
        }
        let mut lines = vec![line];
        if self.dice.chance(15 + self.taste.refund_percent) {
            // Less than it seemed came back.
            let line_id = self.line_id(&lines);
            let mut refund = self.refund(&lines, line_id);
            refund["quantity"] = self.dice.pick(&[json!("0.5"), json!("0.25"), json!("1")]);
            lines.push(refund);
        }
        back["lines"] = Value::Array(lines);
        self.uploads.push(back);
    }

    /// A moment on the grid, seldom a little beside it.
    pub(super) fn moment(&mut self) -> Timestamp {
        let start = self.taste.first_day.beginning();
        let beside = if self.dice.chance(6) { self.dice.pick(&[1, 500, 999, -1]) } else { 0 };
        if self.dice.chance(3) {
            // A time that is the moment of a day, for one kind or another.
            let day = self.taste.first_day.later(self.dice.between(1, 3));
            return Timestamp(day.beginning().0 - self.dice.pick(&[1, 2, 1_000]));
        }
        Timestamp(start.0 + self.dice.between(0, self.taste.steps) * self.taste.grid_ms + beside)
    }

    /// When something that happened at `time` is uploaded: at once, late, or (allowed up to a day) too early.
    pub(super) fn issue(&mut self, time: Timestamp) -> Timestamp {
        let steps = self.taste.late_ms_max / self.taste.grid_ms;
        match self.dice.below(10) {
            0..=4 => time,
            5..=8 => Timestamp(time.0 + self.dice.between(0, steps) * self.taste.grid_ms),
            _ => Timestamp(time.0 - self.dice.pick(&[DAY_MS, HOUR_MS, 1])),
        }
    }

    /// When something happened, as a time or as the day.
    pub(super) fn write_when(&mut self, time: Timestamp) -> String {
        if self.dice.chance(self.taste.day_percent) {
            return time.day().text();
        }
        write_time(self.dice, time)
    }

    /// A document id: mostly its own, sometimes one that others have too.
    fn document_id(&mut self, kind: &str) -> String {
        if self.dice.chance(12) {
            return self.dice.pick(&["D1", "D2"]).to_owned();
        }
        format!("{}{}", &kind[..3], self.uploads.len())
    }

    /// A document of a kind that happened at `time`.
    pub(super) fn fields(&mut self, kind: &str, institution_id: &str, time: Timestamp) -> Value {
        let document_id = self.document_id(kind);
        let issued_at = self.issue(time);
        let mut fields = json!({
            "document_id": document_id, "kind": kind, "institution_id": institution_id,
            "issued_at": write_time(self.dice, issued_at), "occurred_at": self.write_when(time),
        });
        if self.dice.chance(20) {
            fields["partial"] = self.dice.pick(&[json!(false), Value::Null]);
        }
        if !["dispense", "dispense_return", "settlement"].contains(&kind) {
            if self.dice.chance(80) {
                fields["counterparty"] = json!({ "name": "公司", "delivery_note": "D1" });
            }
        } else {
            self.name_ids_and_person(&mut fields);
        }
        if kind == "settlement" && self.dice.chance(50) {
            fields["fund_amount"] = self.money();
        }
        if kind == "dispense_return" && self.dice.chance(50) {
            fields["returns"] = self.returns(institution_id);
        }
        if self.dice.chance(12) {
            self.say_more(&mut fields);
        }
        fields["lines"] = self.lines(kind);
        fields
    }

    /// Persons and ids of visits and settlements.
    pub(super) fn name_ids_and_person(&mut self, fields: &mut Value) {
        if self.dice.chance(self.taste.id_percent) {
            fields["settlement_id"] = json!(self.dice.pick(&["S1", "S2", "S3", "S4"]));
        }
        if self.dice.chance(self.taste.id_percent) {
            fields["visit_id"] = json!(self.dice.pick(&["V1", "V2", "V3"]));
        }
        if self.dice.chance(60) {
            fields["person_id"] =
                json!(self.dice.pick(&["N1", "N1", "N2", "N3", "n1", " N1", "n1\u{3000}", "  "]));
        }
        if self.dice.chance(60) {
            fields["person_cert"] = json!(self.dice.pick(&["C1", "C1", "C2", "C3", "c1", " C2"]));
        }
        if self.dice.chance(20) {
            fields["operator_id"] = json!("O1");
        }
    }

    /// A field of the header that nothing here is judged by, but that stands in its text.
    pub(super) fn say_more(&mut self, fields: &mut Value) {
        let (name, value) = self.dice.pick(&[
            ("credential_type", json!("01")),
            ("credential_type", json!("02")),
            ("device_id", json!("d-1")),
            ("operator_kind", json!("3")),
            ("insured_region", json!("370203")),
            ("medical_type", json!("pharmacy")),
            ("medical_type", json!("inpatient")),
            ("account_amount", json!("3.00")),
            ("service", json!("online")),
            ("service", json!("in_person")),
            ("declared_codes", json!(2)),
            ("declared_consumable_codes", json!("0")),
        ]);
        fields[name] = value;
    }

    /// A sale to give back: of a document that exists, mostly.
    fn returns(&mut self, institution_id: &str) -> Value {
        let sold = |upload: &&Value| {
            upload["institution_id"] == institution_id
                && matches!(upload["kind"].as_str(), Some("dispense" | "settlement"))
        };
        let sold: Vec<Value> = self.uploads.iter().filter(sold).cloned().collect();
        if sold.is_empty() || self.dice.chance(8) {
            return json!({ "document_id": "nowhere" });
        }
        let target = self.dice.pick(&sold);
        let mut returns = json!({ "document_id": target["document_id"] });
        if self.dice.chance(45) {
            let lines = target["lines"].as_array().map_or(0, Vec::len);
            returns["line_id"] = target["lines"][self.dice.below(lines)]["line_id"].clone();
        } else if self.dice.chance(10) {
            returns["line_id"] = self.dice.pick(&[json!("77"), json!(""), Value::Null]);
        }
        returns
    }
}
