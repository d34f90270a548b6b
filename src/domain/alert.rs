//! The life of an alert: raised, amended, withdrawn, with gapless revisions.
//!
//! Each document and each code keeps an [`AlertBook`] of what it has published. After every input the findings
//! that hold now are compared with it; only differences are published.

use std::collections::BTreeMap;

use super::Text;
use super::closed_set::closed_set;
use super::document::Origin;
use super::finding::{Finding, FindingKey};
use super::observation::Cause;
use super::time::Timestamp;

closed_set! {
    /// Where an alert stands.
    pub enum Status {
        /// The finding is new, or is back after a withdrawal.
        Raised = "raised",
        /// The same finding says something else than before.
        Amended = "amended",
        /// The finding no longer holds; the cause names the document that explains it.
        Withdrawn = "withdrawn",
    }
}

/// One revision of an alert, to be published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlertChange {
    /// Where the alert stands.
    pub status: Status,
    /// Gapless per alert, from 1, also across withdrawals.
    pub revision: u32,
    /// The code, for code rules.
    pub code: Option<Text>,
    /// What is found; of a withdrawn alert, what was found last.
    pub finding: Finding,
    /// What explains the change.
    pub cause: Cause,
    /// When the upload that explains it was received; of a tick, the subject's.
    pub received_at: Timestamp,
    /// When the alert was raised last: `detected_at` of that revision.
    pub raised_at: Timestamp,
    /// When the change was found; never before it was received.
    pub detected_at: Timestamp,
    /// Digest of the rule set in force.
    pub ruleset: Text,
    /// The reference version that the subject was judged by.
    pub reference_version: u64,
}

/// Most findings of one document or one code whose revisions are kept, those withdrawn among them. A code that
/// has more takes no further facts; what a document takes then is up to the register.
pub const FINDINGS_KEPT_MAX: usize = 100_000;

/// What one document or one code has published: the last revision of each finding, and what it said while it holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AlertBook {
    /// By finding.
    pub published: BTreeMap<FindingKey, Published>,
}

/// The newest published state of one finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Published {
    /// Its last revision.
    pub revision: u32,
    /// When it was raised last.
    pub raised_at: Timestamp,
    /// What it says while it is open.
    pub open: Option<Box<Finding>>,
}

/// What every change of one diff has in common.
#[derive(Clone, Debug)]
pub struct Occasion<'a> {
    /// The code, for code rules.
    pub code: Option<&'a Text>,
    /// What explains the changes.
    pub cause: &'a Cause,
    /// The upload that explains them; none for a tick.
    pub origin: Option<&'a Origin>,
    /// When they were found.
    pub detected_at: Timestamp,
    /// Digest of the rule set in force.
    pub ruleset: &'a Text,
    /// The reference version in play.
    pub reference_version: u64,
}

/// Codes concerned and evidence that an alert cut short keeps.
const CUT_SHORT_KEEPS: usize = 20;

impl AlertChange {
    /// The same change with fewer of the codes concerned and less evidence; how many there were is said.
    pub fn cut_short(&self) -> Self {
        let mut short = self.clone();
        let finding = &mut short.finding;
        let codes = finding.attributes.codes.len();
        if codes > CUT_SHORT_KEEPS {
            finding.attributes.codes.truncate(CUT_SHORT_KEEPS);
            finding.attributes.count = u64::try_from(codes).ok();
        }
        let evidence_omitted = finding.evidence.len().saturating_sub(CUT_SHORT_KEEPS);
        finding.evidence.truncate(CUT_SHORT_KEEPS);
        finding.evidence_omitted =
            finding.evidence_omitted.saturating_add(u32::try_from(evidence_omitted).unwrap_or(u32::MAX));
        short
    }
}

impl AlertBook {
    /// Compares what holds now with what was published, remembers it, and returns the changes in order of
    /// their finding. Findings that are no alerts are passed over.
    pub fn diff(&mut self, findings: Vec<Finding>, occasion: &Occasion<'_>) -> Vec<AlertChange> {
        let mut holding: BTreeMap<FindingKey, Finding> =
            findings.into_iter().filter(Finding::is_alert).map(|finding| (finding.key(), finding)).collect();
        let mut changes = Vec::new();
        for (key, published) in &mut self.published {
            match (holding.remove(key), published.open.take()) {
                (Some(finding), Some(before)) => {
                    if !finding.says_the_same_as(&before) {
                        changes.push(occasion.revise(Status::Amended, published, finding.clone()));
                    }
                    published.open = Some(Box::new(finding));
                }
                (Some(finding), None) => {
                    changes.push(occasion.revise(Status::Raised, published, finding.clone()));
                    published.open = Some(Box::new(finding));
                }
                (None, Some(before)) => {
                    changes.push(occasion.revise(Status::Withdrawn, published, *before));
                }
                (None, None) => {}
            }
        }
        for (key, finding) in holding {
            let mut published = Published { revision: 0, raised_at: Timestamp::default(), open: None };
            changes.push(occasion.revise(Status::Raised, &mut published, finding.clone()));
            published.open = Some(Box::new(finding));
            self.published.insert(key, published);
        }
        changes
    }

    /// Takes out what was published of some findings, to be compared and put back by itself.
    #[must_use]
    pub fn take_out(&mut self, keys: impl Iterator<Item = FindingKey>) -> Self {
        Self { published: keys.filter_map(|key| self.published.remove_entry(&key)).collect() }
    }

    /// Puts back what was taken out.
    pub fn put_back(&mut self, part: Self) {
        self.published.extend(part.published);
    }

    /// Whether there is room for what further facts may bring up.
    pub fn has_room(&self) -> bool {
        self.published.len() <= FINDINGS_KEPT_MAX
    }

    /// Whether nothing was ever published.
    pub fn is_empty(&self) -> bool {
        self.published.is_empty()
    }
}

impl Occasion<'_> {
    /// The next revision of what is published.
    fn revise(&self, status: Status, published: &mut Published, finding: Finding) -> AlertChange {
        published.revision = published.revision.saturating_add(1);
        let received_at = self.origin.map_or(finding.subject.origin.received_at, |origin| origin.received_at);
        let detected_at = self.detected_at.max(received_at);
        if status == Status::Raised {
            published.raised_at = detected_at;
        }
        AlertChange {
            status,
            revision: published.revision,
            code: self.code.cloned(),
            finding,
            cause: self.cause.clone(),
            received_at,
            raised_at: published.raised_at,
            detected_at,
            ruleset: self.ruleset.clone(),
            reference_version: self.reference_version,
        }
    }
}
