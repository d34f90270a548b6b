//! The closed sets that label the metrics.

use super::limit::Limit;
use super::metric::LabelSet;
use crate::domain::alert::Status;
use crate::domain::claim::Verdict;
use crate::domain::outcome::{IgnoredBecause, Leniency, RejectReason, UploadOutcome};
use crate::domain::rules::RuleId;
use crate::domain::rules::catalogue::RULES;

/// Names of the stages, as they stand in labels.
pub const STAGES: [&str; 4] = ["intake", "register", "monitor", "adjudicate"];

/// A stage, by its name; one that is not among [`STAGES`] has no series.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct StageLabel(pub &'static str);

impl LabelSet for () {
    const LABELS: &'static [&'static str] = &[];

    fn all() -> Vec<Self> {
        vec![()]
    }

    fn values(self) -> Vec<&'static str> {
        Vec::new()
    }
}

impl LabelSet for StageLabel {
    const LABELS: &'static [&'static str] = &["stage"];

    fn all() -> Vec<Self> {
        STAGES.into_iter().map(Self).collect()
    }

    fn values(self) -> Vec<&'static str> {
        vec![self.0]
    }
}

/// Closed sets that are one label each.
macro_rules! one_label {
    ($($set:ty: $label:literal,)+) => {$(
        impl LabelSet for $set {
            const LABELS: &'static [&'static str] = &[$label];

            fn all() -> Vec<Self> {
                Self::ALL.to_vec()
            }

            fn values(self) -> Vec<&'static str> {
                vec![self.name()]
            }
        }
    )+};
}

one_label! {
    RejectReason: "reason",
    IgnoredBecause: "cause",
    Leniency: "habit",
    UploadOutcome: "outcome",
    Limit: "limit",
}

impl LabelSet for RuleId {
    const LABELS: &'static [&'static str] = &["rule"];

    fn all() -> Vec<Self> {
        RULES.iter().map(|rule| rule.id).collect()
    }

    fn values(self) -> Vec<&'static str> {
        vec![self.name()]
    }
}

/// Revisions of alerts.
impl LabelSet for (RuleId, Status) {
    const LABELS: &'static [&'static str] = &["rule", "status"];

    fn all() -> Vec<Self> {
        pairs(RuleId::all(), Status::ALL)
    }

    fn values(self) -> Vec<&'static str> {
        vec![self.0.name(), self.1.name()]
    }
}

impl LabelSet for Verdict {
    const LABELS: &'static [&'static str] = &["verdict"];

    fn all() -> Vec<Self> {
        Self::ALL.to_vec()
    }

    fn values(self) -> Vec<&'static str> {
        vec![self.name()]
    }
}

/// Revisions of decisions: whether they are provisional beside their verdict.
impl LabelSet for (Verdict, bool) {
    const LABELS: &'static [&'static str] = &["verdict", "provisional"];

    fn all() -> Vec<Self> {
        pairs(Verdict::ALL.to_vec(), &[false, true])
    }

    fn values(self) -> Vec<&'static str> {
        vec![self.0.name(), if self.1 { "true" } else { "false" }]
    }
}

fn pairs<A: Copy, B: Copy>(firsts: Vec<A>, seconds: &[B]) -> Vec<(A, B)> {
    firsts.into_iter().flat_map(|first| seconds.iter().map(move |second| (first, *second))).collect()
}
