//! Uploads and reference records of a [`Workload`] as canonical JSON, fields in the order in which senders write them.

use std::fmt::Write as _;

use serde_json::{Value, json};
use tracewarden::broker::{OutRecord, TopicPartition};
use tracewarden::domain::time::{Day, Timestamp};
use tracewarden::pipeline::topics::{Topic, Topology};

use super::workload::{Document, INSTITUTIONS, Kind, Line, PRODUCTS, Workload};

const NAMES: [&str; 10] = [
    "阿莫西林胶囊",
    "二甲双胍缓释片",
    "阿托伐他汀钙片",
    "氨氯地平片",
    "奥美拉唑肠溶胶囊",
    "头孢克肟分散片",
    "厄贝沙坦片",
    "连花清瘟胶囊",
    "复方丹参滴丸",
    "甘精胰岛素注射液",
];
const UNITS: [usize; 8] = [12, 24, 28, 7, 14, 6, 10, 48];
const REGIONS: usize = 30;
/// Birthdays are spread over so many days.
const BIRTHDAYS: usize = 20_000;
const FIRST_BIRTHDAY: i32 = -7_000;
/// A record of a topic, the document's own moment as milliseconds since the epoch.
pub(crate) type Stamped = (OutRecord, i64);

/// Writes the documents of a workload that began at a moment.
pub(crate) struct Writer<'a> {
    pub(crate) workload: &'a Workload,
    pub(crate) topology: &'a Topology,
    /// In milliseconds since the epoch.
    pub(crate) start: i64,
}

impl Writer<'_> {
    /// The upload as a record of its topic, keyed by its institution.
    pub(crate) fn record(&self, document: &Document) -> Stamped {
        let topic = match document.kind {
            Kind::Purchase => Topic::Procurement,
            Kind::Dispensing => Topic::Dispensing,
            Kind::Settlement => Topic::Settlement,
        };
        let institution = i32::try_from(document.institution).expect("there are few");
        let partition = institution % self.topology.partitions(topic);
        let record = OutRecord {
            target: TopicPartition::new(self.topology.name(topic).clone(), partition),
            key: Some(institution_id(document.institution).into_bytes()),
            payload: Some(self.json(document).into_bytes()),
            headers: Vec::new(),
        };
        (record, self.start + document.issued)
    }

    fn json(&self, document: &Document) -> String {
        let Document { institution, number, .. } = *document;
        let kind = match document.kind {
            Kind::Purchase => "purchase_in",
            Kind::Dispensing => "dispense",
            Kind::Settlement => "settlement",
        };
        let mut text = format!(
            r#"{{"document_id":"{}","kind":"{kind}","institution_id":"{}","issued_at":"{}","occurred_at":"{}","partial":false"#,
            document_id(document),
            institution_id(institution),
            Timestamp::from_unix_millis(self.start + document.issued),
            Timestamp::from_unix_millis(self.start + document.occurred),
        );
        let _ = if document.kind == Kind::Purchase {
            let supplier = number % 40;
            write!(
                text,
                r#","operator_id":"CG{institution:08}","counterparty":{{"name":"华东医药配送有限公司{supplier}","license":"鲁AA531{supplier:04}","delivery_note":"SH{number:010}","invoice":"FP{number:012}"}}"#
            )
        } else {
            let (id, certificate) = person(document.person);
            write!(
                text,
                r#","person_id":"{id}","person_cert":"{certificate}","visit_id":"V{number:010}","settlement_id":"S{number:010}","operator_id":"YS{institution:08}""#
            )
        };
        let is_settled = document.kind == Kind::Settlement;
        if is_settled {
            let fund = document.lines.iter().map(|line| self.fund(*line)).sum();
            let _ = write!(text, r#","fund_amount":"{}""#, money(fund));
        }
        text.push_str(r#","lines":["#);
        for (index, line) in document.lines.iter().enumerate() {
            text.push_str(if index == 0 { "" } else { "," });
            self.line(&mut text, index + 1, *line, is_settled);
        }
        text.push_str("]}");
        text
    }

    fn line(&self, text: &mut String, line_id: usize, line: Line, is_settled: bool) {
        let product = self.workload.codes[line.first].product;
        let _ = write!(
            text,
            r#"{{"line_id":"{line_id}","product_code":"{}","product_name":"{}","quantity":"{}","split":false,"amount":"{}""#,
            product_code(product),
            product_name(product),
            line.count,
            money(price(product) * line.count),
        );
        if is_settled {
            let _ = write!(text, r#","fund_amount":"{}""#, money(self.fund(line)));
        }
        let (lot, month) = (product * 37 % 1000, product % 9 + 1);
        let _ = write!(text, r#","lot":"L{lot:06}","expires_on":"2029-0{month}-28","trace_codes":["#);
        for code in line.first..line.first + line.count {
            text.push_str(if code == line.first { "" } else { "," });
            let check = code * 7_919 % 10_000;
            let serial = self.workload.codes[code].serial;
            let _ = write!(text, r#""{}{serial:09}{check:04}""#, prefix(product));
        }
        text.push_str("]}");
    }

    /// What the fund pays of a line.
    fn fund(&self, line: Line) -> usize {
        price(self.workload.codes[line.first].product) * line.count * 7 / 10
    }
}

/// Products, items and institutions such that no document has a finding but for what is planted.
pub(crate) fn reference() -> Vec<Value> {
    let products = (0..PRODUCTS).map(|product| {
        json!({"type": "product", "prefix": prefix(product).to_string(), "product_code": product_code(product),
               "name": product_name(product), "packs_per_code": 1, "units_per_pack": UNITS[product % UNITS.len()]})
    });
    let items = (0..PRODUCTS).map(|product| {
        json!({"type": "item", "product_code": product_code(product), "traceable": true,
               "watch": product % 25 == 0})
    });
    let institutions = (0..INSTITUTIONS).map(|institution| {
        json!({"type": "institution", "institution_id": institution_id(institution),
               "name": format!("第{}药房", institution + 1), "region": region(institution),
               "tier": (institution % 3 + 1).to_string(), "stock_uploaded_since": "2025-01-01",
               "dispensing_uploaded_since": "2025-01-01"})
    });
    products.chain(items).chain(institutions).collect()
}

/// The number of a document, no two of which are equal.
pub(crate) fn document_id(document: &Document) -> String {
    let group = match document.kind {
        Kind::Purchase => "RK",
        Kind::Dispensing => "XS",
        Kind::Settlement => "JS",
    };
    format!("{group}{:09}", document.number)
}

fn institution_id(institution: usize) -> String {
    let kind = if institution % 10 < 3 { 'H' } else { 'P' };
    format!("{kind}{}{:05}", region(institution), institution + 1)
}

fn region(number: usize) -> String {
    format!("37{:02}{:02}", 1 + number % REGIONS / 10, 1 + number % 10)
}

/// Number and certificate.
fn person(person: usize) -> (String, String) {
    let since = i32::try_from(person / REGIONS % BIRTHDAYS).expect("there are few");
    let (year, month, day) = Day::from_days_since_epoch(FIRST_BIRTHDAY + since).civil();
    let (region, serial) = (region(person % REGIONS), person / (REGIONS * BIRTHDAYS));
    let begin = format!("{region}{year:04}{month:02}{day:02}");
    (format!("{begin}{serial:03}"), format!("{begin}{serial:04}"))
}

fn prefix(product: usize) -> usize {
    8_100_000 + product * 4_271 % 899_999
}

fn product_code(product: usize) -> String {
    let class = if product.is_multiple_of(2) { "XR" } else { "ZA" };
    format!("{class}{:02}CBA{:03}A001010{:06}", product / 10, product * 13 % 1000, 100_000 + product)
}

fn product_name(product: usize) -> String {
    format!("{}{}片", NAMES[product % NAMES.len()], UNITS[product % UNITS.len()])
}

/// In fen.
fn price(product: usize) -> usize {
    380 + product * 73 % 9_000
}

fn money(fen: usize) -> String {
    format!("{}.{:02}", fen / 100, fen % 100)
}
