//! Entries survive the way through the log, however the records are cut, and damage never panics.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use std::sync::Arc;

use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;

use super::*;
use crate::domain::document::Version;
use crate::domain::observation::CodeChange;
use crate::wire::{WireError, testing};

fn tick() -> impl Strategy<Value = Tick> {
    (testing::text(), any::<u32>(), testing::moment(), of(testing::moment()))
        .prop_map(|(source, sources, now, wall)| Tick { source, sources, now, wall })
}

/// An entry of any topic: one of the engine's, or a body.
fn entry<B: Body + Clone + std::fmt::Debug>(
    body: impl Strategy<Value = B>,
) -> impl Strategy<Value = Entry<B>> {
    prop_oneof![
        4 => body.prop_map(Entry::of),
        1 => tick().prop_map(Entry::Tick),
        1 => Just(()).prop_map(|()| Entry::FireMore),
        1 => testing::rule_set().prop_map(|rules| Entry::Terms(Box::new(rules))),
    ]
}

fn document_entry() -> impl Strategy<Value = Entry<DocumentEntry>> {
    entry(prop_oneof![
        testing::version().prop_map(|version| DocumentEntry::Upload(Upload::Version(Box::new(version)))),
        testing::reversal().prop_map(|reversal| DocumentEntry::Upload(Upload::Reversal(reversal))),
        testing::handling().prop_map(|handling| DocumentEntry::Upload(Upload::Handling(Box::new(handling)))),
        (testing::document_key(), testing::document_key(), testing::moment())
            .prop_map(|(alias, member, received_at)| DocumentEntry::Alias { alias, member, received_at }),
        (testing::document_key(), vec(testing::reversal(), 0..3))
            .prop_map(|(member, reversals)| DocumentEntry::Forwarded { member, reversals }),
        testing::document_key().prop_map(|alias| DocumentEntry::Tell { alias }),
        (testing::sender_day(), testing::counts()).prop_map(|(sender, counts)| DocumentEntry::Received {
            sender,
            received: Box::new(counts.received),
        }),
        (vec(testing::reversal(), 0..3), testing::document_key())
            .prop_map(|(reversals, after)| DocumentEntry::ForwardPage { reversals, after }),
        lending_entry(),
    ])
}

fn lending_entry() -> impl Strategy<Value = DocumentEntry> {
    let key = testing::document_key;
    let rest = prop_oneof![
        (key(), testing::text()).prop_map(|(member, after)| LoanRest::Offers { member, after }),
        (of(testing::text()), key()).prop_map(|(lender, after)| LoanRest::Members { lender, after }),
    ];
    let loan = (vec(testing::offer(), 0..3), any::<bool>()).prop_map(|(offers, is_overfull)| Loan {
        offers: offers.into_iter().map(Arc::new).collect(),
        is_overfull,
    });
    prop_oneof![
        (key(), testing::offer())
            .prop_map(|(alias, offer)| DocumentEntry::Offered { alias, offer: Box::new(offer) }),
        (key(), key(), loan).prop_map(|(member, alias, loan)| DocumentEntry::Loan { member, alias, loan }),
        (key(), rest).prop_map(|(alias, rest)| DocumentEntry::LoanPage { alias, rest }),
        key().prop_map(|document| DocumentEntry::Reconsider { document }),
        (key(), key(), testing::moment()).prop_map(|(alias, member, received_at)| DocumentEntry::Borrows {
            alias,
            member,
            received_at
        }),
    ]
}

fn observation_entry() -> impl Strategy<Value = Entry<CodeChange>> {
    entry(testing::code_change())
}

fn claim_entry() -> impl Strategy<Value = Entry<ClaimEntry>> {
    entry(prop_oneof![
        testing::claim().prop_map(ClaimEntry::Claim),
        testing::claim_change().prop_map(ClaimEntry::ClaimChange),
        testing::code_verdict().prop_map(ClaimEntry::Verdict),
        (testing::document_key(), of(testing::paid()))
            .prop_map(|(key, paid)| ClaimEntry::Paid(ClaimPaid { key, paid })),
    ])
}

/// Decodes all records and checks that none is over the limit without being alone in it.
fn decode_all<B: Body>(records: &[Vec<u8>], record_bytes_max: usize) -> Vec<Entry<B>> {
    let mut all = Vec::new();
    for record in records {
        let entries = decode::<B>(record).unwrap();
        assert!(
            record.len() <= record_bytes_max || entries.len() == 1,
            "{} bytes with {} entries, limit {record_bytes_max}",
            record.len(),
            entries.len()
        );
        all.extend(entries);
    }
    all
}

/// Damages a record in a few places.
fn damaged(mut record: Vec<u8>, damage: &[(u16, u8)], cut: u16) -> Vec<u8> {
    for (at, byte) in damage {
        let len = record.len().max(1);
        if let Some(target) = record.get_mut(usize::from(*at) % len) {
            *target = *byte;
        }
    }
    let keep = record.len().saturating_sub(usize::from(cut) % 8);
    record.truncate(keep);
    record
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn document_entries_survive(entries in vec(document_entry(), 0..6), limit in 0..2000_usize) {
        let records = encode(&entries, limit);
        prop_assert_eq!(decode_all(&records, limit), entries);
    }

    #[test]
    fn observation_entries_survive(entries in vec(observation_entry(), 0..6), limit in 0..2000_usize) {
        let records = encode(&entries, limit);
        prop_assert_eq!(decode_all(&records, limit), entries);
    }

    #[test]
    fn claim_entries_survive(entries in vec(claim_entry(), 0..6), limit in 0..2000_usize) {
        let records = encode(&entries, limit);
        prop_assert_eq!(decode_all(&records, limit), entries);
    }

    #[test]
    fn damage_is_an_error_or_other_entries_and_never_a_panic(
        documents in vec(document_entry(), 1..3),
        observations in vec(observation_entry(), 1..3),
        claims in vec(claim_entry(), 1..3),
        damage in vec(any::<(u16, u8)>(), 1..4),
        cut in any::<u16>(),
    ) {
        for record in encode(&documents, usize::MAX) {
            let bytes = damaged(record, &damage, cut);
            let _ = (decode::<DocumentEntry>(&bytes), decode::<CodeChange>(&bytes), decode::<ClaimEntry>(&bytes));
        }
        for record in encode(&observations, usize::MAX) {
            let _ = decode::<CodeChange>(&damaged(record, &damage, cut));
        }
        for record in encode(&claims, usize::MAX) {
            let _ = decode::<ClaimEntry>(&damaged(record, &damage, cut));
        }
    }
}

/// A document with many lines that are all judged by the same two reference records.
fn repetitive_version(lines: u32) -> Version {
    use crate::domain::amount::Quantity;
    use crate::domain::document::{
        CodesFacet, DocumentKey, FeeFacet, Group, LineVersion, Origin, Part, ScannedCode,
    };
    use crate::domain::reference::{Item, Key, Product, Record, Slice, Value};
    use crate::domain::time::Timestamp;
    use crate::domain::trace_code::{Family, Scan, TraceCode};

    let product_code = Text::from("XR05CBA198A001010100863");
    let name = Text::from("盐酸氨溴索片 30mg×20片");
    let record = |key, value| Arc::new(Record { key, valid_from: None, valid_to: None, value });
    let item = record(
        Key::Item { product_code: product_code.clone() },
        Value::Item(Item { traceable: Some(true), watch: false }),
    );
    let product = record(
        Key::Product { prefix: "8177322".into() },
        Value::Product(Product {
            product_code: Some(product_code.clone()),
            name: Some(name.clone()),
            packs_per_code: 1,
            units_per_pack: Some(20),
        }),
    );
    let line = |number: u32| LineVersion {
        line_id: number.to_string().into(),
        fee: Some(Part {
            content: FeeFacet {
                product_code: Some(product_code.clone()),
                product_name: Some(name.clone()),
                quantity: Some(Quantity::from_whole(1)),
                ..FeeFacet::default()
            },
            reference: Slice::new(7, vec![item.clone()]),
        }),
        codes: Some(Part {
            content: CodesFacet {
                scans: vec![ScannedCode {
                    scan: Scan::Valid(TraceCode {
                        normal: format!("8177322{number:013}").into(),
                        family: Family::Drug20,
                        prefix: Some("8177322".into()),
                        is_unit: true,
                    }),
                    units: None,
                }],
                split: false,
            },
            reference: Slice::new(7, vec![product.clone()]),
        }),
    };
    Version {
        key: DocumentKey {
            institution_id: "P37020300001".into(),
            group: Group::Settlement,
            document_id: "S1".into(),
        },
        issued_at: Timestamp::from_unix_millis(1_767_283_199_999),
        full: true,
        header: None,
        lines: (0..lines).map(line).collect(),
        origin: Origin {
            topic: "settlement".into(),
            partition: 0,
            offset: 1,
            received_at: Timestamp::from_unix_millis(1_767_283_199_999),
        },
    }
}

#[test]
fn what_repeats_is_written_once_and_shared_after_reading() {
    let entry = Entry::of(DocumentEntry::Upload(Upload::Version(Box::new(repetitive_version(100)))));
    let records = encode(std::slice::from_ref(&entry), 1 << 20);
    assert_eq!(records.len(), 1);
    let record = &records[0];
    assert!(record.len() < 100 * 80, "{} bytes for 100 lines", record.len());

    let decoded = decode::<DocumentEntry>(record).unwrap();
    let Entry::Body(body) = &decoded[0] else { panic!("not a body") };
    let DocumentEntry::Upload(Upload::Version(version)) = &**body else { panic!("not a version") };
    let reference = |line: usize| version.lines[line].codes.as_ref().unwrap().reference.records()[0].clone();
    assert!(Arc::ptr_eq(&reference(0), &reference(99)));
}

#[test]
fn an_entry_of_another_topic_is_refused() {
    let entry = Entry::of(DocumentEntry::Upload(Upload::Version(Box::new(repetitive_version(1)))));
    let records = encode(std::slice::from_ref(&entry), usize::MAX);
    assert_eq!(decode::<CodeChange>(&records[0]), Err(WireError::Field { field: "entry" }));
    assert_eq!(decode::<ClaimEntry>(&records[0]), Err(WireError::Field { field: "ClaimEntry" }));
}

#[test]
fn a_record_of_another_form_is_refused_by_name() {
    for form in [3, 10] {
        let refused = decode::<ClaimEntry>(&[form]).unwrap_err().to_string();
        assert!(refused.contains(&format!("its form is {form}, and this program knows only 4")), "{refused}");
    }
}
