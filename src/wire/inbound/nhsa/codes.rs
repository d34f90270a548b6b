//! Trace codes of a message in all the shapes in which they are sent.
//!
//! `drugtracinfo` (or `drug_trac_info`) is a list or one object or text; an entry is an object with
//! `drug_trac_codg` (misspelt `drug_trac_code`) or text; text may join codes with commas or semicolons. Older
//! senders have a flat `drug_trac_codg` in the row; some put the node beside the row instead of inside it.

use serde_json::Value;

use super::row::Row;
use crate::wire::inbound::reject::Reject;
use crate::wire::pb::upload::line::TraceCode;

/// The node of codes.
const NODE: [&str; 1] = ["drugtracinfo"];
/// The field of a code.
pub(super) const CODE: [&str; 2] = ["drug_trac_codg", "drug_trac_code"];

/// The codes of a row: those of its node, else its flat ones.
pub(super) fn of_row(row: &Row<'_>) -> Result<Vec<TraceCode>, Reject> {
    let mut codes = Vec::new();
    if let Some(node) = row.value(&NODE) {
        collect(&row.path(&NODE), node, &mut codes)?;
    }
    if codes.is_empty()
        && let Some(flat) = row.value(&CODE)
    {
        collect(&row.path(&CODE), flat, &mut codes)?;
    }
    Ok(codes)
}

/// The codes of a node that stands beside the rows.
pub(super) fn beside(input: Option<&Row<'_>>) -> Result<Vec<TraceCode>, Reject> {
    let mut codes = Vec::new();
    if let Some(input) = input
        && let Some(node) = input.value(&NODE)
    {
        collect(&input.path(&NODE), node, &mut codes)?;
    }
    Ok(codes)
}

fn collect(place: &str, node: &Value, codes: &mut Vec<TraceCode>) -> Result<(), Reject> {
    match node {
        Value::Array(list) => list.iter().try_for_each(|entry| collect_entry(place, entry, codes)),
        entry => collect_entry(place, entry, codes),
    }
}

/// One entry; a list inside an entry is read, but no deeper.
fn collect_entry(place: &str, entry: &Value, codes: &mut Vec<TraceCode>) -> Result<(), Reject> {
    match entry {
        Value::Object(object) => match Row::new(place, object).value(&CODE) {
            Some(Value::Array(list)) => list.iter().try_for_each(|code| collect_text(place, code, codes)),
            Some(code) => collect_text(place, code, codes),
            None => Ok(()),
        },
        code => collect_text(place, code, codes),
    }
}

fn collect_text(place: &str, code: &Value, codes: &mut Vec<TraceCode>) -> Result<(), Reject> {
    match code {
        Value::Null => {}
        Value::String(joined) => {
            let parts = joined.split([',', ';', '，', '；']).filter(|part| !matches!(part.trim(), "" | "无"));
            codes.extend(parts.map(|part| TraceCode { code: part.to_owned(), units: String::new() }));
        }
        Value::Number(number) => codes.push(TraceCode { code: number.to_string(), units: String::new() }),
        _ => return Err(Reject::malformed(place, "codes: a list of objects with drug_trac_codg, or text")),
    }
    Ok(())
}
