//! Reads the fields of one table, remembers which are known, and names each in what it refuses.

use std::collections::BTreeSet;

use toml::{Table, Value};

use super::RuleSetError;
use crate::domain::Text;
use crate::domain::time::Day;

/// The fields of one table.
pub(super) struct Fields<'a> {
    path: String,
    table: &'a Table,
    known: BTreeSet<&'static str>,
}

impl<'a> Fields<'a> {
    /// The fields of the table at that path.
    pub(super) fn new(path: &str, table: &'a Table) -> Self {
        Self { path: path.to_owned(), table, known: BTreeSet::new() }
    }

    /// The full name of a field.
    pub(super) fn path(&self, key: &str) -> String {
        format!("{}.{key}", self.path)
    }

    /// A refusal of one field.
    pub(super) fn error(&self, key: &str, problem: &str) -> RuleSetError {
        RuleSetError::new(self.path(key), problem)
    }

    fn take(&mut self, key: &'static str) -> Option<&'a Value> {
        self.known.insert(key);
        self.table.get(key)
    }

    /// Reads a field that may be absent.
    fn read<T>(
        &mut self,
        key: &'static str,
        expected: &str,
        read: impl FnOnce(&'a Value) -> Option<T>,
    ) -> Result<Option<T>, RuleSetError> {
        let Some(value) = self.take(key) else {
            return Ok(None);
        };
        match read(value) {
            Some(read) => Ok(Some(read)),
            None => Err(self.error(key, &format!("{value} cannot be used: give {expected}"))),
        }
    }

    /// `true` or `false`.
    pub(super) fn boolean(&mut self, key: &'static str) -> Result<Option<bool>, RuleSetError> {
        self.read(key, "true or false", Value::as_bool)
    }

    /// A whole number within bounds.
    pub(super) fn whole(
        &mut self,
        key: &'static str,
        min: u32,
        max: u32,
    ) -> Result<Option<u32>, RuleSetError> {
        self.read(key, &format!("a whole number from {min} to {max}"), |value| {
            let number = value.as_integer().and_then(|number| u32::try_from(number).ok())?;
            (min..=max).contains(&number).then_some(number)
        })
    }

    /// Text that is not empty.
    pub(super) fn text(&mut self, key: &'static str) -> Result<Option<Text>, RuleSetError> {
        self.read(key, "text that is not empty", |value| {
            value.as_str().filter(|text| !text.is_empty()).map(Text::from)
        })
    }

    /// The id of an institution: what has another form can fit none.
    pub(super) fn institution_id(&mut self, key: &'static str) -> Result<Option<Text>, RuleSetError> {
        self.read(key, "12 characters of A-Z and 0-9", |value| {
            let is_id = |text: &&str| {
                text.len() == 12
                    && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
            };
            value.as_str().filter(is_id).map(Text::from)
        })
    }

    /// Text that is one of some names.
    pub(super) fn named<T>(
        &mut self,
        key: &'static str,
        from_name: impl FnOnce(&str) -> Option<T>,
        expected: &str,
    ) -> Result<Option<T>, RuleSetError> {
        self.read(key, expected, |value| value.as_str().and_then(from_name))
    }

    /// A day, as text or as a date of TOML.
    pub(super) fn day(&mut self, key: &'static str) -> Result<Option<Day>, RuleSetError> {
        self.read(key, "a day like \"2026-01-31\"", |value| match value {
            Value::String(text) => day(text),
            Value::Datetime(date) => day(&date.to_string()),
            _ => None,
        })
    }

    /// A table.
    pub(super) fn table(&mut self, key: &'static str) -> Result<Option<&'a Table>, RuleSetError> {
        self.read(key, "a section", Value::as_table)
    }

    /// An array of tables, at most `max`.
    pub(super) fn tables(&mut self, key: &'static str, max: usize) -> Result<Vec<&'a Table>, RuleSetError> {
        let tables = self.read(key, &format!("at most {max} sections [[{}]]", self.path(key)), |value| {
            let array = value.as_array().filter(|array| array.len() <= max)?;
            array.iter().map(Value::as_table).collect::<Option<Vec<_>>>()
        });
        Ok(tables?.unwrap_or_default())
    }

    /// Refuses whatever was not asked for. `hint` stands before the list of what is known.
    pub(super) fn finish(self, hint: &str) -> Result<(), RuleSetError> {
        match self.table.keys().find(|key| !self.known.contains(key.as_str())) {
            Some(unknown) => {
                let known: Vec<&str> = self.known.iter().copied().collect();
                Err(self.error(unknown, &format!("is not known: it should be {hint} {}", known.join(", "))))
            }
            None => Ok(()),
        }
    }
}

/// `YYYY-MM-DD`.
fn day(text: &str) -> Option<Day> {
    let mut parts = text.split('-');
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    let well_formed = parts.next().is_none() && [year, month, day].map(str::len) == [4, 2, 2];
    let digits = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    if !well_formed || !digits {
        return None;
    }
    Day::from_civil(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?)
}
