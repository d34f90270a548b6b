//! Line rules: what one live document says of itself, without history. One file per rule.
//!
//! Every rule is asked for every line and answers with at most one finding. A rule states its action by the text
//! of the rules (softer for dispensings and stock movements); the rule set decides what is done.

pub(super) mod banned;
pub(super) mod invalid_code;
pub(super) mod no_code;
pub(super) mod over_limit;
pub(super) mod refund_unmatched;
pub(super) mod repeated_in_document;
pub(super) mod short_codes;
pub(super) mod swap;
pub(super) mod unknown_product;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

pub use self::no_code::needs_codes;
use super::catalogue::RULES;
use super::entry::Judges;
use super::ruleset::{RuleSet, Setting, Whom};
use super::{Action, Basis, RuleId};
use crate::domain::Text;
use crate::domain::document::lending::LentCode;
use crate::domain::document::live::{LiveDocument, LiveLine};
use crate::domain::document::particulars::Surroundings;
use crate::domain::document::{DocumentKey, FeeFacet, Kind};
use crate::domain::finding::{Attributes, ConcernedCode, EVIDENCE_MAX, Finding, FindingKey, Side};
use crate::domain::observation::ObservationKey;
use crate::domain::reference::Product;
use crate::domain::time::Timestamp;
use crate::domain::trace_code::TraceCode;

/// All findings of all line rules on a live document, those that are metrics only included. A document over its
/// limits has one finding, that it is.
pub fn evaluate(document: &LiveDocument<'_>, now: Option<Timestamp>, rules: &RuleSet) -> Evaluation {
    let mut evaluation = Evaluation::default();
    if document.is_over_limit() {
        evaluation.findings.extend(over_limit::check(document, rules));
        return evaluation;
    }
    let Some(stream) = Stream::of(document.kind()) else {
        return evaluation;
    };
    let mut first_whole: BTreeMap<&Text, &LiveLine<'_>> = BTreeMap::new();
    for line in &document.lines {
        let context = LineContext { document, line, stream, now, rules };
        let of_line: [Option<Finding>; FINDINGS_PER_LINE_MAX] = [
            no_code::check(&context),
            short_codes::check(&context),
            invalid_code::check(&context),
            unknown_product::check(&context),
            swap::check(&context),
            repeated_in_document::check(&context, &first_whole),
            banned::check(&context),
        ];
        evaluation.findings.extend(of_line.into_iter().flatten());
        evaluation.look_again(no_code::waits_until(&context));
        if !line.is_split() {
            for code in line.valid_codes().filter(|code| code.is_unit) {
                first_whole.entry(&code.normal).or_insert(line);
            }
        }
    }
    if stream == Stream::Settlement {
        let adjustments = document.adjustments.iter();
        evaluation.findings.extend(adjustments.filter_map(|a| refund_unmatched::check(document, a, rules)));
    }
    evaluation
}

/// Most findings of one line: one of each rule that is asked.
pub const FINDINGS_PER_LINE_MAX: usize = 7;

/// When the first grace ends that a line of the document waits for, where none ends before `earliest`: as soon as one is
/// found that ends then, the others need no look.
pub fn next_due(
    document: &LiveDocument<'_>,
    now: Option<Timestamp>,
    rules: &RuleSet,
    earliest: Timestamp,
) -> Option<Timestamp> {
    let stream = Stream::of(document.kind())?;
    let mut next: Option<Timestamp> = None;
    for line in &document.lines {
        let due = no_code::waits_until(&LineContext { document, line, stream, now, rules });
        next = [next, due].into_iter().flatten().min();
        if next.is_some_and(|next| next <= earliest) {
            break;
        }
    }
    next
}

/// Under what findings about a line may be known.
pub fn finding_keys(document: &DocumentKey, line_id: &Text) -> impl Iterator<Item = FindingKey> {
    let subject = ObservationKey { document: document.clone(), line_id: line_id.clone() };
    let of_lines = RULES.iter().filter(|entry| !matches!(entry.judges, Judges::Code(_)));
    of_lines.map(move |entry| FindingKey { rule: entry.id, basis: basis(entry.id), subject: subject.clone() })
}

/// The ground on which a line rule finds something, of a rule that has several.
fn basis(rule: RuleId) -> Option<Basis> {
    (rule == RuleId::Swap).then_some(Basis::Catalogue)
}

/// What the line rules find.
#[derive(Clone, Debug, Default)]
pub struct Evaluation {
    /// All findings, in line order.
    pub findings: Vec<Finding>,
    /// When the first grace ends that one of them waits for.
    pub next_due: Option<Timestamp>,
}

impl Evaluation {
    fn look_again(&mut self, due: Option<Timestamp>) {
        self.next_due = [self.next_due, due].into_iter().flatten().min();
    }
}

/// The documents that line rules tell apart. A stocktake and a dispense_return are judged by none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stream {
    /// The fund is asked to pay.
    Settlement,
    /// Something is handed over.
    Dispense,
    /// Stock moves.
    Procurement,
}

impl Stream {
    fn of(kind: Kind) -> Option<Self> {
        match kind {
            Kind::Settlement => Some(Self::Settlement),
            Kind::Dispense => Some(Self::Dispense),
            Kind::DispenseReturn | Kind::Stocktake => None,
            _ => Some(Self::Procurement),
        }
    }
}

/// One line under judgement.
struct LineContext<'a> {
    document: &'a LiveDocument<'a>,
    line: &'a LiveLine<'a>,
    stream: Stream,
    now: Option<Timestamp>,
    rules: &'a RuleSet,
}

impl<'a> LineContext<'a> {
    fn is_sale(&self) -> bool {
        self.stream != Stream::Procurement
    }

    /// `on_settlement` where the fund pays, else `elsewhere`.
    fn action(&self, on_settlement: Action, elsewhere: Action) -> Action {
        if self.stream == Stream::Settlement { on_settlement } else { elsewhere }
    }

    /// The same, but no more than an alert on settlements of the time when nobody had to scan.
    fn action_of_duty(&self, on_settlement: Action, elsewhere: Action) -> Action {
        let action = self.action(on_settlement, elsewhere);
        let is_duty = self.stream != Stream::Settlement || self.document.day() >= self.rules.duty_from;
        if is_duty { action } else { action.min(Action::Alert) }
    }

    fn product(&self, code: &TraceCode) -> Option<&'a Product> {
        self.document.product(self.line, code)
    }

    /// A finding on this line, unless the rule is off for it.
    fn finding(&self, rule: RuleId, stated: Action, attributes: Attributes) -> Option<Finding> {
        finding(self.document, self.line, self.rules, rule, stated, attributes)
    }
}

/// A finding on a line, unless the rule is off for it.
fn finding(
    document: &LiveDocument<'_>,
    line: &LiveLine<'_>,
    rules: &RuleSet,
    rule: RuleId,
    stated: Action,
    attributes: Attributes,
) -> Option<Finding> {
    let setting = setting(document, line, rules, rule);
    let found = plain(rule, &setting, stated, side(document, line), line.fee_content())?;
    Some(Finding { basis: basis(rule), amount_at_risk: line.claimed, attributes, ..found })
}

/// A finding that says no more than who and what, unless the rule is off for it.
fn plain(
    rule: RuleId,
    setting: &Setting,
    stated: Action,
    subject: Side,
    fee: Option<&FeeFacet>,
) -> Option<Finding> {
    setting.enabled.then(|| Finding {
        rule,
        basis: None,
        scope: None,
        action: setting.act(rule, stated),
        severity: setting.severity,
        evidence: vec![subject.clone()],
        subject,
        counterpart: None,
        evidence_omitted: 0,
        product_code: fee.and_then(|fee| fee.product_code.clone()),
        product_name: fee.and_then(|fee| fee.product_name.clone()),
        amount_at_risk: None,
        attributes: Attributes::default(),
    })
}

/// What a rule does to a line.
fn setting(document: &LiveDocument<'_>, line: &LiveLine<'_>, rules: &RuleSet, rule: RuleId) -> Setting {
    rules.setting(rule, &whom(document, line.product_code()))
}

/// What overrides look at in a line of that product.
fn whom<'a>(document: &'a LiveDocument<'_>, product_code: Option<&'a Text>) -> Whom<'a> {
    Whom {
        region: &document.region,
        tier: document.tier().map(AsRef::as_ref),
        institution_id: &document.key.institution_id,
        product_code: product_code.map(AsRef::as_ref),
        day: document.day(),
    }
}

/// A line as one side of a finding.
fn side(document: &LiveDocument<'_>, line: &LiveLine<'_>) -> Side {
    Side {
        key: ObservationKey { document: document.key.clone(), line_id: line.line_id.clone() },
        origin: line.origin().unwrap_or(&document.header.origin).clone(),
        surroundings: surroundings(document, line.fee_content()),
        ..header_side(document)
    }
}

/// A document as one side of a finding, of no line yet. Custody belongs to the timeline of a code and is not known here.
fn header_side(document: &LiveDocument<'_>) -> Side {
    let header = &document.header.part.content;
    Side {
        key: ObservationKey { document: document.key.clone(), line_id: Text::default() },
        kind: header.kind,
        role: header.kind.role(),
        occurred_at: header.moment(),
        person: header.person,
        region: document.region.clone(),
        custody: false,
        custody_proof: false,
        lent_from: None,
        surroundings: surroundings(document, None),
        origin: document.header.origin.clone(),
    }
}

fn surroundings(document: &LiveDocument<'_>, fee: Option<&FeeFacet>) -> Option<Arc<Surroundings>> {
    Surroundings::of(&document.header.part.content, fee, document.institution())
}

/// A code of the line that a rule speaks of, valid or not, with nothing else to say of it but who lent it.
fn concerned(line: &LiveLine<'_>, code: &Text) -> ConcernedCode {
    let lent_from = line.lent_as(code).map(LentCode::lent_from);
    ConcernedCode { code: code.clone(), invalid: None, product_code: None, product_name: None, lent_from }
}
