//! Rules §1.6: codes lent by the hand-over.

use std::collections::{BTreeMap, BTreeSet};

use super::code::Code;
use super::document::{Document, DocumentId, Line};
use super::moment::{DAY_MS, Timestamp};
use super::reference::Reference;
use super::upload::Codes;

const SALE_LINK_WINDOW_MS: i64 = 180 * DAY_MS;
const LEND_WINDOW_MS: i64 = 7 * DAY_MS;

/// A code where it stands first among the lenders' lines of a product.
#[derive(Clone, Debug)]
struct Lent {
    code: LentCode,
    /// "It keeps the `units` that it has where it stands first."
    units: Option<i128>,
    split: bool,
    codes_issued_at: Option<Timestamp>,
}

/// A code of a lender, valid or not.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum LentCode {
    Valid(Code),
    Invalid(String, &'static str),
}

impl LentCode {
    fn text(&self) -> &str {
        match self {
            Self::Valid(code) => &code.normal,
            Self::Invalid(text, _) => text,
        }
    }
}

/// Lets the settlements borrow.
pub(crate) fn lend(documents: &mut [Document], reference: &Reference) {
    let mut borrowed: BTreeMap<DocumentId, BTreeMap<String, Line>> = BTreeMap::new();
    for settlement in documents.iter().filter(|document| document.header.kind == "settlement") {
        let lenders = lenders(settlement, documents);
        let mut lines = settlement.lines.clone();
        borrow(settlement, &mut lines, &lenders, reference);
        borrowed.insert(settlement.id.clone(), lines);
    }
    for document in documents {
        if let Some(lines) = borrowed.remove(&document.id) {
            document.lines = lines;
        }
    }
}

fn distance_ms(one: &Document, other: &Document) -> i64 {
    (one.header.occurred_at.0 - other.header.occurred_at.0).abs()
}

/// "the live documents of kind dispense of the same institution whose settlement_id is equal, |Δtime| ≤
/// `sale_link_window` (180 days); of one that has no settlement_id but a visit_id …, those whose visit_id is equal,
/// with or without settlement_id, |Δtime| ≤ `lend_window` (7 days)"; the nearest first, then by document_id.
pub(crate) fn lenders<'a>(settlement: &Document, documents: &'a [Document]) -> Vec<&'a Document> {
    let (name, window_ms) = match settlement.text("settlement_id") {
        Some(_) => ("settlement_id", SALE_LINK_WINDOW_MS),
        None => ("visit_id", LEND_WINDOW_MS),
    };
    let Some(id) = settlement.text(name) else { return Vec::new() };
    let lends = |document: &&Document| {
        document.header.kind == "dispense"
            && document.id.institution_id == settlement.id.institution_id
            && document.text(name) == Some(id)
            && distance_ms(document, settlement) <= window_ms
    };
    let mut lenders: Vec<&Document> = documents.iter().filter(lends).collect();
    lenders.sort_by_key(|lender| (distance_ms(lender, settlement), &lender.id.document_id));
    lenders
}

fn borrow(
    settlement: &Document,
    lines: &mut BTreeMap<String, Line>,
    lenders: &[&Document],
    reference: &Reference,
) {
    let day = settlement.header.occurred_at.day();
    // "none when `codes_in_settlement_since` of the institution ≤ the settlement's day"
    if reference.has_uploaded("codes_in_settlement_since", &settlement.id.institution_id, day) {
        return;
    }
    let is_covered = |line: &Line, own: &Codes| is_covered(line, own, |code| reference.product_of(code, day));
    let mut borrowers: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (line_id, line) in &*lines {
        if let Some(product_code) = line.text("product_code")
            && !is_covered(line, &line.codes)
        {
            borrowers.entry(product_code.to_owned()).or_default().push(line_id.clone());
        }
    }
    // "without those that some line of the settlement has itself, and without codes that a borrower of another
    // product takes (products in order of their bytes)"
    let mut gone: BTreeSet<LentCode> = lines.values().flat_map(|line| all_codes(&line.codes)).collect();
    for (product_code, line_ids) in borrowers {
        let mut pool = pool(&product_code, lenders);
        pool.retain(|lent| !gone.contains(&lent.code));
        let pooled: Vec<LentCode> = pool.iter().map(|lent| lent.code.clone()).collect();
        let own: BTreeMap<String, Codes> =
            line_ids.iter().filter_map(|id| Some((id.clone(), lines.get(id)?.codes.clone()))).collect();
        // "in line order, each take valid codes from the front of the pool until they are covered"
        for line_id in &line_ids {
            let Some(line) = lines.get_mut(line_id) else { continue };
            while !is_covered(line, &own[line_id]) {
                let valid = pool.iter().position(|lent| matches!(lent.code, LentCode::Valid(_)));
                let Some(at) = valid else { break };
                take(line, pool.remove(at));
            }
        }
        // "Then those that have no code at all, own or taken, each take the first invalid code that is left."
        for line_id in &line_ids {
            let Some(line) = lines.get_mut(line_id) else { continue };
            let invalid = pool.iter().position(|lent| matches!(lent.code, LentCode::Invalid(..)));
            if let Some(at) = invalid.filter(|_| line.codes.is_empty()) {
                take(line, pool.remove(at));
            }
        }
        let left: BTreeSet<LentCode> = pool.into_iter().map(|lent| lent.code).collect();
        gone.extend(pooled.into_iter().filter(|code| !left.contains(code)));
    }
}

fn all_codes(codes: &Codes) -> impl Iterator<Item = LentCode> {
    let valid = codes.valid.keys().map(|code| LentCode::Valid(code.clone()));
    valid.chain(codes.invalid.keys().map(|(text, reason)| LentCode::Invalid(text.clone(), reason)))
}

/// "the codes of the lenders' lines of that product_code …, each distinct code once, where it stands first by
/// (|Δtime| of the lender, document_id, line_id, code), in this order"
fn pool(product_code: &str, lenders: &[&Document]) -> Vec<Lent> {
    let mut pool: Vec<Lent> = Vec::new();
    for lender in lenders {
        for line in lender.lines.values().filter(|line| line.text("product_code") == Some(product_code)) {
            let of_line = |code: LentCode, units: &Option<i128>| Lent {
                code,
                units: *units,
                split: line.fee.split,
                codes_issued_at: line.codes_issued_at,
            };
            let valid =
                line.codes.valid.iter().map(|(code, units)| of_line(LentCode::Valid(code.clone()), units));
            let invalid = line
                .codes
                .invalid
                .iter()
                .map(|((text, reason), units)| of_line(LentCode::Invalid(text.clone(), reason), units));
            let mut here: Vec<Lent> = valid.chain(invalid).collect();
            here.sort_by(|one, other| one.code.text().cmp(other.code.text()));
            here.retain(|lent| pool.iter().all(|earlier| earlier.code != lent.code));
            pool.extend(here);
        }
    }
    pool
}

fn take(line: &mut Line, lent: Lent) {
    match lent.code {
        LentCode::Valid(code) => {
            line.lent.insert(code.clone());
            line.codes.valid.insert(code, lent.units);
        }
        LentCode::Invalid(text, reason) => {
            line.codes.invalid.insert((text, reason), lent.units);
        }
    }
    // "A line is split here, and everywhere else, when … a line from which it took a code … is split".
    line.fee.split |= lent.split;
    line.codes_issued_at = line.codes_issued_at.max(lent.codes_issued_at);
}

/// "*Covered*: a line with a lot code of its own; else one with at least one valid code, for which Σ over the valid
/// codes (own and taken) of packs_per_code (no record: 1), or on a split line of packs_per_code × units_per_pack, is
/// ≥ its quantity, or this is not evaluable, or the quantity is unknown."
fn is_covered(
    line: &Line,
    own: &Codes,
    product_of: impl Fn(&Code) -> Option<super::reference::Product>,
) -> bool {
    if own.valid.keys().any(|code| !code.is_unit) {
        return true;
    }
    if line.codes.valid.is_empty() {
        return false;
    }
    let covers = |code: &Code| {
        let product = product_of(code);
        let packs = product.as_ref().map_or(1, |product| product.packs_per_code);
        if line.fee.split { Some(packs * product?.units_per_pack?) } else { Some(packs) }
    };
    let sum: Option<i128> = line.codes.valid.keys().map(covers).sum();
    match (sum, line.fee.quantity) {
        (Some(sum), Some(quantity)) => sum * 1000 >= quantity,
        _ => true,
    }
}
