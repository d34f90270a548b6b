//! 医疗类别: what kind of visit a settlement is of.
//!
//! The message tells a stay and a pharmacy; of the rest the beginning of `med_type` does. Dictionaries are local, so that
//! table is configuration.

use std::collections::BTreeMap;

use crate::domain::Text;

/// What medical types are called here.
pub const MEDICAL_TYPES: [&str; 5] = ["outpatient", "chronic", "emergency", "inpatient", "pharmacy"];

const OUTPATIENT: &str = "outpatient";
const INPATIENT: &str = "inpatient";
const PHARMACY: &str = "pharmacy";

/// The table of the national dictionary, as the configuration writes it.
pub const NATIONAL: &str = "11 outpatient, 12 outpatient, 13 emergency, 14 chronic, 15 chronic, 2 inpatient, 41 pharmacy, \
                            51 outpatient, 52 inpatient";

/// Beginnings of `med_type` and what they mean.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MedicalTypes(BTreeMap<String, &'static str>);

impl MedicalTypes {
    /// Reads the table: `11 outpatient, 2 inpatient`. The entry at fault, when there is one.
    pub fn parse(table: &str) -> Result<Self, String> {
        let entry = |entry: &str| {
            let (beginning, name) = entry.trim().split_once(' ')?;
            let name = MEDICAL_TYPES.into_iter().find(|known| *known == name.trim())?;
            let is_number = !beginning.is_empty() && beginning.bytes().all(|byte| byte.is_ascii_digit());
            is_number.then(|| (beginning.to_owned(), name))
        };
        let entries = table.split(',').map(|text| entry(text).ok_or_else(|| text.trim().to_owned()));
        entries.collect::<Result<_, _>>().map(Self)
    }

    /// The medical type of a settlement: by its message, else by the longest beginning of `med_type` in the table.
    pub(super) fn of(&self, message: u16, med_type: Option<&str>) -> Text {
        let name = match message {
            2301 | 2304 => INPATIENT,
            2102 => PHARMACY,
            _ => {
                let beginnings = self.0.iter().rev().filter(|(beginning, _)| {
                    med_type.is_some_and(|med_type| med_type.starts_with(beginning.as_str()))
                });
                beginnings.max_by_key(|(beginning, _)| beginning.len()).map_or(OUTPATIENT, |(_, name)| name)
            }
        };
        name.into()
    }
}

impl Default for MedicalTypes {
    fn default() -> Self {
        Self::parse(NATIONAL).unwrap_or_else(|_| Self(BTreeMap::new()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_visit_is_known_by_its_message_then_by_the_beginning_of_its_type() {
        let types = MedicalTypes::default();
        assert_eq!(MedicalTypes::parse(NATIONAL).as_ref(), Ok(&types));
        for (message, med_type, expected) in [
            (2304, Some("11"), "inpatient"),
            (2102, Some("11"), "pharmacy"),
            (2207, Some("11"), "outpatient"),
            (2207, Some("1301"), "emergency"),
            (2207, Some("14"), "chronic"),
            (2207, Some("15"), "chronic"),
            (2207, Some("21"), "inpatient"),
            (2207, Some("41"), "pharmacy"),
            (2207, Some("51"), "outpatient"),
            (2207, Some("52"), "inpatient"),
            (2207, Some("99"), "outpatient"),
            (2207, None, "outpatient"),
        ] {
            assert_eq!(&*types.of(message, med_type), expected, "{message} {med_type:?}");
        }
    }

    #[test]
    fn a_fault_in_the_table_is_named() {
        assert_eq!(MedicalTypes::parse("11 outpatient, 12 dental"), Err("12 dental".to_owned()));
        assert_eq!(MedicalTypes::parse("outpatient"), Err("outpatient".to_owned()));
        assert_eq!(MedicalTypes::parse(""), Err(String::new()));
    }
}
