//! Rule sets as people write them.
#![allow(clippy::unwrap_used)]

use super::*;
use crate::domain::claim::Verdict;
use crate::domain::rules::ruleset::Whom;
use crate::domain::time::Day;

fn read(text: &str) -> Result<RuleSet, RuleSetError> {
    let table: toml::Table = text.parse().unwrap();
    from_config(table.get("rules").and_then(toml::Value::as_table), Terms::default())
}

fn refusal(text: &str) -> String {
    read(text).unwrap_err().to_string()
}

#[test]
fn without_a_section_all_defaults_hold() {
    let set = from_config(None, Terms::default()).unwrap();
    assert_eq!(RuleSet { digest: "default".into(), ..set.clone() }, RuleSet::default());
    assert_eq!(set.digest.len(), 16);
}

#[test]
fn the_example_changes_nothing_and_is_the_one_that_is_shipped() {
    assert_eq!(read(&example()).unwrap(), from_config(None, Terms::default()).unwrap());
    // The commented override and allowance are ones that can be used.
    let uncommented = |line: &str| match line.strip_prefix("# ") {
        Some(rest) if rest.starts_with("[[") || rest.contains(" = ") => rest.to_owned(),
        _ => line.to_owned(),
    };
    let with_both: Vec<String> = example().lines().map(uncommented).collect();
    let with_both = read(&with_both.join("\n")).unwrap();
    assert_eq!((with_both.overrides.len(), with_both.allowances.len()), (2, 1));

    is_checked_in("deploy/reference/rules.example.toml", &example());
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
    assert_ne!(set.digest, from_config(None, Terms::default()).unwrap().digest);
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

/// The file is what the program makes; with `TRACEWARDEN_WRITE_GENERATED` in the environment it is made so.
fn is_checked_in(path: &str, made: &str) {
    if std::env::var_os("TRACEWARDEN_WRITE_GENERATED").is_some() {
        std::fs::write(path, made).unwrap();
    }
    let shipped = std::fs::read_to_string(path).unwrap_or_default();
    assert!(shipped == made, "{path} is out of date; run this test with TRACEWARDEN_WRITE_GENERATED=1");
}

#[test]
fn an_allowance_is_part_of_the_digest() {
    let with = |reason: &str| {
        let text = format!(
            "[[rules.allow]]\nrule = \"resale\"\ncode = \" 81773220288616423835\"\nexpires_on = 2026-06-30\nreason = \"{reason}\""
        );
        read(&text).unwrap()
    };
    let set = with("printed twice");
    let code = set.allowances.first().and_then(|allowance| allowance.code.as_deref());
    assert_eq!(code, Some("81773220288616423835"));
    assert_ne!(set.digest, from_config(None, Terms::default()).unwrap().digest);
    assert_ne!(set.digest, with("printed thrice").digest);
}

#[test]
fn services_that_decide_differently_have_different_digests() {
    let digest = |terms: Terms| from_config(None, terms).unwrap().digest;
    let usual = Terms::default();
    let policy = |policy: Policy| Terms { policy, ..usual };
    let digests = [
        usual,
        policy(Policy { decision_deadline: Millis::from_hours(1), ..usual.policy }),
        policy(Policy { provisional: Verdict::Pay, ..usual.policy }),
        policy(Policy { deadline_enabled: false, ..usual.policy }),
        Terms { horizon: Some(Millis::from_days(90)), ..usual },
        Terms { timers_per_entry_max: Some(1), ..usual },
    ]
    .map(digest);
    let different: std::collections::BTreeSet<_> = digests.iter().collect();
    assert_eq!(different.len(), digests.len(), "{digests:?}");
}

#[test]
fn every_refusal_of_an_allowance_names_the_field() {
    let cases = [
        ("", "rule: is missing"),
        ("rule = \"over_limit\"", "rule: over_limit is an operational limit"),
        ("rule = \"resale\"", "institution_id: is missing"),
        (
            "rule = \"resale\"\ninstitution_id = \"P3702\"",
            "institution_id: \"P3702\" cannot be used: give 12",
        ),
        ("rule = \"resale\"\ngroup = \"settlement\"", "group: needs document_id"),
        ("rule = \"resale\"\ndocument_id = \"S1\"", "document_id: needs group"),
        (
            "rule = \"resale\"\ngroup = \"settlement\"\ndocument_id = \"S1\"",
            "document_id: needs institution_id",
        ),
        ("rule = \"resale\"\nline_id = \"1\"", "line_id: needs group and document_id"),
        (
            "rule = \"no_code\"\ncode = \"81773220288616423835\"",
            "code: cannot be given: no_code judges a line",
        ),
        ("rule = \"resale\"\ncode = \"817\"", "code: \"817\" is no code of a single package"),
        ("rule = \"resale\"\ninstitution_id = \"P37020300001\"", "expires_on: is missing"),
        (
            "rule = \"resale\"\ninstitution_id = \"P37020300001\"\nvalid_from = 2026-01-02\nexpires_on = 2026-01-01",
            "expires_on: is earlier than valid_from",
        ),
        (
            "rule = \"resale\"\ninstitution_id = \"P37020300001\"\nexpires_on = 2026-01-01",
            "reason: is missing",
        ),
        (
            "rule = \"resale\"\ninstitution_id = \"P37020300001\"\nexpires_on = 2026-01-01\nreason = \"x\"\nuntil = 1",
            "until: is not known",
        ),
    ];
    for (text, expected) in cases {
        let found = refusal(&format!("[[rules.allow]]\n{text}"));
        assert!(found.starts_with(&format!("rules.allow number 1.{expected}")), "{text}\n  {found}");
    }
}

#[test]
fn the_reference_page_is_the_one_that_is_shipped() {
    is_checked_in("deploy/reference/rules.md", &reference_page());
}

#[test]
fn the_catalogue_lists_every_rule() {
    let parsed: serde_json::Value = serde_json::from_str(&catalogue_json()).unwrap();
    let table = catalogue_table();
    for entry in RULES {
        assert!(table.lines().any(|line| line.starts_with(entry.name)), "{}", entry.name);
        let rules = parsed.get("rules").and_then(serde_json::Value::as_array).unwrap();
        assert!(rules.iter().any(|rule| rule.get("rule").and_then(|name| name.as_str()) == Some(entry.name)));
    }
}
