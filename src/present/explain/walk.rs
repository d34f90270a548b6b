//! How the records of a code were put together: sales, returns, and the walk over both.

use super::{Page, amount, moment, number};
use crate::domain::amount::Quantity;
use crate::domain::timeline::returns::Return;
use crate::domain::timeline::sale::Sale;
use crate::domain::timeline::walk::{Custody, Walk};
use crate::domain::timeline::{Event, Fact, Timeline};

/// Most open sales or holders named at one step.
const NAMED_MAX: usize = 5;

/// The hand-overs, each with the records that report it.
pub(super) fn sales(page: &mut Page, timeline: &Timeline<'_>) {
    page.heading("销售（结算与发药合并）", "Sales (settlement and dispensing merged)");
    page.list(&timeline.sales, |sale| {
        let halves = match (sale.settlement, sale.dispensings.is_empty()) {
            (Some(_), true) => "，只有结算 settlement only",
            (None, _) => "，只有发药 dispensing only",
            (Some(_), false) => "",
        };
        let records: Vec<String> = sale.facts().map(|fact| number(&fact)).collect();
        let split = if sale.is_split() { "，拆零 split" } else { "" };
        format!(
            "  {}  {}  {}  {}{halves}{split}，占用 needs {}",
            name(sale),
            moment(sale.time),
            sale.institution_id(),
            records.join(" + "),
            amount(sale.need())
        )
    });
}

/// The returns and what each gives back; nothing when there are none.
pub(super) fn returns(page: &mut Page, timeline: &Timeline<'_>) {
    if timeline.returns.is_empty() {
        return;
    }
    page.heading("退药", "Returns");
    page.list(&timeline.returns, |given_back| {
        let (fact, at) = (number(&given_back.fact), moment(given_back.takes_effect_at));
        let whom = given_back.fact.institution_id();
        match given_back.sale.and_then(|number| timeline.sales.get(number)) {
            Some(sale) => {
                let units = amount(given_back.gives_back);
                format!("  {fact}  {at}  {whom}  退回 gives back {units}，{}", name(sale))
            }
            None => format!("  {fact}  {at}  {whom}  找不到所退的销售 no sale was found that it gives back"),
        }
    });
}

/// Every step, with what was so just before it.
pub(super) fn steps(page: &mut Page, timeline: &Timeline<'_>) {
    page.heading("走查（每步之前的状态）", "Walk (what was so just before each step)");
    let mut walk = Walk::over(timeline);
    let mut lines = Vec::new();
    for event in timeline.events() {
        walk.reach(&event);
        lines.push(format!("  {}\n       {}", step(&event, &walk), before(&event, &walk)));
        walk.pass(&event);
    }
    page.list(&lines, String::clone);
}

fn step(event: &Event<'_, '_>, walk: &Walk<'_, '_>) -> String {
    match event {
        Event::StockIn(fact) => at(fact, "入库 stock in"),
        Event::StockOut(fact) => at(fact, "出库 stock out"),
        Event::Return(given_back) => returned(given_back),
        Event::Sale(sale) => {
            let short = if walk.is_short(sale) { "，余量不足 more than is left" } else { "" };
            let (when, whom) = (moment(sale.time), sale.institution_id());
            format!("{when}  {}  {whom}，占用 needs {}{short}", name(sale), amount(sale.need()))
        }
    }
}

fn at(fact: &Fact<'_>, what: &str) -> String {
    format!("{}  {} {what}  {}", moment(fact.time()), number(fact), fact.institution_id())
}

fn returned(given_back: &Return<'_>) -> String {
    let (when, fact) = (moment(given_back.takes_effect_at), &given_back.fact);
    format!("{when}  {} 退药 return  {}", number(fact), fact.institution_id())
}

/// Use, holders, and how the institution of the step stands.
fn before(event: &Event<'_, '_>, walk: &Walk<'_, '_>) -> String {
    let content = walk.timeline().pack.content();
    let estimate = if walk.used().has_estimate() { "（含估算 with estimates）" } else { "" };
    let mut parts = vec![format!("已用 used {}/{content}{estimate}", walk.used().amount())];
    parts.extend(open_sales(walk));
    parts.push(holders(walk));
    if let Event::Sale(sale) = event {
        parts.push(custody(walk.custody_at(&sale.anchor)).to_owned());
        if let Some(gone) = walk.left(sale.institution_id()) {
            parts.push(format!("该机构已出库 it had left that institution's stock ({})", number(&gone)));
        }
    }
    parts.join("；")
}

fn open_sales(walk: &Walk<'_, '_>) -> Option<String> {
    let count = walk.open_latest_first().count();
    let named = walk.open_latest_first().take(NAMED_MAX).map(|open| {
        let part = if open.outstanding.amount < open.sale.need().amount
            && open.sale.need().amount > Quantity::ZERO
        {
            format!(" ({})", amount(open.outstanding))
        } else {
            String::new()
        };
        format!("{}{part}", name(open.sale))
    });
    let named: Vec<String> = named.collect();
    (count > 0).then(|| format!("未退 not given back: {}{}", named.join(", "), more(count)))
}

fn holders(walk: &Walk<'_, '_>) -> String {
    let count = walk.made_holders().count();
    if count == 0 {
        return "无库存记录 in no known stock".to_owned();
    }
    let named: Vec<String> = walk
        .made_holders()
        .take(NAMED_MAX)
        .map(|fact| format!("{} ({})", fact.institution_id(), number(&fact)))
        .collect();
    format!("库存 in stock at {}{}", named.join(", "), more(count))
}

const fn custody(custody: Custody) -> &'static str {
    match custody {
        Custody { taken: false, .. } => "该机构无购进或调入 never bought in there",
        Custody { taken: true, has_proof: false } => "该机构有购进、无凭证 bought in there, no papers",
        Custody { taken: true, has_proof: true } => "该机构有购进、有凭证 bought in there, with papers",
    }
}

/// How many are not named.
fn more(count: usize) -> String {
    match count.saturating_sub(NAMED_MAX) {
        0 => String::new(),
        more => format!(" 等，另 and {more} more"),
    }
}

fn name(sale: &Sale<'_>) -> String {
    format!("销售 sale {}", sale.number.saturating_add(1))
}
