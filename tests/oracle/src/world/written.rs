//! Uploads as they are written: names that stand twice, lists in two parts, byte order marks, envelopes, numbers
//! written otherwise. Most of it means nothing; some of it makes the upload malformed.

use serde_json::Value;

use super::dice::Dice;

/// The text of an upload as some sender writes it; the same upload is always written the same.
pub(super) fn written(upload: &Value) -> String {
    let plain = upload.to_string();
    let seed = plain.bytes().fold(0_u64, |sum, byte| sum.wrapping_mul(1_099_511_628_211) ^ u64::from(byte));
    let mut writing = Writing { dice: Dice::new(seed), text: String::new() };
    let dice = &mut writing.dice;
    let [has_mark, in_envelope] = [dice.chance(4), dice.chance(8)];
    if in_envelope {
        writing.envelope(upload);
    } else {
        writing.value("", upload);
    }
    if has_mark { format!("\u{FEFF}{}", writing.text) } else { writing.text }
}

/// Names of which two lists are joined.
const JOINED: [&str; 2] = ["lines", "trace_codes"];

struct Writing {
    dice: Dice,
    text: String,
}

impl Writing {
    /// "A structured-mode CloudEvent (JSON with `specversion` and `data`) is opened once".
    fn envelope(&mut self, upload: &Value) {
        self.text
            .push_str(r#"{"specversion":"1.0","id":"e1","source":"/his","type":"cn.his.upload","data":"#);
        match self.dice.below(20) {
            // Opened once only.
            0 => self.envelope(upload),
            // Data that is no object.
            1 => self.text.push_str(&Value::String(upload.to_string()).to_string()),
            _ => self.value("", upload),
        }
        if self.dice.chance(30) {
            self.text.push_str(r#","kind":"x""#);
        }
        self.text.push('}');
    }

    fn value(&mut self, name: &str, value: &Value) {
        match value {
            Value::Object(_) => self.object(value),
            Value::Array(values) => {
                self.text.push('[');
                for (at, value) in values.iter().enumerate() {
                    self.comma(at);
                    self.value("", value);
                }
                self.text.push(']');
            }
            Value::Number(number) if ["quantity", "units", "amount", "fund_amount"].contains(&name) => {
                let ending = if number.to_string().contains('.') { "0" } else { ".0" };
                let ending = if self.dice.chance(10) { ending } else { "" };
                self.text.push_str(&format!("{number}{ending}"));
            }
            _ => self.text.push_str(&value.to_string()),
        }
    }

    fn comma(&mut self, at: usize) {
        if at > 0 {
            self.text.push(',');
        }
    }

    fn object(&mut self, object: &Value) {
        let mut fields: Vec<(&String, &Value)> = object.as_object().into_iter().flatten().collect();
        if self.dice.chance(20) {
            self.dice.shuffle(&mut fields);
        }
        self.text.push('{');
        for (at, (name, value)) in fields.into_iter().enumerate() {
            self.comma(at);
            if self.dice.chance(3) {
                self.twice(name, value);
            } else {
                self.field(name, value);
            }
        }
        self.text.push('}');
    }

    fn field(&mut self, name: &str, value: &Value) {
        self.text.push_str(&format!("{}:", Value::from(name)));
        self.value(name, value);
    }

    /// "null and empty text beside a value do not count, equal JSON values count once …, lists of lines or codes are
    /// joined, anything else is `malformed_field`"
    fn twice(&mut self, name: &str, value: &Value) {
        let other = match self.dice.below(12) {
            0 | 1 => Value::Null,
            2 => Value::from(""),
            3 => Value::from("another"),
            _ => value.clone(),
        };
        let mut pair = [value.clone(), other];
        if let (Value::Array(values), true) = (value, JOINED.contains(&name))
            && self.dice.chance(70)
        {
            let (before, after) = values.split_at(self.dice.below(values.len() + 1));
            pair = [Value::from(before), Value::from(after)];
        }
        self.dice.shuffle(&mut pair);
        let [first, second] = &pair;
        self.field(name, first);
        self.text.push(',');
        if self.dice.chance(30) {
            self.text.push_str(r#""remark":1,"remark":"x","#);
        }
        self.field(name, second);
    }
}
