//! The rules: what each says of itself ([`entry`]), the one table that lists them ([`catalogue`]), and what is
//! configured about them ([`ruleset`], [`allowance`]).
//!
//! Line rules judge one document alone ([`line`]); code rules judge the timeline of a code ([`code`]). A rule states a
//! fact; what follows from it is set by the rule set. A rule is one file: what it is, when it fires, and its cases. A new
//! one needs besides that a row in the table, and the place in [`line`] or [`code`] where
//! it is asked.

pub mod allowance;
pub mod catalogue;
pub mod code;
pub mod entry;
pub mod line;
pub mod ruleset;

pub use catalogue::RuleId;

/// What a finding does, from least to most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Action {
    /// Metrics only.
    Observe,
    /// An alert.
    Alert,
    /// An alert; the claim line is held.
    Hold,
    /// An alert; the claim line is refused.
    Refuse,
}

/// How grave an alert is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// For information.
    Info,
    /// Low.
    Low,
    /// Medium.
    Medium,
    /// High.
    High,
    /// Critical.
    Critical,
}

/// Which of two grounds a swap is found on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Basis {
    /// The catalogue maps the code's prefix to another product.
    Catalogue,
    /// The code was declared as another product before.
    Declared,
}

/// How far apart the two sides of a pair are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// The same institution.
    Institution,
    /// The same region.
    Region,
    /// Different regions.
    OtherRegion,
}

impl Basis {
    /// The name in alerts.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Catalogue => "catalogue",
            Self::Declared => "declared",
        }
    }
}

impl Scope {
    /// The name in alerts.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Institution => "institution",
            Self::Region => "region",
            Self::OtherRegion => "other_region",
        }
    }
}

impl Action {
    /// All actions.
    pub const ALL: [Self; 4] = [Self::Observe, Self::Alert, Self::Hold, Self::Refuse];

    /// The name in alerts and configuration.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Observe => "observe",
            Self::Alert => "alert",
            Self::Hold => "hold",
            Self::Refuse => "refuse",
        }
    }

    /// The action of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.name() == name)
    }
}

impl Severity {
    /// All severities.
    pub const ALL: [Self; 5] = [Self::Info, Self::Low, Self::Medium, Self::High, Self::Critical];

    /// The name in alerts and configuration.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }

    /// The severity of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|severity| severity.name() == name)
    }
}
