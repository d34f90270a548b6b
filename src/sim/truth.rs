//! The truth: what a perfect monitor must say about the planted acts and the accidents that cannot be undone.
//!
//! One [`Truth`] is one rule's statement about one subject. An act usually has several. Everything the planted
//! acts bring about is listed, so that an alert that is not listed is an error of monitor or simulator.

use serde::{Deserialize, Serialize};

/// What was planted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Act {
    /// A patient buys on insurance in several shops; the packs are sold again elsewhere.
    PatientResale,
    /// Packs settled in one city come back into the stock of another and are settled again.
    ReflowRing,
    /// A shop keeps photographs of codes, lets the packs go elsewhere, and settles the codes later.
    PhotographedCodes,
    /// Goods that no insurance pays for are handed over under a pack's code; the pack stays on the shelf and is sold
    /// under the same code again.
    GoodsSwap,
    /// One product is settled under the code of another.
    CatalogueSwap,
    /// The same with a maker's own code, which no catalogue knows.
    DeclaredSwap,
    /// Settled, nothing handed over.
    EmptySwipe,
    /// One person's insurance pays for what another takes.
    Impersonation,
    /// More units of a pack settled than are in it.
    OverSplit,
    /// Sold without any purchase.
    MissingPurchase,
    /// Sold after the last day of use.
    ExpiredPack,
    /// Sold although its lot is recalled.
    RecalledPack,
    /// Sold without scanning a code.
    MissingCodes,
    /// Fewer codes than packs.
    ShortCodes,
    /// One hand-over settled twice.
    SettledTwice,
    /// Written off, then sold.
    SoldAfterWriteOff,
    /// Bought by one institution, sold by another.
    CrossChannel,
    /// Brought back, and the fund not refunded.
    ReturnKept,
    /// One pack on two lines of a claim.
    RepeatedLine,
    /// Dirt: a code that no family accepts was scanned at a sale.
    MangledCode,
    /// Dirt: the scan of a delivery was mangled, so the purchase cannot be proved.
    MangledDelivery,
    /// Dirt: the institution's drug master is wrong about a product.
    WrongMaster,
    /// Habit: something that is no code was written for the code of a line without one.
    PlaceholderCode,
    /// Habit: a part of a line was brought back and taken off the claim; nobody says which of its codes that was.
    PartialRefund,
}

impl Act {
    /// All planted acts, without dirt and habits.
    pub const PLANTED: [Self; 19] = [
        Self::PatientResale,
        Self::ReflowRing,
        Self::PhotographedCodes,
        Self::GoodsSwap,
        Self::CatalogueSwap,
        Self::DeclaredSwap,
        Self::EmptySwipe,
        Self::Impersonation,
        Self::OverSplit,
        Self::MissingPurchase,
        Self::ExpiredPack,
        Self::RecalledPack,
        Self::MissingCodes,
        Self::ShortCodes,
        Self::SettledTwice,
        Self::SoldAfterWriteOff,
        Self::CrossChannel,
        Self::ReturnKept,
        Self::RepeatedLine,
    ];

    /// The name in Chinese.
    pub const fn title_zh(self) -> &'static str {
        match self {
            Self::PatientResale => "参保人倒卖",
            Self::ReflowRing => "跨城回流团伙",
            Self::PhotographedCodes => "拍码留存",
            Self::GoodsSwap => "以药换物",
            Self::CatalogueSwap => "串换药品",
            Self::DeclaredSwap => "申报串换",
            Self::EmptySwipe => "空刷",
            Self::Impersonation => "冒名",
            Self::OverSplit => "拆零超量",
            Self::MissingPurchase => "无进货来源",
            Self::ExpiredPack => "销售过期药",
            Self::RecalledPack => "销售召回药",
            Self::MissingCodes => "无码销售",
            Self::ShortCodes => "码数不足",
            Self::SettledTwice => "重复结算",
            Self::SoldAfterWriteOff => "报损后销售",
            Self::CrossChannel => "窜码",
            Self::ReturnKept => "退药未退费",
            Self::RepeatedLine => "同单重复",
            Self::MangledCode => "错码",
            Self::MangledDelivery => "入库错码",
            Self::WrongMaster => "目录对照错误",
            Self::PlaceholderCode => "占位码",
            Self::PartialRefund => "部分退费",
        }
    }

    /// The name in English.
    pub const fn title_en(self) -> &'static str {
        match self {
            Self::PatientResale => "resale by a patient",
            Self::ReflowRing => "reflow ring across cities",
            Self::PhotographedCodes => "photographed codes",
            Self::GoodsSwap => "goods under a pack's code",
            Self::CatalogueSwap => "swap of products",
            Self::DeclaredSwap => "swap under a maker's code",
            Self::EmptySwipe => "empty swipe",
            Self::Impersonation => "impersonation",
            Self::OverSplit => "pack split too often",
            Self::MissingPurchase => "no purchase",
            Self::ExpiredPack => "expired pack",
            Self::RecalledPack => "recalled pack",
            Self::MissingCodes => "no codes",
            Self::ShortCodes => "too few codes",
            Self::SettledTwice => "settled twice",
            Self::SoldAfterWriteOff => "sold after write-off",
            Self::CrossChannel => "sold by another than the buyer",
            Self::ReturnKept => "return without refund",
            Self::RepeatedLine => "one code on two lines",
            Self::MangledCode => "mangled code",
            Self::MangledDelivery => "mangled code at delivery",
            Self::WrongMaster => "wrong drug master",
            Self::PlaceholderCode => "placeholder for a code",
            Self::PartialRefund => "refund of a part",
        }
    }
}

/// One document.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct DocumentRef {
    /// 定点医药机构编号.
    pub institution_id: String,
    /// `procurement`, `dispensing` or `settlement`.
    pub group: String,
    /// Its number.
    pub document_id: String,
}

/// One line of a document.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct LineRef {
    /// 定点医药机构编号.
    pub institution_id: String,
    /// `procurement`, `dispensing` or `settlement`.
    pub group: String,
    /// Number of the document.
    pub document_id: String,
    /// The line.
    pub line_id: String,
}

/// What a rule's finding does to a payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// An alert only.
    Alert,
    /// The line is held.
    Hold,
    /// The line is refused.
    Refuse,
}

/// One statement that must be made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Truth {
    /// What was done.
    pub act: Act,
    /// Which of the acts; statements of one act share it.
    pub act_number: u64,
    /// Its name in Chinese.
    pub title_zh: String,
    /// Its name in English.
    pub title_en: String,
    /// The rule that must find it.
    pub rule: String,
    /// The basis, where the rule has several.
    pub basis: Option<String>,
    /// How far apart the two sides are, where the rule says it.
    pub scope: Option<String>,
    /// The code in normal form; none for rules of lines.
    pub code: Option<String>,
    /// Whom the alert is about.
    pub subject: LineRef,
    /// The other side, where there is one.
    pub counterpart: Option<LineRef>,
    /// What it does to the payment.
    pub effect: Effect,
    /// Whether it appears among the alerts; what is banned from sale shows in decisions only.
    pub alerted: bool,
    /// The upload after which it can be known: the last sent of those that it takes.
    pub deciding_upload: DocumentRef,
    /// When it can be known, in Unix milliseconds: when that upload is sent, or when a grace is over.
    pub known_from: i64,
}
