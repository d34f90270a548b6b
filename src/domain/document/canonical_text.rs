//! Canonical text: one text per content of a part, to choose between versions with the same stamp.
//!
//! Senders repeat a stamp with other content (their clock has whole seconds), and the order of arrival must not
//! decide. So the greater text wins, and the text depends on the content alone: present fields as `name=value`
//! lines, sorted, joined by LF. It is computed only when two stamps are equal; it is not a format to store.
//!
//! Persons stand in it as pseudonyms with the id of their key, so a tie between two persons is decided alike as long as
//! the key is the same.

use std::fmt::Display;

use super::occurred::OccurredAt;
use super::particulars::Service;
use super::{Adjusts, CodesFacet, FeeFacet, Header};

/// Content of a part that has a canonical text.
pub trait Canonical {
    /// The text; empty when no field is present.
    fn canonical_text(&self) -> String;
}

/// Collects the lines of one canonical text.
#[derive(Default)]
pub(in crate::domain) struct Fields {
    lines: Vec<String>,
}

impl Fields {
    pub(in crate::domain) fn put(&mut self, name: &str, value: Option<impl Display>) {
        if let Some(value) = value {
            self.lines.push(format!("{name}={}", escaped(&value.to_string())));
        }
    }

    pub(in crate::domain) fn into_text(mut self) -> String {
        self.lines.sort_unstable();
        self.lines.join("\n")
    }
}

/// Keeps the separators of the canonical text out of names and values.
fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('\n', "\\n").replace('\t', "\\t")
}

impl Canonical for Header {
    fn canonical_text(&self) -> String {
        let mut fields = Fields::default();
        fields.put("kind", Some(self.kind.name()));
        match self.occurred_at {
            OccurredAt::Moment(moment) => fields.put("occurred_at", Some(moment.unix_millis())),
            OccurredAt::Day(day) => fields.put("occurred_at", Some(day)),
        }
        fields.put("person_id", self.person.number);
        fields.put("person_cert", self.person.certificate);
        fields.put("visit_id", self.visit_id.as_ref());
        fields.put("settlement_id", self.settlement_id.as_ref());
        fields.put("operator_id", self.operator_id.as_ref());
        fields.put("fund_amount", self.fund_amount.map(|amount| amount.fen()));
        fields.put("counterparty.name", self.counterparty.name.as_ref());
        fields.put("counterparty.license", self.counterparty.license.as_ref());
        fields.put("counterparty.delivery_note", self.counterparty.delivery_note.as_ref());
        fields.put("counterparty.invoice", self.counterparty.invoice.as_ref());
        fields.put("returns.document_id", self.returns.as_ref().map(|sale| &sale.document_id));
        fields.put("returns.line_id", self.returns.as_ref().and_then(|sale| sale.line_id.as_ref()));
        let circumstances = &self.circumstances;
        fields.put("credential_type", circumstances.credential_type.as_ref());
        fields.put("device_id", circumstances.device_id.as_ref());
        fields.put("operator_kind", circumstances.operator_kind.as_ref());
        fields.put("insured_region", circumstances.insured_region.as_ref());
        fields.put("medical_type", circumstances.medical_type.as_ref());
        fields.put("account_amount", circumstances.account_amount.map(|amount| amount.fen()));
        fields.put("service", circumstances.service.map(Service::name));
        fields.put("declared_codes", circumstances.declared_codes);
        fields.put("declared_consumable_codes", circumstances.declared_consumable_codes);
        fields.into_text()
    }
}

impl Canonical for FeeFacet {
    fn canonical_text(&self) -> String {
        let mut fields = Fields::default();
        fields.put("product_code", self.product_code.as_ref());
        fields.put("product_name", self.product_name.as_ref());
        fields.put("quantity", self.quantity.map(|quantity| quantity.thousandths()));
        fields.put("split", self.split.then_some("true"));
        fields.put("amount", self.amount.map(|amount| amount.fen()));
        fields.put("fund_amount", self.fund_amount.map(|amount| amount.fen()));
        fields.put("lot", self.lot.as_ref());
        fields.put("expires_on", self.expires_on);
        fields.put("adjusts", self.adjusts.as_ref().map(Adjusts::text));
        let prescription = &self.prescription;
        fields.put("rx_id", prescription.rx_id.as_ref());
        fields.put("rx_external", prescription.rx_external.then_some("true"));
        fields.put("prescriber_id", prescription.prescriber_id.as_ref());
        fields.put("pharmacist_id", prescription.pharmacist_id.as_ref());
        fields.put("department_id", prescription.department_id.as_ref());
        fields.put("days_supply", prescription.days_supply.map(|days| days.thousandths()));
        fields.into_text()
    }
}

impl Canonical for CodesFacet {
    fn canonical_text(&self) -> String {
        let mut fields = Fields::default();
        for scanned in &self.scans {
            let code = escaped(scanned.scan.text());
            fields.lines.push(match scanned.units {
                Some(units) => format!("trace_codes={code}\t{}", units.thousandths()),
                None => format!("trace_codes={code}"),
            });
        }
        fields.put("split", self.split.then_some("true"));
        fields.into_text()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Text;
    use crate::domain::amount::{Money, Quantity};
    use crate::domain::document::particulars::{Circumstances, Prescription};
    use crate::domain::document::{Counterparty, Kind, Person, Pseudonym, ReturnedSale};
    use crate::domain::time::{Day, Timestamp};
    use crate::domain::trace_code;

    #[test]
    fn a_header_lists_its_present_fields_in_order() {
        let header = Header {
            kind: Kind::DispenseReturn,
            occurred_at: Timestamp::from_unix_millis(1_767_576_660_000).into(),
            person: Person { number: Some(Pseudonym { key_id: 7, digest: [0xab; 16] }), certificate: None },
            visit_id: Some(Text::from("V\\1\tx\n")),
            settlement_id: None,
            operator_id: None,
            fund_amount: Some(Money::from_fen(2492)),
            counterparty: Counterparty { invoice: Some(Text::from("F=1")), ..Counterparty::default() },
            returns: Some(ReturnedSale { document_id: Text::from("D1"), line_id: Some(Text::from("2")) }),
            circumstances: Circumstances::default(),
        };
        let expected = "counterparty.invoice=F=1\nfund_amount=2492\nkind=dispense_return\n\
                        occurred_at=1767576660000\nperson_id=7:abababababababababababababababab\n\
                        returns.document_id=D1\nreturns.line_id=2\nvisit_id=V\\\\1\\tx\\n";
        assert_eq!(header.canonical_text(), expected);
        let on_a_day = Day::from_civil(2026, 1, 5).map(OccurredAt::Day).unwrap_or(header.occurred_at);
        let on_a_day = Header { occurred_at: on_a_day, ..header };
        assert_eq!(on_a_day.canonical_text(), expected.replace("1767576660000", "2026-01-05"));
    }

    #[test]
    fn a_fee_facet_counts_in_integers_and_false_is_absent() {
        let fee = FeeFacet {
            product_code: Some(Text::from("X1")),
            quantity: Some(Quantity::from_thousandths(2500)),
            split: true,
            amount: Some(Money::from_fen(0)),
            expires_on: Day::from_civil(2027, 5, 1),
            ..FeeFacet::default()
        };
        let text = "amount=0\nexpires_on=2027-05-01\nproduct_code=X1\nquantity=2500\nsplit=true";
        assert_eq!(fee.canonical_text(), text);
        let whole = FeeFacet { split: false, ..fee };
        assert_eq!(whole.canonical_text(), text.replace("\nsplit=true", ""));
        assert_eq!(FeeFacet::default().canonical_text(), "");
        let refund = FeeFacet { adjusts: Some(Adjusts::SameProduct), ..FeeFacet::default() };
        assert_eq!(refund.canonical_text(), "adjusts=*");
    }

    #[test]
    fn particulars_stand_beside_the_rest_when_they_are_there() {
        let prescription = Prescription {
            rx_id: Some(Text::from("R1")),
            rx_external: true,
            days_supply: Some(Quantity::from_thousandths(7500)),
            ..Prescription::default()
        };
        let fee = FeeFacet { prescription, ..FeeFacet::default() };
        assert_eq!(fee.canonical_text(), "days_supply=7500\nrx_external=true\nrx_id=R1");
    }

    #[test]
    fn codes_are_one_line_each_with_their_units() {
        let scans = [
            ("8177 3220", None),
            ("81773220288616423835", Some(Quantity::from_whole(2))),
            (" ８1773220288616423835", Some(Quantity::from_whole(1))),
        ];
        let read = scans.into_iter().filter_map(|(text, units)| Some((trace_code::read(text)?, units)));
        assert_eq!(
            CodesFacet::collect(read).canonical_text(),
            "trace_codes=8177 3220\ntrace_codes=81773220288616423835\t3000"
        );
    }

    #[test]
    fn codes_said_to_be_taken_out_of_packs_are_another_version() {
        let facet = CodesFacet { split: true, ..CodesFacet::default() };
        assert_eq!(facet.canonical_text(), "split=true");
        assert_eq!(CodesFacet::default().canonical_text(), "");
    }
}
