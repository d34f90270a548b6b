//! Looks at a document before and after a step, and says what there is to publish.
//!
//! Of a settlement that borrows otherwise than before only some lines are looked at again where that is enough
//! ([`Scope`]): what is not looked at is remembered as it is.

use std::collections::BTreeSet;

use super::difference::{Difference, Step};
use super::lending::Borrower;
use super::scope::{Known, Scope};
use super::view::{View, number};
use super::{DocumentState, LineReasons, PublishedClaim, RegisterEffects, next_revision, standing};
use crate::domain::Text;
use crate::domain::alert::{AlertBook, FINDINGS_KEPT_MAX, Occasion};
use crate::domain::claim::Verdict;
use crate::domain::document::lending::{Offers, Windows, borrows_under, lend};
use crate::domain::document::live::{LINES_MAX, LiveDocument};
use crate::domain::document::merge::Document;
use crate::domain::document::{DocumentKey, Kind, Origin};
use crate::domain::finding::{self, Finding};
use crate::domain::observation::Moment;
use crate::domain::rules::line::{Evaluation, evaluate, next_due};
use crate::domain::rules::ruleset::RuleSet;
use crate::domain::rules::{Action, RuleId};
use crate::domain::sender::{self, StandingChange, codes_sent};
use crate::domain::time::Timestamp;

/// What a document was when it was looked at last; what is not given is now as it was then.
#[derive(Clone, Copy, Default)]
pub(super) struct Before<'a> {
    parts: Option<&'a Document>,
    offers: Option<&'a Offers>,
}

impl<'a> Before<'a> {
    pub(super) const fn of_parts(parts: &'a Document) -> Self {
        Self { parts: Some(parts), offers: None }
    }

    pub(super) const fn of_offers(offers: &'a Offers) -> Self {
        Self { parts: None, offers: Some(offers) }
    }
}

/// Compares what the document says with what it said before and notes what there is to publish. False, and nothing is
/// changed, when there is no room for what would be found.
pub(super) fn judge(
    state: &mut DocumentState,
    before: Before<'_>,
    step: &Step<'_>,
    moment: &Moment,
    rules: &RuleSet,
    effects: &mut RegisterEffects,
) -> bool {
    let sight = Sight::of(state, before, step, moment, rules);
    effects.without_room = sight.without_room;
    if sight.adds_without_room && !step.is_always_taken {
        return false;
    }
    sight.note(state, step, moment, rules, effects);
    true
}

/// What is seen of a document, or of the lines in the scope of the step, before and after it.
struct Sight {
    scope: Scope,
    /// Whether the parts of the document are as they were: then its claim has the lines that it had.
    has_same_parts: bool,
    before: View,
    after: View,
    findings: Vec<Finding>,
    /// How many findings have no room, and whether they are more than before.
    without_room: usize,
    adds_without_room: bool,
    /// What to count of the findings that only observe.
    observed: (Vec<RuleId>, Vec<(RuleId, Text)>),
    claim: Option<PublishedClaim>,
    /// When a grace ends, of whichever line.
    due: Option<Timestamp>,
    /// The newest reference version of all parts.
    reference_version: u64,
    /// The upload behind it: of the step, else of the header.
    origin: Option<Origin>,
    /// What its institution's counts say else.
    standing: Vec<StandingChange>,
    /// Where it hears of what it can borrow.
    borrows_under: Option<DocumentKey>,
}

impl Sight {
    fn of(
        state: &DocumentState,
        before: Before<'_>,
        step: &Step<'_>,
        moment: &Moment,
        rules: &RuleSet,
    ) -> Self {
        let windows = rules.lending_windows();
        let windows_before = state.lending.windows.unwrap_or(windows);
        let bare = state.parts.live(step.key);
        let bare_before = before.parts.map_or_else(|| bare.clone(), |parts| parts.live(step.key));
        let borrows_under = bare.as_ref().filter(|_| step.is_of_upload()).and_then(borrows_under);
        let live_before =
            with_loans(bare_before, before.offers.unwrap_or(&state.lending.offers), windows_before);
        let live = with_loans(bare, &state.lending.offers, windows);
        let reference_version = newest_reference([&live_before, &live]);
        let origin = step.origin.or_else(|| header_origin(live.as_ref().or(live_before.as_ref())?)).cloned();

        let scope = match (before.parts, &live_before, &live) {
            (None, Some(before), Some(live)) => Scope::of((before, live), state, step, moment, rules),
            _ => Scope::Document,
        };
        let due_elsewhere = live.as_ref().zip(state.due).filter(|_| !scope.is_document());
        let due_elsewhere = due_elsewhere.and_then(|(live, due)| next_due(live, moment.now, rules, due));
        let sent = [&live_before, &live].map(|live| live.as_ref().map_or(0, codes_sent));
        let (live_before, live) = (scope.cut(live_before), scope.cut(live));
        let parts_before = before.parts.unwrap_or(&state.parts);
        let standing = sender::changes(
            &standing::of(parts_before, live_before.as_ref(), sent[0]),
            &standing::of(&state.parts, live.as_ref(), sent[1]),
        );

        let (mut findings, due) = findings_of(live.as_ref(), moment.now, rules);
        let claim = live.as_ref().and_then(|live| published_claim(live, &findings));
        let without_room = drop_without_room(&mut findings, &state.alerts);
        let adds_without_room = without_room > 0 && {
            let mut before = findings_of(live_before.as_ref(), moment.now, rules).0;
            without_room > drop_without_room(&mut before, &state.alerts)
        };
        Self {
            before: View::of(live_before.as_ref(), &state.handling, windows_before),
            after: View::of(live.as_ref(), &state.handling, windows),
            observed: newly_observed(&findings, live_before.as_ref(), moment, rules),
            has_same_parts: before.parts.is_none(),
            due: [due, due_elsewhere].into_iter().flatten().min(),
            scope,
            findings,
            without_room,
            adds_without_room,
            claim,
            reference_version,
            origin,
            standing,
            borrows_under,
        }
    }

    /// Publishes what is new in it, and remembers it.
    fn note(
        self,
        state: &mut DocumentState,
        step: &Step<'_>,
        moment: &Moment,
        rules: &RuleSet,
        effects: &mut RegisterEffects,
    ) {
        let Self { scope, before, after, reference_version, mut claim, .. } = self;
        let revision = next_revision(state, moment);
        let mut known = scope.take_out(state, step.key);
        let asserted = number(&before, &after, &known.asserted, revision);
        (effects.observed, effects.allowed) = self.observed;
        effects.standing = self.standing;
        let received_at = step.origin.map(|origin| origin.received_at);
        effects.borrows =
            self.borrows_under.zip(received_at).map(|(alias, received_at)| Borrower { alias, received_at });
        if let Some(origin) = &self.origin {
            let change = Difference { step, origin, rules, revision, reference_version };
            effects.changes = change.codes((&before, &known.asserted), (&after, &asserted));
            let was = (&before, known.claim.as_ref(), &known.asserted);
            let is = (&after, claim.as_ref(), &asserted);
            if self.has_same_parts && known.is_claim_remembered(moment.now) {
                effects.claim_change = change.claim_lines(was, is);
            } else {
                effects.claim = change.claim(was, is);
            }
            effects.offered = change.offer(before.offer.as_ref(), after.offer.as_ref());
        }
        if let Some(claim) = &mut claim {
            let told_now = self.origin.filter(|_| effects.tells_claim()).map(|origin| origin.received_at);
            claim.told_at = told_now.or(known.claim.map(|known| known.told_at)).unwrap_or_default();
        }
        let occasion = Occasion {
            code: None,
            cause: &step.cause,
            origin: step.origin,
            detected_at: moment.detected_at,
            ruleset: &rules.digest,
            reference_version,
        };
        effects.alerts = known.alerts.diff(self.findings, &occasion);
        scope.put_back(Known { asserted, claim, alerts: known.alerts }, state);
        let takes_part = !state.lending.offers.is_empty() || after.offer.is_some();
        state.lending.windows = takes_part.then_some(rules.lending_windows());
        state.due = self.due;
        state.judged_by = state.claim.is_some().then(|| rules.digest.clone());
        if effects.is_published() {
            state.revision = revision;
        }
    }
}

fn header_origin<'a>(live: &LiveDocument<'a>) -> Option<&'a Origin> {
    Some(&live.header.origin)
}

/// The live document with what is lent to it.
pub(super) fn live_and_lent<'a>(
    parts: &'a Document,
    key: &'a DocumentKey,
    offers: &'a Offers,
    windows: Windows,
) -> Option<LiveDocument<'a>> {
    with_loans(parts.live(key), offers, windows)
}

fn with_loans<'a>(
    bare: Option<LiveDocument<'a>>,
    offers: &'a Offers,
    windows: Windows,
) -> Option<LiveDocument<'a>> {
    let mut live = bare?;
    lend(&mut live, offers, windows);
    Some(live)
}

fn newest_reference<'a>(documents: impl IntoIterator<Item = &'a Option<LiveDocument<'a>>>) -> u64 {
    let versions = documents.into_iter().flatten().map(LiveDocument::reference_version);
    versions.max().unwrap_or_default()
}

/// What there is to remember of the claim, when the document is a live settlement.
fn published_claim(live: &LiveDocument<'_>, findings: &[Finding]) -> Option<PublishedClaim> {
    if live.kind() != Kind::Settlement {
        return None;
    }
    let mut reasons = LineReasons::new();
    let mut add = |line_id: &Text, rule: RuleId, verdict: Verdict| {
        let known = reasons.entry(line_id.clone()).or_default().entry(rule).or_default();
        *known = verdict.max(*known);
    };
    if live.is_over_limit() {
        for line in live.lines.iter().take(LINES_MAX) {
            add(line.line_id, RuleId::OverLimit, Verdict::Hold);
        }
    }
    for finding in findings {
        match finding.action {
            Action::Observe => {}
            Action::Alert => add(&finding.subject.key.line_id, finding.rule, Verdict::Pay),
            Action::Hold => add(&finding.subject.key.line_id, finding.rule, Verdict::Hold),
            Action::Refuse => add(&finding.subject.key.line_id, finding.rule, Verdict::Refuse),
        }
    }
    let occurred_at = live.header.part.content.moment();
    Some(PublishedClaim { occurred_at, told_at: Timestamp::default(), reasons })
}

/// What the line rules find, allowances applied, and when to look again.
fn findings_of(
    live: Option<&LiveDocument<'_>>,
    now: Option<Timestamp>,
    rules: &RuleSet,
) -> (Vec<Finding>, Option<Timestamp>) {
    let Evaluation { mut findings, next_due } =
        live.map(|live| evaluate(live, now, rules)).unwrap_or_default();
    rules.allow(&mut findings, None);
    (findings, next_due)
}

/// Drops the alerts that were never published and that the book has no room for; how many.
fn drop_without_room(findings: &mut Vec<Finding>, book: &AlertBook) -> usize {
    let mut room = FINDINGS_KEPT_MAX.saturating_sub(book.published.len());
    let before = findings.len();
    if before <= room {
        return 0;
    }
    findings.retain(|finding| {
        if !finding.is_alert() || book.published.contains_key(&finding.key()) {
            return true;
        }
        let has_room = room > 0;
        room = room.saturating_sub(1);
        has_room
    });
    before.saturating_sub(findings.len())
}

/// What to count of the findings that only observe and were not there before, those that are silenced apart.
fn newly_observed(
    findings: &[Finding],
    before: Option<&LiveDocument<'_>>,
    moment: &Moment,
    rules: &RuleSet,
) -> (Vec<RuleId>, Vec<(RuleId, Text)>) {
    let observed: Vec<&Finding> =
        findings.iter().filter(|finding| finding.action == Action::Observe).collect();
    if observed.is_empty() {
        return Default::default();
    }
    let before = before.map(|before| evaluate(before, moment.now, rules)).unwrap_or_default();
    let known: BTreeSet<_> = before.findings.iter().map(Finding::key).collect();
    finding::counted(observed.into_iter().filter(|finding| !known.contains(&finding.key())))
}
