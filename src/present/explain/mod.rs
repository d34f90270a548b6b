//! The life of one code, for an inspector: what was reported, how it was put together, what follows.
//!
//! An alert says what is wrong; whoever has to answer for it asks why. The page shows the reasoning in the order in
//! which it is made: the timeline, the hand-overs merged from it, the returns bound to them, the walk with what was
//! so just before each step, the findings, and the answer to every settlement. It is computed anew from the state
//! and the rule set, by the code that judges, so it cannot tell another story than the alerts do.
//!
//! It is text for people, in both languages side by side; nobody should parse it. Rules that judge a line alone are
//! not part of a code's life and are named only as a reminder. Long lists are cut, and say so. What senders wrote
//! cannot add lines of its own, nor move the cursor of a terminal: control characters are replaced.

mod walk;

use std::fmt::{Display, Write};

use super::wording::{en, finding_en, finding_zh, zh};
use crate::domain::Text;
use crate::domain::claim::Verdict;
use crate::domain::document::{Person, Role};
use crate::domain::finding::Finding;
use crate::domain::monitor::{CodeState, Judged};
use crate::domain::observation::{Observation, ObservationKey};
use crate::domain::rules::Action;
use crate::domain::rules::code::{Evaluation, evaluate};
use crate::domain::rules::ruleset::RuleSet;
use crate::domain::time::Timestamp;
use crate::domain::timeline::pack::{Need, Pack};
use crate::domain::timeline::{Fact, OBSERVATIONS_WALKED_MAX, Timeline};
use crate::domain::trace_code::{Scan, read};

/// Most observations, sales, steps or findings listed under one heading.
const LISTED_MAX: usize = 200;

/// The same sentence in both languages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sentence {
    /// 中文.
    pub zh: String,
    /// English.
    pub en: String,
}

/// The code to look up for what somebody typed or scanned, or why there is none that has a timeline.
pub fn code_of(scanned: &str) -> Result<Text, Sentence> {
    let (zh, en) = match read(scanned) {
        None => ("没有给出追溯码。".to_owned(), "No code was given.".to_owned()),
        Some(Scan::Invalid { text, reason }) => (
            format!("“{text}”不是追溯码（{}），没有时间线。", zh::invalid(reason)),
            format!("\"{text}\" is no trace code ({}), so it has no timeline.", en::invalid(reason)),
        ),
        Some(Scan::Valid(code)) if !code.is_unit => (
            format!("{}是批号级标识，可以合法重复，没有时间线。", code.normal),
            format!(
                "{} stands for a lot, not for one package; it repeats legitimately and has no timeline.",
                code.normal
            ),
        ),
        Some(Scan::Valid(code)) => return Ok(code.normal),
    };
    Err(Sentence { zh: plain(&zh), en: plain(&en) })
}

/// What there is to say of a code in normal form that no document names.
pub fn never_reported(code: &Text) -> Sentence {
    Sentence {
        zh: format!("没有任何单据报送过追溯码{code}。"),
        en: format!("No document has reported the trace code {code}."),
    }
}

/// The page of one code in normal form, as things stand at `now`.
pub fn explain(code: &Text, state: &CodeState, rules: &RuleSet, now: Option<Timestamp>) -> String {
    let mut page = Page { text: format!("追溯码 Trace code {code}") };
    if let Some(now) = now {
        page.add(format!("，截至 as of {}", moment(now)));
    }
    if state.is_empty() {
        let Sentence { zh, en } = never_reported(code);
        page.line(zh);
        page.line(en);
        return page.text;
    }
    let observations = &state.observations;
    page.line(plain(&held(observations)));
    timeline(&mut page, observations);
    if observations.len() <= OBSERVATIONS_WALKED_MAX {
        let timeline = Timeline::of(observations, rules.sale_link_window, rules.sale_match_window);
        walk::sales(&mut page, &timeline);
        walk::returns(&mut page, &timeline);
        walk::steps(&mut page, &timeline);
    } else {
        page.heading("走查", "Walk");
        page.line(format!("  记录超过{OBSERVATIONS_WALKED_MAX}条，不逐步核对。"));
        page.line(format!("  More than {OBSERVATIONS_WALKED_MAX} records: they are kept, but not walked."));
    }
    let mut evaluation = evaluate(observations, now, rules);
    rules.allow(&mut evaluation.findings, Some(code));
    findings(&mut page, code, state, &evaluation);
    verdicts(&mut page, state);
    page.text
}

/// A page as it grows.
struct Page {
    text: String,
}

impl Page {
    fn add(&mut self, text: impl Display) {
        // Writing to a string cannot fail.
        let _ = write!(self.text, "{text}");
    }

    fn line(&mut self, text: impl Display) {
        let _ = write!(self.text, "\n{text}");
    }

    fn heading(&mut self, zh: &str, en: &str) {
        let _ = write!(self.text, "\n\n{zh} {en}");
    }

    /// At most [`LISTED_MAX`] lines; the others are counted.
    fn list<T>(&mut self, items: &[T], line: impl Fn(&T) -> String) {
        if items.is_empty() {
            self.line("  无 none");
        }
        for item in items.iter().take(LISTED_MAX) {
            self.line(line(item));
        }
        let more = items.len().saturating_sub(LISTED_MAX);
        if more > 0 {
            self.line(format!("  另有{more}项未列出 and {more} more"));
        }
    }
}

/// What one code holds, and of which product.
fn held(observations: &[Observation]) -> String {
    let pack = Pack::of(observations);
    let product = observations.iter().find_map(|observation| observation.product.as_ref());
    let name = product.and_then(|product| product.name.as_deref().or(product.product_code.as_deref()));
    let name = name.or_else(|| observations.iter().find_map(|o| o.product_name.as_deref()));
    let units = match pack.units_per_pack {
        Some(units) => format!("{} × {units}", pack.packs_per_code),
        None => format!("{}，最小单位数未知 units unknown", pack.packs_per_code),
    };
    let content = pack.content();
    format!("药品 Product {}；一码含 one code holds {content} ({units})", name.unwrap_or("未知 unknown"))
}

fn timeline(page: &mut Page, observations: &[Observation]) {
    let pack = Pack::of(observations);
    page.heading("时间线", "Timeline");
    let numbered: Vec<(usize, &Observation)> = (1..).zip(observations).collect();
    page.list(&numbered, |(number, observation)| {
        let mut details = vec![quantity(observation, pack.need(observation))];
        details.extend(person(&observation.person));
        details.extend(ids(observation));
        details.extend(lateness(observation));
        format!(
            "  #{number:<3} {}  {:<12} {} {}  {}  {}\n       {}",
            happened(observation),
            observation.institution_id(),
            zh::verb(observation.kind),
            en::done(observation.kind),
            line_of(&observation.key),
            plain(&place(observation)),
            plain(&details.join("；"))
        )
    });
}

/// When it happened; of a document that says no more, its day.
fn happened(observation: &Observation) -> String {
    if observation.is_day {
        format!("{} 当日 that day", observation.day())
    } else {
        moment(observation.time)
    }
}

/// Region and tier.
fn place(observation: &Observation) -> String {
    let tier = observation.tier.as_ref().map_or(String::new(), |tier| format!(" 级别 tier {tier}"));
    format!("地区 region {}{tier}", observation.region)
}

/// What the line says of quantity, and what that takes of the code.
fn quantity(observation: &Observation, need: Need) -> String {
    let left = observation.quantity.map_or("?".to_owned(), |quantity| quantity.to_string());
    let quantity = match observation.quantity_before {
        Some(before) => format!("{left}（退费前 before refunds {before}）"),
        None => left,
    };
    let split = if observation.split { " 拆零 split" } else { "" };
    let units = observation.units.map_or(String::new(), |units| format!(" 本码 of this code {units}"));
    let shared = match observation.codes_on_line {
        0 | 1 => String::new(),
        codes => format!("/{codes}码 codes"),
    };
    let effect = match observation.role {
        Role::StockIn => return format!("数量 quantity {quantity}{shared}{}", papers(observation)),
        Role::Return => "最多退回 gives back up to",
        Role::StockOut => "出库 takes",
        Role::Dispensing | Role::Settlement => "占用 needs",
    };
    format!("数量 quantity {quantity}{shared}{split}{units}，{effect} {}", amount(need))
}

fn papers(observation: &Observation) -> &'static str {
    if observation.has_papers {
        "；有随货单或发票 with papers"
    } else {
        "；无随货单、发票 without papers"
    }
}

/// The person's pseudonyms, shortened: enough to see who is the same.
fn person(person: &Person) -> Option<String> {
    let short =
        |digest: &[u8; 16]| -> String { digest.iter().take(4).map(|byte| format!("{byte:02x}")).collect() };
    let number = person.number.map(|number| format!("编号 number {}…", short(&number.digest)));
    let certificate = person.certificate.map(|paper| format!("证件 certificate {}…", short(&paper.digest)));
    let both: Vec<String> = number.into_iter().chain(certificate).collect();
    (!both.is_empty()).then(|| format!("参保人 person {}", both.join(" ")))
}

/// What ties a record to others.
fn ids(observation: &Observation) -> Vec<String> {
    let settlement = observation.settlement_id.as_ref().map(|id| format!("结算号 settlement id {id}"));
    let visit = observation.visit_id.as_ref().map(|id| format!("就诊号 visit id {id}"));
    let returns = observation.returns.as_ref().map(|sale| {
        let line = sale.line_id.as_ref().map_or(String::new(), |line| format!("/{line}"));
        format!("退回 gives back {}{line}", sale.document_id)
    });
    let lent = observation
        .lent_from
        .as_ref()
        .map(|from| format!("码借自发药 code lent by the hand-over {}/{}", from.document_id, from.line_id));
    let money = observation.fund_amount.map(|money| format!("基金 fund {money}"));
    settlement.into_iter().chain(visit).chain(returns).chain(lent).chain(money).collect()
}

/// When the codes were sent later than they happened.
fn lateness(observation: &Observation) -> Option<String> {
    (observation.codes_issued_at > observation.time)
        .then(|| format!("报送于 uploaded {}", moment(observation.codes_issued_at)))
}

fn findings(page: &mut Page, code: &Text, state: &CodeState, evaluation: &Evaluation) {
    page.heading("发现", "Findings");
    page.list(&evaluation.findings, |finding| {
        let entry = finding.rule.entry();
        format!(
            "  {} {}  {}{}{}\n       {}\n       {}",
            entry.title.zh,
            entry.name,
            action(finding.action),
            plain(&allowed(finding)),
            revision(state, finding),
            plain(&finding_zh(finding, Some(code))),
            plain(&finding_en(finding, Some(code))),
        )
    });
    let withdrawn = state.alerts.published.iter().filter(|(_, published)| published.open.is_none());
    for (key, published) in withdrawn.take(LISTED_MAX) {
        let entry = key.rule.entry();
        page.line(format!(
            "  {} {}  已撤销 withdrawn (revision {})  {} {}",
            entry.title.zh,
            entry.name,
            published.revision,
            key.subject.document.institution_id,
            line_of(&key.subject)
        ));
    }
    if let Some(due) = evaluation.next_due {
        page.line(format!("  宽限期未满，将于 a grace still runs, looked at again {}", moment(due)));
    }
}

/// Why it does not act, when somebody allowed it.
fn allowed(finding: &Finding) -> String {
    let reason = finding.attributes.allowed.as_ref();
    reason.map_or(String::new(), |reason| format!("（已准许 allowed: {reason}）"))
}

fn revision(state: &CodeState, finding: &Finding) -> String {
    match state.alerts.published.get(&finding.key()) {
        Some(published) if finding.is_alert() => format!("  预警 alert revision {}", published.revision),
        _ => String::new(),
    }
}

fn action(action: Action) -> &'static str {
    match action {
        Action::Observe => "仅统计 observe",
        Action::Alert => "预警 alert",
        Action::Hold => "暂缓支付 hold",
        Action::Refuse => "拒付 refuse",
    }
}

fn verdicts(page: &mut Page, state: &CodeState) {
    page.heading("对结算的答复", "Answers to settlements");
    let judged: Vec<(&ObservationKey, &Judged)> = state.verdicts.iter().collect();
    page.list(&judged, |(key, judged)| {
        let worst = judged.reasons.values().max().copied().unwrap_or_default();
        let verdict = match worst {
            Verdict::Pay => "可支付 pay",
            Verdict::Hold => "暂缓 hold",
            Verdict::Refuse => "拒付 refuse",
        };
        let acting = judged.reasons.iter().filter(|(_, verdict)| **verdict > Verdict::Pay);
        let reasons: Vec<String> =
            acting.map(|(rule, _)| format!("{} {}", rule.entry().title.zh, rule.name())).collect();
        let reasons = if reasons.is_empty() { String::new() } else { format!("：{}", reasons.join("，")) };
        format!("  {} {}  {verdict}{reasons}", key.document.institution_id, line_of(key))
    });
    if !judged.is_empty() {
        page.line(
            "  （单据自身的规则另计，见支付判定 rules on the line itself count besides: see the decision）",
        );
    }
}

/// `单据 document S1 明细 line 1`.
fn line_of(key: &ObservationKey) -> String {
    plain(&format!("单据 document {} 明细 line {}", key.document.document_id, key.line_id))
}

/// Units, marked when they are only an estimate.
fn amount(need: Need) -> String {
    let estimate = if need.is_estimate { "（估算 estimate）" } else { "" };
    format!("{}{estimate}", need.amount)
}

/// `#3`, as the timeline numbers it.
fn number(fact: &Fact<'_>) -> String {
    format!("#{}", fact.position.saturating_add(1))
}

/// One line of text without control characters.
fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c }).collect()
}

/// Day and time in Beijing, to the second.
fn moment(moment: Timestamp) -> String {
    moment.to_string().get(..19).unwrap_or_default().replace('T', " ")
}

#[cfg(test)]
mod tests;
