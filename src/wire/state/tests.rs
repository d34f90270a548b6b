//! State survives the store.
#![allow(clippy::unwrap_used)]

use proptest::collection::{btree_map, vec};
use proptest::option::of;
use proptest::prelude::*;

use super::*;
use crate::domain::adjudicator::{Answer, ClaimState, Published, Said};
use crate::domain::claim::DecisionLine;
use crate::domain::monitor::{CodeState, Judged};
use crate::wire::testing;

fn claim_state() -> impl Strategy<Value = ClaimState> {
    let answer =
        (any::<u64>(), testing::reasons()).prop_map(|(revision, reasons)| Answer { revision, reasons });
    let line = (testing::text(), testing::verdict(), vec(testing::rule(), 0..3), testing::money())
        .prop_map(|(line_id, verdict, reasons, amount)| DecisionLine { line_id, verdict, reasons, amount });
    let said = (testing::verdict(), testing::money(), any::<(bool, bool)>(), vec(line, 0..3)).prop_map(
        |(verdict, payable, (provisional, withdrawn), lines)| Said {
            verdict,
            payable,
            provisional,
            withdrawn,
            lines,
        },
    );
    let published = (any::<u32>(), said).prop_map(|(revision, said)| Published { revision, said });
    let answers = btree_map((testing::text(), testing::text()), answer, 0..4);
    (of(testing::claim()), answers, of(published), testing::money(), of(testing::moment())).prop_map(
        |(claim, answers, published, released, deadline)| {
            let mut state = ClaimState { claim, answers, published, released, deadline, missing: 0 };
            state.count_missing();
            state
        },
    )
}

fn code_state() -> impl Strategy<Value = CodeState> {
    let judged =
        (any::<u64>(), testing::reasons()).prop_map(|(revision, reasons)| Judged { revision, reasons });
    let verdicts = btree_map(testing::observation_key(), judged, 0..3);
    (vec(testing::observation(), 0..4), testing::alert_book(), verdicts, of(testing::moment()))
        .prop_map(|(observations, alerts, verdicts, due)| CodeState { observations, alerts, verdicts, due })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn claim_states_survive(state in claim_state()) {
        prop_assert_eq!(decode_claim(&encode_claim(&state)).unwrap(), state);
    }

    #[test]
    fn code_states_survive(state in code_state()) {
        prop_assert_eq!(decode_code(&encode_code(&state)).unwrap(), state);
    }

    #[test]
    fn damage_is_an_error_or_another_state_and_never_a_panic(
        claim in claim_state(),
        code in code_state(),
        at in any::<prop::sample::Index>(),
        byte in any::<u8>(),
    ) {
        for mut bytes in [encode_claim(&claim), encode_code(&code)] {
            let at = at.index(bytes.len());
            bytes.iter_mut().skip(at).take(1).for_each(|target| *target = byte);
            let _ = (decode_claim(&bytes), decode_code(&bytes));
            bytes.truncate(at);
            let _ = (decode_claim(&bytes), decode_code(&bytes));
        }
    }
}

#[test]
fn a_value_of_another_version_is_refused_by_name() {
    let mut bytes = encode_code(&CodeState::default());
    bytes.first_mut().map(|version| *version = 9).unwrap();
    let error = decode_code(&bytes).unwrap_err();
    assert_eq!(error, WireError::Version { found: 9, known: "1" });
    assert_eq!(error.to_string(), "format version 9 is not known here (known: 1)");
    assert!(decode_claim(&[]).is_err());
}
