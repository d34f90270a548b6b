//! The checks that every draft passes, whatever its form: identity, topic, moments, sizes.
//!
//! The first fault found is the one reported; a refused upload has no effect, so which of several faults is named does
//! not matter. Names of fields are the canonical ones.

use std::collections::HashSet;

use super::draft::{Draft, LineDraft, VersionDraft};
use super::intake::{Input, Limits};
use super::nhsa::medical::MedicalTypes;
use super::pseudonym::Pseudonymiser;
use super::reject::{CHARACTERS, Reject, RejectReason, Words};
use super::route::Inlet;
use crate::domain::Text;
use crate::domain::document::{Adjusts, DocumentKey, FeeFacet, Header, Reversal};
use crate::domain::handling::{Act, Handling};
use crate::domain::time::{Millis, Timestamp};

/// 2015-01-01T00:00:00+08:00: nothing that a sender reports now happened before.
const EARLIEST: Timestamp = Timestamp::from_unix_millis(1_420_041_600_000);

/// How far a moment may be ahead of the record that states it, and of the upload's own issue.
const AHEAD_MAX: Millis = Millis::from_days(1);

/// What a draft is checked against.
#[derive(Clone, Copy, Debug)]
pub(super) struct Checks<'a> {
    /// The record that it came in.
    pub(super) input: &'a Input<'a>,
    /// How large it may be.
    pub(super) limits: &'a Limits,
    /// Makes pseudonyms where a person is part of an identity.
    pub(super) pseudonymiser: &'a Pseudonymiser,
    /// What medical types are called.
    pub(super) medical_types: &'a MedicalTypes,
    /// Characters of the identity of a document; several of a sender's identifiers may be joined in it.
    pub(super) document_id_characters_max: usize,
}

/// What an institution's id must be.
pub(super) const INSTITUTION_FORM: Words =
    Words::new("12 位 A–Z 和 0–9 字符的定点医药机构编号", "12 characters of A–Z and 0–9");

/// Whether the text is an institution's id: 12 characters of A–Z 0–9.
pub(super) fn is_institution_id(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
}

/// Whether the text has at most that many characters.
pub(super) fn fits(text: &str, characters_max: usize) -> bool {
    // Most texts are decided by their length in bytes, without counting.
    text.len() <= characters_max || text.chars().nth(characters_max).is_none()
}

/// The draft, when nothing is wrong with it.
pub(super) fn validate(draft: Draft, checks: &Checks<'_>) -> Result<Draft, Reject> {
    let checked = match &draft {
        Draft::Version(version) => checks.version(version),
        Draft::Reversal(reversal) => checks.reversal(reversal),
        Draft::Handling(handling) => checks.handling(handling),
    };
    match checked {
        Ok(()) => Ok(draft),
        Err(reject) => Err(draft.refused(reject)),
    }
}

impl Checks<'_> {
    fn version(&self, version: &VersionDraft) -> Result<(), Reject> {
        self.key("document_id", &version.key)?;
        self.topic(Inlet::Documents(version.key.group))?;
        self.moment("issued_at", version.issued_at)?;
        if let Some(header) = &version.header {
            self.header(header, version)?;
        }
        if version.full && version.lines.is_empty() {
            return Err(Reject::missing("lines"));
        }
        self.lines(&version.lines)?;
        let carries_facet = |line: &LineDraft| line.fee.is_some() || line.codes.is_some();
        if version.header.is_none() && !version.lines.iter().any(carries_facet) {
            let text = Words::new(
                "部分上传至少应包含表头（须有 `occurred_at`）或某一明细的费用、追溯码内容；请补全后重新上传。",
                "A partial upload must carry a header (with `occurred_at`) or a facet of some line; add one and upload \
                 again.",
            );
            return Err(Reject::of_field(RejectReason::MissingField, "lines", text));
        }
        Ok(())
    }

    fn reversal(&self, reversal: &Reversal) -> Result<(), Reject> {
        self.key("reverses.document_id", &reversal.target)?;
        self.moment("issued_at", reversal.issued_at)?;
        self.id("reverses.line_id", reversal.line_id.as_ref())
    }

    /// A ruling or payment: who may send one is a matter of the topic's access rights.
    fn handling(&self, handling: &Handling) -> Result<(), Reject> {
        self.key("document_id", &handling.claim)?;
        self.topic(Inlet::Handling)?;
        self.moment("issued_at", handling.issued_at)?;
        match &handling.act {
            Act::Ruling { line_id, ruling } => {
                self.id("line_id", line_id.as_ref())?;
                self.text("ruled_by", Some(&ruling.ruled_by))?;
                self.text("basis", Some(&ruling.basis))
            }
            Act::Payment { payment_id, .. } => self.id("payment_id", Some(payment_id)),
        }
    }

    /// The institution and the document's number; several of a sender's identifiers may be joined in that.
    fn key(&self, field: &str, key: &DocumentKey) -> Result<(), Reject> {
        if key.institution_id.is_empty() {
            return Err(Reject::missing("institution_id"));
        }
        if !is_institution_id(&key.institution_id) {
            return Err(Reject::malformed("institution_id", INSTITUTION_FORM));
        }
        if key.document_id.is_empty() {
            return Err(Reject::missing(field));
        }
        bounded(field, &key.document_id, self.document_id_characters_max)
    }

    fn topic(&self, inlet: Inlet) -> Result<(), Reject> {
        match self.input.inlet {
            Some(topic) if topic != inlet => Err(Reject::of_field(
                RejectReason::WrongTopic,
                "kind",
                Words {
                    zh: format!("此类上传属于主题 `{}`；请发送到该主题。", inlet.name()).into(),
                    en: format!(
                        "Uploads of this kind belong to the topic `{}`; send it there.",
                        inlet.name()
                    )
                    .into(),
                },
            )),
            _ => Ok(()),
        }
    }

    /// Neither before the earliest nor more than a day ahead of the record.
    fn moment(&self, field: &str, moment: Timestamp) -> Result<(), Reject> {
        let latest = self.input.record_timestamp.map(|record| record.plus(AHEAD_MAX));
        if moment < EARLIEST || latest.is_some_and(|latest| moment > latest) {
            let text = Words::said(
                format!("`{field}` 早于 2015 年，或比接收时间晚一天以上；请检查上传方的时钟。"),
                format!(
                    "`{field}` is before 2015 or more than a day in the future; check the sender's clock."
                ),
            );
            return Err(Reject::of_field(RejectReason::TimeOutOfRange, field, text));
        }
        Ok(())
    }

    fn header(&self, header: &Header, version: &VersionDraft) -> Result<(), Reject> {
        let counterparty = &header.counterparty;
        let returns = header.returns.as_ref();
        self.person("person_id", &version.person.number)?;
        self.person("person_cert", &version.person.certificate)?;
        for (field, id) in [
            ("visit_id", header.visit_id.as_ref()),
            ("settlement_id", header.settlement_id.as_ref()),
            ("operator_id", header.operator_id.as_ref()),
            ("credential_type", header.circumstances.credential_type.as_ref()),
            ("device_id", header.circumstances.device_id.as_ref()),
            ("operator_kind", header.circumstances.operator_kind.as_ref()),
            ("medical_type", header.circumstances.medical_type.as_ref()),
            ("returns.document_id", returns.map(|sale| &sale.document_id)),
            ("returns.line_id", returns.and_then(|sale| sale.line_id.as_ref())),
        ] {
            self.id(field, id)?;
        }
        for (field, text) in [
            ("counterparty.name", &counterparty.name),
            ("counterparty.license", &counterparty.license),
            ("counterparty.delivery_note", &counterparty.delivery_note),
            ("counterparty.invoice", &counterparty.invoice),
        ] {
            self.text(field, text.as_ref())?;
        }
        // A day is judged by its beginning.
        let earliest = header.occurred_at.earliest();
        self.moment("occurred_at", earliest)?;
        if earliest > version.issued_at.plus(AHEAD_MAX) {
            let text = Words::new(
                "`issued_at` 比 `occurred_at` 早一天以上；请检查上传方的时钟。",
                "`issued_at` is earlier than `occurred_at` by more than a day; check the sender's clock.",
            );
            return Err(Reject::of_field(RejectReason::TimeOutOfRange, "issued_at", text));
        }
        Ok(())
    }

    fn lines(&self, lines: &[LineDraft]) -> Result<(), Reject> {
        if lines.len() > self.limits.lines_max {
            return Err(Reject::over_limit("lines", self.limits.lines_max, Words::new("行", "lines")));
        }
        let codes = |line: &LineDraft| line.codes.as_ref().map_or(0, |codes| codes.scanned.len());
        if lines.iter().map(codes).fold(0, usize::saturating_add) > self.limits.codes_max {
            return Err(Reject::over_limit(
                "lines",
                self.limits.codes_max,
                Words::new("个追溯码", "trace codes"),
            ));
        }
        let mut seen = HashSet::with_capacity(lines.len());
        for (index, line) in lines.iter().enumerate() {
            self.line(line).map_err(|reject| reject.in_line(index))?;
            if !seen.insert(&line.line_id) {
                let expected = Words::new("单据内唯一的行号", "unique among the lines of the document");
                return Err(Reject::malformed("line_id", expected).in_line(index));
            }
        }
        Ok(())
    }

    fn line(&self, line: &LineDraft) -> Result<(), Reject> {
        if line.line_id.is_empty() {
            return Err(Reject::missing("line_id"));
        }
        self.id("line_id", Some(&line.line_id))?;
        if let Some(fee) = &line.fee {
            self.fee(fee)?;
        }
        let scanned = line.codes.iter().flat_map(|codes| &codes.scanned);
        for (nth, (code, _)) in scanned.enumerate() {
            bounded_at(|| format!("trace_codes[{nth}].code"), code, self.limits.text_characters_max)?;
        }
        Ok(())
    }

    fn fee(&self, fee: &FeeFacet) -> Result<(), Reject> {
        self.id("product_code", fee.product_code.as_ref())?;
        self.text("product_name", fee.product_name.as_ref())?;
        for (field, id) in [
            ("lot", &fee.lot),
            ("rx_id", &fee.prescription.rx_id),
            ("prescriber_id", &fee.prescription.prescriber_id),
            ("pharmacist_id", &fee.prescription.pharmacist_id),
            ("department_id", &fee.prescription.department_id),
        ] {
            self.id(field, id.as_ref())?;
        }
        match &fee.adjusts {
            Some(Adjusts::Line(line_id)) => self.id("adjusts", Some(line_id)),
            Some(Adjusts::SameProduct) | None => Ok(()),
        }
    }

    fn person(&self, field: &str, identifier: &str) -> Result<(), Reject> {
        bounded(field, identifier, self.limits.id_characters_max)
    }

    fn id(&self, field: &str, id: Option<&Text>) -> Result<(), Reject> {
        id.map_or(Ok(()), |id| bounded(field, id, self.limits.id_characters_max))
    }

    fn text(&self, field: &str, text: Option<&Text>) -> Result<(), Reject> {
        text.map_or(Ok(()), |text| bounded(field, text, self.limits.text_characters_max))
    }
}

/// Refuses a text of more characters.
pub(super) fn bounded(field: &str, text: &str, characters_max: usize) -> Result<(), Reject> {
    bounded_at(|| field.to_owned(), text, characters_max)
}

fn bounded_at(field: impl FnOnce() -> String, text: &str, characters_max: usize) -> Result<(), Reject> {
    if fits(text, characters_max) {
        Ok(())
    } else {
        Err(Reject::over_limit(field(), characters_max, CHARACTERS))
    }
}
