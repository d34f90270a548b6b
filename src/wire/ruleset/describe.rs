//! The catalogue of rules for people and programs, and the documented example of the configuration.

use std::fmt::Write;

use crate::domain::rules::catalogue::{Entry, Judges, RULE_VERSION, RULES};
use crate::domain::rules::ruleset::RuleSet;
use crate::domain::time::Millis;

const HOUR_MILLIS: u64 = 3_600_000;

/// All rules as a table, one a line.
pub fn catalogue_table() -> String {
    let mut text = format!("{:<23}{:<9}{:<9}{:<7}{:<6}title\n", "rule", "action", "severity", "grace", "on");
    for entry in &RULES {
        let grace = grace_hours(entry).map_or("-".to_owned(), |hours| format!("{hours} h"));
        let judges = judges(entry);
        let (action, severity) = (entry.action.name(), entry.severity.name());
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "{:<23}{action:<9}{severity:<9}{grace:<7}{judges:<6}{} {}",
            entry.name, entry.title_zh, entry.title_en
        );
    }
    text.trim_end().to_owned()
}

/// All rules as JSON.
pub fn catalogue_json() -> String {
    let rules = RULES.iter().map(|entry| {
        serde_json::json!({
            "rule": entry.name,
            "title": { "zh": entry.title_zh, "en": entry.title_en },
            "judges": judges(entry),
            "subject": entry.subject,
            "action": entry.action.name(),
            "severity": entry.severity.name(),
            "grace": entry.grace.map(|(name, _)| name),
            "grace_hours": grace_hours(entry),
            "basis": entry.basis,
        })
    });
    let catalogue = serde_json::json!({ "rule_version": RULE_VERSION, "rules": rules.collect::<Vec<_>>() });
    format!("{catalogue:#}")
}

/// The `[rules]` section with every key, its meaning and its default. It can be used as it is: it changes nothing.
pub fn example() -> String {
    let set = RuleSet::default();
    let hours = |length: Millis| length.get() / HOUR_MILLIS;
    let mut text = String::from(EXAMPLE_HEAD);
    // Writing to a string cannot fail.
    let _ = writeln!(text, "sale_link_window_hours = {}", hours(set.sale_link_window));
    text.push_str(EXAMPLE_MATCH);
    let _ = writeln!(text, "sale_match_window_hours = {}", hours(set.sale_match_window));
    for (entry, setting) in RULES.iter().zip(&set.defaults) {
        let _ = writeln!(text, "\n# {} ({}): {}.", entry.title_en, entry.title_zh, entry.basis);
        let _ = writeln!(text, "[rules.{}]", entry.name);
        let _ = writeln!(text, "enabled = {}", setting.enabled);
        let _ = writeln!(text, "action = \"{}\"", setting.action.name());
        let _ = writeln!(text, "severity = \"{}\"", setting.severity.name());
        if entry.grace.is_some() {
            let _ = writeln!(text, "grace_hours = {}", hours(setting.grace));
        }
    }
    text.push_str(EXAMPLE_OVERRIDE);
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
";

fn judges(entry: &Entry) -> &'static str {
    match entry.judges {
        Judges::Line => "line",
        Judges::Code => "code",
    }
}

fn grace_hours(entry: &Entry) -> Option<u64> {
    entry.grace.map(|(_, grace)| grace.get() / HOUR_MILLIS)
}
