//! State survives the store.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use proptest::collection::{btree_map, btree_set, vec};
use proptest::option::of;
use proptest::prelude::*;

use super::*;
use crate::domain::adjudicator::{Answer, ClaimState, Published, Said};
use crate::domain::claim::DecisionLine;
use crate::domain::document::Part;
use crate::domain::document::lending::{Offers, Windows};
use crate::domain::document::merge::{Document, LineParts, ReversalStamp, Reversed, Stamped};
use crate::domain::memo::Memo;
use crate::domain::monitor::{CodeState, Judged};
use crate::domain::observation::Observation;
use crate::domain::register::lending::Lending;
use crate::domain::register::{DocumentState, PublishedClaim};
use crate::domain::sender::SenderState;
use crate::domain::time::Millis;
use crate::wire::testing;

fn claim_state() -> BoxedStrategy<ClaimState> {
    let answer =
        (any::<u64>(), testing::reasons()).prop_map(|(revision, reasons)| Answer { revision, reasons });
    let rules = || vec(testing::rule(), 0..3);
    let lent = vec(testing::lent_to(), 0..3);
    let line = (testing::text(), testing::verdict(), rules(), any::<bool>(), rules(), testing::money(), lent)
        .prop_map(|(line_id, verdict, reasons, is_ruled, overruled, amount, lent)| DecisionLine {
            line_id,
            verdict,
            reasons,
            is_ruled,
            overruled,
            amount,
            lent,
        });
    let flags = any::<(bool, bool)>();
    let said = (testing::verdict(), testing::money(), flags, of(testing::paid()), vec(line, 0..3)).prop_map(
        |(verdict, payable, (provisional, withdrawn), paid, lines)| Said {
            verdict,
            payable,
            provisional,
            withdrawn,
            paid,
            lines: lines.into_iter().map(Arc::new).collect(),
        },
    );
    let published = (any::<u32>(), said).prop_map(|(revision, said)| Published { revision, said });
    let answers = btree_map((testing::text(), testing::text()), answer, 0..4);
    let moments = (of(testing::moment()), of(testing::moment()));
    (of(testing::claim()), answers, of(published), testing::money(), moments, of(testing::paid()))
        .prop_map(|(claim, answers, published, released, (deadline, answered_at), paid)| {
            let missing = 0;
            let mut state = ClaimState {
                claim,
                answers,
                published,
                released,
                deadline,
                answered_at,
                missing,
                paid,
                touched: Memo::default(),
            };
            state.count_missing();
            state
        })
        .boxed()
}

/// Only live observations have verdicts.
fn code_state() -> BoxedStrategy<CodeState> {
    let judged =
        of((any::<u64>(), testing::reasons()).prop_map(|(revision, reasons)| Judged { revision, reasons }));
    let moments = (of(testing::moment()), of(testing::moment()));
    (vec((testing::observation(), judged), 0..4), testing::alert_book(), moments)
        .prop_map(|(rows, alerts, (due, emptied_at))| {
            let answered = |(row, judged): &(Observation, Option<Judged>)| {
                judged.clone().map(|judged| (row.key.clone(), judged))
            };
            CodeState {
                verdicts: rows.iter().filter_map(answered).collect(),
                observations: rows.into_iter().map(|(row, _)| row).collect(),
                alerts,
                due,
                emptied_at,
            }
        })
        .boxed()
}

fn stamped<T: std::fmt::Debug>(part: impl Strategy<Value = Part<T>>) -> impl Strategy<Value = Stamped<T>> {
    (testing::moment(), part, testing::origin()).prop_map(|(issued_at, part, origin)| Stamped {
        issued_at,
        part,
        origin,
    })
}

fn reversed() -> BoxedStrategy<Reversed> {
    let stamp = || {
        of((testing::moment(), testing::origin())
            .prop_map(|(issued_at, origin)| ReversalStamp { issued_at, origin }))
    };
    (stamp(), stamp(), stamp()).prop_map(|(header, fee, codes)| Reversed { header, fee, codes }).boxed()
}

fn lending() -> impl Strategy<Value = Lending> {
    let offers = || {
        (vec(testing::offer(), 0..3), btree_set(testing::text(), 0..2)).prop_map(|(offers, overfull)| {
            let mut all: Offers = offers.into_iter().collect();
            all.overfull = overfull;
            all
        })
    };
    let windows = of(any::<(u64, u64)>()).prop_map(|windows| {
        windows.map(|(by_settlement, by_visit)| Windows {
            by_settlement: Millis::new(by_settlement),
            by_visit: Millis::new(by_visit),
        })
    });
    (offers(), offers(), any::<u32>(), windows).prop_map(|(offers, waiting, borrowers, windows)| Lending {
        offers,
        waiting,
        borrowers: borrowers as usize,
        windows,
    })
}

fn document_state() -> BoxedStrategy<DocumentState> {
    let line = (of(stamped(testing::fee_part())), of(stamped(testing::codes_part())))
        .prop_map(|(fee, codes)| LineParts { fee: fee.map(Arc::new), codes: codes.map(Arc::new) });
    let parts = (
        of(testing::moment()),
        of(stamped(testing::header_part())),
        btree_map(testing::text(), line, 0..3),
        reversed(),
        btree_map(testing::text(), reversed(), 0..3),
        vec(testing::moment(), 0..3),
    )
        .prop_map(|(full, header, lines, reversed, reversed_lines, earlier_headers)| Document {
            full,
            header: header.map(Arc::new),
            lines,
            reversed,
            reversed_lines,
            earlier_headers,
        });
    let reasons = btree_map(testing::text(), testing::reasons(), 0..3);
    let claim = (testing::moment(), testing::moment(), reasons)
        .prop_map(|(occurred_at, told_at, reasons)| PublishedClaim { occurred_at, told_at, reasons });
    let asserted = btree_map((testing::text(), testing::text()), any::<u64>(), 0..4);
    let reversals = vec(testing::reversal(), 0..3);
    let due = of(testing::moment());
    let beside = (lending(), reversals, due, testing::handling_book(), any::<bool>(), of(testing::text()));
    (parts, any::<u64>(), testing::alert_book(), asserted, of(claim), beside)
        .prop_map(|(parts, revision, alerts, asserted, claim, beside)| DocumentState {
            parts,
            revision,
            alerts,
            asserted,
            claim,
            lending: beside.0,
            untold: beside.1,
            due: beside.2,
            handling: beside.3,
            is_awaited: beside.4,
            judged_by: beside.5,
        })
        .boxed()
}

fn sender_state() -> impl Strategy<Value = SenderState> {
    let moments = (of(testing::moment()), of(testing::moment()), of(testing::moment()));
    (testing::counts(), any::<u64>(), moments).prop_map(|(counts, revision, (newest, published_at, due))| {
        SenderState { counts, newest, revision, published_at, due }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn sender_states_survive_and_are_told_from_documents(
        state in sender_state(),
        document in document_state(),
    ) {
        let bytes = bytes_of(|writer| write_sender(&state, writer));
        prop_assert!(is_of_sender(&bytes) && !is_of_sender(&bytes_of(|writer| write_document(&document, writer))));
        prop_assert_eq!(decode_sender(&bytes).unwrap(), state);
    }

    #[test]
    fn claim_states_survive(state in claim_state()) {
        prop_assert_eq!(decode_claim(&bytes_of(|writer| write_claim(&state, writer))).unwrap(), state);
    }

    #[test]
    fn code_states_survive(state in code_state()) {
        prop_assert_eq!(decode_code(&bytes_of(|writer| write_code(&state, writer))).unwrap(), state);
    }

    #[test]
    fn document_states_survive(state in document_state()) {
        prop_assert_eq!(decode_document(&bytes_of(|writer| write_document(&state, writer))).unwrap(), state);
    }

    #[test]
    fn damage_is_an_error_or_another_state_and_never_a_panic(
        claim in claim_state(),
        code in code_state(),
        document in document_state(),
        at in any::<prop::sample::Index>(),
        byte in any::<u8>(),
    ) {
        for mut bytes in [bytes_of(|writer| write_claim(&claim, writer)), bytes_of(|writer| write_code(&code, writer)), bytes_of(|writer| write_document(&document, writer))] {
            let at = at.index(bytes.len());
            bytes.iter_mut().skip(at).take(1).for_each(|target| *target = byte);
            let _ = (decode_claim(&bytes), decode_code(&bytes), decode_document(&bytes));
            bytes.truncate(at);
            let _ = (decode_claim(&bytes), decode_code(&bytes), decode_document(&bytes));
        }
    }
}

#[test]
fn a_value_of_another_version_is_refused_by_name() {
    let mut bytes = bytes_of(|writer| write_code(&CodeState::default(), writer));
    bytes.first_mut().map(|version| *version = 9).unwrap();
    let error = decode_code(&bytes).unwrap_err();
    assert_eq!(error, WireError::Version { found: 9, known: "5" });
    assert_eq!(error.to_string(), "format version 9 is not known here (known: 5)");
    assert!(decode_claim(&[]).is_err());
}
