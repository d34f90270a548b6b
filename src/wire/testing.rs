//! Arbitrary domain values for round-trip tests.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod findings;

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::collection::{btree_map, btree_set, vec};
use proptest::option::of;
use proptest::prelude::*;
use proptest::sample::select;

use crate::domain::Text;
use crate::domain::adjudicator::Policy;
use crate::domain::alert::{AlertBook, Published};
use crate::domain::amount::{Money, Quantity};
use crate::domain::claim::{Claim, ClaimChange, ClaimLine, CodeVerdict, LentTo, Verdict};
use crate::domain::document::lending::{Offer, OfferedLine};
use crate::domain::document::merge::Stamped;
use crate::domain::document::occurred::OccurredAt;
use crate::domain::document::particulars::{Circumstances, Prescription, Service, Surroundings};
use crate::domain::document::{
    Adjusts, CodesFacet, Counterparty, DocumentKey, FeeFacet, Group, Header, Kind, LineVersion, Origin, Part,
    Parts, Person, Pseudonym, ReturnedSale, Reversal, Role, ScannedCode, Version,
};
use crate::domain::finding::{Attributes, BannedReason, ConcernedCode, Finding, Side};
use crate::domain::handling::{self, Act, Handling, Issued, LineRuling, Paid, Payment, Ruling};
use crate::domain::observation::{CodeChange, LentFrom, Observation, ObservationKey, What};
use crate::domain::outcome::{Leniency, RejectReason};
use crate::domain::reference::{Institution, Item, Key, Product, Record, Slice, Value};
use crate::domain::rules::allowance::Allowance;
use crate::domain::rules::catalogue::RULES;
use crate::domain::rules::ruleset::{Override, RuleSet, Setting};
use crate::domain::rules::{Action, Basis, RuleId, Scope, Severity};
use crate::domain::sender::{Counts, Received, SenderDay, Standing};
use crate::domain::time::{Day, Millis, Timestamp};
use crate::domain::trace_code::{Family, InvalidReason, Scan, TraceCode};

pub(crate) use findings::{alert_book, rule_set};

pub(crate) const ROLES: [Role; 5] =
    [Role::StockIn, Role::Dispensing, Role::Settlement, Role::Return, Role::StockOut];
pub(crate) const WHATS: [What; 4] = [What::Asserted, What::Retracted, What::Tick, What::Reference];
const VERDICTS: [Verdict; 3] = [Verdict::Pay, Verdict::Hold, Verdict::Refuse];
const BANNED: [BannedReason; 3] = [BannedReason::Expired, BannedReason::Recalled, BannedReason::Listed];
const FAMILIES: [Family; 5] = [Family::Drug20, Family::Gs1, Family::Ma, Family::Hibc, Family::Maker];
const INVALID: [InvalidReason; 11] = [
    InvalidReason::CheckDigit,
    InvalidReason::Placeholder,
    InvalidReason::LogisticsLabel,
    InvalidReason::PartOfSet,
    InvalidReason::Rounded,
    InvalidReason::NotATraceCode,
    InvalidReason::Barcode69,
    InvalidReason::Doubled,
    InvalidReason::Truncated,
    InvalidReason::Overlong,
    InvalidReason::Unrecognised,
];

pub(crate) fn text() -> impl Strategy<Value = Text> {
    prop_oneof![
        select(&["", "1", "2", "复方阿胶浆", "P37020304446"][..]).prop_map(Text::from),
        "[a-z]{0,3}".prop_map(Text::from)
    ]
}

pub(crate) fn rule() -> impl Strategy<Value = RuleId> {
    (0..RULES.len()).prop_map(|index| RULES[index].id)
}

pub(crate) fn moment() -> impl Strategy<Value = Timestamp> {
    prop_oneof![any::<i64>(), 0..2_000_000_000_000_i64].prop_map(Timestamp::from_unix_millis)
}

pub(crate) fn day() -> impl Strategy<Value = Day> {
    any::<i32>().prop_map(Day::from_days_since_epoch)
}

pub(crate) fn money() -> impl Strategy<Value = Money> {
    any::<i64>().prop_map(Money::from_fen)
}

pub(crate) fn quantity() -> impl Strategy<Value = Quantity> {
    any::<i64>().prop_map(Quantity::from_thousandths)
}

pub(crate) fn verdict() -> impl Strategy<Value = Verdict> {
    select(&VERDICTS[..])
}

pub(crate) fn reasons() -> impl Strategy<Value = BTreeMap<RuleId, Verdict>> {
    btree_map(rule(), verdict(), 0..3)
}

pub(crate) fn document_key() -> impl Strategy<Value = DocumentKey> {
    (text(), select(&Group::ALL[..]), text()).prop_map(|(institution_id, group, document_id)| DocumentKey {
        institution_id,
        group,
        document_id,
    })
}

fn pseudonym() -> impl Strategy<Value = Pseudonym> {
    any::<(u32, [u8; 16])>().prop_map(|(key_id, digest)| Pseudonym { key_id, digest })
}

pub(crate) fn person() -> BoxedStrategy<Person> {
    (of(pseudonym()), of(pseudonym()))
        .prop_map(|(number, certificate)| Person { number, certificate })
        .boxed()
}

pub(crate) fn origin() -> BoxedStrategy<Origin> {
    (text(), any::<i32>(), any::<i64>(), moment())
        .prop_map(|(topic, partition, offset, received_at)| Origin { topic, partition, offset, received_at })
        .boxed()
}

pub(crate) fn product() -> impl Strategy<Value = Product> {
    (of(text()), of(text()), any::<u32>(), any::<Option<u32>>()).prop_map(
        |(product_code, name, packs_per_code, units_per_pack)| Product {
            product_code,
            name,
            packs_per_code,
            units_per_pack,
        },
    )
}

fn institution() -> BoxedStrategy<Institution> {
    let contract = (of(day()), of(text()));
    (of(text()), of(text()), of(text()), of(day()), of(day()), of(day()), contract)
        .prop_map(|(name, region, tier, stock, dispensing, codes, contract)| Institution {
            name,
            region,
            tier,
            stock_uploaded_since: stock,
            dispensing_uploaded_since: dispensing,
            codes_in_settlement_since: codes,
            contract_from: contract.0,
            successor_of: contract.1,
        })
        .boxed()
}

fn keyed_value() -> impl Strategy<Value = (Key, Value)> {
    prop_oneof![
        (text(), product()).prop_map(|(prefix, product)| (Key::Product { prefix }, Value::Product(product))),
        (text(), any::<(Option<bool>, bool)>()).prop_map(|(product_code, (traceable, watch))| {
            (Key::Item { product_code }, Value::Item(Item { traceable, watch }))
        }),
        (text(), institution()).prop_map(|(institution_id, institution)| {
            (Key::Institution { institution_id }, Value::Institution(institution))
        }),
        (text(), of(text())).prop_map(|(product_code, institution_id)| {
            (Key::Exemption { product_code, institution_id }, Value::Present)
        }),
        (text(), text()).prop_map(|(institution_id, product_code)| {
            (Key::NoCodeStock { institution_id, product_code }, Value::Present)
        }),
        (text(), text()).prop_map(|(product_code, lot)| (Key::Recall { product_code, lot }, Value::Present)),
        text().prop_map(|code| (Key::BannedCode { code }, Value::Present)),
    ]
}

fn slice() -> BoxedStrategy<Slice> {
    let record = (keyed_value(), of(day()), of(day())).prop_map(|((key, value), valid_from, valid_to)| {
        Arc::new(Record { key, valid_from, valid_to, value })
    });
    (any::<u64>(), vec(record, 0..3)).prop_map(|(version, records)| Slice::new(version, records)).boxed()
}

fn part<T: std::fmt::Debug>(content: impl Strategy<Value = T>) -> impl Strategy<Value = Part<T>> {
    (content, slice()).prop_map(|(content, reference)| Part { content, reference })
}

pub(crate) fn returned_sale() -> impl Strategy<Value = ReturnedSale> {
    (text(), of(text())).prop_map(|(document_id, line_id)| ReturnedSale { document_id, line_id })
}

fn occurred_at() -> impl Strategy<Value = OccurredAt> {
    prop_oneof![moment().prop_map(OccurredAt::Moment), day().prop_map(OccurredAt::Day)]
}

fn circumstances() -> impl Strategy<Value = Circumstances> {
    let texts = (of(text()), of(text()), of(text()), of(text()), of(text()));
    let declared = (of(any::<u32>()), of(any::<u32>()));
    (texts, of(money()), of(select(&Service::ALL[..])), declared).prop_map(
        |(texts, account_amount, service, declared)| Circumstances {
            credential_type: texts.0,
            device_id: texts.1,
            operator_kind: texts.2,
            insured_region: texts.3,
            medical_type: texts.4,
            account_amount,
            service,
            declared_codes: declared.0,
            declared_consumable_codes: declared.1,
        },
    )
}

fn prescription() -> impl Strategy<Value = Prescription> {
    let ids = (of(text()), of(text()), of(text()), of(text()));
    (ids, any::<bool>(), of(quantity())).prop_map(|(ids, rx_external, days_supply)| Prescription {
        rx_id: ids.0,
        rx_external,
        prescriber_id: ids.1,
        pharmacist_id: ids.2,
        department_id: ids.3,
        days_supply,
    })
}

pub(crate) fn header_part() -> BoxedStrategy<Part<Header>> {
    let counterparty = (of(text()), of(text()), of(text()), of(text())).prop_map(
        |(name, license, delivery_note, invoice)| Counterparty { name, license, delivery_note, invoice },
    );
    let ids = (of(text()), of(text()), of(text()));
    part(
        (
            select(&Kind::ALL[..]),
            occurred_at(),
            person(),
            ids,
            of(money()),
            counterparty,
            of(returned_sale()),
            circumstances(),
        )
            .prop_map(
                |(kind, occurred_at, person, ids, fund_amount, counterparty, returns, circumstances)| {
                    Header {
                        kind,
                        occurred_at,
                        person,
                        visit_id: ids.0,
                        settlement_id: ids.1,
                        operator_id: ids.2,
                        fund_amount,
                        counterparty,
                        returns,
                        circumstances,
                    }
                },
            ),
    )
    .boxed()
}

pub(crate) fn fee_part() -> BoxedStrategy<Part<FeeFacet>> {
    part(
        (
            of(text()),
            of(text()),
            of(quantity()),
            any::<bool>(),
            of(money()),
            of(money()),
            of(text()),
            of(day()),
            of(prop_oneof![text().prop_map(Adjusts::from_text), Just(Adjusts::SameProduct)]),
            prescription(),
        )
            .prop_map(
                |(
                    product_code,
                    product_name,
                    quantity,
                    split,
                    amount,
                    fund_amount,
                    lot,
                    expires_on,
                    adjusts,
                    prescription,
                )| {
                    FeeFacet {
                        product_code,
                        product_name,
                        quantity,
                        split,
                        amount,
                        fund_amount,
                        lot,
                        expires_on,
                        adjusts,
                        prescription,
                    }
                },
            ),
    )
    .boxed()
}

pub(crate) fn codes_part() -> BoxedStrategy<Part<CodesFacet>> {
    let valid = (text(), select(&FAMILIES[..]), of(text()), any::<bool>()).prop_map(
        |(normal, family, prefix, is_unit)| Scan::Valid(TraceCode { normal, family, prefix, is_unit }),
    );
    let invalid = (text(), select(&INVALID[..])).prop_map(|(text, reason)| Scan::Invalid { text, reason });
    let scanned =
        (prop_oneof![valid, invalid], of(quantity())).prop_map(|(scan, units)| ScannedCode { scan, units });
    let facet = (vec(scanned, 0..3), any::<bool>());
    part(facet.prop_map(|(scans, split)| CodesFacet { scans, split })).boxed()
}

pub(crate) fn version() -> impl Strategy<Value = Version> {
    let line = (text(), of(fee_part()), of(codes_part())).prop_map(|(line_id, fee, codes)| LineVersion {
        line_id,
        fee,
        codes,
    });
    (document_key(), moment(), any::<bool>(), of(header_part()), vec(line, 0..3), origin()).prop_map(
        |(key, issued_at, full, header, lines, origin)| Version {
            key,
            issued_at,
            full,
            header,
            lines,
            origin,
        },
    )
}

pub(crate) fn reversal() -> impl Strategy<Value = Reversal> {
    (document_key(), of(text()), any::<(bool, bool, bool, bool)>(), moment(), origin()).prop_map(
        |(target, line_id, (of_alias, header, fee, codes), issued_at, origin)| Reversal {
            target,
            of_alias,
            line_id,
            parts: Parts { header, fee, codes },
            issued_at,
            origin,
        },
    )
}

pub(crate) fn observation_key() -> impl Strategy<Value = ObservationKey> {
    (document_key(), text()).prop_map(|(document, line_id)| ObservationKey { document, line_id })
}

pub(crate) fn observation() -> BoxedStrategy<Observation> {
    let event = (observation_key(), select(&Kind::ALL[..]), select(&ROLES[..]), moment(), moment());
    let quantities = (of(quantity()), of(quantity()), of(quantity()));
    let line = (any::<(bool, bool)>(), quantities, any::<u32>(), of(money()), any::<bool>());
    let about = (of(text()), of(text()), of(product()), person());
    let links = (of(text()), of(text()), of(returned_sale()), of(lent_from()), surroundings());
    let institution = (text(), of(text()), of(day()), of(day()));
    (event, line, about, links, institution, any::<(u64, u64)>(), origin())
        .prop_map(|(event, line, about, links, institution, versions, origin)| Observation {
            key: event.0,
            kind: event.1,
            role: event.2,
            time: event.3,
            codes_issued_at: event.4,
            is_day: line.0.0,
            split: line.0.1,
            quantity: line.1.0,
            quantity_before: line.1.1,
            units: line.1.2,
            codes_on_line: line.2,
            product_code: about.0,
            product_name: about.1,
            product: about.2,
            person: about.3,
            visit_id: links.0,
            settlement_id: links.1,
            returns: links.2,
            lent_from: links.3,
            surroundings: links.4,
            has_papers: line.4,
            region: institution.0,
            tier: institution.1,
            stock_uploaded_since: institution.2,
            dispensing_uploaded_since: institution.3,
            fund_amount: line.3,
            revision: versions.0,
            reference_version: versions.1,
            origin,
        })
        .boxed()
}

pub(crate) fn code_change() -> impl Strategy<Value = CodeChange> {
    let lists = (vec(text(), 0..3), vec(observation(), 0..3));
    let why = (select(&WHATS[..]), of(text()));
    (text(), document_key(), any::<u64>(), why, lists, origin()).prop_map(
        |(code, document, document_revision, (what, lender), (retracted, asserted), origin)| CodeChange {
            code,
            document,
            document_revision,
            what,
            lender,
            retracted,
            asserted,
            origin,
        },
    )
}

pub(crate) fn lent_to() -> impl Strategy<Value = LentTo> {
    (text(), text(), text()).prop_map(|(code, document_id, line_id)| LentTo { code, document_id, line_id })
}

pub(crate) fn surroundings() -> impl Strategy<Value = Option<Arc<Surroundings>>> {
    let of_document = (of(text()), of(text()), of(text()), of(text()));
    let of_line = (of(text()), of(text()), of(text()), of(text()));
    of((of_document, of_line, of(day()), of(text())).prop_map(
        |(of_document, of_line, contract_from, successor_of)| {
            Arc::new(Surroundings {
                device_id: of_document.0,
                operator_kind: of_document.1,
                insured_region: of_document.2,
                medical_type: of_document.3,
                department_id: of_line.0,
                prescriber_id: of_line.1,
                pharmacist_id: of_line.2,
                rx_id: of_line.3,
                contract_from,
                successor_of,
            })
        },
    ))
}

pub(crate) fn lent_from() -> impl Strategy<Value = LentFrom> {
    (text(), text()).prop_map(|(document_id, line_id)| LentFrom { document_id, line_id })
}

pub(crate) fn offer() -> impl Strategy<Value = Offer> {
    let line = (text(), text(), any::<bool>(), codes_part(), moment(), origin()).prop_map(
        |(line_id, product_code, split, part, issued_at, origin)| OfferedLine {
            line_id,
            product_code,
            split,
            codes: Stamped { issued_at, part, origin },
        },
    );
    (text(), any::<u64>(), moment(), of(text()), of(text()), vec(line, 0..3), origin()).prop_map(
        |(lender, revision, time, settlement_id, visit_id, lines, origin)| Offer {
            lender,
            revision,
            time,
            settlement_id,
            visit_id,
            lines,
            origin,
        },
    )
}

pub(crate) fn paid() -> impl Strategy<Value = Paid> {
    (money(), of(money())).prop_map(|(paid, recovered)| Paid { paid, recovered })
}

fn ruling() -> impl Strategy<Value = Ruling> {
    (of(verdict()), btree_set(text(), 0..3), text(), text())
        .prop_map(|(verdict, rules, ruled_by, basis)| Ruling { verdict, rules, ruled_by, basis })
}

fn payment() -> impl Strategy<Value = Payment> {
    (money(), day(), any::<bool>(), any::<bool>())
        .prop_map(|(amount, paid_on, recovered, withdrawn)| Payment { amount, paid_on, recovered, withdrawn })
}

pub(crate) fn handling() -> BoxedStrategy<Handling> {
    let act = prop_oneof![
        (of(text()), ruling()).prop_map(|(line_id, ruling)| Act::Ruling { line_id, ruling }),
        (text(), payment()).prop_map(|(payment_id, payment)| Act::Payment { payment_id, payment }),
    ];
    (document_key(), moment(), act, origin())
        .prop_map(|(claim, issued_at, act, origin)| Handling { claim, issued_at, act, origin })
        .boxed()
}

pub(crate) fn handling_book() -> BoxedStrategy<handling::Book> {
    let rulings = vec((of(text()), moment(), ruling()), 0..3);
    let payments = vec((text(), moment(), payment()), 0..3);
    (rulings, payments)
        .prop_map(|(rulings, payments)| handling::Book {
            rulings: rulings
                .into_iter()
                .map(|(key, issued_at, act)| (key, Issued { issued_at, act }))
                .collect(),
            payments: payments
                .into_iter()
                .map(|(key, issued_at, act)| (key, Issued { issued_at, act }))
                .collect(),
        })
        .boxed()
}

pub(crate) fn claim() -> BoxedStrategy<Claim> {
    let rules = btree_set(rule(), 0..3);
    let ruling = of((verdict(), rules).prop_map(|(verdict, rules)| LineRuling { verdict, rules }));
    let awaits = btree_map(text(), any::<u64>(), 0..3);
    let line = (text(), money(), reasons(), ruling, awaits, vec(lent_to(), 0..3)).prop_map(
        |(line_id, amount, reasons, ruling, awaits, lent)| ClaimLine {
            line_id,
            amount,
            reasons,
            ruling,
            awaits,
            lent,
        },
    );
    let versions = (text(), any::<u64>());
    (document_key(), any::<u64>(), any::<bool>(), moment(), vec(line, 0..3), versions, origin())
        .prop_map(|(key, revision, withdrawn, occurred_at, lines, (ruleset, reference_version), origin)| {
            Claim { key, revision, withdrawn, occurred_at, lines, ruleset, reference_version, origin }
        })
        .boxed()
}

pub(crate) fn claim_change() -> impl Strategy<Value = ClaimChange> {
    claim().prop_map(|Claim { key, revision, lines, ruleset, reference_version, origin, .. }| ClaimChange {
        key,
        revision,
        lines,
        ruleset,
        reference_version,
        origin,
    })
}

pub(crate) fn code_verdict() -> impl Strategy<Value = CodeVerdict> {
    (document_key(), text(), text(), any::<u64>(), reasons()).prop_map(
        |(key, line_id, code, revision, reasons)| CodeVerdict { key, line_id, code, revision, reasons },
    )
}

pub(crate) fn sender_day() -> impl Strategy<Value = SenderDay> {
    (of(text()), day()).prop_map(|(institution_id, day)| SenderDay { institution_id, day })
}

pub(crate) fn counts() -> impl Strategy<Value = Counts> {
    let reasons = || btree_map(select(RejectReason::ALL), any::<u64>(), 0..3);
    let leniencies = btree_map(select(Leniency::ALL), any::<u64>(), 0..3);
    let received =
        (any::<[u64; 4]>(), reasons(), reasons(), btree_map(text(), any::<u64>(), 0..3), leniencies);
    let received = received.prop_map(
        |([records, ignored, uploads, duplicates], rejected, uploads_rejected, left_out, leniencies)| {
            Received {
                records,
                ignored,
                rejected,
                uploads,
                uploads_rejected,
                duplicates,
                left_out,
                leniencies,
            }
        },
    );
    let standing = any::<[u64; 9]>().prop_map(|counts| Standing {
        documents: counts[0],
        late: counts[1],
        lines_need_codes: counts[2],
        lines_with_code: counts[3],
        lines_with_lent_code_only: counts[4],
        codes_declared: counts[5],
        codes_not_sent: counts[6],
        claims_without_number: counts[7],
        reversals_waiting: counts[8],
    });
    (received, standing).prop_map(|(received, standing)| Counts { received, standing })
}
