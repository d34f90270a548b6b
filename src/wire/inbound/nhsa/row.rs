//! One object of a message, read tolerantly: what real senders write is rarely what the interface's tables say.
//!
//! Keys are compared without case, underscores and hyphens, so `MDTRT_SETL_TYPE`, `mdtrtSetlType` and
//! `mdtrt_setl_type` are one. Numbers may be text and text numbers; blank text, `无` and `null` mean absent. Where
//! a field has known misspellings, the reader names them all. Of a field that is needed whatever cannot be read is
//! refused; an optional one is left out and noted.

use crate::domain::Text;
use crate::domain::amount::{Money, Quantity};
use crate::domain::document::occurred::OccurredAt;
use crate::domain::time::Day;
use crate::wire::inbound::intake::Limits;
use crate::wire::inbound::json::{Json, Members};
use crate::wire::inbound::notes::{Leniency, Notebook};
use crate::wire::inbound::reject::{CHARACTERS, Reject, Words};
use crate::wire::inbound::validate::fits;
use crate::wire::inbound::{decimal, moment};

/// Text that stands for nothing in any field but a flag.
const PLACEHOLDERS: [&str; 3] = ["无", "null", "undefined"];

/// Text that stands for nothing where an identifier or a person should be, besides zeros only. Lower case.
const FILLERS: [&str; 16] = [
    "-",
    "--",
    "*",
    "/",
    "null",
    "none",
    "nil",
    "n/a",
    "na",
    "nan",
    "undefined",
    "(null)",
    "无",
    "暂无",
    "未知",
    "空",
];

/// Places of a quantity and of money.
const QUANTITY_PLACES: usize = 3;
const MONEY_PLACES: usize = 2;

const SCALAR: Words = Words::new("文本或数字", "text or a number");
const FLAG: Words =
    Words::new("是（1、true、Y、是）或否（0、false、N、否）", "yes (1, true, Y, 是) or no (0, false, N, 否)");
const COUNT: Words = Words::new("绝对值不超过 10^9 的数", "a decimal of at most 10^9");
const AMOUNT: Words = Words::new("绝对值不超过 10^12 的金额（元）", "yuan: a decimal of at most 10^12");
const REGION: Words = Words::new("6 位数字的医保区划", "a region of six digits");
const ONCE: Words =
    Words::new("一行内只出现一次（或各次相同）的字段", "stated once in its row, or each time alike");

/// What a row is read with.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reading<'a> {
    /// Where notes are taken.
    pub(super) notes: &'a Notebook,
    /// How large values may be.
    pub(super) limits: &'a Limits,
}

/// One object of a message.
#[derive(Clone, Debug)]
pub(super) struct Row<'a> {
    place: String,
    /// The values that say something, by squashed name, in their order.
    fields: Vec<(String, &'a Json)>,
    members: &'a Members,
    reading: Reading<'a>,
}

/// A count with its sign: a negative one turns its row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Count {
    /// Below zero.
    pub(super) is_negative: bool,
    /// The count without its sign; may be zero.
    pub(super) size: Quantity,
}

/// A key without what senders disagree about.
pub(in crate::wire::inbound) fn squash(key: &str) -> String {
    squashed(key).collect()
}

/// Whether a key is squashed to that.
pub(super) fn is_squashed(key: &str, name: &str) -> bool {
    squashed(key).eq(name.chars())
}

fn squashed(key: &str) -> impl Iterator<Item = char> {
    key.chars().filter(|c| !matches!(c, '_' | '-' | ' ')).map(|c| c.to_ascii_lowercase())
}

/// A value that is there but says nothing.
pub(super) fn is_empty(value: &Json) -> bool {
    match value {
        Json::Null => true,
        Json::Text(text) => text.trim().is_empty(),
        Json::List(list) => list.is_empty(),
        Json::Object(members) => members.is_empty(),
        Json::Bool(_) | Json::Number(_) => false,
    }
}

/// Whether the text stands for nothing where an identifier should be.
pub(super) fn is_filler(text: &str) -> bool {
    let text = text.trim().to_lowercase();
    FILLERS.contains(&text.as_str()) || text.bytes().all(|byte| byte == b'0')
}

/// The whole number that `1.0` is; anything else as it is.
fn whole(text: String, notes: &Notebook) -> String {
    match text.split_once('.') {
        Some((whole, zeros))
            if !whole.is_empty()
                && !zeros.is_empty()
                && whole.bytes().all(|byte| byte.is_ascii_digit())
                && zeros.bytes().all(|byte| byte == b'0') =>
        {
            notes.lenient(Leniency::WholeNumber);
            whole.to_owned()
        }
        _ => text,
    }
}

impl<'a> Row<'a> {
    /// The object at a place of the message, which refusals name.
    pub(super) fn new(place: impl Into<String>, members: &'a Members, reading: Reading<'a>) -> Self {
        let said = members.iter().filter(|(_, value)| !is_empty(value));
        let fields = said.map(|(key, value)| (squash(key), value)).collect();
        Self { place: place.into(), fields, members, reading }
    }

    /// What the row is read with.
    pub(super) const fn reading(&self) -> Reading<'a> {
        self.reading
    }

    /// Every value of the named fields that says something, with where it stands, in the order of the names.
    pub(super) fn nodes(&self, names: &[&'static str]) -> Vec<(String, &'a Json)> {
        let of_name = |name: &&'static str| {
            let (path, squashed) = (self.path(&[*name]), squash(name));
            let values = self.fields.iter().filter(move |(found, _)| *found == squashed);
            values.map(move |(_, value)| (path.clone(), *value))
        };
        names.iter().flat_map(of_name).collect()
    }

    /// Whether the object has any of the named fields, be they empty.
    pub(super) fn has_any(&self, names: &[&str]) -> bool {
        let names: Vec<String> = names.iter().map(|name| squash(name)).collect();
        self.members.iter().any(|(key, _)| names.contains(&squash(key)))
    }

    /// Where a field stands, by its proper name.
    pub(super) fn path(&self, names: &[&'static str]) -> String {
        let name = proper(names);
        if self.place.is_empty() { name.to_owned() } else { format!("{}.{name}", self.place) }
    }

    /// The text of the first of the named fields that says something, a number as it is written. Written twice it must
    /// say the same.
    fn scalar(&self, names: &[&'static str]) -> Result<Option<String>, Reject> {
        for name in names {
            let squashed = squash(name);
            let mut said: Option<String> = None;
            for (_, value) in self.fields.iter().filter(|(found, _)| *found == squashed) {
                let text = match value {
                    Json::Text(text) => text.trim().to_owned(),
                    Json::Number(number) => whole(decimal::spell_out(number), self.reading.notes),
                    Json::Bool(flag) => u8::from(*flag).to_string(),
                    _ => return Err(Reject::malformed(self.path(names), SCALAR)),
                };
                match &said {
                    Some(before) if *before == text => self.reading.notes.lenient(Leniency::Repeated),
                    Some(_) => return Err(Reject::malformed(self.path(names), ONCE)),
                    None => said = Some(text),
                }
            }
            if said.is_some() {
                return Ok(said);
            }
        }
        Ok(None)
    }

    /// The text of a field.
    pub(super) fn text(&self, names: &[&'static str]) -> Result<Option<String>, Reject> {
        Ok(self.scalar(names)?.filter(|text| !PLACEHOLDERS.contains(&text.to_lowercase().as_str())))
    }

    /// A number that tells rows apart within their document: `0` is one, and so is `0000`.
    pub(super) fn row_number(&self, names: &[&'static str]) -> Result<Option<String>, Reject> {
        let number = self.text(names)?.map(|text| whole(text, self.reading.notes));
        self.within(names, number, self.reading.limits.id_characters_max)
    }

    /// An identifier; fillers are absent.
    pub(super) fn id(&self, names: &[&'static str]) -> Result<Option<String>, Reject> {
        let id = self.row_number(names)?;
        if id.as_deref().is_some_and(is_filler) {
            self.reading.notes.lenient(Leniency::Filler);
            return Ok(None);
        }
        Ok(id)
    }

    /// An identifier that must be there.
    pub(super) fn required_id(&self, names: &[&'static str]) -> Result<String, Reject> {
        self.id(names)?.ok_or_else(|| Reject::missing(self.path(names)))
    }

    /// A number within its document that must be there.
    pub(super) fn required_number(&self, names: &[&'static str]) -> Result<String, Reject> {
        self.row_number(names)?.ok_or_else(|| Reject::missing(self.path(names)))
    }

    fn within(
        &self,
        names: &[&'static str],
        text: Option<String>,
        characters_max: usize,
    ) -> Result<Option<String>, Reject> {
        match text {
            Some(text) if !fits(&text, characters_max) => {
                Err(Reject::over_limit(self.path(names), characters_max, CHARACTERS))
            }
            text => Ok(text),
        }
    }

    /// What was read, or nothing of a field that can be spared.
    fn optional<T>(&self, names: &[&'static str], read: Result<Option<T>, Reject>) -> Option<T> {
        read.unwrap_or_else(|_| {
            self.reading.notes.left_out(proper(names));
            None
        })
    }

    /// An identifier that can be spared.
    pub(super) fn optional_id(&self, names: &[&'static str]) -> Option<Text> {
        self.optional(names, self.id(names)).map(Text::from)
    }

    /// A name that can be spared.
    pub(super) fn optional_name(&self, names: &[&'static str]) -> Option<Text> {
        let name = self.text(names);
        let characters_max = self.reading.limits.text_characters_max;
        let name = name.and_then(|name| self.within(names, name, characters_max));
        self.optional(names, name).map(Text::from)
    }

    /// A person's number or certificate; one with asterisks inside is nobody.
    pub(super) fn person(&self, names: &[&'static str]) -> Option<String> {
        let person = self.optional(names, self.id(names))?;
        if person.contains(['*', '＊']) {
            self.reading.notes.lenient(Leniency::MaskedPerson);
            return None;
        }
        Some(person)
    }

    /// A moment or a day in Beijing time.
    pub(super) fn moment(&self, names: &[&'static str]) -> Result<Option<OccurredAt>, Reject> {
        let read = |text: String| {
            let text = whole(text, self.reading.notes);
            moment::beijing(&text).ok_or_else(|| Reject::malformed(self.path(names), moment::BEIJING_FORM))
        };
        self.text(names)?.map(read).transpose()
    }

    /// A moment that must be there.
    pub(super) fn required_moment(&self, names: &[&'static str]) -> Result<OccurredAt, Reject> {
        self.moment(names)?.ok_or_else(|| Reject::missing(self.path(names)))
    }

    /// A day that can be spared.
    pub(super) fn optional_day(&self, names: &[&'static str]) -> Option<Day> {
        let read = |text: String| {
            moment::beijing_day(&whole(text, self.reading.notes))
                .ok_or_else(|| Reject::malformed(self.path(names), moment::DAY_FORM))
        };
        self.optional(names, self.text(names).and_then(|text| text.map(read).transpose()))
    }

    /// A count with its sign.
    pub(super) fn count(&self, names: &[&'static str]) -> Result<Option<Count>, Reject> {
        let Some((is_negative, size)) = self.rounded(names, QUANTITY_PLACES, COUNT)? else {
            return Ok(None);
        };
        let size = size.quantity().ok_or_else(|| Reject::malformed(self.path(names), COUNT))?;
        Ok(Some(Count { is_negative, size }))
    }

    /// An amount of money without its sign, and whether it has one.
    pub(super) fn yuan(&self, names: &[&'static str]) -> Result<Option<(bool, Money)>, Reject> {
        let Some((is_negative, size)) = self.rounded(names, MONEY_PLACES, AMOUNT)? else {
            return Ok(None);
        };
        let size = size.money().ok_or_else(|| Reject::malformed(self.path(names), AMOUNT))?;
        Ok(Some((is_negative, size)))
    }

    /// An amount of money of at least 0 that can be spared.
    pub(super) fn optional_yuan(&self, names: &[&'static str]) -> Option<Money> {
        let read = self.yuan(names).and_then(|amount| match amount {
            Some((true, _)) => Err(Reject::malformed(self.path(names), decimal::MONEY_FORM)),
            amount => Ok(amount.map(|(_, amount)| amount)),
        });
        self.optional(names, read)
    }

    /// A quantity above 0 that can be spared.
    pub(super) fn optional_quantity(&self, names: &[&'static str]) -> Option<Quantity> {
        let read = self.count(names).and_then(|count| match count {
            Some(count) if count.is_negative => Err(Reject::malformed(self.path(names), COUNT)),
            count => Ok(count.map(|count| count.size)),
        });
        self.optional(names, read).filter(|quantity| quantity.thousandths() > 0)
    }

    /// A whole number up to a greatest one that can be spared.
    pub(super) fn optional_whole(&self, names: &[&'static str], max: u32) -> Option<u32> {
        let read = |text: String| {
            let number = whole(text, self.reading.notes).parse().ok().filter(|number| *number <= max);
            number.ok_or_else(|| Reject::malformed(self.path(names), COUNT))
        };
        self.optional(names, self.text(names).and_then(|text| text.map(read).transpose()))
    }

    /// A region of six digits that can be spared.
    pub(super) fn optional_region(&self, names: &[&'static str]) -> Option<Text> {
        let read = self.id(names).and_then(|region| match region {
            Some(region) if region.len() != 6 || !region.bytes().all(|byte| byte.is_ascii_digit()) => {
                Err(Reject::malformed(self.path(names), REGION))
            }
            region => Ok(region),
        });
        self.optional(names, read).map(Text::from)
    }

    fn rounded(
        &self,
        names: &[&'static str],
        places: usize,
        form: Words,
    ) -> Result<Option<(bool, decimal::Rounded)>, Reject> {
        let Some(text) = self.text(names)? else {
            return Ok(None);
        };
        let number =
            decimal::lenient(&text, places).ok_or_else(|| Reject::malformed(self.path(names), form))?;
        if number.is_rounded {
            self.reading.notes.lenient(Leniency::Rounded);
        }
        Ok(Some((number.is_negative, number)))
    }

    /// A yes-or-no field; what is neither is refused, never taken for no.
    pub(super) fn flag(&self, names: &[&'static str]) -> Result<Option<bool>, Reject> {
        let Some(text) = self.scalar(names)? else {
            return Ok(None);
        };
        let text = whole(text, self.reading.notes).to_lowercase();
        let significant = text.trim_start_matches('0');
        match (significant, text.as_str()) {
            ("1" | "true" | "y" | "是", _) => Ok(Some(true)),
            ("false" | "n" | "否", _) => Ok(Some(false)),
            ("", zeros) if !zeros.is_empty() => Ok(Some(false)),
            _ => Err(Reject::malformed(self.path(names), FLAG)),
        }
    }

    /// A yes-or-no field that can be spared.
    pub(super) fn optional_flag(&self, names: &[&'static str]) -> Option<bool> {
        self.optional(names, self.flag(names))
    }
}

/// The proper name of a field of several spellings.
fn proper(names: &[&'static str]) -> &'static str {
    names.first().copied().unwrap_or_default()
}
