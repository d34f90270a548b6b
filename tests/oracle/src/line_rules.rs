//! Rules §2: evaluated on live lines, without history.

use super::document::{Document, Line};
use super::finding::{Action, Finding, Side};
use super::moment::Day;
use super::reference::{Product, Reference};
use super::upload::Codes;

/// The line rules' findings on all documents.
pub fn findings(documents: &[Document], reference: &Reference) -> Vec<Finding> {
    let mut findings = Vec::new();
    for document in documents {
        for (line_id, line) in &document.lines {
            let day = document.header.occurred_at.day();
            let at = At { reference, document, line_id, line, day };
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

/// One line, with what the rules look at.
struct At<'a> {
    reference: &'a Reference,
    document: &'a Document,
    line_id: &'a String,
    line: &'a Line,
    day: Day,
}

/// Whether a line has no code at all, valid or not.
fn has_no_code(codes: &Codes) -> bool {
    codes.valid.is_empty() && codes.invalid.is_empty()
}

impl At<'_> {
    fn found(&self, rule: &'static str, action: Action) -> Option<Finding> {
        let subject = Side { document: self.document.id.clone(), line_id: self.line_id.clone() };
        Some(Finding::new(rule, subject, action))
    }

    /// "It needs codes when its product_code is known and traceable …; and neither an exemption nor a
    /// no_code_stock entry covers it."
    fn needs_codes(&self) -> bool {
        self.line.text("product_code").is_some_and(|product_code| {
            self.reference.is_traceable(product_code, self.day)
                && !self.reference.is_excused(&self.document.id.institution_id, product_code, self.day)
        })
    }

    fn product(&self, prefix: Option<&String>) -> Option<Product> {
        self.reference.product(prefix?, self.day)
    }

    /// "the line needs codes and has none at all, valid or not. … On S it also fires, with action hold, when the
    /// line has no code at all and its product_code is unknown"
    fn no_code(&self, is_settlement: bool) -> Option<Finding> {
        if !has_no_code(&self.line.codes) {
            return None;
        }
        if self.needs_codes() {
            return self.found("no_code", if is_settlement { Action::Refuse } else { Action::Alert });
        }
        let unknown = is_settlement && self.line.text("product_code").is_none();
        if unknown { self.found("no_code", Action::Hold) } else { None }
    }

    /// "it needs codes, has at least one (valid or not), none of them a lot code, quantity is known, and
    /// coverage < quantity"
    fn short_codes(&self) -> Option<Finding> {
        let codes = &self.line.codes;
        let has_lot_code = codes.valid.keys().any(|code| !code.is_unit);
        if !self.needs_codes() || has_no_code(codes) || has_lot_code {
            return None;
        }
        let short = self.coverage()? * 1000 < self.line.fee.quantity?;
        if short { self.found("short_codes", Action::Hold) } else { None }
    }

    /// "Coverage = Σ over distinct valid codes of packs_per_code (no record: 1), split: of packs_per_code ×
    /// units_per_pack, not evaluable when one of these is unknown (0 when no code is valid)."
    fn coverage(&self) -> Option<i128> {
        let mut coverage = 0;
        for code in self.line.codes.valid.keys() {
            let product = self.product(code.prefix.as_ref());
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
        self.found("invalid_code", if is_settlement { Action::Hold } else { Action::Alert })
    }

    /// "the line's product_code is known and some valid code's prefix has a product record with another
    /// product_code; one finding per line with every such code"
    fn swap(&self, is_settlement: bool) -> Option<Finding> {
        let declared = self.line.text("product_code")?;
        let stands_for_another = self.line.codes.valid.keys().any(|code| {
            let product_code = self.product(code.prefix.as_ref()).and_then(|product| product.product_code);
            product_code.is_some_and(|product_code| product_code != declared)
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
            let packs = self.product(code.prefix.as_ref()).map_or(1, |product| product.packs_per_code);
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
