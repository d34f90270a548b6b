//! How careless software writes messages: seen in the field, and to be read all the same.

use serde_json::{Map, Value};

/// What is wrong with the messages of an institution's software.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::sim) enum Carelessness {
    /// Nothing.
    None,
    /// The codes of a row joined with commas in one text, in a misspelt field.
    JoinedCodes,
    /// Field names in capitals.
    Capitals,
    /// Moments without the blank, counts as JSON numbers.
    TightMoments,
    /// Sales under the node of purchases and the other way round, `input` as JSON inside text.
    WrongNodes,
}

impl Carelessness {
    /// All that is careless.
    pub(in crate::sim) const ALL: [Self; 4] =
        [Self::JoinedCodes, Self::Capitals, Self::TightMoments, Self::WrongNodes];
}

/// What people and programs write where there is nothing.
const FILLERS: [&str; 6] = ["-", "无", "0000", "NULL", "N/A", "--"];

/// Fields that are filled where they are empty, and written besides in every row that has the field behind them.
const FILLED: [(&str, &str); 8] = [
    ("setl_id", "sel_retn_time"),
    ("mdtrt_sn", "sel_retn_time"),
    ("psn_no", "sel_retn_time"),
    ("certno", "psn_setlway"),
    ("mdtrt_id", "begntime"),
    ("init_feedetl_sn", "feedetl_sn"),
    ("manu_date", "manu_lotnum"),
    ("rxno", "rx_circ_flag"),
];

/// Writes fillers into the input of a message where it says nothing.
pub(super) fn fill(message: &mut Value) {
    let Some(input) = message.get_mut("input") else {
        return;
    };
    let mut fillers = FILLERS.iter().cycle();
    each_object(input, &mut |row| {
        for (name, beside) in FILLED {
            let says_nothing = match row.get(name) {
                None => row.contains_key(beside),
                Some(value) => value.is_null() || value.as_str() == Some(""),
            };
            if says_nothing && let Some(filler) = fillers.next() {
                row.insert(name.to_owned(), (*filler).into());
            }
        }
    });
}

/// Rewrites the input of a message as careless software would have written it.
pub(super) fn rewrite(how: Carelessness, message: &mut Value) {
    let Some(input) = message.get_mut("input") else {
        return;
    };
    match how {
        Carelessness::None => {}
        Carelessness::JoinedCodes => each_object(input, &mut join_codes),
        Carelessness::Capitals => each_object(input, &mut |object| {
            *object = std::mem::take(object)
                .into_iter()
                .map(|(key, value)| (key.to_ascii_uppercase(), value))
                .collect();
        }),
        Carelessness::TightMoments => each_object(input, &mut tighten),
        Carelessness::WrongNodes => {
            if let Value::Object(nodes) = input {
                *nodes =
                    std::mem::take(nodes).into_iter().map(|(node, rows)| (confused(node), rows)).collect();
            }
            *input = input.to_string().into();
        }
    }
}

/// Every object, the inner ones first.
fn each_object(value: &mut Value, change: &mut impl FnMut(&mut Map<String, Value>)) {
    match value {
        Value::Array(list) => list.iter_mut().for_each(|inner| each_object(inner, change)),
        Value::Object(object) => {
            object.values_mut().for_each(|inner| each_object(inner, change));
            change(object);
        }
        _ => {}
    }
}

fn join_codes(row: &mut Map<String, Value>) {
    let Some(Value::Array(entries)) = row.get("drugtracinfo") else {
        return;
    };
    let codes: Vec<&str> = entries.iter().filter_map(|entry| entry["drug_trac_codg"].as_str()).collect();
    let joined = serde_json::json!({"drug_trac_code": codes.join(",")});
    row.insert("drugtracinfo".to_owned(), joined);
}

fn tighten(row: &mut Map<String, Value>) {
    for (key, value) in row.iter_mut() {
        let Value::String(text) = &*value else {
            continue;
        };
        if key.ends_with("time") {
            *value = text.replace(' ', "").into();
        } else if key.ends_with("cnt") {
            let count = text.parse::<u32>();
            if let Ok(count) = count {
                *value = count.into();
            }
        }
    }
}

fn confused(node: String) -> String {
    match node.as_str() {
        "selinfo" => "purcinfo".to_owned(),
        "purcinfo" => "selinfo".to_owned(),
        _ => node,
    }
}
