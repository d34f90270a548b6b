//! Rule sets as people write them.
#![allow(clippy::unwrap_used)]

use super::*;
use crate::domain::rules::ruleset::Whom;
use crate::domain::time::Day;

fn read(text: &str) -> Result<RuleSet, RuleSetError> {
    let table: toml::Table = text.parse().unwrap();
    from_config(table.get("rules").and_then(toml::Value::as_table))
}

fn refusal(text: &str) -> String {
    read(text).unwrap_err().to_string()
}

#[test]
fn without_a_section_all_defaults_hold() {
    let set = from_config(None).unwrap();
    assert_eq!(RuleSet { digest: "default".into(), ..set.clone() }, RuleSet::default());
    assert_eq!(set.digest.len(), 16);
}

#[test]
fn the_example_changes_nothing_and_is_the_one_that_is_shipped() {
    assert_eq!(read(&example()).unwrap(), from_config(None).unwrap());
    // The commented override is one that can be used.
    let uncommented = example().replace("\n# [[", "\n[[");
    let (head, tail) = uncommented.split_once("[[rules.override]]").unwrap();
    let with_override = format!("{head}[[rules.override]]{}", tail.replace("\n# ", "\n"));
    assert_eq!(read(&with_override).unwrap().overrides.len(), 1);

    let shipped = std::fs::read_to_string("deploy/reference/rules.example.toml").unwrap();
    assert_eq!(shipped, example(), "deploy/reference/rules.example.toml is not what the program prints");
}

#[test]
fn a_section_changes_what_it_says_and_the_digest() {
    let set = read(
        "[rules]\nsale_match_window_hours = 12\n[rules.not_purchased]\ngrace_hours = 96\nseverity = \"low\"\n\
         [rules.swap]\nenabled = false",
    )
    .unwrap();
    assert_eq!(set.sale_match_window, Millis::from_hours(12));
    let setting = |rule: RuleId| set.defaults.get(rule as usize).copied().unwrap();
    assert_eq!(setting(RuleId::NotPurchased).grace, Millis::from_hours(96));
    assert_eq!(setting(RuleId::NotPurchased).severity, Severity::Low);
    assert_eq!(setting(RuleId::NotPurchased).action, Action::Alert);
    assert!(!setting(RuleId::Swap).enabled);
    assert_ne!(set.digest, from_config(None).unwrap().digest);
}

#[test]
fn an_override_holds_for_its_subjects_on_its_days() {
    let set = read(
        "[[rules.override]]\nrule = \"swap\"\nregion = \"370203\"\nvalid_from = 2026-01-01\naction = \"hold\"",
    )
    .unwrap();
    let action = |region: &str, day: Day| {
        let whom = Whom { region, tier: None, institution_id: "P37020300001", product_code: None, day };
        set.setting(RuleId::Swap, &whom).action
    };
    let (before, after) = (Day::from_civil(2025, 12, 31).unwrap(), Day::from_civil(2026, 1, 1).unwrap());
    assert_eq!(action("370203", after), Action::Hold);
    assert_eq!(action("370203", before), Action::Refuse);
    assert_eq!(action("440305", after), Action::Refuse);
}

#[test]
fn every_refusal_names_the_field() {
    let cases = [
        ("[rules]\nsale_link_window_hours = 0", "rules.sale_link_window_hours: 0 cannot be used"),
        ("[rules]\nswop = 1", "rules.swop: is not known"),
        ("[rules]\nswap = 1", "rules.swap: 1 cannot be used: give a section"),
        ("[rules.swap]\nactoin = \"hold\"", "rules.swap.actoin: is not known"),
        ("[rules.swap]\naction = \"pay\"", "rules.swap.action: \"pay\" cannot be used: give one of observe"),
        ("[rules.swap]\nsale_link_window_hours = 1", "rules.swap.sale_link_window_hours: is not known"),
        ("[rules.swap]\ngrace_hours = 1", "rules.swap.grace_hours: cannot be set: swap waits for nothing"),
        ("[[rules.override]]\naction = \"hold\"", "rules.override number 1.rule: is missing"),
        ("[[rules.override]]\nrule = \"swap\"", "rules.override number 1.rule: changes nothing"),
        (
            "[[rules.override]]\nrule = \"swap\"\nenabled = true\nvalid_from = \"2026-02-30\"",
            "rules.override number 1.valid_from: \"2026-02-30\" cannot be used: give a day",
        ),
        (
            "[[rules.override]]\nrule=\"swap\"\nenabled=true\nvalid_from=\"2026-02-02\"\nvalid_to=\"2026-02-01\"",
            "rules.override number 1.valid_to: is earlier than valid_from",
        ),
    ];
    for (text, expected) in cases {
        let found = refusal(text);
        assert!(found.starts_with(expected), "{text}\n  {found}");
    }
}

#[test]
fn the_catalogue_lists_every_rule() {
    let parsed: serde_json::Value = serde_json::from_str(&catalogue_json()).unwrap();
    let table = catalogue_table();
    for entry in &RULES {
        assert!(table.lines().any(|line| line.starts_with(entry.name)), "{}", entry.name);
        let rules = parsed.get("rules").and_then(serde_json::Value::as_array).unwrap();
        assert!(rules.iter().any(|rule| rule.get("rule").and_then(|name| name.as_str()) == Some(entry.name)));
    }
}
