//! The lines of a world's documents: product, quantity, amounts and codes, each of them odd or absent at times; and
//! lines that take something off others.

use serde_json::{Map, Value, json};

use super::codes;
use super::episodes::Episodes;
use super::reference_log::{PRODUCTS, UNTRACEABLE};

impl Episodes<'_> {
    /// A few lines of a document, and at times refunds of them.
    pub(super) fn lines(&mut self, kind: &str) -> Value {
        let mut lines: Vec<Value> = Vec::new();
        for _ in 0..self.dice.pick(&[1, 1, 1, 2, 3]) {
            let line_id = self.line_id(&lines);
            lines.push(self.line(kind, line_id));
        }
        while lines.len() < 6 && self.dice.chance(self.taste.refund_percent) {
            let line_id = self.line_id(&lines);
            lines.push(self.refund(&lines, line_id));
        }
        Value::Array(lines)
    }

    /// A line id, new among some lines; as bytes "10" comes before "2".
    pub(super) fn line_id(&mut self, lines: &[Value]) -> String {
        let ids = ["1", "2", "3", "10", "9", "A", "B"];
        let free = ids.into_iter().filter(|id| lines.iter().all(|line| line["line_id"] != *id));
        let free: Vec<&str> = free.collect();
        self.dice.pick(&free).to_owned()
    }

    pub(super) fn money(&mut self) -> Value {
        self.dice.pick(&[
            json!("10.00"),
            json!("0.01"),
            json!("9.99"),
            json!("3.3"),
            json!(7),
            json!("0"),
            json!("10"),
            json!(".5"),
            json!("5."),
        ])
    }

    /// One line of some package.
    pub(super) fn line(&mut self, kind: &str, line_id: String) -> Value {
        let at = self.dice.below(self.taste.packages.len());
        let mut line = Map::new();
        line.insert("line_id".to_owned(), json!(line_id));
        self.name_product(&mut line, at);
        let is_split = self.dice.chance(self.taste.split_percent);
        self.count_and_price(&mut line, kind, is_split);
        self.describe(&mut line);
        let codes = self.trace_codes(at, is_split);
        let is_plain = self.dice.chance(self.taste.plain_percent);
        if is_plain {
            line.insert("product_code".to_owned(), json!(UNTRACEABLE));
        }
        let none = is_plain || self.dice.chance(self.taste.odd_percent / 2);
        if !none {
            line.insert("trace_codes".to_owned(), codes);
        }
        Value::Object(line)
    }

    fn name_product(&mut self, line: &mut Map<String, Value>, at: usize) {
        let product_code = match self.taste.products[at].clone() {
            Some(product_code) if !self.dice.chance(self.taste.odd_percent) => json!(product_code),
            _ => self.dice.pick(&PRODUCTS.map(|product| json!(product))),
        };
        match self.dice.below(100) {
            0..=2 => drop(line.insert("product_code".to_owned(), self.dice.pick(&[Value::Null, json!("")]))),
            3..=6 => {}
            _ => drop(line.insert("product_code".to_owned(), product_code)),
        }
    }

    fn count_and_price(&mut self, line: &mut Map<String, Value>, kind: &str, is_split: bool) {
        let split = ["0.5", "1", "2.5", "3", "6", "10", "0.333", "1.001", ".5", "5."].map(|text| json!(text));
        let whole = [json!(1), json!("1"), json!("1.0000"), json!(2), json!("3"), json!("0.5"), json!("12")];
        let said = self.dice.chance(93);
        self.put(line, said, "quantity", if is_split { &split } else { &whole });
        if kind == "stocktake" {
            self.put(line, true, "quantity", &[json!("0"), json!(2)]);
        }
        let said = is_split || self.dice.chance(25);
        self.put(line, said, "split", &[json!(is_split)]);
        let amounts =
            [json!("20.00"), json!("10"), json!("3.33"), json!(7), json!("0"), json!(".5"), Value::Null];
        let said = self.dice.chance(80);
        self.put(line, said, "amount", &amounts);
        let said = kind == "settlement" && self.dice.chance(60);
        let funds = [json!("7.01"), json!("5.00"), json!(3), json!("0"), json!(3.5), Value::Null];
        self.put(line, said, "fund_amount", &funds);
    }

    /// What is said of the box and of the prescription.
    fn describe(&mut self, line: &mut Map<String, Value>) {
        let said = self.dice.chance(30);
        self.put(line, said, "lot", &[json!("L9"), json!("L1"), json!("L2"), json!("L8"), json!("")]);
        let first = self.taste.first_day;
        let [far, near, nearer] = [306, 1, 3].map(|days| json!(first.later(days).text()));
        let said = self.dice.chance(20);
        self.put(line, said, "expires_on", &[far.clone(), far, near, nearer]);
        if self.dice.chance(15) {
            let (name, value) = self.dice.pick(&[
                ("rx_id", json!("R1")),
                ("rx_id", json!("r2")),
                ("rx_external", json!(true)),
                ("rx_external", json!(false)),
                ("prescriber_id", json!("D0001")),
                ("pharmacist_id", json!("Y0001")),
                ("department_id", json!("A01")),
                ("days_supply", json!("28")),
                ("product_name", json!("药\t=a")),
            ]);
            line.insert(name.to_owned(), value);
        }
    }

    fn put(&mut self, line: &mut Map<String, Value>, said: bool, name: &str, values: &[Value]) {
        if said {
            line.insert(name.to_owned(), self.dice.pick(values));
        }
    }

    /// A claim without codes, that is paid: what counts is the money and what is taken off it.
    pub(super) fn bill(&mut self) {
        let institution_id = self.dice.pick(&self.taste.institutions);
        let time = self.moment();
        let mut claim = self.fields("settlement", &institution_id, time);
        let has_funds = self.dice.chance(60);
        let mut lines: Vec<Value> = Vec::new();
        for _ in 0..self.dice.between(1, 4) {
            let line_id = self.line_id(&lines);
            let quantity = self.dice.pick(&[json!("1"), json!(2), json!("3"), json!("1.5")]);
            let mut line = json!({ "line_id": line_id, "product_code": UNTRACEABLE, "quantity": quantity });
            line["amount"] = self.dice.pick(&[json!("20.00"), json!("9.99"), json!("5.05"), json!(7)]);
            if has_funds {
                line["fund_amount"] =
                    self.dice.pick(&[json!("7.01"), json!("5.00"), json!("0.99"), Value::Null]);
            }
            lines.push(line);
        }
        for _ in 0..self.dice.pick(&[0, 1, 1, 2]) {
            let line_id = self.line_id(&lines);
            let refund = self.refund(&lines[..1], line_id);
            lines.push(refund);
        }
        claim["lines"] = Value::Array(lines);
        self.uploads.push(claim);
    }

    /// A line that takes something off one of the lines before it, or off what is not there.
    pub(super) fn refund(&mut self, lines: &[Value], line_id: String) -> Value {
        let of = self.dice.pick(lines);
        let mut refund = json!({ "line_id": line_id });
        refund["adjusts"] = match self.dice.below(20) {
            0..=10 => json!("*"),
            11..=17 => of["line_id"].clone(),
            18 => json!(line_id),
            _ => json!("77"),
        };
        if self.dice.chance(92) {
            refund["product_code"] = of["product_code"].clone();
        }
        let others =
            [json!("1"), json!("2"), json!("0.5"), json!("3"), json!("5"), json!("4.5"), json!("30")];
        match self.dice.below(10) {
            0 => {}
            1..=3 => refund["quantity"] = of["quantity"].clone(),
            _ => refund["quantity"] = self.dice.pick(&others),
        }
        for name in ["amount", "fund_amount"] {
            if self.dice.chance(50) {
                refund[name] = self.dice.pick(&[json!("1.00"), json!("5"), json!("0.01"), json!("100")]);
            }
        }
        if self.dice.chance(15) {
            refund["trace_codes"] = of["trace_codes"].clone();
        }
        refund
    }

    /// The codes of a line: of its package, of others, and what is none.
    pub(super) fn trace_codes(&mut self, at: usize, is_split: bool) -> Value {
        let mut entries = Vec::new();
        let count = if self.dice.chance(self.taste.many_percent) { self.dice.pick(&[2, 2, 3]) } else { 1 };
        for n in 0..count {
            let package =
                if n == 0 { self.taste.packages[at].clone() } else { self.dice.pick(&self.taste.packages) };
            let scanned = match self.dice.below(100) {
                odd if odd >= self.taste.odd_percent => {
                    package.scanned(self.dice, self.taste.mangled_percent)
                }
                _ => self.odd_code(),
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

    fn odd_code(&mut self) -> String {
        match self.dice.below(5) {
            0 => codes::lot_code(self.dice, self.taste.mangled_percent),
            1 | 2 => codes::invalid_code(self.dice),
            3 => self
                .dice
                .pick(&[
                    "",
                    "  ",
                    "\u{3000}",
                    "]d2",
                    "\u{FEFF}",
                    "'",
                    "\"\"",
                    "{GS}",
                    "\u{1D}^|",
                    "]C1<FNC1>",
                ])
                .to_owned(),
            _ => codes::package(self.dice).scanned(self.dice, self.taste.mangled_percent),
        }
    }
}
