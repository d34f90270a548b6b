//! Trace codes of a message in all the shapes in which they are sent.
//!
//! `drugtracinfo` (or `drug_trac_info`) is a list or one object or text; an entry is an object with
//! `drug_trac_codg` (misspelt `drug_trac_code`) or text; text may join several codes. Older senders have a flat
//! `drug_trac_codg` in the row; some put the node beside the row instead of inside it. A node that is filled but holds
//! nothing known is refused: it is not "no codes".

use super::nodes::is_list_of_numbers;
use super::row::{Reading, Row, is_empty};
use crate::wire::inbound::decimal;
use crate::wire::inbound::draft::CodesDraft;
use crate::wire::inbound::json::Json;
use crate::wire::inbound::notes::{Leniency, Notebook};
use crate::wire::inbound::reject::{Reject, Words};

/// The node of codes.
pub(super) const NODE: [&str; 1] = ["drugtracinfo"];
/// The field of a code.
pub(super) const CODE: [&str; 2] = ["drug_trac_codg", "drug_trac_code"];

/// What stands between codes in one text, wherever it stands.
const SEPARATORS: [char; 7] = [',', ';', '，', '；', '、', '\n', '\r'];
/// What stands between codes of 20 digits only: other codes hold it themselves.
const BLANKS: [char; 4] = [' ', '\t', '\u{3000}', '|'];
const DRUG_CODE_DIGITS: usize = 20;

/// From so many digits on a number that went through a binary fraction has lost some.
const EXACT_DIGITS: usize = 17;

/// Text in place of a code that says that there is none.
const NO_CODE: [&str; 4] = ["", "无", "null", "undefined"];

const CODES: Words = Words::new(
    "追溯码：含 drug_trac_codg 的对象列表，或文本",
    "codes: a list of objects with drug_trac_codg, or text",
);

/// The codes of a row: those of its node, else its flat ones.
pub(super) fn of_row(row: &Row<'_>) -> Result<Vec<String>, Reject> {
    let mut codes = Vec::new();
    collect_nodes(row, &NODE, &mut codes)?;
    if codes.is_empty() {
        collect_nodes(row, &CODE, &mut codes)?;
    }
    Ok(codes)
}

/// The codes of a node that stands beside the rows.
pub(super) fn beside(input: Option<&Row<'_>>) -> Result<Vec<String>, Reject> {
    let mut codes = Vec::new();
    if let Some(input) = input {
        collect_nodes(input, &NODE, &mut codes)?;
    }
    Ok(codes)
}

/// A codes facet of codes of which nobody said units.
pub(super) fn facet(codes: Vec<String>, split: bool) -> CodesDraft {
    CodesDraft { scanned: codes.into_iter().map(|code| (code, None)).collect(), split }
}

fn collect_nodes(row: &Row<'_>, names: &[&'static str], codes: &mut Vec<String>) -> Result<(), Reject> {
    let stated = super::nodes::distinct(row.nodes(names), row.reading().notes);
    stated.into_iter().try_for_each(|(place, node)| collect(&place, node, row.reading(), codes))
}

fn collect(place: &str, node: &Json, reading: Reading<'_>, codes: &mut Vec<String>) -> Result<(), Reject> {
    if is_empty(node) {
        return Ok(());
    }
    match node {
        Json::List(list) => list.iter().try_for_each(|entry| collect(place, entry, reading, codes)),
        Json::Object(members) if is_list_of_numbers(members) => {
            reading.notes.lenient(Leniency::ListForm);
            members.iter().try_for_each(|(_, entry)| collect(place, entry, reading, codes))
        }
        Json::Object(members) => {
            let entry = Row::new(place, members, reading);
            if !entry.has_any(&CODE) && !entry.has_any(&NODE) {
                return Err(Reject::malformed(place, CODES));
            }
            collect_nodes(&entry, &CODE, codes)?;
            collect_nodes(&entry, &NODE, codes)
        }
        Json::Text(text) => {
            codes.extend(split(text, reading.notes));
            Ok(())
        }
        Json::Number(number) => {
            codes.push(of_number(number, reading.notes));
            Ok(())
        }
        Json::Null | Json::Bool(_) => Err(Reject::malformed(place, CODES)),
    }
}

/// The codes that one text joins.
fn split(text: &str, notes: &Notebook) -> Vec<String> {
    let mut codes = Vec::new();
    for part in text.split(SEPARATORS).filter(|part| !NO_CODE.contains(&part.trim())) {
        let pieces: Vec<&str> = part.split(BLANKS).filter(|piece| !piece.is_empty()).collect();
        let is_drug_code =
            |piece: &&str| piece.len() == DRUG_CODE_DIGITS && piece.bytes().all(|byte| byte.is_ascii_digit());
        if pieces.iter().all(is_drug_code) {
            codes.extend(pieces.into_iter().map(str::to_owned));
        } else {
            codes.push(part.to_owned());
        }
    }
    if codes.len() > 1 {
        notes.lenient(Leniency::JoinedCodes);
    }
    codes
}

/// A code that was written as a number. Where digits were lost it goes on in exponent form, which no code has, so that
/// two boxes whose codes were rounded to one are not taken for one box.
fn of_number(number: &str, notes: &Notebook) -> String {
    let is_plain = number.bytes().all(|byte| byte.is_ascii_digit());
    if is_plain && !(number.len() >= EXACT_DIGITS && number.ends_with("000")) {
        return number.to_owned();
    }
    let Some(exponent_form) = exponent_form(number) else {
        return number.to_owned();
    };
    notes.lenient(Leniency::RoundedCode);
    exponent_form
}

/// A positive number as a digit, a fraction and an exponent.
fn exponent_form(number: &str) -> Option<String> {
    let plain = decimal::plain(number)?;
    let (whole, fraction) = plain.split_once('.').unwrap_or((&plain, ""));
    if whole.starts_with(['-', '0']) {
        return None;
    }
    let exponent = whole.len().checked_sub(1)?;
    let digits = format!("{whole}{fraction}");
    let (first, rest) = digits.split_at_checked(1)?;
    let rest = rest.trim_end_matches('0');
    Some(if rest.is_empty() { format!("{first}E{exponent}") } else { format!("{first}.{rest}E{exponent}") })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_joined_in_one_text_come_apart_where_no_code_can_hold_the_separator() {
        let (one, two) = ("81773220288616423835", "81773220288616423836");
        let joined = |separator: &str| format!("{one}{separator}{two}");
        for separator in [",", ";", "，", "；", "、", "\n", "\r\n", " ", "　", "|", " | ", ", "] {
            let codes = split(&joined(separator), &Notebook::default());
            let codes: Vec<&str> = codes.iter().map(|code| code.trim()).collect();
            assert_eq!(codes, [one, two], "{separator:?}");
        }
        for whole in ["8177 3220 2886 1642 3835", "MA 1234|5678", "(01)06901234567892 (21)1"] {
            assert_eq!(split(whole, &Notebook::default()), [whole]);
        }
        assert!(split("无", &Notebook::default()).is_empty());
    }

    #[test]
    fn a_code_that_lost_digits_as_a_number_goes_on_in_exponent_form() {
        for (number, code) in [
            ("81773220288616423835", "81773220288616423835"),
            ("81773220288616430000", "8.177322028861643E19"),
            ("8.1773220288616435e+19", "8.1773220288616435E19"),
            ("8e19", "8E19"),
            ("1234567.0", "1.234567E6"),
            ("123000", "123000"),
            ("-5", "-5"),
        ] {
            assert_eq!(of_number(number, &Notebook::default()), code, "{number}");
        }
    }
}
