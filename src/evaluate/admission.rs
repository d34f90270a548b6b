//! The admission test of a new sender: whether what an institution sends is fit to be settled by, or what to mend.
//!
//! Everything is read from what was published, as a subscriber sees it: the counts of each institution and day say how
//! much is wrong, dead letters and open alerts where.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::domain::outcome::RejectReason;
use crate::domain::sender::Counts;
use crate::wire::WireError;
use crate::wire::outbound::sender;

/// Most places named of one thing to mend.
const PLACES_MAX: usize = 3;

/// Fields of the national interface that an upload can be read without, but not judged or joined as it should be.
const NEEDED_FIELDS: [&str; 9] = [
    "med_list_codg",
    "setl_id",
    "mdtrt_sn",
    "psn_no",
    "certno",
    "mdtrt_cert_no",
    "manu_lotnum",
    "expy_end",
    "fund_pay_sumamt",
];

/// What is asked of a sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Demands {
    /// Least share of the lines that need a code which have or borrow one, in percent.
    pub coded_percent: u8,
    /// Least share of documents that are not late, in percent.
    pub timely_percent: u8,
}

/// What institutions sent.
#[derive(Debug, Default)]
pub struct Admission {
    counts: BTreeMap<Option<String>, Counts>,
    refusals: Vec<DeadLetter>,
    /// Settlement lines of known products without any code, by the alert that says so.
    uncoded: BTreeMap<String, Subject>,
}

/// What is said of one institution.
#[derive(Debug)]
pub struct Verdict<'a> {
    /// None: of records that name none.
    pub institution_id: Option<&'a str>,
    /// What it sent.
    pub counts: &'a Counts,
    /// What is to be mended, what concerns most first.
    pub to_mend: Vec<Mend>,
}

impl Verdict<'_> {
    /// Whether there is nothing to be mended, and anything to tell that by.
    pub const fn is_ready(&self) -> bool {
        self.to_mend.is_empty() && self.has_documents()
    }

    /// Whether it sent any document that stands: without one nothing can be said of it.
    pub const fn has_documents(&self) -> bool {
        self.counts.standing.documents > 0
    }
}

/// One thing to mend.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mend {
    /// What is wrong.
    pub fault: Fault,
    /// How many records, uploads, fields, lines or documents it concerns.
    pub concerned: u64,
    /// Of so many; of uploads, beside so many that were read.
    pub of: u64,
    /// Some of them, each with the words of its refusal, if any, in Chinese and English.
    pub places: Vec<(String, Option<(String, String)>)>,
}

/// What can be wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Records refused as a whole.
    RecordsRejected(RejectReason),
    /// Uploads refused beside others of their record, or by their document.
    UploadsRejected(RejectReason),
    /// A needed field that cannot be read.
    FieldUnreadable(String),
    /// Settlement lines that need a code and neither have nor borrow one.
    Uncoded,
    /// Documents that came late.
    Late,
}

#[derive(Debug, Deserialize)]
struct DeadLetter {
    reason: String,
    institution_id: Option<String>,
    source: Source,
    text: Words,
}

#[derive(Debug, Deserialize)]
struct Source {
    topic: String,
    offset: i64,
}

#[derive(Clone, Debug, Deserialize)]
struct Words {
    zh: String,
    en: String,
}

#[derive(Debug, Deserialize)]
struct Alert {
    alert_id: String,
    rule: String,
    status: String,
    subject: Subject,
    product: Option<Product>,
}

#[derive(Debug, Deserialize)]
struct Product {
    code: String,
}

#[derive(Debug, Deserialize)]
struct Subject {
    institution_id: String,
    group: String,
    document_id: String,
    line_id: String,
}

impl Admission {
    /// Adds the newest record of an institution, day and writer.
    pub fn sender_day(&mut self, json: &[u8]) -> Result<(), WireError> {
        let message = sender::parse(json)?;
        let counts = sender::counts(&message)?;
        self.counts.entry(message.institution_id).or_default().add(&counts);
        Ok(())
    }

    /// Adds a dead letter.
    pub fn dead_letter(&mut self, json: &[u8]) -> Result<(), serde_json::Error> {
        self.refusals.push(serde_json::from_slice(json)?);
        Ok(())
    }

    /// Adds a revision of an alert, in their order.
    pub fn alert(&mut self, json: &[u8]) -> Result<(), serde_json::Error> {
        let Alert { alert_id, rule, status, subject, product } = serde_json::from_slice(json)?;
        let is_known = product.is_some_and(|product| !product.code.is_empty());
        if rule == "no_code" && is_known && subject.group == "settlement" && status != "withdrawn" {
            self.uncoded.insert(alert_id, subject);
        } else {
            self.uncoded.remove(&alert_id);
        }
        Ok(())
    }

    /// What is said of each institution.
    pub fn verdicts(&self, demands: Demands) -> Vec<Verdict<'_>> {
        let senders = self.counts.iter().map(|(institution_id, counts)| (institution_id.as_deref(), counts));
        let verdicts = senders.map(|(institution_id, counts)| Verdict {
            institution_id,
            counts,
            to_mend: self.to_mend(institution_id, counts, demands),
        });
        verdicts.collect()
    }

    fn to_mend(&self, institution_id: Option<&str>, counts: &Counts, demands: Demands) -> Vec<Mend> {
        let Counts { received, standing } = counts;
        let plain = |fault, concerned, of| Mend { fault, concerned, of, places: Vec::new() };
        let refused = |fault, reason: RejectReason, concerned, of| Mend {
            places: match received.is_refused_both_ways(reason) {
                // Dead letters do not tell a record from an upload beside others.
                true => Vec::new(),
                false => self.refusals(institution_id, reason),
            },
            ..plain(fault, concerned, of)
        };
        let records = received.rejected.iter().map(|(reason, count)| {
            refused(Fault::RecordsRejected(*reason), *reason, *count, received.records)
        });
        let uploads = received.uploads_rejected.iter().map(|(reason, count)| {
            refused(Fault::UploadsRejected(*reason), *reason, *count, received.uploads)
        });
        let needed = received.left_out.iter().filter(|(field, _)| NEEDED_FIELDS.contains(&field.as_ref()));
        let fields = needed
            .map(|(field, count)| plain(Fault::FieldUnreadable(field.to_string()), *count, received.records));
        let mut to_mend: Vec<Mend> = records.chain(uploads).chain(fields).collect();
        if is_less(standing.lines_with_code, standing.lines_need_codes, demands.coded_percent) {
            let without = standing.lines_need_codes.saturating_sub(standing.lines_with_code);
            let mut places = self.uncoded(institution_id);
            places.truncate(usize::try_from(without).unwrap_or(usize::MAX));
            to_mend.push(Mend { places, ..plain(Fault::Uncoded, without, standing.lines_need_codes) });
        }
        let timely = standing.documents.saturating_sub(standing.late);
        if is_less(timely, standing.documents, demands.timely_percent) {
            to_mend.push(plain(Fault::Late, standing.late, standing.documents));
        }
        to_mend.sort_by_key(|mend| std::cmp::Reverse(mend.concerned));
        to_mend
    }

    fn refusals(
        &self,
        institution_id: Option<&str>,
        reason: RejectReason,
    ) -> Vec<(String, Option<(String, String)>)> {
        let of_reason = self.refusals.iter().filter(|letter| {
            letter.institution_id.as_deref() == institution_id && letter.reason == reason.name()
        });
        let place = |DeadLetter { source, text, .. }: &DeadLetter| {
            (format!("{}:{}", source.topic, source.offset), Some((text.zh.clone(), text.en.clone())))
        };
        of_reason.take(PLACES_MAX).map(place).collect()
    }

    fn uncoded(&self, institution_id: Option<&str>) -> Vec<(String, Option<(String, String)>)> {
        let of_sender =
            self.uncoded.values().filter(|line| Some(line.institution_id.as_str()) == institution_id);
        let mut places: Vec<String> =
            of_sender.map(|line| format!("{}/{}", line.document_id, line.line_id)).collect();
        places.sort_unstable();
        places.dedup();
        places.truncate(PLACES_MAX);
        places.into_iter().map(|place| (place, None)).collect()
    }
}

/// Whether a share is less than so many percent; of nothing it is not.
fn is_less(part: u64, whole: u64, percent: u8) -> bool {
    u128::from(part) * 100 < u128::from(whole) * u128::from(percent)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_of_nothing_is_enough_and_one_at_the_mark_too() {
        assert!(!is_less(0, 0, 95));
        assert!(!is_less(95, 100, 95));
        assert!(is_less(949, 1000, 95));
        assert!(!is_less(u64::MAX, u64::MAX, 100));
    }
}
