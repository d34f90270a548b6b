//! The catalogue of rules for people and programs, and the documented example of the configuration.

use std::fmt::Write;

use crate::domain::rules::catalogue::{RULE_VERSION, RULES};
use crate::domain::rules::entry::RuleEntry;
use crate::domain::rules::ruleset::RuleSet;
use crate::domain::time::Millis;

const HOUR_MILLIS: u64 = 3_600_000;

/// All rules as a table, one a line.
pub fn catalogue_table() -> String {
    let mut text =
        format!("{:<23}{:<9}{:<10}{:<21}{:<8}title\n", "rule", "action", "severity", "waits", "judges");
    for entry in RULES {
        let waits =
            entry.grace.map_or("-".to_owned(), |grace| format!("{} {} h", grace.name, hours(grace.default)));
        let judges = entry.judges.name();
        let (action, severity) = (entry.action.name(), entry.severity.name());
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "{:<23}{action:<9}{severity:<10}{waits:<21}{judges:<8}{} {}",
            entry.name, entry.title.zh, entry.title.en
        );
    }
    text.push_str("\nThe action is the strongest one, which is that on settlements. ");
    text.push_str("`--json` tells more; so does deploy/reference/rules.md.");
    text
}

/// The reference page; `deploy/reference/rules.md` is this text.
pub fn reference_page() -> String {
    let set = RuleSet::default();
    let mut page = String::from(PAGE_HEAD);
    // Writing to a string cannot fail.
    let _ = writeln!(
        page,
        "| `sale_link_window_hours` | {} | hours | {WINDOW_LINK} |",
        hours(set.sale_link_window)
    );
    let _ = writeln!(
        page,
        "| `sale_match_window_hours` | {} | hours | {WINDOW_MATCH} |",
        hours(set.sale_match_window)
    );
    let _ = writeln!(page, "| `lend_window_hours` | {} | hours | {WINDOW_LEND} |", hours(set.lend_window));
    let _ = writeln!(page, "| `duty_from` | {} | day | {DUTY_FROM} |", set.duty_from);
    page.push_str("\n## Rules\n\n| rule | 中文 | action | severity | waits |\n|---|---|---|---|---|\n");
    for entry in RULES {
        let waits =
            entry.grace.map_or(String::new(), |grace| format!("{} h ({})", hours(grace.default), grace.name));
        let (name, action, severity) = (entry.name, entry.action.name(), entry.severity.name());
        let _ =
            writeln!(page, "| [{name}](#{name}) | {} | {action} | {severity} | {waits} |", entry.title.zh);
    }
    for entry in RULES {
        let _ = writeln!(
            page,
            "\n### {}\n\n{} {}: {}.\n",
            entry.name, entry.title.zh, entry.title.en, entry.catches
        );
        let _ = writeln!(page, "- judges: a {}; subject: {}", entry.judges.name(), entry.subject);
        if let Some(grace) = entry.grace {
            let _ = writeln!(page, "- `grace_hours` = {}: {}", hours(grace.default), grace.name);
        }
        let _ = writeln!(page, "- basis: {}", entry.basis);
    }
    page
}

const PAGE_HEAD: &str = "\
# Rules

Made from the entries in `src/domain/rules`. A rule states a fact, not an accusation; what follows from
it is set here. `rules.example.toml` beside this page shows every key of the section `[rules]`.

| key of a rule | values | meaning |
|---|---|---|
| `enabled` | true, false | whether it is evaluated at all |
| `action` | observe, alert, hold, refuse | the strongest it may do: count only, publish an alert, hold or refuse the claim line. What the rule states more softly stays softer |
| `severity` | info, low, medium, high, critical | of its alerts |
| `grace_hours` | hours | how long it waits for what would explain the finding; only where the table says so |

`[[rules.override]]` replaces these for a region, an institution tier, an institution, a product, or several of them at
once, between two days; of several that apply the last wins, key by key. `[[rules.allow]]` silences one rule for one
institution, document, line or code until a last day, with a reason; what it silences is counted and logged. Days are
those of the document. The digest of all this is in every alert and decision.

## Windows

Two halves of a sale are matched in the same way everywhere, so these have no overrides.

| key of `[rules]` | default | unit | meaning |
|---|---|---|---|
";
const WINDOW_LINK: &str = "greatest distance of a dispensing and a settlement that share an id";
const WINDOW_LEND: &str = "greatest distance of a hand-over that lends its codes by the visit id and a settlement without settlement id";
const DUTY_FROM: &str = "before this day nothing is held or refused for want of codes, or for wrong ones";
const WINDOW_MATCH: &str = "greatest distance of those that share nothing but the person";

/// All rules as JSON.
pub fn catalogue_json() -> String {
    let rules = RULES.iter().map(|entry| {
        serde_json::json!({
            "rule": entry.name,
            "title": { "zh": entry.title.zh, "en": entry.title.en },
            "judges": entry.judges.name(),
            "subject": entry.subject,
            "action": entry.action.name(),
            "severity": entry.severity.name(),
            "grace": entry.grace.map(|grace| grace.name),
            "grace_hours": grace_hours(entry),
            "basis": entry.basis,
            "catches": entry.catches,
        })
    });
    let catalogue = serde_json::json!({ "rule_version": RULE_VERSION, "rules": rules.collect::<Vec<_>>() });
    format!("{catalogue:#}")
}

/// The `[rules]` section with every key, its meaning and its default. It can be used as it is: it changes nothing.
pub fn example() -> String {
    let set = RuleSet::default();
    let mut text = String::from(EXAMPLE_HEAD);
    // Writing to a string cannot fail.
    let _ = writeln!(text, "sale_link_window_hours = {}", hours(set.sale_link_window));
    text.push_str(EXAMPLE_MATCH);
    let _ = writeln!(text, "sale_match_window_hours = {}", hours(set.sale_match_window));
    text.push_str(EXAMPLE_LEND);
    let _ = writeln!(text, "lend_window_hours = {}", hours(set.lend_window));
    text.push_str(EXAMPLE_DUTY);
    let _ = writeln!(text, "duty_from = \"{}\"", set.duty_from);
    for (entry, setting) in RULES.iter().zip(&set.defaults) {
        let _ = writeln!(text, "\n# {} {}: {}.", entry.title.zh, entry.title.en, entry.catches);
        let _ = writeln!(text, "[rules.{}]", entry.name);
        let _ = writeln!(text, "enabled = {}", setting.enabled);
        let _ = writeln!(text, "action = \"{}\"", setting.action.name());
        let _ = writeln!(text, "severity = \"{}\"", setting.severity.name());
        if entry.grace.is_some() {
            let _ = writeln!(text, "grace_hours = {}", hours(setting.grace));
        }
    }
    text.push_str(EXAMPLE_OVERRIDE);
    text.push_str(EXAMPLE_ALLOW);
    text
}

const EXAMPLE_HEAD: &str = "\
# The rule set: every key with its default. What is left out keeps its default.
#
# enabled      whether the rule is evaluated at all
# action       the strongest the rule may do: observe (metrics only), alert, hold or refuse the claim line
# severity     info, low, medium, high, critical
# grace_hours  how long the rule waits for what would explain the finding; only where it waits

[rules]
# The two halves of a sale, dispensing and settlement, that share an id are at most this far apart.
";

const EXAMPLE_LEND: &str = "\
# A hand-over lends its codes by the visit id to a settlement without settlement id that is at most this far apart.
";

const EXAMPLE_DUTY: &str = "\
# Before this day nothing is held or refused for want of codes or for wrong ones: a look-back says it in alerts.
";

const EXAMPLE_MATCH: &str = "\
# Those that share nothing but the person are at most this far apart.
";

const EXAMPLE_OVERRIDE: &str = "
# Deviations, as many as needed; of several that apply the last one wins, key by key. All conditions must hold;
# valid_from and valid_to are compared with the day of the document that is judged, both inclusive.
# [[rules.override]]
# rule = \"swap\"
# region = \"370203\"
# tier = \"pharmacy\"
# institution_id = \"P37020300001\"
# product_code = \"XR05CBA198A001010100863\"
# valid_from = \"2026-01-01\"
# valid_to = \"2026-03-31\"
# enabled = true
# action = \"hold\"
# severity = \"medium\"
#
# A default that changes by date and tier: hospitals are held for want of codes in their first months, and refused by
# the default afterwards.
# [[rules.override]]
# rule = \"no_code\"
# tier = \"3\"
# valid_from = \"2026-01-01\"
# valid_to = \"2026-06-30\"
# action = \"hold\"
";

const EXAMPLE_ALLOW: &str = "
# Findings that somebody looked into and found harmless: one rule silenced for an institution, one of its documents
# (group and document_id), a line of it, or a code; all conditions must hold. Days are those of the document, both
# inclusive. What is silenced acts `observe`; it is counted and logged with its reason. The digest covers it.
# [[rules.allow]]
# rule = \"not_purchased\"
# institution_id = \"H37020300002\"
# group = \"settlement\"
# document_id = \"20260105-000123\"
# line_id = \"1\"
# code = \"81773220288616423835\"
# valid_from = \"2026-01-01\"
# expires_on = \"2026-06-30\"
# reason = \"purchase records lost in a fire\"
";

fn grace_hours(entry: &RuleEntry) -> Option<u64> {
    entry.grace.map(|grace| hours(grace.default))
}

fn hours(length: Millis) -> u64 {
    length.get() / HOUR_MILLIS
}
