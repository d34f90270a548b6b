//! 同单重复, repeated in the document: one pack's code on two lines of the same document.
//!
//! One box is sold once (NHSA: one box, one sale record), so the later line shows a code that already stands for
//! another pack. One finding per later line lists every such code; evidence are the earlier lines too.
//!
//! Silent for split lines, which take units out of one pack several times, for codes that stand for several packs, and
//! for lot codes.
//!
//! Example: lines `1` and `2` of a settlement both carry `81773220288616423835`: line `2` is held, line `1` is not.

use std::collections::BTreeMap;

use super::{EVIDENCE_MAX, LineContext, concerned, side};
use crate::domain::Text;
use crate::domain::document::live::LiveLine;
use crate::domain::document::observe::is_one_pack;
use crate::domain::finding::{Attributes, ConcernedCode, Finding};
use crate::domain::rules::entry::{Judges, RuleEntry, Words, basis, subject};
use crate::domain::rules::{Action, RuleId, Severity};

/// What the rule is.
pub(in crate::domain::rules) const ENTRY: RuleEntry = RuleEntry {
    id: RuleId::RepeatedInDocument,
    number: 13,
    name: "repeated_in_document",
    title: Words { zh: "同单重复", en: "repeated in the document" },
    judges: Judges::Line(Words {
        zh: "{line}的追溯码（尾号{codes}）在同一单据的前面明细已经使用，同一追溯码只能计一次{money}。",
        en: "{line} repeats codes of an earlier line of the same document: {codes}; a package counts once{money}.",
    }),
    subject: subject::LINE,
    action: Action::Hold,
    severity: Severity::Low,
    grace: None,
    is_alert: true,
    allowable: true,
    basis: basis::ONE_BOX_ONE_SALE,
    catches: "the same pack is on an earlier line of the same document; elsewhere than on settlements an alert",
};

/// `first_whole`: of each unit code, the first earlier line that carries it and is not split.
pub(super) fn check(
    context: &LineContext<'_>,
    first_whole: &BTreeMap<&Text, &LiveLine<'_>>,
) -> Option<Finding> {
    if !context.is_sale() {
        return None;
    }
    let mut codes: Vec<ConcernedCode> = Vec::new();
    let mut earlier_lines: BTreeMap<&Text, &LiveLine<'_>> = BTreeMap::new();
    for code in context.line.valid_codes().filter(|code| code.is_unit) {
        if let Some(earlier) = first_whole.get(&code.normal)
            && is_one_pack(context.document, context.line, code)
        {
            codes.push(concerned(context.line, &code.normal));
            earlier_lines.insert(earlier.line_id, earlier);
        }
    }
    if codes.is_empty() {
        return None;
    }
    let stated = context.action(Action::Hold, Action::Alert);
    let attributes = Attributes { codes, ..Attributes::default() };
    let mut finding = context.finding(RuleId::RepeatedInDocument, stated, attributes)?;
    let shown = EVIDENCE_MAX.saturating_sub(1);
    let evidence = earlier_lines.values().take(shown).map(|earlier| side(context.document, earlier));
    finding.evidence = evidence.chain([finding.subject.clone()]).collect();
    finding.evidence_omitted = u32::try_from(earlier_lines.len().saturating_sub(shown)).unwrap_or(u32::MAX);
    Some(finding)
}
