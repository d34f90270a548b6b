//! Observations of a live document: one per line and unit code.
//!
//! A lot code makes none: a lot repeats legitimately. Where one code is one pack, a code named on several lines that
//! are not split is still one pack: only the first of these lines makes an observation (the others are the line rule
//! `repeated_in_document`). A stocktake makes none, and neither does a document over its limits.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::Role;
use super::lending::LentCode;
use super::live::{LiveDocument, LiveLine};
use super::particulars::Surroundings;
use crate::domain::Text;
use crate::domain::observation::{Observation, ObservationKey};
use crate::domain::reference::Institution;
use crate::domain::trace_code::TraceCode;

/// Where in a document an observation is made: (line_id, code in normal form).
pub type Spot = (Text, Text);

/// The observations of a document, with revision 0: the register numbers them. Most documents have one or two, and a map
/// makes room for more: hence the boxes.
pub fn observe(document: &LiveDocument<'_>) -> BTreeMap<Spot, Box<Observation>> {
    let mut observations = BTreeMap::new();
    let Some(role) = document.kind().role().filter(|_| !document.is_over_limit()) else {
        return observations;
    };
    let mut whole_packs: BTreeSet<&Text> = BTreeSet::new();
    let institution = document.institution();
    for line in &document.lines {
        let of_line = OfLine {
            role,
            institution,
            codes_on_line: u32::try_from(line.valid_codes().count()).unwrap_or(u32::MAX),
            surroundings: Surroundings::of(&document.header.part.content, line.fee_content(), institution),
        };
        for scanned in line.scans() {
            let Some(code) = scanned.scan.valid().filter(|code| code.is_unit) else {
                continue;
            };
            if is_one_pack(document, line, code) && !whole_packs.insert(&code.normal) {
                continue;
            }
            if let Some(mut observation) = observation(document, line, code, &of_line) {
                observation.units = scanned.units;
                observations.insert((line.line_id.clone(), code.normal.clone()), Box::new(observation));
            }
        }
    }
    observations
}

/// Whether the code stands on this line for exactly one whole pack.
pub fn is_one_pack(document: &LiveDocument<'_>, line: &LiveLine<'_>, code: &TraceCode) -> bool {
    !line.is_split() && document.product(line, code).is_none_or(|product| product.packs_per_code == 1)
}

/// What is the same for all codes of a line.
struct OfLine<'a> {
    role: Role,
    institution: Option<&'a Institution>,
    codes_on_line: u32,
    surroundings: Option<Arc<Surroundings>>,
}

fn observation(
    document: &LiveDocument<'_>,
    line: &LiveLine<'_>,
    code: &TraceCode,
    OfLine { role, institution, codes_on_line, surroundings }: &OfLine<'_>,
) -> Option<Observation> {
    let lent = line.lent_as(&code.normal);
    let codes = lent.map(|lent| &lent.line.codes).or(line.codes)?;
    let header = &document.header.part.content;
    Some(Observation {
        key: ObservationKey { document: document.key.clone(), line_id: line.line_id.clone() },
        kind: header.kind,
        role: *role,
        time: header.moment(),
        is_day: header.occurred_at.is_day(),
        codes_issued_at: line.codes_issued_at()?,
        split: line.is_split(),
        quantity: line.quantity(),
        quantity_before: line.quantity_before,
        units: None,
        codes_on_line: *codes_on_line,
        product_code: line.product_code().cloned(),
        product_name: line.fee_content().and_then(|fee| fee.product_name.clone()),
        product: document.product(line, code).cloned(),
        person: header.person,
        visit_id: header.visit_id.clone(),
        settlement_id: header.settlement_id.clone(),
        returns: header.returns.clone(),
        lent_from: lent.map(LentCode::lent_from),
        surroundings: surroundings.clone(),
        has_papers: header.counterparty.delivery_note.is_some() || header.counterparty.invoice.is_some(),
        region: document.region.clone(),
        tier: document.tier().cloned(),
        stock_uploaded_since: institution.and_then(|institution| institution.stock_uploaded_since),
        dispensing_uploaded_since: institution.and_then(|institution| institution.dispensing_uploaded_since),
        fund_amount: line.claimed,
        revision: 0,
        reference_version: document.header.part.reference.version.max(codes.part.reference.version),
        origin: codes.origin.clone(),
    })
}
