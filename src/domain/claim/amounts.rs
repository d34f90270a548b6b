//! What the fund would pay for each line of a claim.
//!
//! Senders give the fund's part per line or only for the whole claim. In the second case it is shared out by the
//! lines' amounts with the method of the largest remainder, so that the lines add up to the whole to the last fen.

use std::cmp::Reverse;

use crate::domain::amount::Money;

/// The money that a line states.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LineMoney {
    /// Amount of the line.
    pub amount: Option<Money>,
    /// The fund's part of it.
    pub fund_amount: Option<Money>,
}

/// The fund's amount of each line, given in line order: its own when any line states one, else its share of the
/// header's, else nothing.
pub fn line_amounts(header_fund_amount: Option<Money>, lines: &[LineMoney]) -> Vec<Money> {
    if lines.iter().any(|line| line.fund_amount.is_some()) {
        return lines.iter().map(|line| line.fund_amount.unwrap_or_default()).collect();
    }
    let weights: Vec<i64> = lines.iter().map(|line| line.amount.unwrap_or_default().fen()).collect();
    let whole = header_fund_amount.unwrap_or_default().fen();
    if weights.iter().all(|weight| *weight == 0) {
        shares(whole, &vec![1; lines.len()])
    } else {
        shares(whole, &weights)
    }
}

/// `whole` in proportion to `weights`, by largest remainder, ties to the earlier. 128 bits, for 10^14 fen times
/// 10^14 fen.
fn shares(whole: i64, weights: &[i64]) -> Vec<Money> {
    let sum: i128 = weights.iter().map(|weight| i128::from(*weight)).sum();
    let product = |weight: &i64| i128::from(whole) * i128::from(*weight);
    let quotient = |weight: &i64| product(weight).checked_div(sum).unwrap_or(0);
    let remainder = |weight: &i64| product(weight).checked_rem(sum).unwrap_or(0);
    let mut fen: Vec<i64> =
        weights.iter().map(|weight| i64::try_from(quotient(weight)).unwrap_or(i64::MAX)).collect();
    let given: i128 = fen.iter().map(|share| i128::from(*share)).sum();
    let left_over = usize::try_from(i128::from(whole) - given).unwrap_or(0);

    let mut by_remainder: Vec<(Reverse<i128>, &mut i64)> =
        weights.iter().map(remainder).map(Reverse).zip(fen.iter_mut()).collect();
    by_remainder.sort_by_key(|(remainder, _)| *remainder);
    for (_, share) in by_remainder.into_iter().take(left_over) {
        *share = share.saturating_add(1);
    }
    fen.into_iter().map(Money::from_fen).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn amounts(header: Option<i64>, lines: &[(Option<i64>, Option<i64>)]) -> Vec<i64> {
        let money = |fen: Option<i64>| fen.map(Money::from_fen);
        let lines: Vec<LineMoney> = lines
            .iter()
            .map(|(amount, fund)| LineMoney { amount: money(*amount), fund_amount: money(*fund) })
            .collect();
        line_amounts(money(header), &lines).into_iter().map(Money::fen).collect()
    }

    #[test]
    fn a_line_that_states_the_funds_part_speaks_for_all() {
        assert_eq!(amounts(Some(1000), &[(Some(5), None), (None, Some(70)), (None, Some(0))]), [0, 70, 0]);
        assert_eq!(amounts(Some(1000), &[(Some(5), None), (None, Some(0))]), [0, 0]);
    }

    #[test]
    fn the_headers_part_is_shared_by_largest_remainder() {
        // 100 by 1:1:1 leaves one fen: to the first in line order.
        assert_eq!(amounts(Some(100), &[(Some(9), None); 3]), [34, 33, 33]);
        // 10 by 6:3:2 = 5.45, 2.73, 1.82: the last two have the largest remainders.
        assert_eq!(amounts(Some(10), &[(Some(6), None), (Some(3), None), (Some(2), None)]), [5, 3, 2]);
        assert_eq!(amounts(Some(7), &[(None, None), (Some(3), None), (None, None)]), [0, 7, 0]);
        assert_eq!(amounts(Some(5), &[(None, None), (Some(0), None)]), [3, 2]);
        assert_eq!(amounts(None, &[(Some(3), None)]), [0]);
        assert_eq!(amounts(Some(5), &[]), [0_i64; 0]);
    }

    proptest! {
        #[test]
        fn shares_add_up_and_stay_within_a_fen_of_the_proportion(
            whole in 0_i64..=100_000_000_000_000,
            weights in prop::collection::vec(0_i64..=100_000_000_000_000, 1..20),
        ) {
            let lines: Vec<_> = weights.iter().map(|weight| (Some(*weight), None)).collect();
            let shared = amounts(Some(whole), &lines);
            prop_assert_eq!(shared.iter().sum::<i64>(), whole);
            let sum: i128 = weights.iter().map(|weight| i128::from(*weight)).sum();
            if sum > 0 {
                for (share, weight) in shared.iter().zip(&weights) {
                    let exact = i128::from(whole) * i128::from(*weight);
                    prop_assert!((i128::from(*share) * sum - exact).abs() < sum);
                }
            }
        }
    }
}
