//! What becomes of an input before any stage sees it: the canonical forms and the national interface's messages.

mod canonical;
mod canonical_json;
mod handling;
mod letters;
mod nhsa;
mod nhsa_writings;

use tracewarden::domain::reference::Book;
use tracewarden::wire::inbound::intake::{self, Decoded, Door, Input, Limits};
use tracewarden::wire::inbound::nhsa::medical::MedicalTypes;
use tracewarden::wire::inbound::pseudonym::Pseudonymiser;

/// What becomes of an input by the limits and tables that count unless configured, without reference data.
fn take_in(input: &Input<'_>) -> Decoded {
    let (limits, pseudonymiser, book) = (Limits::default(), Pseudonymiser::for_tests(), Book::default());
    let medical_types = MedicalTypes::default();
    let door =
        Door { limits: &limits, pseudonymiser: &pseudonymiser, medical_types: &medical_types, book: &book };
    intake::take_in(input, &door)
}
