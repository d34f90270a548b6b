//! The life of one code, for an inspector: what was reported, how it was put together, what follows.
//!
//! An alert says what is wrong; whoever has to answer for it asks why. The page shows the reasoning in the order in
//! which it is made: the timeline, the hand-overs merged from it, the returns bound to them, the walk with what was
//! so just before each step, the findings, and the answer to every settlement. It is computed anew from the state
//! and the rule set, by the code that judges, so it cannot tell another story than the alerts do.
//!
//! It is text for people, in the language that they asked for; nobody should parse it. Rules that judge a line alone are
//! not part of a code's life and are named only as a reminder. Long lists are cut, and say so. What senders wrote
//! cannot add lines of its own, nor move the cursor of a terminal: control characters are replaced.

mod walk;

use std::fmt::{Display, Write};

use super::language::Language;
use super::wording::{en, finding_en, finding_zh, zh};
use crate::domain::Text;
use crate::domain::claim::Verdict;
use crate::domain::document::{Person, Role};
use crate::domain::finding::Finding;
use crate::domain::monitor::{CodeState, Judged};
use crate::domain::observation::{Observation, ObservationKey};
use crate::domain::rules::code::{Evaluation, evaluate};
use crate::domain::rules::ruleset::RuleSet;
use crate::domain::rules::{Action, RuleId};
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
pub fn explain(
    code: &Text,
    state: &CodeState,
    rules: &RuleSet,
    now: Option<Timestamp>,
    language: Language,
) -> String {
    let mut page = Page { text: format!("{} {code}", language.of("追溯码", "Trace code")), language };
    if let Some(now) = now {
        page.add(format!("{}{}", language.of("，截至 ", ", as of "), moment(now)));
    }
    if state.is_empty() {
        let Sentence { zh, en } = never_reported(code);
        page.line(language.of(&zh, &en));
        return page.text;
    }
    let observations = &state.observations;
    page.line(plain(&held(observations, language)));
    timeline(&mut page, observations);
    if observations.len() <= OBSERVATIONS_WALKED_MAX {
        let timeline = Timeline::of(observations, rules.sale_link_window, rules.sale_match_window);
        walk::sales(&mut page, &timeline);
        walk::returns(&mut page, &timeline);
        walk::steps(&mut page, &timeline);
    } else {
        page.heading("走查", "Walk");
        page.line(match language {
            Language::Chinese => format!("  记录超过{OBSERVATIONS_WALKED_MAX}条，不逐步核对。"),
            Language::English => {
                format!("  More than {OBSERVATIONS_WALKED_MAX} records: they are kept, but not walked.")
            }
        });
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
    language: Language,
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
        let _ = write!(self.text, "\n\n{}", self.language.of(zh, en));
    }

    /// At most [`LISTED_MAX`] lines; the others are counted.
    fn list<T>(&mut self, items: &[T], line: impl Fn(&T) -> String) {
        if items.is_empty() {
            self.line(self.language.of("  无", "  none"));
        }
        for item in items.iter().take(LISTED_MAX) {
            self.line(line(item));
        }
        let more = items.len().saturating_sub(LISTED_MAX);
        if more > 0 {
            self.line(match self.language {
                Language::Chinese => format!("  另有{more}项未列出"),
                Language::English => format!("  and {more} more"),
            });
        }
    }
}

/// Between parts of a line that belong together.
const fn and(language: Language) -> &'static str {
    language.of("，", ", ")
}

/// Between parts of a line that stand for themselves.
const fn then(language: Language) -> &'static str {
    language.of("；", "; ")
}

/// What one code holds, and of which product.
fn held(observations: &[Observation], language: Language) -> String {
    let pack = Pack::of(observations);
    let product = observations.iter().find_map(|observation| observation.product.as_ref());
    let name = product.and_then(|product| product.name.as_deref().or(product.product_code.as_deref()));
    let name = name.or_else(|| observations.iter().find_map(|o| o.product_name.as_deref()));
    let name = name.unwrap_or(language.of("未知", "unknown"));
    let packs = pack.packs_per_code;
    let units = match pack.units_per_pack {
        Some(units) => format!("{packs} × {units}"),
        None => format!("{packs}{}", language.of("，最小单位数未知", ", units unknown")),
    };
    let content = pack.content();
    match language {
        Language::Chinese => format!("药品 {name}；一码含 {content}（{units}）"),
        Language::English => format!("Product {name}; one code holds {content} ({units})"),
    }
}

fn timeline(page: &mut Page, observations: &[Observation]) {
    let pack = Pack::of(observations);
    let language = page.language;
    page.heading("时间线", "Timeline");
    let numbered: Vec<(usize, &Observation)> = (1..).zip(observations).collect();
    page.list(&numbered, |(number, observation)| {
        let mut details = vec![quantity(observation, pack.need(observation), language)];
        details.extend(person(&observation.person, language));
        details.extend(ids(observation, language));
        details.extend(lateness(observation, language));
        let done = match language {
            Language::Chinese => zh::verb(observation.kind).to_owned(),
            Language::English => en::done(observation.kind),
        };
        format!(
            "  #{number:<3} {}  {:<12} {done}  {}  {}\n       {}",
            happened(observation, language),
            observation.institution_id(),
            line_of(&observation.key, language),
            plain(&place(observation, language)),
            plain(&details.join(then(language)))
        )
    });
}

/// When it happened; of a document that says no more, its day.
fn happened(observation: &Observation, language: Language) -> String {
    if observation.is_day {
        format!("{} {}", observation.day(), language.of("当日", "that day"))
    } else {
        moment(observation.time)
    }
}

/// Region and tier.
fn place(observation: &Observation, language: Language) -> String {
    let tier = observation.tier.as_ref();
    let tier = tier.map_or(String::new(), |tier| format!(" {} {tier}", language.of("级别", "tier")));
    format!("{} {}{tier}", language.of("地区", "region"), observation.region)
}

/// What the line says of quantity, and what that takes of the code.
fn quantity(observation: &Observation, need: Need, language: Language) -> String {
    let left = observation.quantity.map_or("?".to_owned(), |quantity| quantity.to_string());
    let quantity = match (observation.quantity_before, language) {
        (Some(before), Language::Chinese) => format!("{left}（退费前 {before}）"),
        (Some(before), Language::English) => format!("{left} ({before} before refunds)"),
        (None, _) => left,
    };
    let shared = match observation.codes_on_line {
        0 | 1 => String::new(),
        codes => format!("/{codes}{}", language.of(" 码", " codes")),
    };
    let said = format!("{} {quantity}{shared}", language.of("数量", "quantity"));
    let effect = match observation.role {
        Role::StockIn => return format!("{said}{}{}", then(language), papers(observation, language)),
        Role::Return => language.of("最多退回", "gives back up to"),
        Role::StockOut => language.of("出库", "takes"),
        Role::Dispensing | Role::Settlement => language.of("占用", "needs"),
    };
    let split = if observation.split { language.of(" 拆零", " split") } else { "" };
    let units = observation.units;
    let units =
        units.map_or(String::new(), |units| format!(" {} {units}", language.of("本码", "of this code")));
    format!("{said}{split}{units}{}{effect} {}", and(language), amount(need, language))
}

fn papers(observation: &Observation, language: Language) -> &'static str {
    if observation.has_papers {
        language.of("有随货单或发票", "with papers")
    } else {
        language.of("无随货单、发票", "without papers")
    }
}

/// The person's pseudonyms, shortened: enough to see who is the same.
fn person(person: &Person, language: Language) -> Option<String> {
    let short =
        |digest: &[u8; 16]| -> String { digest.iter().take(4).map(|byte| format!("{byte:02x}")).collect() };
    let named = [
        (person.number, language.of("编号", "number")),
        (person.certificate, language.of("证件", "certificate")),
    ];
    let named = named.into_iter().filter_map(|(pseudonym, name)| Some((pseudonym?, name)));
    let both: Vec<String> =
        named.map(|(pseudonym, name)| format!("{name} {}…", short(&pseudonym.digest))).collect();
    (!both.is_empty()).then(|| format!("{} {}", language.of("参保人", "person"), both.join(" ")))
}

/// What ties a record to others.
fn ids(observation: &Observation, language: Language) -> Vec<String> {
    let settlement = observation.settlement_id.as_ref();
    let settlement = settlement.map(|id| format!("{} {id}", language.of("结算号", "settlement id")));
    let visit = observation.visit_id.as_ref();
    let visit = visit.map(|id| format!("{} {id}", language.of("就诊号", "visit id")));
    let returns = observation.returns.as_ref().map(|sale| {
        let line = sale.line_id.as_ref().map_or(String::new(), |line| format!("/{line}"));
        format!("{} {}{line}", language.of("退回", "gives back"), sale.document_id)
    });
    let lent = observation.lent_from.as_ref().map(|from| {
        let lent = language.of("码取自发药", "code of the hand-over");
        format!("{lent} {}/{}", from.document_id, from.line_id)
    });
    let money = observation.fund_amount.map(|money| format!("{} {money}", language.of("基金", "fund")));
    [settlement, visit, returns, lent, money].into_iter().flatten().collect()
}

/// When the codes were sent later than they happened.
fn lateness(observation: &Observation, language: Language) -> Option<String> {
    (observation.codes_issued_at > observation.time)
        .then(|| format!("{} {}", language.of("报送于", "uploaded"), moment(observation.codes_issued_at)))
}

fn findings(page: &mut Page, code: &Text, state: &CodeState, evaluation: &Evaluation) {
    let language = page.language;
    page.heading("发现", "Findings");
    page.list(&evaluation.findings, |finding| {
        let sentence = match language {
            Language::Chinese => finding_zh(finding, Some(code)),
            Language::English => finding_en(finding, Some(code)),
        };
        format!(
            "  {}  {}{}{}\n       {}",
            rule(finding.rule, language),
            action(finding.action, language),
            plain(&allowed(finding, language)),
            revision(state, finding, language),
            plain(&sentence),
        )
    });
    let withdrawn = state.alerts.published.iter().filter(|(_, published)| published.open.is_none());
    for (key, published) in withdrawn.take(LISTED_MAX) {
        let number = published.revision;
        let withdrawn = match language {
            Language::Chinese => format!("已撤销（第{number}版）"),
            Language::English => format!("withdrawn (revision {number})"),
        };
        page.line(format!(
            "  {}  {withdrawn}  {} {}",
            rule(key.rule, language),
            key.subject.document.institution_id,
            line_of(&key.subject, language)
        ));
    }
    if let Some(due) = evaluation.next_due {
        let runs = language.of("宽限期未满，将于 ", "a grace still runs, looked at again ");
        page.line(format!("  {runs}{}{}", moment(due), language.of(" 再次核对", "")));
    }
}

/// The rule's title and the name by which configuration and decisions call it.
fn rule(rule: RuleId, language: Language) -> String {
    match language {
        Language::Chinese => format!("{} {}", rule.entry().title.zh, rule.name()),
        Language::English => rule.name().to_owned(),
    }
}

/// Why it does not act, when somebody allowed it.
fn allowed(finding: &Finding, language: Language) -> String {
    match (&finding.attributes.allowed, language) {
        (Some(reason), Language::Chinese) => format!("（已准许：{reason}）"),
        (Some(reason), Language::English) => format!(" (allowed: {reason})"),
        (None, _) => String::new(),
    }
}

fn revision(state: &CodeState, finding: &Finding, language: Language) -> String {
    match (state.alerts.published.get(&finding.key()), language) {
        (Some(published), Language::Chinese) if finding.is_alert() => {
            format!("  预警第{}版", published.revision)
        }
        (Some(published), Language::English) if finding.is_alert() => {
            format!("  alert revision {}", published.revision)
        }
        _ => String::new(),
    }
}

const fn action(action: Action, language: Language) -> &'static str {
    match action {
        Action::Observe => language.of("仅统计", "observe"),
        Action::Alert => language.of("预警", "alert"),
        Action::Hold => language.of("暂缓支付", "hold"),
        Action::Refuse => language.of("拒付", "refuse"),
    }
}

fn verdicts(page: &mut Page, state: &CodeState) {
    let language = page.language;
    page.heading("对结算的答复", "Answers to settlements");
    let judged: Vec<(&ObservationKey, &Judged)> = state.verdicts.iter().collect();
    page.list(&judged, |(key, judged)| {
        let worst = judged.reasons.values().max().copied().unwrap_or_default();
        let verdict = match worst {
            Verdict::Pay => language.of("可支付", "pay"),
            Verdict::Hold => language.of("暂缓", "hold"),
            Verdict::Refuse => language.of("拒付", "refuse"),
        };
        let acting = judged.reasons.iter().filter(|(_, verdict)| **verdict > Verdict::Pay);
        let reasons: Vec<String> = acting.map(|(id, _)| rule(*id, language)).collect();
        let reasons = if reasons.is_empty() {
            String::new()
        } else {
            format!("{}{}", language.of("：", ": "), reasons.join(and(language)))
        };
        format!("  {} {}  {verdict}{reasons}", key.document.institution_id, line_of(key, language))
    });
    if !judged.is_empty() {
        page.line(language.of(
            "  （单据自身的规则另计，见支付判定）",
            "  (rules on the line itself count besides: see the decision)",
        ));
    }
}

/// `document S1 line 1`.
fn line_of(key: &ObservationKey, language: Language) -> String {
    let (document, line) = (language.of("单据", "document"), language.of("明细", "line"));
    plain(&format!("{document} {} {line} {}", key.document.document_id, key.line_id))
}

/// Units, marked when they are only an estimate.
fn amount(need: Need, language: Language) -> String {
    let estimate = if need.is_estimate { language.of("（估算）", " (estimate)") } else { "" };
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
