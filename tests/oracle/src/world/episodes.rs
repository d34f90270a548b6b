//! What happens in a world: stock in, sales in one or two halves, returns, stock out.

use serde_json::{Map, Value, json};

use super::codes::{self, Package};
use super::dice::Dice;
use super::reference_log::PRODUCTS;
use crate::moment::{DAY_MS, HOUR_MS, SECOND_MS, Timestamp};

/// The taste of one world; different tastes reach different rules.
#[derive(Clone, Debug)]
pub(super) struct Taste {
    /// Where things happen.
    pub(super) institutions: Vec<String>,
    /// The packages that are traded.
    pub(super) packages: Vec<Package>,
    /// The product that the world's reference gives each package, if any.
    pub(super) products: Vec<Option<String>>,
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

impl Episodes<'_> {
    /// One episode: one or two documents.
    pub(super) fn happen(&mut self) {
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

    /// A dispensing and the settlement that reports it: the same lines, ids and person, mostly.
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
        if self.dice.chance(12) {
            self.give_back(&dispensing, &institution_id, time);
        }
    }

    /// A line of a dispensing comes back, soon after.
    fn give_back(&mut self, dispensing: &Value, institution_id: &str, time: Timestamp) {
        let later = self.dice.pick(&[0, HOUR_MS, DAY_MS, -HOUR_MS]);
        let mut back = self.fields("dispense_return", institution_id, Timestamp(time.0 + later));
        let lines = dispensing["lines"].as_array().cloned().unwrap_or_default();
        let line = self.dice.pick(&lines);
        back["returns"] = json!({ "document_id": dispensing["document_id"], "line_id": line["line_id"] });
        back["lines"] = json!([line]);
        self.uploads.push(back);
    }

    /// A moment on the grid, seldom a little beside it.
    fn moment(&mut self) -> Timestamp {
        let start = Timestamp::parse("2026-03-01T00:00:00+08:00").unwrap_or(Timestamp(0));
        let beside = if self.dice.chance(6) { self.dice.pick(&[1, 500, 999, -1]) } else { 0 };
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

    /// A document id: mostly its own, sometimes one that others have too.
    fn document_id(&mut self, kind: &str) -> String {
        if self.dice.chance(12) {
            return self.dice.pick(&["D1", "D2"]).to_owned();
        }
        format!("{}{}", &kind[..3], self.uploads.len())
    }

    fn fields(&mut self, kind: &str, institution_id: &str, time: Timestamp) -> Value {
        let document_id = self.document_id(kind);
        let issued_at = self.issue(time);
        let mut fields = json!({
            "document_id": document_id, "kind": kind, "institution_id": institution_id,
            "issued_at": write_time(self.dice, issued_at), "occurred_at": write_time(self.dice, time),
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
        let mut lines: Vec<Value> = Vec::new();
        for _ in 0..self.dice.pick(&[1, 1, 1, 2, 3]) {
            let line_id = self.line_id(&lines);
            lines.push(self.line(kind, line_id));
        }
        fields["lines"] = Value::Array(lines);
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

    /// A line id, new among some lines; as bytes "10" comes before "2".
    pub(super) fn line_id(&mut self, lines: &[Value]) -> String {
        let ids = ["1", "2", "3", "10", "9", "A"];
        let free = ids.into_iter().filter(|id| lines.iter().all(|line| line["line_id"] != *id));
        let free: Vec<&str> = free.collect();
        self.dice.pick(&free).to_owned()
    }

    fn money(&mut self) -> Value {
        self.dice.pick(&[
            json!("10.00"),
            json!("0.01"),
            json!("9.99"),
            json!("3.3"),
            json!(7),
            json!("0"),
            json!("10"),
        ])
    }

    /// One line: product, quantity, amounts and codes, each of them odd or absent at times.
    pub(super) fn line(&mut self, kind: &str, line_id: String) -> Value {
        let mut line = Map::new();
        line.insert("line_id".to_owned(), json!(line_id));
        let at = self.dice.below(self.taste.packages.len());
        let product_code = match self.taste.products[at].clone() {
            Some(product_code) if !self.dice.chance(self.taste.odd_percent) => json!(product_code),
            _ => self.dice.pick(&PRODUCTS.map(|product| json!(product))),
        };
        match self.dice.below(100) {
            0..=2 => drop(line.insert("product_code".to_owned(), self.dice.pick(&[Value::Null, json!("")]))),
            3..=6 => {}
            _ => drop(line.insert("product_code".to_owned(), product_code)),
        }
        let is_split = self.dice.chance(self.taste.split_percent);
        let quantities: &[Value] = match is_split {
            true => &[
                json!("0.5"),
                json!(1),
                json!("2.5"),
                json!(3),
                json!("6"),
                json!("10"),
                json!("0.333"),
                json!("1.001"),
            ],
            false => {
                &[json!(1), json!("1"), json!("1.0000"), json!(2), json!("3"), json!("0.5"), json!("12")]
            }
        };
        let said = self.dice.chance(93);
        self.put(&mut line, said, "quantity", quantities);
        let said = is_split || self.dice.chance(25);
        self.put(&mut line, said, "split", &[json!(is_split)]);
        let said = self.dice.chance(80);
        self.put(
            &mut line,
            said,
            "amount",
            &[json!("20.00"), json!("10"), json!("3.33"), json!(7), json!("0"), Value::Null],
        );
        let said = kind == "settlement" && self.dice.chance(40);
        self.put(
            &mut line,
            said,
            "fund_amount",
            &[json!("7.01"), json!("5.00"), json!(3), json!("0"), json!(3.5), Value::Null],
        );
        let said = self.dice.chance(30);
        self.put(&mut line, said, "lot", &[json!("L9"), json!("L1"), json!("L2"), json!("L8"), json!("")]);
        let said = self.dice.chance(20);
        self.put(
            &mut line,
            said,
            "expires_on",
            &[json!("2027-01-01"), json!("2027-01-01"), json!("2026-03-02"), json!("2026-03-04")],
        );
        let codes = self.trace_codes(at, is_split);
        let none = self.dice.chance(self.taste.odd_percent / 2);
        if !none {
            line.insert("trace_codes".to_owned(), codes);
        }
        Value::Object(line)
    }

    fn put(&mut self, line: &mut Map<String, Value>, said: bool, name: &str, values: &[Value]) {
        if said {
            line.insert(name.to_owned(), self.dice.pick(values));
        }
    }

    fn trace_codes(&mut self, at: usize, is_split: bool) -> Value {
        let mut entries = Vec::new();
        let count = if self.dice.chance(self.taste.many_percent) { self.dice.pick(&[2, 2, 3]) } else { 1 };
        for n in 0..count {
            let package =
                if n == 0 { self.taste.packages[at].clone() } else { self.dice.pick(&self.taste.packages) };
            let scanned = match self.dice.below(100) {
                odd if odd >= self.taste.odd_percent => package.scanned(self.dice),
                _ => match self.dice.below(4) {
                    0 => codes::lot_code(self.dice),
                    1 => codes::invalid_code(self.dice),
                    2 => self.dice.pick(&["", "  ", "\u{3000}", "]d2"]).to_owned(),
                    _ => codes::package(self.dice).scanned(self.dice),
                },
            };
            // An object whose code is empty has none, which the text does not decide; so there is none here.
            let units_percent = if is_split { 45 } else { 10 };
            let as_object = !scanned.is_empty() && self.dice.chance(units_percent);
            entries.push(if as_object {
                let units =
                    [json!("1"), json!(2), json!("3"), json!("0.5"), json!("6.001"), json!("4"), Value::Null];
                json!({ "code": scanned, "units": self.dice.pick(&units) })
            } else {
                json!(scanned)
            });
        }
        Value::Array(entries)
    }
}
