//! What wrong entries of institutions' drug masters make true: every document of such a product says so.
//!
//! Another product's code beside the scanned ones is a swap by the catalogue, on every report of it; a wrong rate
//! claims more packs than have codes. A missing product code makes nothing true but where the claim is to borrow its codes,
//! which go by the product. Nobody mends a master within a run.

use super::dirt::Filed;
use super::document::{Form, Full, Line};
use super::places::Master;
use super::province::Province;
use super::truth::{Act, Effect};
use super::verdict::Fact;
use crate::domain::document::Kind;
use crate::domain::rules::{Basis, RuleId};

/// A line that says something wrong, and the rule that says so.
pub(super) struct WrongLine {
    at: usize,
    rule: RuleId,
    effect: Effect,
}

impl Province {
    /// Whether the institution's master is wrong about some of the products.
    pub(super) fn is_mismastered(&self, institution: u32, lines: &[Line]) -> bool {
        lines.iter().any(|line| self.world.master(institution, line.product) != Master::Right)
    }

    /// The lines about which a rule must say something because of a wrong master.
    pub(super) fn wrong_lines(&self, institution: u32, full: &Full) -> Vec<WrongLine> {
        if self.world.parameters.dirt.wrong_masters_ppm == 0 {
            return Vec::new();
        }
        let settles = full.kind == Kind::Settlement;
        let compared = !matches!(full.kind, Kind::Stocktake | Kind::DispenseReturn);
        let wrong = |(at, line): (usize, &Line)| match self.world.master(institution, line.product) {
            Master::OtherProduct(_) if compared && has_a_valid_code(line) => {
                let effect = if settles { Effect::Refuse } else { Effect::Alert };
                Some(WrongLine { at, rule: RuleId::Swap, effect })
            }
            // What has no product borrows nothing.
            Master::NoProduct if settles && full.bare => {
                Some(WrongLine { at, rule: RuleId::NoCode, effect: Effect::Hold })
            }
            Master::WrongRate(units) if settles && units > 1 && !line.split && has_a_valid_code(line) => {
                Some(WrongLine { at, rule: RuleId::ShortCodes, effect: Effect::Hold })
            }
            _ => None,
        };
        full.lines.iter().enumerate().filter_map(wrong).collect()
    }

    /// States what is wrong with lines of a document that was sent.
    pub(super) fn state_wrong_lines(&mut self, filed: &Filed, lines: &[WrongLine]) {
        for line in lines {
            let number = self.next_act();
            let basis = (line.rule == RuleId::Swap).then_some(Basis::Catalogue);
            for row in 0..filed.rows_of(line.at) {
                let fact = Fact { row, ..Fact::about(line.rule, filed, line.at) };
                self.prove((Act::WrongMaster, number), Fact { basis, effect: line.effect, ..fact });
            }
        }
    }
}

fn has_a_valid_code(line: &Line) -> bool {
    let is_none = |form: &Form| Form::MANGLED.contains(form) || *form == Form::Placeholder;
    line.scans.iter().any(|scan| !is_none(&scan.form))
}
