//! What register does not take, in words for who sent it.

use crate::domain::alert::FINDINGS_KEPT_MAX;
use crate::domain::document::Upload;
use crate::domain::document::room::PARTS_KEPT_MAX;
use crate::domain::handling::{LINE_RULINGS_MAX, PAYMENTS_MAX};
use crate::domain::outcome::RejectReason;
use crate::domain::register::{REVERSALS_OF_ALIAS_MAX, Refusal};
use crate::telemetry::limit::Limit;
use crate::wire::inbound::reject::Words;
use crate::wire::outbound::deadletter::DeadLetter;

/// What can be done about a document that is full.
const INSTEAD: Words = Words::new(
    "请以一次完整上传替换该单据，或将整单冲销，或改用其他单据号上报。",
    "replace the document by one full upload, take it back as a whole, or report under another document id.",
);

/// The limit that was reached, if it is one.
pub(super) const fn limit(refusal: Refusal) -> Option<Limit> {
    match refusal {
        Refusal::Parts => Some(Limit::DocumentParts),
        Refusal::Reversals => Some(Limit::ReversalsPerAlias),
        Refusal::Rulings => Some(Limit::LineRulings),
        Refusal::Payments => Some(Limit::ClaimPayments),
        Refusal::Findings => Some(Limit::DocumentFindings),
        Refusal::Horizon => None,
    }
}

/// The dead letter of an upload that its document does not take.
pub(super) fn letter(upload: &Upload, refusal: Refusal) -> DeadLetter {
    let key = upload.key();
    DeadLetter {
        origin: upload.origin().clone(),
        record_key: None,
        reason: match refusal {
            Refusal::Horizon => RejectReason::TimeOutOfRange,
            _ => RejectReason::OverLimit,
        },
        field: None,
        text: words(refusal),
        institution_id: Some(key.institution_id.clone()),
        document_id: Some(key.document_id.clone()),
    }
}

fn words(refusal: Refusal) -> Words {
    let instead = INSTEAD;
    match refusal {
        Refusal::Parts => Words::said(
            format!(
                "一份单据最多保留 {PARTS_KEPT_MAX} 个明细行、追溯码和被冲销行，本次上传将超出；{}",
                instead.zh
            ),
            format!(
                "The document keeps at most {PARTS_KEPT_MAX} lines, codes and reversed lines, and this upload adds to \
                 them; {}",
                instead.en
            ),
        ),
        Refusal::Reversals => Words::said(
            format!("同一号码下最多冲销 {REVERSALS_OF_ALIAS_MAX} 个单行，本次冲销的是另一行；请将整单冲销。"),
            format!(
                "At most {REVERSALS_OF_ALIAS_MAX} single lines are taken back under one number, and this reversal is \
                 of another; take back the document as a whole."
            ),
        ),
        Refusal::Rulings => Words::said(
            format!("一份结算最多保留 {LINE_RULINGS_MAX} 条单行裁定，本条针对另一行；请对整份结算作出裁定。"),
            format!(
                "A claim keeps at most {LINE_RULINGS_MAX} rulings of single lines, and this is of another line; rule \
                 about the claim as a whole."
            ),
        ),
        Refusal::Payments => Words::said(
            format!(
                "一份结算最多保留 {PAYMENTS_MAX} 笔支付（含已撤回的），本笔超出；请将合计金额报在已有的 payment_id 下。"
            ),
            format!(
                "A claim keeps at most {PAYMENTS_MAX} payments, those withdrawn among them, and this is another; report \
                 the sum under a payment_id that is known."
            ),
        ),
        Refusal::Horizon => Words::said(
            "该单据的发生时间已按 store.horizon_days 清除，不能再更正或冲销。",
            "This document is about a moment that is forgotten by store.horizon_days; it can no longer be corrected or \
             reversed.",
        ),
        Refusal::Findings => Words::said(
            format!(
                "一份单据最多发布 {FINDINGS_KEPT_MAX} 条疑点（含已撤销的），本次上传将超出；{}",
                instead.zh
            ),
            format!(
                "At most {FINDINGS_KEPT_MAX} findings are published of one document, those withdrawn among them, and \
                 this upload adds to them; {}",
                instead.en
            ),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_refusal_says_in_both_languages_what_to_do() {
        use Refusal::{Findings, Horizon, Parts, Payments, Reversals, Rulings};
        for refusal in [Parts, Reversals, Rulings, Payments, Horizon, Findings] {
            let Words { zh, en } = words(refusal);
            assert!(zh.ends_with('。') && en.ends_with('.'), "{zh} {en}");
            assert!(!zh.is_ascii() && en.is_ascii(), "{zh} {en}");
        }
    }
}
