//! For tests: tells what happened to a box in few words, and says in few words what the rules find.

use crate::domain::Text;
use crate::domain::amount::{Money, Quantity};
use crate::domain::document::{DocumentKey, Kind, Origin, Person, Pseudonym, ReturnedSale};
use crate::domain::finding::Finding;
use crate::domain::observation::{Observation, ObservationKey};
use crate::domain::reference::Product;
use crate::domain::rules::RuleId;
use crate::domain::rules::code::evaluate;
use crate::domain::rules::ruleset::RuleSet;
use crate::domain::time::{Day, Millis, Timestamp};
use crate::domain::timeline::order;

/// A pharmacy.
pub(crate) const PHARMACY: &str = "P37020300001";
/// A hospital in the same region.
pub(crate) const HOSPITAL: &str = "H37020300002";
/// A clinic in another region.
pub(crate) const CLINIC: &str = "P44030500003";

/// Nine o'clock on that day of January 2026, in Beijing.
pub(crate) fn day(day: u32) -> Timestamp {
    Timestamp::from_unix_millis(1_767_142_800_000).plus(Millis::from_days(day))
}

/// One observation of a box of twenty: issued when it happened, one code on the line, nobody named.
pub(crate) fn told(kind: Kind, institution_id: &str, document_id: &str, on: u32) -> Observation {
    let document = DocumentKey {
        institution_id: institution_id.into(),
        group: kind.group(),
        document_id: document_id.into(),
    };
    Observation {
        key: ObservationKey { document, line_id: "1".into() },
        kind,
        role: kind.role().unwrap_or(crate::domain::document::Role::StockIn),
        time: day(on),
        is_day: false,
        codes_issued_at: day(on),
        split: false,
        quantity: Some(Quantity::from_whole(1)),
        quantity_before: None,
        units: None,
        codes_on_line: 1,
        product_code: Some("XR05".into()),
        product_name: None,
        product: Some(Product {
            product_code: Some("XR05".into()),
            name: Some("ambroxol".into()),
            packs_per_code: 1,
            units_per_pack: Some(20),
        }),
        person: Person::default(),
        visit_id: None,
        settlement_id: None,
        returns: None,
        lent_from: None,
        surroundings: None,
        has_papers: false,
        region: institution_id.get(1..7).unwrap_or_default().into(),
        tier: None,
        stock_uploaded_since: None,
        dispensing_uploaded_since: None,
        fund_amount: (kind == Kind::Settlement).then_some(Money::from_fen(1400)),
        revision: 1,
        reference_version: 1,
        origin: Origin { topic: "told".into(), partition: 0, offset: 0, received_at: day(on) },
    }
}

/// More words.
pub(crate) trait Tell: Sized {
    /// Any other change.
    fn with(self, change: impl FnOnce(&mut Observation)) -> Self;

    fn line(self, line_id: &str) -> Self {
        self.with(|o| o.key.line_id = line_id.into())
    }
    fn issued(self, on: u32) -> Self {
        self.with(|o| o.codes_issued_at = day(on))
    }
    fn to(self, person: u8) -> Self {
        self.with(|o| o.person.certificate = Some(Pseudonym { key_id: 1, digest: [person; 16] }))
    }
    fn settles(self, settlement_id: &str) -> Self {
        self.with(|o| o.settlement_id = Some(settlement_id.into()))
    }
    fn visits(self, visit_id: &str) -> Self {
        self.with(|o| o.visit_id = Some(visit_id.into()))
    }
    fn split(self, units: u32) -> Self {
        self.with(|o| {
            o.split = true;
            o.quantity = Some(Quantity::from_whole(units));
        })
    }
    fn quantity(self, packs: u32) -> Self {
        self.with(|o| o.quantity = Some(Quantity::from_whole(packs)))
    }
    fn adjusted(self, before: u32, left: u32) -> Self {
        self.with(|o| {
            o.quantity_before = Some(Quantity::from_whole(before));
            o.quantity = Some(Quantity::from_whole(left));
        })
    }
    fn codes(self, codes_on_line: u32) -> Self {
        self.with(|o| o.codes_on_line = codes_on_line)
    }
    fn carton(self, packs_per_code: u32) -> Self {
        self.with(|o| {
            if let Some(product) = &mut o.product {
                product.packs_per_code = packs_per_code;
            }
        })
    }
    fn uncatalogued(self, product_code: Option<&str>) -> Self {
        self.with(|o| {
            o.product = None;
            o.product_code = product_code.map(Text::from);
        })
    }
    fn gives_back(self, document_id: &str) -> Self {
        self.with(|o| o.returns = Some(ReturnedSale { document_id: document_id.into(), line_id: None }))
    }
    fn uploading_since(self, on: u32) -> Self {
        let since: Option<Day> = Some(day(on).day());
        self.with(|o| {
            o.stock_uploaded_since = since;
            o.dispensing_uploaded_since = since;
        })
    }
}

impl Tell for Observation {
    fn with(mut self, change: impl FnOnce(&mut Observation)) -> Self {
        change(&mut self);
        self
    }
}

/// What one rule finds, by default settings, at nine o'clock on the day `now`: subject, counterpart, scope and
/// action of each finding, in the order of the walk.
pub(crate) fn found(rule: RuleId, story: Vec<Observation>, now: u32) -> Vec<String> {
    found_by(&RuleSet::default(), rule, story, now)
}

/// The same by another rule set.
pub(crate) fn found_by(rules: &RuleSet, rule: RuleId, mut story: Vec<Observation>, now: u32) -> Vec<String> {
    order::sort(&mut story);
    let evaluation = evaluate(&story, Some(day(now)), rules);
    evaluation.findings.iter().filter(|finding| finding.rule == rule).map(brief).collect()
}

fn brief(finding: &Finding) -> String {
    let counterpart = finding.counterpart.as_ref().map_or("nobody", |side| &side.key.document.document_id);
    let scope = finding.scope.map_or("", |scope| scope.name());
    let said = format!(
        "{} against {counterpart} {scope} {}",
        finding.subject.key.document.document_id,
        finding.action.name()
    );
    said.replace("  ", " ")
}
