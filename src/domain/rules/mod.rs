//! The rules: their names, what they may do, and the one table that describes them ([`catalogue`]).
//!
//! Line rules judge one document alone (`line`); code rules judge the timeline of a code (`code`). A rule
//! states a fact; what follows from it is set by the [`ruleset`].

pub mod allowance;
pub mod catalogue;
pub mod code;
pub mod line;
pub mod ruleset;

/// A rule. The order is that of the names, as reasons are listed in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RuleId {
    /// 禁售.
    Banned,
    /// 重复入库.
    DuplicatePurchase,
    /// 重复结算.
    DuplicateSettlement,
    /// 窜码.
    HeldElsewhere,
    /// 错码.
    InvalidCode,
    /// 无码.
    NoCode,
    /// 无进货来源.
    NotPurchased,
    /// 单据超限: a document that grew past its limits by partial uploads.
    OverLimit,
    /// 拆零超量.
    OverSplit,
    /// 追溯码滥用: a code with more observations than are walked.
    OverusedCode,
    /// 冒名.
    PersonMismatch,
    /// 回流.
    Reflow,
    /// 退费无对应.
    RefundUnmatched,
    /// 同单重复.
    RepeatedInDocument,
    /// 再次销售.
    Resale,
    /// 退药未退费.
    ReturnNotRefunded,
    /// 空刷.
    SettledNotDispensed,
    /// 码数不足.
    ShortCodes,
    /// 出库后销售.
    SoldAfterStockOut,
    /// 串换.
    Swap,
    /// 未知标识码.
    UnknownProduct,
}

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
