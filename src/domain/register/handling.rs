//! Rulings and payments at the register: what counts is kept with the document, which may not be there yet, and is passed
//! on. A ruling goes with the lines of the claim that it acts on; payments go by themselves, since they are known of a
//! claim that was taken back as well.

use super::difference::{Difference, Step};
use super::judge::live_and_lent;
use super::view::View;
use super::{DocumentState, Refusal, RegisterEffects, next_revision};
use crate::domain::claim::ClaimPaid;
use crate::domain::document::Upload;
use crate::domain::document::live::LiveDocument;
use crate::domain::document::merge::Change;
use crate::domain::handling::{Act, Filed, Handling};
use crate::domain::observation::Moment;
use crate::domain::outcome::UploadOutcome;
use crate::domain::rules::ruleset::RuleSet;

/// Files an act with its document, and says what of the claim changes.
pub(super) fn handle(
    state: &mut DocumentState,
    handling: &Handling,
    upload: &Upload,
    moment: &Moment,
    rules: &RuleSet,
) -> RegisterEffects {
    match state.handling.weigh(handling) {
        Filed::Counts => {}
        Filed::Known => return RegisterEffects::nothing(UploadOutcome::Duplicate),
        Filed::Older => return RegisterEffects::nothing(UploadOutcome::Superseded),
        Filed::NoRoom => return RegisterEffects::refused(no_room(&handling.act)),
    }
    let mut effects = RegisterEffects::nothing(UploadOutcome::Accepted);
    effects.changed = true;
    if let Act::Payment { payment, .. } = &handling.act {
        effects.paid_unclaimed = (state.claim.is_none() && !payment.withdrawn).then_some(payment.amount);
        let paid_before = state.handling.paid();
        state.handling.file(handling);
        let paid = state.handling.paid();
        effects.paid = (paid != paid_before).then(|| ClaimPaid { key: handling.claim.clone(), paid });
        return effects;
    }
    let windows = state.lending.windows.unwrap_or_else(|| rules.lending_windows());
    let live = live_and_lent(&state.parts, &handling.claim, &state.lending.offers, windows);
    let before = View::of(live.as_ref(), &state.handling, windows);
    state.handling.file(handling);
    let after = View::of(live.as_ref(), &state.handling, windows);
    let revision = next_revision(state, moment);
    let step = Step::of_upload(upload, Change::Content, true);
    let reference_version = live.as_ref().map(LiveDocument::reference_version).unwrap_or_default();
    let difference = Difference { step: &step, origin: upload.origin(), rules, revision, reference_version };
    effects.claim = difference.claim(
        (&before, state.claim.as_ref(), &state.asserted),
        (&after, state.claim.as_ref(), &state.asserted),
    );
    if effects.claim.is_some() {
        state.revision = revision;
        state.claim.iter_mut().for_each(|claim| claim.told_at = upload.origin().received_at);
    }
    effects
}

const fn no_room(act: &Act) -> Refusal {
    match act {
        Act::Ruling { .. } => Refusal::Rulings,
        Act::Payment { .. } => Refusal::Payments,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]
mod tests;
