//! How the records of a code were put together: sales, returns, and the walk over both.

use super::{Page, amount, and, moment, number, then};
use crate::domain::amount::Quantity;
use crate::domain::timeline::returns::Return;
use crate::domain::timeline::sale::Sale;
use crate::domain::timeline::walk::{Custody, Walk};
use crate::domain::timeline::{Event, Fact, Timeline};
use crate::present::language::Language;

/// Most open sales or holders named at one step.
const NAMED_MAX: usize = 5;

/// The hand-overs, each with the records that report it.
pub(super) fn sales(page: &mut Page, timeline: &Timeline<'_>) {
    let language = page.language;
    page.heading("销售（结算与发药合并）", "Sales (settlement and dispensing merged)");
    page.list(&timeline.sales, |sale| {
        let halves = match (sale.settlement, sale.dispensings.is_empty()) {
            (Some(_), true) => language.of("，只有结算", ", settlement only"),
            (None, _) => language.of("，只有发药", ", dispensing only"),
            (Some(_), false) => "",
        };
        let records: Vec<String> = sale.facts().map(|fact| number(&fact)).collect();
        let split = if sale.is_split() { language.of("，拆零", ", split") } else { "" };
        format!(
            "  {}  {}  {}  {}{halves}{split}{}",
            name(sale, language),
            moment(sale.time),
            sale.institution_id(),
            records.join(" + "),
            needs(sale, language)
        )
    });
}

/// The returns and what each gives back; nothing when there are none.
pub(super) fn returns(page: &mut Page, timeline: &Timeline<'_>) {
    if timeline.returns.is_empty() {
        return;
    }
    let language = page.language;
    page.heading("退药", "Returns");
    page.list(&timeline.returns, |given_back| {
        let (fact, at) = (number(&given_back.fact), moment(given_back.takes_effect_at));
        let whom = given_back.fact.institution_id();
        match given_back.sale.and_then(|number| timeline.sales.get(number)) {
            Some(sale) => {
                let gives_back = language.of("退回", "gives back");
                let units = amount(given_back.gives_back, language);
                let of = language.of("，", " of ");
                format!("  {fact}  {at}  {whom}  {gives_back} {units}{of}{}", name(sale, language))
            }
            None => {
                let none = language.of("找不到所退的销售", "no sale was found that it gives back");
                format!("  {fact}  {at}  {whom}  {none}")
            }
        }
    });
}

/// Every step, with what was so just before it.
pub(super) fn steps(page: &mut Page, timeline: &Timeline<'_>) {
    let language = page.language;
    page.heading("走查（每步之前的状态）", "Walk (what was so just before each step)");
    let mut walk = Walk::over(timeline);
    let mut lines = Vec::new();
    for event in timeline.events() {
        walk.reach(&event);
        lines.push(format!(
            "  {}\n       {}",
            step(&event, &walk, language),
            before(&event, &walk, language)
        ));
        walk.pass(&event);
    }
    page.list(&lines, String::clone);
}

fn step(event: &Event<'_, '_>, walk: &Walk<'_, '_>, language: Language) -> String {
    match event {
        Event::StockIn(fact) => at(fact, language.of("入库", "stock in")),
        Event::StockOut(fact) => at(fact, language.of("出库", "stock out")),
        Event::Return(given_back) => returned(given_back, language),
        Event::Sale(sale) => {
            let is_short = walk.is_short(sale);
            let short = if is_short { language.of("，余量不足", ", more than is left") } else { "" };
            let (when, whom) = (moment(sale.time), sale.institution_id());
            format!("{when}  {}  {whom}{}{short}", name(sale, language), needs(sale, language))
        }
    }
}

fn at(fact: &Fact<'_>, what: &str) -> String {
    format!("{}  {} {what}  {}", moment(fact.time()), number(fact), fact.institution_id())
}

fn returned(given_back: &Return<'_>, language: Language) -> String {
    let (when, fact) = (moment(given_back.takes_effect_at), &given_back.fact);
    format!("{when}  {} {}  {}", number(fact), language.of("退药", "return"), fact.institution_id())
}

/// Use, holders, and how the institution of the step stands.
fn before(event: &Event<'_, '_>, walk: &Walk<'_, '_>, language: Language) -> String {
    let content = walk.timeline().pack.content();
    let has_estimate = walk.used().has_estimate();
    let estimate = if has_estimate { language.of("（含估算）", " (with estimates)") } else { "" };
    let used = walk.used().amount();
    let mut parts = vec![format!("{} {used}/{content}{estimate}", language.of("已用", "used"))];
    parts.extend(open_sales(walk, language));
    parts.push(holders(walk, language));
    if let Event::Sale(sale) = event {
        parts.push(custody(walk.custody_at(&sale.anchor), language).to_owned());
        if let Some(gone) = walk.left(sale.institution_id()) {
            let left = language.of("该机构已出库", "it had left that institution's stock");
            parts.push(format!("{left} ({})", number(&gone)));
        }
    }
    parts.join(then(language))
}

fn open_sales(walk: &Walk<'_, '_>, language: Language) -> Option<String> {
    let count = walk.open_latest_first().count();
    let named = walk.open_latest_first().take(NAMED_MAX).map(|open| {
        let part = if open.outstanding.amount < open.sale.need().amount
            && open.sale.need().amount > Quantity::ZERO
        {
            format!(" ({})", amount(open.outstanding, language))
        } else {
            String::new()
        };
        format!("{}{part}", name(open.sale, language))
    });
    let named: Vec<String> = named.collect();
    let open = language.of("未退：", "not given back: ");
    (count > 0).then(|| format!("{open}{}{}", named.join(and(language)), more(count, language)))
}

fn holders(walk: &Walk<'_, '_>, language: Language) -> String {
    let count = walk.made_holders().count();
    if count == 0 {
        return language.of("无库存记录", "in no known stock").to_owned();
    }
    let named: Vec<String> = walk
        .made_holders()
        .take(NAMED_MAX)
        .map(|fact| format!("{} ({})", fact.institution_id(), number(&fact)))
        .collect();
    let stock = language.of("库存在", "in stock at");
    format!("{stock} {}{}", named.join(and(language)), more(count, language))
}

const fn custody(custody: Custody, language: Language) -> &'static str {
    match custody {
        Custody { taken: false, .. } => language.of("该机构无购进或调入", "never bought in there"),
        Custody { taken: true, has_proof: false } => {
            language.of("该机构有购进、无凭证", "bought in there, no papers")
        }
        Custody { taken: true, has_proof: true } => {
            language.of("该机构有购进、有凭证", "bought in there, with papers")
        }
    }
}

/// How many are not named.
fn more(count: usize, language: Language) -> String {
    match (count.saturating_sub(NAMED_MAX), language) {
        (0, _) => String::new(),
        (more, Language::Chinese) => format!("等，另有{more}项"),
        (more, Language::English) => format!(" and {more} more"),
    }
}

/// What a sale takes of the code, behind what it is.
fn needs(sale: &Sale<'_>, language: Language) -> String {
    format!("{}{}", language.of("，占用 ", ", needs "), amount(sale.need(), language))
}

fn name(sale: &Sale<'_>, language: Language) -> String {
    format!("{} {}", language.of("销售", "sale"), sale.number.saturating_add(1))
}
