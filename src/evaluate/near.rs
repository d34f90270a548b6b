//! What an unexplained alert may be near to: a help for who looks into it, not a judgement.

use std::collections::BTreeMap;

use super::{LineRef, Truth, Unexplained};

/// The truth by what an unexplained alert may be near to: its code, its document.
pub(super) struct Neighbourhood<'a> {
    of_codes: BTreeMap<&'a str, &'a Truth>,
    of_documents: BTreeMap<(&'a str, &'a str), &'a Truth>,
}

impl<'a> Neighbourhood<'a> {
    pub(super) fn new(truth: &'a [Truth]) -> Self {
        let of_codes = truth.iter().filter_map(|one| Some((one.code.as_deref()?, one))).collect();
        let of_documents = truth.iter().map(|one| (document(&one.subject), one)).collect();
        Self { of_codes, of_documents }
    }

    pub(super) fn unexplained(&self, rule: &str, code: Option<&str>, subject: &LineRef) -> Unexplained {
        let same_code = code.and_then(|code| self.of_codes.get(code));
        let nearest = same_code.or_else(|| self.of_documents.get(&document(subject)));
        Unexplained {
            rule: rule.to_owned(),
            code: code.map(str::to_owned),
            subject: subject.clone(),
            nearest: nearest.map(|&truth| truth.clone()),
        }
    }
}

fn document(line: &LineRef) -> (&str, &str) {
    (&line.institution_id, &line.document_id)
}
