//! A refused input: why, and what its sender is told.
//!
//! A refusal goes to people, so it says in a sentence what is wrong and what to do. It goes beyond the protected
//! zone too, so it never repeats what the input said: no value, only the name of the field.

use std::borrow::Cow;
use std::fmt;

use super::validate::{fits, is_institution_id};
use crate::domain::Text;
pub use crate::domain::outcome::RejectReason;
use crate::domain::time::{Day, Timestamp};

/// What sizes are counted in.
pub const CHARACTERS: Words = Words::new("个字符", "characters");

/// Longest identity of a document that a refusal repeats.
const NAMED_CHARACTERS_MAX: usize = 512;

/// The same words in both languages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Words {
    /// Chinese.
    pub zh: Cow<'static, str>,
    /// English.
    pub en: Cow<'static, str>,
}

/// One refused input, or one refused document of an input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reject {
    /// Stable reason.
    pub reason: RejectReason,
    /// The field at fault, where there is one: `lines[2].quantity`.
    pub field: Option<String>,
    /// What is wrong and what to do. Holds nothing that the input said of a person.
    pub text: Box<Words>,
    /// The institution, when it could be read.
    pub institution_id: Option<Text>,
    /// The document, when it could be read.
    pub document_id: Option<Text>,
    /// The day on which it was issued, where that could be read.
    pub issued_on: Option<Day>,
}

impl Words {
    /// Fixed words.
    pub const fn new(zh: &'static str, en: &'static str) -> Self {
        Self { zh: Cow::Borrowed(zh), en: Cow::Borrowed(en) }
    }

    /// Words put together from what the program itself knows.
    pub fn said(zh: impl Into<Cow<'static, str>>, en: impl Into<Cow<'static, str>>) -> Self {
        Self { zh: zh.into(), en: en.into() }
    }
}

impl Reject {
    /// A refusal of the whole input.
    pub fn new(reason: RejectReason, text: Words) -> Self {
        Self {
            reason,
            field: None,
            text: Box::new(text),
            institution_id: None,
            document_id: None,
            issued_on: None,
        }
    }

    /// A refusal of the whole input, in both languages.
    pub fn said(
        reason: RejectReason,
        zh: impl Into<Cow<'static, str>>,
        en: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self::new(reason, Words { zh: zh.into(), en: en.into() })
    }

    /// A refusal because of one field.
    pub fn of_field(reason: RejectReason, field: impl fmt::Display, text: Words) -> Self {
        Self { field: Some(field.to_string()), ..Self::new(reason, text) }
    }

    /// The English sentence.
    pub fn sentence(&self) -> &str {
        &self.text.en
    }

    /// The same refusal, naming the document that it is about as far as its names have the form of names.
    pub fn about(self, institution_id: &str, document_id: &str) -> Self {
        let institution_id = is_institution_id(institution_id).then(|| institution_id.into());
        let is_name = !document_id.is_empty() && fits(document_id, NAMED_CHARACTERS_MAX);
        Self {
            institution_id: institution_id.or(self.institution_id),
            document_id: is_name.then(|| document_id.into()).or(self.document_id),
            ..self
        }
    }

    /// The same refusal, of what was issued then.
    pub fn issued(self, issued_at: Option<Timestamp>) -> Self {
        Self { issued_on: self.issued_on.or(issued_at.map(Timestamp::day)), ..self }
    }

    /// The refusal of a line's field, as one of the upload's.
    pub fn in_line(self, line: usize) -> Self {
        let Some(field) = self.field else { return self };
        let whole = format!("lines[{line}].{field}");
        let renamed = |text: &str| text.replacen(&format!("`{field}`"), &format!("`{whole}`"), 1);
        let text = Words { zh: renamed(&self.text.zh).into(), en: renamed(&self.text.en).into() };
        Self { field: Some(whole), text: Box::new(text), ..self }
    }

    /// A required field has no value.
    pub fn missing(field: impl fmt::Display) -> Self {
        let text = Words {
            zh: format!("`{field}` 必填，但缺失、为 null 或为空；请补全后重新上传。").into(),
            en: format!("`{field}` is required and is absent, null or empty; fill it in and upload again.")
                .into(),
        };
        Self::of_field(RejectReason::MissingField, field, text)
    }

    /// A field has another form than `expected`.
    pub fn malformed(field: impl fmt::Display, expected: Words) -> Self {
        let Words { zh, en } = expected;
        let text = Words {
            zh: format!("`{field}` 应为{zh}；请修正后重新上传。").into(),
            en: format!("`{field}` must be {en}; correct it and upload again.").into(),
        };
        Self::of_field(RejectReason::MalformedField, field, text)
    }

    /// More of something than is allowed.
    pub fn over_limit(field: impl fmt::Display, limit: usize, what: Words) -> Self {
        let Words { zh, en } = what;
        let text = Words {
            zh: format!("`{field}` 超过上限 {limit} {zh}；请分次上传。").into(),
            en: format!("`{field}` is larger than the limit of {limit} {en}; send less at once.").into(),
        };
        Self::of_field(RejectReason::OverLimit, field, text)
    }
}

impl fmt::Display for Reject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.reason.name(), self.text.en)
    }
}

impl std::error::Error for Reject {}
