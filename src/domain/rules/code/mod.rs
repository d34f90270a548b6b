//! Code rules: what the timeline of one code says, one file per rule.
//!
//! [`evaluate`] walks the timeline once; each rule looks at the walk as it is just before an event and, where
//! it fires, enters its statement into the `docket`. No rule keeps anything between two evaluations, so the
//! findings depend on the set of observations, `now` and the rule set only.

mod docket;
pub(super) mod duplicate_purchase;
pub(super) mod duplicate_settlement;
pub(super) mod held_elsewhere;
pub(super) mod not_purchased;
pub(super) mod over_split;
pub(super) mod overused_code;
pub(super) mod person_mismatch;
#[cfg(test)]
mod properties;
pub(super) mod reflow;
pub(super) mod resale;
pub(super) mod return_not_refunded;
pub(super) mod settled_not_dispensed;
pub(super) mod sold_after_stock_out;
mod swap;

use self::docket::Docket;
use crate::domain::finding::Finding;
use crate::domain::observation::Observation;
use crate::domain::rules::ruleset::RuleSet;
use crate::domain::time::Timestamp;
use crate::domain::timeline::walk::Walk;
use crate::domain::timeline::{Event, OBSERVATIONS_WALKED_MAX, Timeline};

/// What the code rules find in one timeline.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Evaluation {
    /// All findings, whatever their action; enabled rules only.
    pub findings: Vec<Finding>,
    /// The earliest moment after `now` at which a grace ends that a finding waits for; none when nothing waits.
    pub next_due: Option<Timestamp>,
}

/// Evaluates all code rules on the live observations of one code, which are in order
/// ([`order::sort`](crate::domain::timeline::order::sort)). Without `now` no grace has passed.
pub fn evaluate(observations: &[Observation], now: Option<Timestamp>, rules: &RuleSet) -> Evaluation {
    if observations.len() > OBSERVATIONS_WALKED_MAX {
        let findings = overused_code::judge(observations, rules).into_iter().collect();
        return Evaluation { findings, next_due: None };
    }
    let timeline = Timeline::of(observations, rules.sale_link_window, rules.sale_match_window);
    let mut walk = Walk::over(&timeline);
    let mut docket = Docket::new(now, rules);
    for event in timeline.events() {
        walk.reach(&event);
        match &event {
            Event::StockIn(stock_in) => {
                reflow::judge(stock_in, &walk, &mut docket);
                duplicate_purchase::judge(stock_in, &walk, &mut docket);
            }
            Event::Sale(sale) => {
                duplicate_settlement::judge(sale, &walk, &mut docket);
                resale::judge(sale, &walk, &mut docket);
                over_split::judge(sale, &walk, &mut docket);
                held_elsewhere::judge(sale, &walk, &mut docket);
                sold_after_stock_out::judge(sale, &walk, &mut docket);
                person_mismatch::judge(sale, &walk, &mut docket);
                settled_not_dispensed::judge(sale, &walk, &mut docket);
                not_purchased::judge(sale, &walk, &mut docket);
            }
            Event::Return(given_back) => return_not_refunded::judge(given_back, &walk, &mut docket),
            Event::StockOut(_) => {}
        }
        walk.pass(&event);
    }
    swap::judge(&walk, &mut docket);
    docket.close()
}
