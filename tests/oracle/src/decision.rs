//! Rules §5: what may be paid of each claim.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::document::Document;
use super::finding::{Action, Finding, Side};
use super::ruling::Rulings;

/// The decision on every claim, "a live settlement document", in the form of rules §7.
pub(crate) fn decisions(documents: &[Document], findings: &[Finding], rulings: &Rulings) -> Vec<Value> {
    documents
        .iter()
        .filter(|document| document.id.group == "settlement")
        .map(|claim| decide(claim, findings, rulings))
        .collect()
}

fn decide(claim: &Document, findings: &[Finding], rulings: &Rulings) -> Value {
    let mut worst = Action::Observe;
    let mut payable_fen = 0;
    let mut lines = Vec::new();
    for ((line_id, line), amount_fen) in claim.lines.iter().zip(amounts_fen(claim)) {
        let side = Side { document: claim.id.clone(), line_id: line_id.clone() };
        let ruling = rulings.on(claim, line_id, line);
        let about_line = findings.iter().filter(|finding| finding.subject == side);
        let acting = about_line.map(|finding| {
            let action = ruling.map_or(finding.action, |ruling| ruling.action(finding.rule, finding.action));
            (finding.rule, action)
        });
        let ruled = ruling.and_then(|ruling| ruling.own_action()).map(|action| ("ruling", action));
        let stopping: Vec<_> = acting.chain(ruled).filter(|(_, action)| *action >= Action::Hold).collect();
        let action = stopping.iter().map(|(_, action)| *action).max().unwrap_or(Action::Observe);
        // "Reasons = the ids of the rules whose findings on the line act hold or refuse, sorted, each once."
        let reasons: BTreeSet<_> = stopping.iter().map(|(rule, _)| *rule).collect();
        worst = worst.max(action);
        if action < Action::Hold {
            payable_fen += amount_fen;
        }
        lines.push(json!({ "line_id": line_id, "verdict": verdict(action), "reasons": reasons }));
    }
    json!({
        "institution_id": claim.id.institution_id, "document_id": claim.id.document_id,
        "verdict": verdict(worst), "payable": format!("{}.{:02}", payable_fen / 100, payable_fen % 100),
        "lines": lines,
    })
}

/// "`alert` and `observe` count as pay"
fn verdict(action: Action) -> &'static str {
    match action {
        Action::Refuse => "refuse",
        Action::Hold => "hold",
        Action::Alert | Action::Observe => "pay",
    }
}

/// "Amount of a line: its fund_amount (absent: 0) when any live line of the claim has one; else the header's
/// fund_amount in proportion to `amount` (absent: 0; all 0: in equal parts), by largest remainder, ties by line
/// order; else 0."
fn amounts_fen(claim: &Document) -> Vec<i128> {
    let lines: Vec<_> = claim.lines.values().collect();
    if lines.iter().any(|line| line.fee.fund_fen.is_some()) {
        return lines.iter().map(|line| line.fee.fund_fen.unwrap_or(0)).collect();
    }
    let Some(fund_fen) = claim.header.numbers.get("fund_amount").copied() else {
        return vec![0; lines.len()];
    };
    let mut weights: Vec<i128> = lines.iter().map(|line| line.fee.amount_fen.unwrap_or(0)).collect();
    if weights.iter().all(|weight| *weight == 0) {
        weights = vec![1; lines.len()];
    }
    let total: i128 = weights.iter().sum();
    let mut amounts: Vec<i128> = weights.iter().map(|weight| fund_fen * weight / total.max(1)).collect();
    let mut by_remainder: Vec<usize> = (0..lines.len()).collect();
    // A stable sort, so that ties stay in line order.
    by_remainder.sort_by_key(|at| -(fund_fen * weights[*at] % total.max(1)));
    let left_over = fund_fen - amounts.iter().sum::<i128>();
    for at in by_remainder.into_iter().take(usize::try_from(left_over).unwrap_or(0)) {
        amounts[at] += 1;
    }
    amounts
}
