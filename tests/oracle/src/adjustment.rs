//! Rules §1, point 6: lines that say how much less was sold on other lines of their document.

use std::collections::{BTreeMap, BTreeSet};

use super::document::Line;
use super::moment::Timestamp;

/// A line "whose fee facet has `adjusts`": "It is no line otherwise".
#[derive(Clone, Debug)]
pub(crate) struct Adjustment {
    /// Its own line_id.
    pub line_id: String,
    /// The moment at which its fee facet was issued.
    pub issued_at: Timestamp,
    /// The lines on which it acts.
    pub acts_on: BTreeSet<String>,
    /// "its quantity is greater than the quantities that were left where it acts, all of them known"
    pub takes_too_much: bool,
}

/// What is taken off one line.
struct Taken {
    line_id: String,
    quantity: i128,
    amount_fen: i128,
    fund_fen: i128,
}

/// Takes the adjustments out of the lines and lets them act: "After liveness is settled, the live adjustments act
/// in line order".
pub(crate) fn act(lines: &mut BTreeMap<String, Line>) -> Vec<Adjustment> {
    let is_adjustment = |line: &Line| line.text("adjusts").is_some();
    let own: BTreeMap<String, Line> = lines
        .iter()
        .filter(|(_, line)| is_adjustment(line))
        .map(|(id, line)| (id.clone(), line.clone()))
        .collect();
    lines.retain(|_, line| !is_adjustment(line));
    let before: BTreeMap<String, Option<i128>> =
        lines.iter().map(|(id, line)| (id.clone(), line.fee.quantity)).collect();
    let adjustments = own.iter().map(|(line_id, own)| act_one(line_id, own, lines)).collect();
    // "After all adjustments a line whose quantity they brought to 0 does not exist … A line whose known quantity
    // they made smaller is *adjusted*".
    for (line_id, before) in before {
        let Some(line) = lines.get_mut(&line_id) else { continue };
        if line.fee.quantity == before {
            continue;
        }
        line.quantity_before = before;
        if line.fee.quantity == Some(0) {
            lines.remove(&line_id);
        }
    }
    adjustments
}

fn act_one(line_id: &str, own: &Line, lines: &mut BTreeMap<String, Line>) -> Adjustment {
    let taken = shares(own, lines);
    let left = |taken: &Taken| lines.get(&taken.line_id).and_then(|line| line.fee.quantity);
    let left_in_all: Option<i128> = taken.iter().map(left).sum();
    let takes_too_much = match (own.fee.quantity, left_in_all) {
        (Some(quantity), Some(left)) => !taken.is_empty() && quantity > left,
        _ => false,
    };
    for taken in &taken {
        let Some(line) = lines.get_mut(&taken.line_id) else { continue };
        // "Quantity (where known), amount and fund_amount (where present) of a line acted on shrink by it, none
        // below 0."
        let less = |value: &mut Option<i128>, by: i128| *value = value.map(|value| (value - by).max(0));
        less(&mut line.fee.quantity, taken.quantity);
        less(&mut line.fee.amount_fen, taken.amount_fen);
        less(&mut line.fee.fund_fen, taken.fund_fen);
    }
    Adjustment {
        line_id: line_id.to_owned(),
        issued_at: own.fee_issued_at.unwrap_or(Timestamp(i64::MIN)),
        acts_on: taken.into_iter().map(|taken| taken.line_id).collect(),
        takes_too_much,
    }
}

/// What an adjustment takes off which lines.
fn shares(own: &Line, lines: &BTreeMap<String, Line>) -> Vec<Taken> {
    let (amount_fen, fund_fen) = (own.fee.amount_fen.unwrap_or(0), own.fee.fund_fen.unwrap_or(0));
    let all_of_it = |line_id: &String| {
        let quantity = own.fee.quantity.unwrap_or(0);
        vec![Taken { line_id: line_id.clone(), quantity, amount_fen, fund_fen }]
    };
    let target = own.text("adjusts").unwrap_or_default();
    if target != "*" {
        // "One that names a line acts on it, if that has a live fee facet and is no adjustment itself, else on
        // nothing."
        let named = lines.get_key_value(target).filter(|(_, line)| line.fee_issued_at.is_some());
        return named.map_or(Vec::new(), |(line_id, _)| all_of_it(line_id));
    }
    // "One with `*` acts on lines with a live fee facet, no adjustments, of its own known product_code and a known
    // quantity with more than 0 left".
    let Some(product_code) = own.text("product_code") else { return Vec::new() };
    let of_product = lines.iter().filter(|(_, line)| line.text("product_code") == Some(product_code));
    let candidates: Vec<(&String, i128)> = of_product
        .filter_map(|(line_id, line)| Some((line_id, line.fee.quantity?)))
        .filter(|(_, left)| *left > 0)
        .collect();
    let Some(quantity) = own.fee.quantity else {
        // "without a quantity, on the first of them"
        return candidates.first().map_or(Vec::new(), |(line_id, _)| all_of_it(line_id));
    };
    // "with one, on the first that has exactly so much left"
    if let Some((line_id, _)) = candidates.iter().find(|(_, left)| *left == quantity) {
        return all_of_it(line_id);
    }
    // "else on all of them in line order, each giving what it has left until the quantity is used up"
    let mut wanted = quantity;
    let mut taken = Vec::new();
    for (line_id, left) in candidates {
        let gives = left.min(wanted);
        if gives == 0 {
            break;
        }
        wanted -= gives;
        // "amounts are shared by the quantities given (multiplied first, divided by the adjustment's quantity,
        // rounded down; the last line that gives takes the rest)"
        let share = |fen: i128| fen * gives / quantity.max(1);
        let (amount_fen, fund_fen) = (share(amount_fen), share(fund_fen));
        taken.push(Taken { line_id: line_id.clone(), quantity: gives, amount_fen, fund_fen });
    }
    let rest = |all: i128, of: fn(&Taken) -> i128, taken: &[Taken]| all - taken.iter().map(of).sum::<i128>();
    let (amount_left, fund_left) =
        (rest(amount_fen, |taken| taken.amount_fen, &taken), rest(fund_fen, |taken| taken.fund_fen, &taken));
    if let Some(last) = taken.last_mut() {
        last.amount_fen += amount_left;
        last.fund_fen += fund_left;
    }
    taken
}
