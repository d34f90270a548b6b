//! Arbitrary rule sets, findings and what was published of them.

use super::*;

pub(crate) fn rule_set() -> BoxedStrategy<RuleSet> {
    let action = || select(&Action::ALL[..]);
    let severity = || select(&Severity::ALL[..]);
    let millis = || any::<u64>().prop_map(Millis::new);
    let setting = (any::<bool>(), action(), severity(), millis())
        .prop_map(|(enabled, action, severity, grace)| Setting { enabled, action, severity, grace });
    let whom = (of(text()), of(text()), of(text()), of(text()), of(day()), of(day()));
    let what = (any::<Option<bool>>(), of(action()), of(severity()), of(millis()));
    let deviation = (rule(), whom, what).prop_map(|(rule, whom, what)| Override {
        rule,
        region: whom.0,
        tier: whom.1,
        institution_id: whom.2,
        product_code: whom.3,
        valid_from: whom.4,
        valid_to: whom.5,
        enabled: what.0,
        action: what.1,
        severity: what.2,
        grace: what.3,
    });
    let windows = (millis(), millis(), of(millis()), any::<Option<u32>>(), millis(), day());
    let policy =
        (millis(), any::<bool>(), any::<bool>()).prop_map(|(decision_deadline, pays, deadline_enabled)| {
            Policy {
                decision_deadline,
                provisional: if pays { Verdict::Pay } else { Verdict::Hold },
                deadline_enabled,
            }
        });
    (text(), windows, vec(setting, RULES.len()), vec(deviation, 0..3), vec(allowance(), 0..3), policy)
        .prop_map(|(digest, windows, defaults, overrides, allowances, policy)| RuleSet {
            digest,
            sale_link_window: windows.0,
            sale_match_window: windows.1,
            lend_window: windows.4,
            duty_from: windows.5,
            defaults,
            overrides,
            allowances,
            policy,
            horizon: windows.2,
            timers_per_entry_max: windows.3.map(|most| most as usize),
        })
        .boxed()
}

fn allowance() -> BoxedStrategy<Allowance> {
    let whom = (of(text()), of(document_key()), of(text()), of(text()));
    (rule(), whom, of(day()), day(), text())
        .prop_map(|(rule, whom, valid_from, expires_on, reason)| Allowance {
            rule,
            institution_id: whom.0,
            document: whom.1.map(|key| (key.group, key.document_id)),
            line_id: whom.2,
            code: whom.3,
            valid_from,
            expires_on,
            reason,
        })
        .boxed()
}

fn side() -> BoxedStrategy<Side> {
    let event = (select(&Kind::ALL[..]), of(select(&ROLES[..])), moment(), person(), text());
    let around = (of(lent_from()), surroundings());
    (observation_key(), event, any::<(bool, bool)>(), around, origin())
        .prop_map(|(key, (kind, role, occurred_at, person, region), custody, around, origin)| Side {
            key,
            kind,
            role,
            occurred_at,
            person,
            region,
            custody: custody.0,
            custody_proof: custody.1,
            lent_from: around.0,
            surroundings: around.1,
            origin,
        })
        .boxed()
}

fn attributes() -> BoxedStrategy<Attributes> {
    let code = (text(), of(select(&INVALID[..])), of(text()), of(text()), of(lent_from())).prop_map(
        |(code, invalid, product_code, product_name, lent_from)| ConcernedCode {
            code,
            invalid,
            product_code,
            product_name,
            lent_from,
        },
    );
    let banned = vec(select(&BANNED[..]), 0..3);
    let sums = (of(quantity()), of(quantity()), of(quantity()), of(quantity()));
    (banned, vec(code, 0..3), sums, any::<(bool, Option<u64>, Option<u32>)>(), of(text()))
        .prop_map(|(banned, codes, sums, (estimate, count, grace_hours), allowed)| Attributes {
            shortfall: sums.0,
            banned,
            codes,
            need: sums.1,
            used: sums.2,
            content: sums.3,
            estimate,
            count,
            grace_hours,
            allowed,
        })
        .boxed()
}

fn finding() -> BoxedStrategy<Finding> {
    let what = (
        rule(),
        of(select(&[Basis::Catalogue, Basis::Declared][..])),
        of(select(&[Scope::Institution, Scope::Region, Scope::OtherRegion][..])),
        select(&Action::ALL[..]),
        select(&Severity::ALL[..]),
    );
    let sides = (side(), of(side()), vec(side(), 0..3), any::<u32>());
    let product = (of(text()), of(text()), of(money()));
    (what, sides, product, attributes())
        .prop_map(|(what, sides, product, attributes)| Finding {
            rule: what.0,
            basis: what.1,
            scope: what.2,
            action: what.3,
            severity: what.4,
            subject: sides.0,
            counterpart: sides.1,
            evidence: sides.2,
            evidence_omitted: sides.3,
            product_code: product.0,
            product_name: product.1,
            amount_at_risk: product.2,
            attributes,
        })
        .boxed()
}

/// Books whose entries stand under the key of their finding.
pub(crate) fn alert_book() -> impl Strategy<Value = AlertBook> {
    vec((finding(), any::<u32>(), moment(), any::<bool>()), 0..3).prop_map(|published| AlertBook {
        published: published
            .into_iter()
            .map(|(finding, revision, raised_at, is_open)| {
                let key = finding.key();
                (key, Published { revision, raised_at, open: is_open.then(|| Box::new(finding)) })
            })
            .collect(),
    })
}
