//! What a rule says about one line or code, and its form for comparison (rules §7).

use serde_json::{Value, json};

use super::document::DocumentId;

/// A line of a document: what a finding is about, or its counterpart.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Side {
    /// The document.
    pub document: DocumentId,
    /// The line.
    pub line_id: String,
}

/// What a rule does by default; the greater the worse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Action {
    /// "metrics only: no alert, no part in a decision"
    Observe,
    /// An alert; the line counts as pay.
    Alert,
    /// The line is not paid before someone looked.
    Hold,
    /// The line is not paid.
    Refuse,
}

/// One rule's statement about one line or code.
#[derive(Clone, Debug)]
pub(crate) struct Finding {
    /// The id of the rule.
    pub rule: &'static str,
    /// `catalogue` or `declared` (swap only).
    pub basis: Option<&'static str>,
    /// How far apart a pair is, where the rule says.
    pub scope: Option<&'static str>,
    /// The code, for code rules.
    pub code: Option<String>,
    /// What it is about.
    pub subject: Side,
    /// The other side of a pair.
    pub counterpart: Option<Side>,
    /// The action, by default.
    pub action: Action,
}

impl Finding {
    /// A finding without basis, scope, code and counterpart.
    pub(crate) fn new(rule: &'static str, subject: Side, action: Action) -> Self {
        Self { rule, basis: None, scope: None, code: None, subject, counterpart: None, action }
    }

    /// "Alerts of rules with action `observe`, and `banned`, do not exist."
    pub(crate) fn is_alert(&self) -> bool {
        self.action > Action::Observe && self.rule != "banned"
    }

    /// "An open alert is compared as (rule, basis, scope, code, subject, counterpart)".
    pub(crate) fn to_json(&self) -> Value {
        let side = |side: &Side| {
            json!({
                "institution_id": side.document.institution_id, "group": side.document.group,
                "document_id": side.document.document_id, "line_id": side.line_id,
            })
        };
        json!({
            "rule": self.rule, "basis": self.basis, "scope": self.scope, "code": self.code,
            "subject": side(&self.subject), "counterpart": self.counterpart.as_ref().map(side),
        })
    }
}
