//! Rules §5, **rulings**: what an authorised person decided about a claim.

use std::collections::{BTreeMap, BTreeSet};

use super::document::{Document, DocumentId, Line, canonical};
use super::finding::Action;
use super::json::Fields;
use super::moment::Timestamp;
use super::upload::{Content, Refusal, Upload};

/// "names a claim by institution_id and document_id, optionally one line by `line_id`, and has a `verdict` …,
/// `rules` …, `ruled_by` and `basis`".
#[derive(Clone, Debug)]
pub struct Ruling {
    /// The claim.
    pub document_id: String,
    /// The line, or the whole claim.
    pub line_id: Option<String>,
    /// What was decided.
    pub verdict: Verdict,
    /// The rules that it is about.
    pub rules: BTreeSet<String>,
    /// Who decided.
    pub ruled_by: String,
    /// On what grounds.
    pub basis: String,
}

/// "`pay`, `hold`, `refuse`, or `none`"
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The findings of its rules act as alerts.
    Pay,
    /// The line is held.
    Hold,
    /// The line is refused.
    Refuse,
    /// There is no ruling any more.
    None,
}

impl Verdict {
    fn word(self) -> &'static str {
        match self {
            Self::Pay => "pay",
            Self::Hold => "hold",
            Self::Refuse => "refuse",
            Self::None => "none",
        }
    }
}

/// "none of a rule of the two texts nor `overused_code` or `overused_party`"
const RULES: [&str; 38] = [
    "no_code",
    "short_codes",
    "invalid_code",
    "unknown_product",
    "swap",
    "refund_unmatched",
    "repeated_in_document",
    "banned",
    "duplicate_settlement",
    "resale",
    "over_split",
    "held_elsewhere",
    "sold_after_stock_out",
    "person_mismatch",
    "reflow",
    "duplicate_purchase",
    "settled_not_dispensed",
    "not_purchased",
    "return_not_refunded",
    "overused_code",
    "suspended",
    "unregistered",
    "over_supply",
    "repeat_supply",
    "over_stock",
    "impossible_travel",
    "frequent",
    "rx_two_persons",
    "rx_reused",
    "crowd",
    "sold_over_stock",
    "uncoded_purchase",
    "low_coverage",
    "late_uploads",
    "growth",
    "resold_by_person",
    "resale_flow",
    "overused_party",
];

/// Reads what only a ruling has. "Required of a ruling: verdict, issued_at, ruled_by, basis".
pub(crate) fn read(fields: &Fields, document_id: String) -> Result<Ruling, Refusal> {
    let verdict = match fields.text("verdict")?.ok_or(Refusal::MissingField)?.as_str() {
        "pay" => Verdict::Pay,
        "hold" => Verdict::Hold,
        "refuse" => Verdict::Refuse,
        "none" => Verdict::None,
        _ => return Err(Refusal::MalformedField),
    };
    // "of `none` the rules are not read"
    let rules: BTreeSet<String> = match verdict {
        Verdict::None => BTreeSet::new(),
        _ => fields.texts("rules")?.into_iter().collect(),
    };
    let is_rule = |rule: &String| !rule.is_empty() && RULES.contains(&rule.as_str());
    let pays_nothing = verdict == Verdict::Pay && rules.is_empty();
    if pays_nothing || !rules.iter().all(is_rule) || fields.is_empty_text("line_id") {
        return Err(Refusal::MalformedField);
    }
    Ok(Ruling {
        document_id,
        line_id: fields.id("line_id")?,
        verdict,
        rules,
        ruled_by: fields.text("ruled_by")?.ok_or(Refusal::MissingField)?,
        basis: fields.text("basis")?.ok_or(Refusal::MissingField)?,
    })
}

/// The rulings that count, by claim and by line of it (none: the whole claim).
#[derive(Debug, Default)]
pub(crate) struct Rulings<'a>(BTreeMap<(DocumentId, Option<String>), (Timestamp, &'a Ruling)>);

impl<'a> Rulings<'a> {
    /// "Of several with equal (institution_id, document_id, line_id or none) the greatest (issued_at, canonical
    /// text) counts …; if its verdict is `none`, there is none."
    pub(crate) fn of(uploads: &'a [Upload]) -> Self {
        let mut greatest = BTreeMap::new();
        for upload in uploads {
            let Content::Ruling(ruling) = &upload.content else { continue };
            let claim = DocumentId {
                institution_id: upload.institution_id.clone(),
                group: "settlement".to_owned(),
                document_id: ruling.document_id.clone(),
            };
            let order = |(stamp, ruling): (Timestamp, &Ruling)| (stamp, ruling_text(ruling));
            let kept = greatest.entry((claim, ruling.line_id.clone())).or_insert((upload.issued_at, ruling));
            if order((upload.issued_at, ruling)) > order(*kept) {
                *kept = (upload.issued_at, ruling);
            }
        }
        greatest.retain(|_, (_, ruling)| ruling.verdict != Verdict::None);
        Self(greatest)
    }

    /// "The ruling of a line is its own, also where that does not hold, else, when it has none, that of its
    /// claim"; nothing where it does not hold.
    pub(crate) fn on(&self, claim: &Document, line_id: &str, line: &Line) -> Option<&'a Ruling> {
        let (issued_at, ruling) = self.named(claim, line_id)?;
        let holds = ruling.verdict != Verdict::Pay || newest_part(claim, line_id, line) <= issued_at;
        holds.then_some(ruling)
    }

    /// The ruling of a line or else of its claim, whether it holds or not.
    pub(crate) fn named(&self, claim: &Document, line_id: &str) -> Option<(Timestamp, &'a Ruling)> {
        let of = |line_id: Option<&str>| self.0.get(&(claim.id.clone(), line_id.map(str::to_owned)));
        of(Some(line_id)).or_else(|| of(None)).copied()
    }
}

/// "the live header, the line's live facets (what it borrowed, by the codes facets of §1.6) and the fee facets of
/// the adjustments that act on it"
fn newest_part(claim: &Document, line_id: &str, line: &Line) -> Timestamp {
    let acts = claim.adjustments.iter().filter(|adjustment| adjustment.acts_on.contains(line_id));
    let adjusted = acts.map(|adjustment| adjustment.issued_at);
    let facets = line.fee_issued_at.into_iter().chain(line.codes_issued_at);
    facets.chain(adjusted).fold(claim.header_issued_at, Timestamp::max)
}

/// "canonical text is as in §1, one line `rules=ID` each"
fn ruling_text(ruling: &Ruling) -> String {
    let mut fields = vec![
        ("verdict", ruling.verdict.word().to_owned()),
        ("ruled_by", ruling.ruled_by.clone()),
        ("basis", ruling.basis.clone()),
    ];
    fields.extend(ruling.rules.iter().map(|rule| ("rules", rule.clone())));
    canonical(fields)
}

impl Ruling {
    /// How a finding acts on a line with this ruling.
    pub fn action(&self, rule: &str, action: Action) -> Action {
        // "those that only `observe` aside"
        if action == Action::Observe || !self.rules.contains(rule) {
            return action;
        }
        match self.verdict {
            Verdict::Pay => Action::Alert,
            Verdict::Hold => Action::Hold,
            Verdict::Refuse => Action::Refuse,
            Verdict::None => action,
        }
    }

    /// "they add the reason `ruling` with that action"
    pub fn own_action(&self) -> Option<Action> {
        match self.verdict {
            Verdict::Hold => Some(Action::Hold),
            Verdict::Refuse => Some(Action::Refuse),
            Verdict::Pay | Verdict::None => None,
        }
    }
}
