//! Findings, and what was published of them.

use super::{Form, Reader, WireError, Writer, alternatives, may_be_blank, structures};
use crate::domain::alert::{AlertBook, Published};
use crate::domain::finding::{Attributes, BannedReason, ConcernedCode, Finding, FindingKey, Side};
use crate::domain::rules::{Action, Basis, Scope, Severity};

alternatives! {
    Basis { 1 Catalogue, 2 Declared }
    Scope { 1 Institution, 2 Region, 3 OtherRegion }
    BannedReason { 1 Expired, 2 Recalled, 3 Listed }
    Action { 1 Observe, 2 Alert, 3 Hold, 4 Refuse }
    Severity { 1 Info, 2 Low, 3 Medium, 4 High, 5 Critical }
}

structures! {
    Side {
        0 key, 1 kind, 2 role, 3 occurred_at, 4 region, 5 origin, 6 person, 7 custody, 8 custody_proof, 9 lent_from,
        10 surroundings,
    }
    ConcernedCode { 0 code, 1 invalid, 2 product_code, 3 product_name, 4 lent_from }
    Attributes [may be blank] {
        0 shortfall, 1 banned, 2 codes, 3 need, 4 used, 5 content, 6 estimate, 7 count, 8 grace_hours, 9 allowed,
    }
    Finding {
        0 rule, 1 basis, 2 scope, 3 action, 4 severity, 5 subject, 6 counterpart, 7 evidence, 8 evidence_omitted,
        9 product_code, 10 product_name, 11 amount_at_risk, 12 attributes,
    }
    FindingKey { 0 rule, 1 basis, 2 subject }
}

/// An open finding says itself which it is.
impl Form for AlertBook {
    may_be_blank!(when empty);

    fn write(&self, to: &mut Writer) {
        to.count(self.published.len());
        for (key, Published { revision, raised_at, open }) in &self.published {
            open.write(to);
            if open.is_none() {
                key.write(to);
            }
            revision.write(to);
            raised_at.write(to);
        }
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, WireError> {
        let mut book = Self::default();
        for _ in 0..from.count()? {
            let open = Option::<Box<Finding>>::read(from)?;
            let key = match &open {
                Some(finding) => finding.key(),
                None => FindingKey::read(from)?,
            };
            let (revision, raised_at) = (Form::read(from)?, Form::read(from)?);
            book.published.insert(key, Published { revision, raised_at, open });
        }
        Ok(book)
    }
}
