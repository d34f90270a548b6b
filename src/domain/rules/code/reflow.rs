//! `reflow` 回流: a box that was sold comes back into stock.
//!
//! **Catches** a stock in, of any kind, while a sale of the code is open; of a code for several packs only when
//! its content is used up. The counterpart is the latest such sale. An alert.
//!
//! **Silent** when the sale was returned, and for a sale at the same institution no more than `purchase_grace`
//! before the stock in: that is a purchase entered late.
//!
//! **Example.** A pharmacy sells a box on the 5th; on the 20th a clinic in another region buys it in.

use super::docket::{Docket, Statement};
use crate::domain::finding::Attributes;
use crate::domain::rules::{Action, RuleId};
use crate::domain::timeline::Fact;
use crate::domain::timeline::sale::Sale;
use crate::domain::timeline::walk::Walk;

const RULE: RuleId = RuleId::Reflow;

pub(super) fn judge<'a>(stock_in: &Fact<'a>, walk: &Walk<'a, '_>, docket: &mut Docket<'_>) {
    let pack = &walk.timeline().pack;
    let used = walk.used();
    if !pack.is_single() && !used.fills(pack.content()) {
        return;
    }
    let Some(setting) = docket.setting(RULE, stock_in.observation) else {
        return;
    };
    let entered_late_since = stock_in.time().minus(setting.grace);
    let is_entered_late = |sale: &Sale<'_>| {
        sale.institution_id() == stock_in.institution_id() && sale.time >= entered_late_since
    };
    let Some(latest) = walk.open_latest_first().find(|open| !is_entered_late(open.sale)) else {
        return;
    };
    let mut statement = Statement::about(RULE, Action::Alert, setting, *stock_in)
        .against(latest.sale.anchor)
        .with_scope()
        .resting_on(latest.sale);
    if !pack.is_single() {
        statement = statement.resting_on_use(walk, |_| true);
    }
    statement.attributes = Attributes {
        used: Some(used.amount()),
        content: Some(pack.content()),
        estimate: used.has_estimate(),
        ..Attributes::default()
    };
    docket.enter(statement, walk);
}
