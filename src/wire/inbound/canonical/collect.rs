//! The codes of one facet, read and merged.

use std::collections::BTreeMap;

use crate::domain::Text;
use crate::domain::amount::Quantity;
use crate::domain::document::{CodesFacet, ScannedCode};
use crate::domain::trace_code::{self, Scan};

/// Scans of one codes facet: equal ones are one and their given units add up, in the order of their text.
#[derive(Debug, Default)]
pub(super) struct Scans(BTreeMap<(Text, Scan), Option<Quantity>>);

impl Scans {
    /// Adds a code as scanned; what is no code at all is passed over.
    pub(super) fn add(&mut self, scanned: &str, units: Option<Quantity>) {
        let Some(scan) = trace_code::read(scanned) else {
            return;
        };
        let sum = self.0.entry((scan.text().clone(), scan)).or_default();
        *sum = match (*sum, units) {
            (Some(sum), Some(units)) => Some(sum.saturating_add(units)),
            (sum, units) => sum.or(units),
        };
    }

    /// The facet.
    pub(super) fn into_facet(self) -> CodesFacet {
        let scans = self.0.into_iter().map(|((_, scan), units)| ScannedCode { scan, units });
        CodesFacet { scans: scans.collect(), split: false }
    }
}
