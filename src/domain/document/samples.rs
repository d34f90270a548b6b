//! Small documents for the tests of the document side.

use proptest::prelude::*;

use super::{
    CodesFacet, Counterparty, DocumentKey, FeeFacet, Group, Header, Kind, LineVersion, Origin, Part, Parts,
    Person, Reversal, Upload, Version,
};
use crate::domain::Text;
use crate::domain::amount::{Money, Quantity};
use crate::domain::document::particulars::Circumstances;
use crate::domain::reference::{Book, Change, Institution, Item, Key, Product, Record, Value};
use crate::domain::time::{Day, Timestamp};
use crate::domain::trace_code;

/// Product of the codes [`A`] and [`B`].
pub(crate) const AMBROXOL: &str = "XR05CBA198A001010100863";
/// Product of [`CARTON`].
pub(crate) const SYRUP: &str = "ZA01AAF0024010203906";
pub(crate) const A: &str = "81773220000000000011";
pub(crate) const B: &str = "81773220000000000022";
/// Of 10 packs.
pub(crate) const CARTON: &str = "89400130000000000033";
/// Of a prefix without record.
pub(crate) const STRANGER: &str = "81999990000000000044";
pub(crate) const LOT_CODE: &str = "(01)06901234567892(10)L1";
pub(crate) const SERIAL_CODE: &str = "(01)06901234567892(21)S1";
pub(crate) const INSTITUTION: &str = "P37020300001";

/// 2026-01-05 09:00 in Beijing, and so many minutes.
pub(crate) fn minute(minutes: i64) -> Timestamp {
    Timestamp::from_unix_millis(1_767_574_800_000 + minutes * 60_000)
}

pub(crate) fn day(year: i32, month: u32, day: u32) -> Option<Day> {
    Day::from_civil(year, month, day)
}

pub(crate) fn key(group: Group) -> DocumentKey {
    DocumentKey { institution_id: INSTITUTION.into(), group, document_id: "D1".into() }
}

pub(crate) fn origin() -> Origin {
    Origin { topic: "test".into(), partition: 0, offset: 0, received_at: minute(0) }
}

/// The catalogue that the samples are judged by.
pub(crate) fn book() -> Book {
    let mut book = Book::default();
    let product = |prefix: &str, product_code: &str, packs_per_code, units_per_pack| {
        (
            Key::Product { prefix: prefix.into() },
            Value::Product(Product {
                product_code: Some(product_code.into()),
                name: Some("药".into()),
                packs_per_code,
                units_per_pack,
            }),
        )
    };
    let institution = Institution {
        region: Some("440305".into()),
        tier: Some("pharmacy".into()),
        stock_uploaded_since: day(2025, 7, 1),
        ..Institution::default()
    };
    for (key, value) in [
        product("8177322", AMBROXOL, 1, Some(20)),
        product("8940013", SYRUP, 10, Some(48)),
        (Key::Institution { institution_id: INSTITUTION.into() }, Value::Institution(institution)),
        (Key::Item { product_code: "T1".into() }, Value::Item(Item { traceable: Some(false), watch: false })),
    ] {
        set(&mut book, key, value, None, None);
    }
    book
}

pub(crate) fn set(book: &mut Book, key: Key, value: Value, from: Option<Day>, to: Option<Day>) {
    let record = Record { key, valid_from: from, valid_to: to, value };
    book.apply(Change { record, deleted: false });
}

/// A line as a test writes it.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    pub(crate) line_id: &'static str,
    pub(crate) fee: Option<FeeFacet>,
    pub(crate) codes: Option<Vec<(&'static str, Option<u32>)>>,
}

/// Product, whole quantity, and codes.
pub(crate) fn line(line_id: &'static str, product: &str, quantity: u32, codes: &[&'static str]) -> Line {
    let fee = FeeFacet {
        product_code: Some(product.into()),
        quantity: Some(Quantity::from_whole(quantity)),
        amount: Some(Money::from_fen(1000)),
        ..FeeFacet::default()
    };
    let codes = codes.iter().map(|code| (*code, None)).collect();
    Line { line_id, fee: Some(fee), codes: Some(codes) }
}

impl Line {
    /// The same with another fee facet.
    pub(crate) fn with_fee(mut self, change: impl FnOnce(&mut FeeFacet)) -> Self {
        if let Some(fee) = &mut self.fee {
            change(fee);
        }
        self
    }

    pub(crate) fn split(self) -> Self {
        self.with_fee(|fee| fee.split = true)
    }

    pub(crate) fn without_fee(self) -> Self {
        Self { fee: None, ..self }
    }

    pub(crate) fn without_codes(self) -> Self {
        Self { codes: None, ..self }
    }
}

pub(crate) fn header(kind: Kind) -> Header {
    Header {
        kind,
        occurred_at: minute(0).into(),
        person: Person::default(),
        visit_id: None,
        settlement_id: None,
        operator_id: None,
        fund_amount: Some(Money::from_fen(700)),
        counterparty: Counterparty::default(),
        returns: None,
        circumstances: Circumstances::default(),
    }
}

/// An upload with reference data attached as intake does.
pub(crate) fn version(
    book: &Book,
    full: bool,
    minutes: i64,
    header: Option<Header>,
    group: Group,
    lines: &[Line],
) -> Version {
    let institution_id = Text::from(INSTITUTION);
    let lines = lines.iter().map(|line| LineVersion {
        line_id: line.line_id.into(),
        fee: line.fee.clone().map(|content| {
            let reference = book.for_fee(&institution_id, &content);
            Part { content, reference }
        }),
        codes: line.codes.as_ref().map(|scans| {
            let scans = scans
                .iter()
                .filter_map(|(text, units)| Some((trace_code::read(text)?, units.map(Quantity::from_whole))));
            let content = CodesFacet::collect(scans);
            let reference = book.for_codes(&content);
            Part { content, reference }
        }),
    });
    Version {
        key: key(group),
        issued_at: minute(minutes),
        full,
        header: header.map(|content| Part { content, reference: book.for_header(&institution_id) }),
        lines: lines.collect(),
        origin: origin(),
    }
}

/// A full upload of that kind.
pub(crate) fn full(kind: Kind, minutes: i64, lines: &[Line]) -> Version {
    version(&book(), true, minutes, Some(header(kind)), kind.group(), lines)
}

/// A partial upload to a settlement, without header.
pub(crate) fn partial(minutes: i64, lines: &[Line]) -> Version {
    version(&book(), false, minutes, None, Group::Settlement, lines)
}

pub(crate) fn reversal(minutes: i64, line_id: Option<&str>, parts: Parts) -> Reversal {
    Reversal {
        target: key(Group::Settlement),
        of_alias: false,
        line_id: line_id.map(Text::from),
        parts,
        issued_at: minute(minutes),
        origin: origin(),
    }
}

impl From<Version> for Upload {
    fn from(version: Version) -> Self {
        Self::Version(Box::new(version))
    }
}

impl From<Reversal> for Upload {
    fn from(reversal: Reversal) -> Self {
        Self::Reversal(reversal)
    }
}

/// Uploads of one settlement that meet often: few stamps, lines, codes and contents, two states of the catalogue;
/// and the same in another order, some of them more than once.
pub(crate) fn shuffled_uploads() -> impl Strategy<Value = (Vec<Upload>, Vec<Upload>)> {
    prop::collection::vec((any_upload(), prop::bool::ANY), 1..9).prop_flat_map(|chosen| {
        let once: Vec<Upload> = chosen.iter().map(|(upload, _)| upload.clone()).collect();
        let twice = chosen.iter().filter(|(_, again)| *again).map(|(upload, _)| upload.clone());
        let all: Vec<Upload> = once.iter().cloned().chain(twice).collect();
        (Just(once), Just(all).prop_shuffle())
    })
}

fn any_upload() -> impl Strategy<Value = Upload> {
    prop_oneof![
        4 => any_version().prop_map(Upload::from),
        1 => (
            0_i64..5,
            prop::option::of(prop::sample::select(vec!["1", "2", "3"])),
            prop::sample::select(vec![Parts::ALL, Parts::FEE, Parts::HEADER_AND_CODES]),
        )
            .prop_map(|(minutes, line_id, parts)| reversal(minutes, line_id, parts).into()),
    ]
}

fn any_version() -> impl Strategy<Value = Version> {
    let lines = prop::collection::btree_map(prop::sample::select(vec!["1", "2", "3"]), any_line(), 1..4);
    (prop::bool::ANY, 0_i64..5, prop::option::of(0_i64..3), lines, prop::bool::ANY).prop_map(
        |(full, minutes, header_variant, lines, newer_catalogue)| {
            let header_variant = header_variant.or(full.then_some(0));
            let header = header_variant.map(|variant| Header {
                occurred_at: minute(variant * 24 * 60).into(),
                ..header(Kind::Settlement)
            });
            let lines: Vec<Line> = lines
                .into_iter()
                .map(|(line_id, line)| Line {
                    line_id,
                    fee: line.fee.or(full.then(FeeFacet::default)),
                    codes: line.codes.or(full.then(Vec::new)),
                })
                .collect();
            let mut book = book();
            if newer_catalogue {
                let product = Product {
                    product_code: Some(SYRUP.into()),
                    name: None,
                    packs_per_code: 2,
                    units_per_pack: None,
                };
                let key = Key::Product { prefix: "8177322".into() };
                set(&mut book, key, Value::Product(product), day(2026, 1, 6), None);
            }
            version(&book, full, minutes, header, Group::Settlement, &lines)
        },
    )
}

fn any_line() -> impl Strategy<Value = Line> {
    let product = prop::sample::select(vec![None, Some(AMBROXOL), Some(SYRUP), Some("T1")]);
    let fee = (product, 1_u32..4, prop::bool::ANY, prop::option::of(0_i64..300)).prop_map(
        |(product, quantity, split, fund_amount)| FeeFacet {
            product_code: product.map(Text::from),
            quantity: Some(Quantity::from_whole(quantity)),
            split,
            fund_amount: fund_amount.map(Money::from_fen),
            ..FeeFacet::default()
        },
    );
    let code = prop::sample::select(vec![A, B, CARTON, STRANGER, LOT_CODE, "spoilt"]);
    let codes = prop::collection::vec((code, prop::option::of(1_u32..3)), 0..4);
    (prop::option::of(fee), prop::option::of(codes)).prop_map(|(fee, codes)| Line { line_id: "", fee, codes })
}
