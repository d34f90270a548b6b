//! Adjustments: lines that say how much less was sold on other lines of their document.
//!
//! A partial refund reaches the fund as a fee of negative count, beside the line it takes from or in a message of its
//! own. It is no sale and no return of a package: it makes another line smaller, and where nothing is left, that line
//! is as if it had never been. Some senders name the line; others only the product (`*`), and then the line that has
//! exactly so much is meant, or the lines together.
//!
//! It acts on what is live, in line order, so the order of arrival does not matter.

use std::collections::BTreeMap;

use super::live::LiveLine;
use super::merge::Stamped;
use super::{Adjusts, FeeFacet};
use crate::domain::Text;
use crate::domain::amount::{Money, Quantity};

/// A live adjustment, and what became of it.
#[derive(Clone, Debug)]
pub struct LiveAdjustment<'a> {
    /// Its own line id.
    pub line_id: &'a Text,
    /// Product, quantity and amounts to be taken off.
    pub fee: &'a Stamped<FeeFacet>,
    /// The lines it took from, in line order.
    pub acts_on: Vec<&'a Text>,
    /// Whether it takes more than was left where it acts, all of that known.
    pub exceeds: bool,
}

/// What is taken off one line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Taken {
    pub(super) quantity: Option<Quantity>,
    pub(super) amount: Money,
    pub(super) fund_amount: Money,
}

impl<'a> LiveAdjustment<'a> {
    /// One that has not acted yet; none of a line that is no adjustment.
    pub(super) fn of(line: &LiveLine<'a>) -> Option<Self> {
        let fee = line.fee.filter(|fee| fee.part.content.adjusts.is_some())?;
        Some(Self { line_id: line.line_id, fee, acts_on: Vec::new(), exceeds: false })
    }

    /// Whether there is nothing that it could have taken all of itself from.
    pub fn is_unmatched(&self) -> bool {
        self.acts_on.is_empty() || self.exceeds
    }

    fn taken(&self) -> Taken {
        let FeeFacet { quantity, amount, fund_amount, .. } = &self.fee.part.content;
        Taken {
            quantity: *quantity,
            amount: amount.unwrap_or_default(),
            fund_amount: fund_amount.unwrap_or_default(),
        }
    }

    fn take_from(&mut self, line: &mut LiveLine<'a>, taken: Taken) {
        line.take(taken, self.fee.issued_at);
        self.acts_on.push(line.line_id);
    }
}

/// Lets the adjustments act, which are in line order, on the lines, which are too; lines of which nothing is left go.
pub(super) fn act<'a>(lines: &mut Vec<LiveLine<'a>>, adjustments: &mut [LiveAdjustment<'a>]) {
    let mut by_product: BTreeMap<&'a Text, Vec<usize>> = BTreeMap::new();
    for (index, line) in lines.iter().enumerate() {
        if let Some(product_code) = line.product_code().filter(|_| line.quantity.is_some()) {
            by_product.entry(product_code).or_default().push(index);
        }
    }
    for adjustment in adjustments {
        match &adjustment.fee.part.content.adjusts {
            Some(Adjusts::Line(line_id)) => {
                if let Ok(index) = lines.binary_search_by(|line| line.line_id.cmp(line_id)) {
                    act_on_line(adjustment, lines.get_mut(index));
                }
            }
            Some(Adjusts::SameProduct) => {
                let product_code = adjustment.fee.part.content.product_code.as_ref();
                let same = product_code.and_then(|product_code| by_product.get(product_code));
                act_on_product(adjustment, lines, same.map(Vec::as_slice).unwrap_or_default());
            }
            None => {}
        }
    }
    lines.retain(|line| !(line.is_adjusted() && line.quantity == Some(Quantity::ZERO)));
}

fn act_on_line<'a>(adjustment: &mut LiveAdjustment<'a>, line: Option<&mut LiveLine<'a>>) {
    let Some(line) = line.filter(|line| line.fee.is_some()) else { return };
    let taken = adjustment.taken();
    adjustment.exceeds = taken.quantity.zip(line.quantity).is_some_and(|(taken, left)| taken > left);
    adjustment.take_from(line, taken);
}

/// Acts on lines of one product, given by their places.
fn act_on_product<'a>(adjustment: &mut LiveAdjustment<'a>, lines: &mut [LiveLine<'a>], same: &[usize]) {
    let whole = adjustment.taken();
    let left = |lines: &[LiveLine<'a>], index: usize| {
        let quantity = lines.get(index).and_then(|line| line.quantity);
        quantity.filter(|left| *left > Quantity::ZERO)
    };
    let of_some_left = |index: &&usize| left(lines, **index).is_some();
    let exact = |index: &&usize| whole.quantity.is_none() || left(lines, **index) == whole.quantity;
    if let Some(index) = same.iter().filter(of_some_left).find(exact) {
        if let Some(line) = lines.get_mut(*index) {
            adjustment.take_from(line, whole);
        }
        return;
    }
    let Some(wanted) = whole.quantity else { return };
    let mut givers: Vec<(usize, Quantity)> = Vec::new();
    let mut rest = wanted;
    for index in same {
        let given = left(lines, *index).unwrap_or_default().min(rest);
        if given > Quantity::ZERO {
            givers.push((*index, given));
            rest = rest.saturating_sub(given);
        }
    }
    adjustment.exceeds = rest > Quantity::ZERO;
    for (index, taken) in shared(&whole, wanted, &givers) {
        if let Some(line) = lines.get_mut(index) {
            adjustment.take_from(line, taken);
        }
    }
}

/// The amounts shared by the quantities given, each share rounded down; the last takes the rest.
fn shared(whole: &Taken, wanted: Quantity, givers: &[(usize, Quantity)]) -> Vec<(usize, Taken)> {
    let share = |money: Money, given: Quantity| {
        let product = i128::from(money.fen()).saturating_mul(i128::from(given.thousandths()));
        let share = product.checked_div(i128::from(wanted.thousandths())).unwrap_or_default();
        Money::from_fen(i64::try_from(share).unwrap_or(i64::MAX))
    };
    let (mut amount, mut fund_amount) = (whole.amount, whole.fund_amount);
    let last = givers.len().saturating_sub(1);
    let taken = givers.iter().enumerate().map(|(nth, (index, given))| {
        let of_amount = if nth == last { amount } else { share(whole.amount, *given) };
        let of_fund = if nth == last { fund_amount } else { share(whole.fund_amount, *given) };
        amount = amount.saturating_sub(of_amount);
        fund_amount = fund_amount.saturating_sub(of_fund);
        (*index, Taken { quantity: Some(*given), amount: of_amount, fund_amount: of_fund })
    });
    taken.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::document::live::LiveDocument;
    use crate::domain::document::merge::Document;
    use crate::domain::document::samples::{A, AMBROXOL, B, Line, SYRUP, full, line};
    use crate::domain::document::{Kind, Version};

    /// A line that takes off: how many, yuan, from where.
    fn refund(line_id: &'static str, product: &str, packs: Option<u32>, fen: i64, adjusts: &str) -> Line {
        line(line_id, product, 1, &[]).with_fee(|fee| {
            fee.quantity = packs.map(Quantity::from_whole);
            fee.amount = Some(Money::from_fen(fen));
            fee.adjusts = Some(Adjusts::from_text(adjusts.into()));
        })
    }

    /// A line of so many packs and fen.
    fn sold(line_id: &'static str, product: &str, packs: u32, fen: i64) -> Line {
        line(line_id, product, packs, &[A, B]).with_fee(|fee| fee.amount = Some(Money::from_fen(fen)))
    }

    fn told(version: &Version, what: impl FnOnce(&LiveDocument<'_>) -> Vec<String>) -> Vec<String> {
        let mut document = Document::default();
        document.merge(version);
        document.live(&version.key).map(|live| what(&live)).unwrap_or_default()
    }

    /// What is left: line, quantity, amount in fen, and the quantity before.
    fn left(kind: Kind, lines: &[Line]) -> Vec<String> {
        told(&full(kind, 1, lines), |live| {
            let lines = live.lines.iter().map(|line| {
                let text = |quantity: Option<Quantity>| quantity.map_or("?".into(), |q| q.to_string());
                let amount = line.money().amount.map_or("?".into(), |amount| amount.fen().to_string());
                let before = line.quantity_before.map_or(String::new(), |before| format!(" of {before}"));
                format!("{} {} {amount}{before}", line.line_id, text(line.quantity()))
            });
            lines.collect()
        })
    }

    /// What the adjustments acted on.
    fn acted(lines: &[Line]) -> Vec<String> {
        told(&full(Kind::Settlement, 1, lines), |live| {
            let adjustments = live.adjustments.iter().map(|adjustment| {
                let on: Vec<&str> = adjustment.acts_on.iter().map(|line_id| line_id.as_ref()).collect();
                let unmatched = if adjustment.is_unmatched() { " unmatched" } else { "" };
                format!("{}:{unmatched} {}", adjustment.line_id, on.join("+")).trim_end().to_owned()
            });
            adjustments.collect()
        })
    }

    #[test]
    fn a_named_line_shrinks_and_vanishes_when_nothing_is_left() {
        let with = |refund| vec![sold("1", AMBROXOL, 3, 900), sold("2", AMBROXOL, 1, 300), refund];
        let one = with(refund("3", AMBROXOL, Some(1), 300, "1"));
        assert_eq!(left(Kind::Settlement, &one), ["1 2 600 of 3", "2 1 300"]);
        assert_eq!(left(Kind::Dispense, &one), ["1 2 600 of 3", "2 1 300"]);
        assert_eq!(left(Kind::Stocktake, &one), ["1 3 900", "2 1 300"]);
        assert_eq!(acted(&one), ["3: 1"]);
        let all = with(refund("3", AMBROXOL, Some(1), 300, "2"));
        assert_eq!(left(Kind::Settlement, &all), ["1 3 900"]);
        let more = with(refund("3", AMBROXOL, Some(2), 500, "2"));
        assert_eq!(
            (left(Kind::Settlement, &more), acted(&more)),
            (vec!["1 3 900".into()], vec!["3: unmatched 2".into()])
        );
        let money = with(refund("3", AMBROXOL, None, 1000, "1"));
        assert_eq!(left(Kind::Settlement, &money), ["1 3 0", "2 1 300"]);
    }

    #[test]
    fn what_is_no_line_is_not_acted_on() {
        let nobody = vec![sold("1", AMBROXOL, 1, 300), refund("2", AMBROXOL, Some(1), 300, "9")];
        assert_eq!(
            (left(Kind::Settlement, &nobody), acted(&nobody)),
            (vec!["1 1 300".into()], vec!["2: unmatched".into()])
        );
        let each_other = vec![refund("1", AMBROXOL, Some(1), 1, "2"), refund("2", AMBROXOL, Some(1), 1, "1")];
        assert_eq!(acted(&each_other), ["1: unmatched", "2: unmatched"]);
        let itself = vec![refund("1", AMBROXOL, Some(1), 1, "1")];
        assert_eq!(acted(&itself), ["1: unmatched"]);
    }

    #[test]
    fn of_a_product_the_line_with_exactly_so_much_is_meant() {
        let lines = vec![
            sold("1", AMBROXOL, 3, 900),
            sold("2", SYRUP, 2, 100),
            sold("3", AMBROXOL, 2, 600),
            refund("4", AMBROXOL, Some(2), 600, "*"),
        ];
        assert_eq!(left(Kind::Settlement, &lines), ["1 3 900", "2 2 100"]);
        assert_eq!(acted(&lines), ["4: 3"]);
        let money = vec![sold("1", AMBROXOL, 3, 900), refund("4", AMBROXOL, None, 200, "*")];
        assert_eq!(left(Kind::Settlement, &money), ["1 3 700"]);
    }

    #[test]
    fn else_the_lines_give_together_and_share_the_amounts() {
        let lines = vec![
            sold("1", AMBROXOL, 2, 1000),
            sold("2", AMBROXOL, 2, 1000),
            sold("3", AMBROXOL, 2, 1000),
            refund("4", AMBROXOL, Some(3), 1000, "*"),
        ];
        assert_eq!(left(Kind::Settlement, &lines), ["2 1 666 of 2", "3 2 1000"]);
        assert_eq!(acted(&lines), ["4: 1+2"]);
        let more = vec![sold("1", AMBROXOL, 2, 1000), refund("4", AMBROXOL, Some(3), 1000, "*")];
        assert_eq!((left(Kind::Settlement, &more), acted(&more)), (vec![], vec!["4: unmatched 1".into()]));
        let strange = vec![sold("1", AMBROXOL, 2, 1000), refund("4", SYRUP, Some(1), 10, "*")];
        assert_eq!(acted(&strange), ["4: unmatched"]);
    }

    #[test]
    fn one_after_another_in_line_order() {
        let lines = vec![
            sold("1", AMBROXOL, 3, 900),
            refund("2", AMBROXOL, Some(1), 300, "1"),
            refund("3", AMBROXOL, Some(2), 600, "*"),
            refund("4", AMBROXOL, Some(1), 300, "*"),
        ];
        assert_eq!(left(Kind::Settlement, &lines), Vec::<String>::new());
        assert_eq!(acted(&lines), ["2: 1", "3: 1", "4: unmatched"]);
    }
}
