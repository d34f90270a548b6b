//! Rules §2: evaluated on live lines, without history.

use super::document::{Document, Line};
use super::finding::{Action, Finding, Side};
use super::moment::{DAY_MS, Day, HOUR_MS, Timestamp};
use super::reference::Reference;

const CODES_GRACE_MS: i64 = 48 * HOUR_MS;
const KNOWN_AT_LIMIT_MS: i64 = 7 * DAY_MS;

/// The line rules' findings on all documents, at `now`.
pub(crate) fn findings(documents: &[Document], reference: &Reference, now: Timestamp) -> Vec<Finding> {
    let mut findings = Vec::new();
    for document in documents {
        findings.extend(refunds_unmatched(document));
        for (line_id, line) in &document.lines {
            let day = document.header.occurred_at.day();
            let at = At { reference, document, line_id, line, day, now };
            // "On: S settlement, D dispense (not dispense_return), P every procurement kind but stocktake."
            let is_settlement = document.header.kind == "settlement";
            let is_dispense = document.header.kind == "dispense";
            let is_procurement = document.id.group == "procurement" && document.header.kind != "stocktake";
            if is_settlement || is_dispense {
                findings.extend(at.no_code(is_settlement));
                findings.extend(at.repeated_in_document(is_settlement));
                findings.extend(at.banned(is_settlement));
            }
            if is_settlement {
                findings.extend(at.short_codes());
            }
            if is_settlement || is_dispense || is_procurement {
                findings.extend(at.invalid_code(is_settlement));
                findings.extend(at.swap(is_settlement));
            }
        }
    }
    findings
}

/// "It needs codes when its product_code is known and traceable …; and neither an exemption nor a
/// no_code_stock entry covers it."
pub(crate) fn needs_codes(reference: &Reference, document: &Document, line: &Line, day: Day) -> bool {
    line.text("product_code").is_some_and(|product_code| {
        reference.is_traceable(product_code, day)
            && !reference.is_excused(&document.id.institution_id, product_code, day)
    })
}

/// One line, with what the rules look at.
struct At<'a> {
    reference: &'a Reference,
    document: &'a Document,
    line_id: &'a String,
    line: &'a Line,
    day: Day,
    now: Timestamp,
}

/// "subject an adjustment: it acts on nothing, or its quantity is greater than the quantities that were left where
/// it acts, all of them known"
fn refunds_unmatched(document: &Document) -> Vec<Finding> {
    let unmatched = document.adjustments.iter().filter(|adjustment| {
        document.header.kind == "settlement" && (adjustment.acts_on.is_empty() || adjustment.takes_too_much)
    });
    let finding = |line_id: &String| {
        let subject = Side { document: document.id.clone(), line_id: line_id.clone() };
        Finding::new("refund_unmatched", subject, Action::Alert)
    };
    unmatched.map(|adjustment| finding(&adjustment.line_id)).collect()
}

/// "2025-07-01, the day from which a sale without a scan cannot be settled"
fn duty_from() -> Option<Day> {
    Day::parse("2025-07-01")
}

impl At<'_> {
    fn found(&self, rule: &'static str, action: Action) -> Option<Finding> {
        let subject = Side { document: self.document.id.clone(), line_id: self.line_id.clone() };
        Some(Finding::new(rule, subject, action))
    }

    fn needs_codes(&self) -> bool {
        needs_codes(self.reference, self.document, self.line, self.day)
    }

    fn is_before_duty(&self) -> bool {
        duty_from().is_some_and(|from| self.day < from)
    }

    /// The action of a rule that on S holds, "before `duty_from` alert; else alert".
    fn held_since_duty(&self, is_settlement: bool) -> Action {
        if is_settlement && !self.is_before_duty() { Action::Hold } else { Action::Alert }
    }

    /// "the line needs codes and has none at all, valid or not. … On S it also fires, with action hold, when the
    /// line has no code at all and its product_code is unknown."
    fn no_code(&self, is_settlement: bool) -> Option<Finding> {
        let is_known = self.line.text("product_code").is_some();
        if !self.line.codes.is_empty() || !self.needs_codes() && (is_known || !is_settlement) {
            return None;
        }
        // "On S before `duty_from` … the action is always alert."
        let action = if !is_settlement || self.is_before_duty() {
            Action::Alert
        } else if !is_known || self.codes_may_come() {
            Action::Hold
        } else {
            Action::Refuse
        };
        self.found("no_code", action)
    }

    /// "where `codes_in_settlement_since` of the institution is absent or later than its day, and the document has
    /// a settlement_id or a visit_id, the action is hold instead of refuse until now ≥ known_at + `codes_grace`
    /// (48 h), known_at = the later of occurred_at and the header's issued_at, at most occurred_at + 7 days"
    fn codes_may_come(&self) -> bool {
        let Document { id, header, header_issued_at, .. } = self.document;
        let in_settlement =
            self.reference.has_uploaded("codes_in_settlement_since", &id.institution_id, self.day);
        let can_borrow =
            self.document.text("settlement_id").is_some() || self.document.text("visit_id").is_some();
        let time = header.occurred_at.0;
        let known_at = time.max(header_issued_at.0).min(time + KNOWN_AT_LIMIT_MS);
        !in_settlement && can_borrow && self.now.0 < known_at + CODES_GRACE_MS
    }

    /// "it needs codes, has at least one (valid or not), none of them a lot code, quantity is known, and
    /// coverage < quantity"
    fn short_codes(&self) -> Option<Finding> {
        let codes = &self.line.codes;
        let has_lot_code = codes.valid.keys().any(|code| !code.is_unit);
        if !self.needs_codes() || codes.is_empty() || has_lot_code {
            return None;
        }
        let short = self.coverage()? * 1000 < self.line.fee.quantity?;
        if short { self.found("short_codes", self.held_since_duty(true)) } else { None }
    }

    /// "Coverage = Σ over distinct valid codes of packs_per_code (no record: 1), split: of packs_per_code ×
    /// units_per_pack, not evaluable when one of these is unknown (0 when no code is valid)."
    fn coverage(&self) -> Option<i128> {
        let mut coverage = 0;
        for code in self.line.codes.valid.keys() {
            let product = self.reference.product_of(code, self.day);
            let packs = product.as_ref().map_or(1, |product| product.packs_per_code);
            coverage += if self.line.fee.split { packs * product?.units_per_pack? } else { packs };
        }
        Some(coverage)
    }

    /// "a code of the line is invalid; one finding per line with every such code and reason"
    fn invalid_code(&self, is_settlement: bool) -> Option<Finding> {
        if self.line.codes.invalid.is_empty() {
            return None;
        }
        self.found("invalid_code", self.held_since_duty(is_settlement))
    }

    /// "the line's product_code is known and some valid code's prefix has a product record with another
    /// product_code; one finding per line with every such code"
    fn swap(&self, is_settlement: bool) -> Option<Finding> {
        let declared = self.line.text("product_code")?;
        let stands_for_another = self.line.codes.valid.keys().any(|code| {
            let product = self.reference.product_of(code, self.day);
            product
                .and_then(|product| product.product_code)
                .is_some_and(|product_code| product_code != declared)
        });
        if !stands_for_another {
            return None;
        }
        let finding = self.found("swap", if is_settlement { Action::Refuse } else { Action::Alert })?;
        Some(Finding { basis: Some("catalogue"), ..finding })
    }

    /// "a unit code of this line, whose product record has packs_per_code = 1 or which has none, not split, is
    /// also on an earlier line, not split, of the same document; one finding per later line"
    fn repeated_in_document(&self, is_settlement: bool) -> Option<Finding> {
        if self.line.fee.split {
            return None;
        }
        let earlier = || self.document.lines.range::<String, _>(..self.line_id).map(|(_, line)| line);
        let repeated = self.line.codes.valid.keys().any(|code| {
            let packs = self.reference.product_of(code, self.day).map_or(1, |product| product.packs_per_code);
            let on_earlier_line =
                earlier().any(|line| !line.fee.split && line.codes.valid.contains_key(code));
            code.is_unit && packs == 1 && on_earlier_line
        });
        let action = if is_settlement { Action::Hold } else { Action::Alert };
        if repeated { self.found("repeated_in_document", action) } else { None }
    }

    /// "expires_on earlier than the day of occurred_at, or a recall of (product_code, lot), or a banned_code"
    fn banned(&self, is_settlement: bool) -> Option<Finding> {
        let expired = self.line.fee.expires_on.is_some_and(|last| last < self.day);
        let recalled = match (self.line.text("product_code"), self.line.text("lot")) {
            (Some(product_code), Some(lot)) => self.reference.is_recalled(product_code, lot, self.day),
            _ => false,
        };
        let listed =
            self.line.codes.valid.keys().any(|code| self.reference.is_banned(&code.normal, self.day));
        let action = if is_settlement { Action::Refuse } else { Action::Observe };
        if expired || recalled || listed { self.found("banned", action) } else { None }
    }
}
