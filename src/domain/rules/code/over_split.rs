//! `over_split` 拆零超量: more units sold out of a pack than it holds.
//!
//! **Catches** a split sale whose units, with those of the open split sales before it, are more than the
//! content. The counterpart is the latest open split sale, if there is one. Held; only an alert when a need
//! involved is an estimate.
//!
//! **Silent** when the units of a pack are unknown (then split sales need nothing), and as long as the sum fits;
//! units that were given back count no more.
//!
//! **Example.** Of twenty tablets seven, seven and six are sold: fine. One more is over, counterpart the six.

use super::docket::{Docket, Statement};
use crate::domain::amount::Quantity;
use crate::domain::finding::Attributes;
use crate::domain::rules::{Action, RuleId};
use crate::domain::timeline::sale::Sale;
use crate::domain::timeline::walk::Walk;

const RULE: RuleId = RuleId::OverSplit;

pub(super) fn judge(sale: &Sale<'_>, walk: &Walk<'_, '_>, docket: &mut Docket<'_>) {
    let need = sale.need();
    let content = walk.timeline().pack.content();
    let used = walk.used_split();
    if !sale.is_split() || need.amount <= Quantity::ZERO || !used.overflows(need.amount, content) {
        return;
    }
    let Some(setting) = docket.setting(RULE, sale.anchor.observation) else {
        return;
    };
    let estimate = need.is_estimate || used.has_estimate();
    let action = if estimate { Action::Alert } else { Action::Hold };
    let mut statement = Statement::about(RULE, action, setting, sale.anchor);
    if let Some(latest) = walk.open_latest_first().find(|open| open.sale.is_split()) {
        statement = statement.against(latest.sale.anchor).with_scope();
    }
    statement = statement.resting_on(sale).resting_on_use(walk, |open| open.sale.is_split());
    statement.attributes = Attributes {
        need: Some(need.amount),
        used: Some(used.amount()),
        content: Some(content),
        estimate,
        ..Attributes::default()
    };
    docket.enter(statement, walk);
}
