//! Rules §7: an answer, in the form in which two implementations are compared.

use std::collections::BTreeMap;

use serde_json::{Value, json};

/// The open alerts and the final decisions, sorted, so that equal answers are equal values.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Answer {
    /// The open alerts, in the form of rules §7.
    pub alerts: Vec<Value>,
    /// The final decisions, in the form of rules §7.
    pub decisions: Vec<Value>,
}

impl Answer {
    /// An answer from alerts and decisions in any order.
    pub fn new(mut alerts: Vec<Value>, mut decisions: Vec<Value>) -> Self {
        alerts.sort_by_cached_key(Value::to_string);
        decisions.sort_by_cached_key(Value::to_string);
        Self { alerts, decisions }
    }

    /// Reads `{"alerts": […], "decisions": […]}`, the form of `expected.json`.
    pub fn from_json(value: &Value) -> Self {
        let list = |name: &str| value.get(name).and_then(Value::as_array).cloned().unwrap_or_default();
        Self::new(list("alerts"), list("decisions"))
    }

    /// The form of `expected.json`.
    pub fn to_json(&self) -> Value {
        json!({ "alerts": self.alerts, "decisions": self.decisions })
    }

    /// What the other answer has less (`-`) or more (`+`) than this one, a line each; nothing when equal.
    pub fn difference(&self, other: &Answer) -> String {
        let mut balance: BTreeMap<String, i64> = BTreeMap::new();
        for (answer, by) in [(self, -1), (other, 1)] {
            let alerts = answer.alerts.iter().map(alert_line);
            for line in alerts.chain(answer.decisions.iter().map(decision_line)) {
                *balance.entry(line).or_default() += by;
            }
        }
        let line = |(line, by): (String, i64)| {
            let sign = if by < 0 { "-" } else { "+" };
            format!("{sign} {line}\n").repeat(usize::try_from(by.abs()).unwrap_or(0))
        };
        balance.into_iter().map(line).collect()
    }
}

fn word(value: &Value) -> &str {
    value.as_str().unwrap_or("-")
}

fn side(value: &Value) -> String {
    if value.is_null() {
        return "-".to_owned();
    }
    ["institution_id", "group", "document_id", "line_id"].map(|name| word(&value[name])).join("/")
}

fn alert_line(alert: &Value) -> String {
    let [rule, basis, scope, code] = ["rule", "basis", "scope", "code"].map(|name| word(&alert[name]));
    let (subject, counterpart) = (side(&alert["subject"]), side(&alert["counterpart"]));
    format!(
        "alert {rule} basis={basis} scope={scope} code={code} subject={subject} counterpart={counterpart}"
    )
}

fn decision_line(decision: &Value) -> String {
    let [institution, document, verdict, payable] =
        ["institution_id", "document_id", "verdict", "payable"].map(|name| word(&decision[name]));
    format!("decision {institution}/{document} {verdict} {payable} {}", decision["lines"])
}
