//! Folds published revisions to what holds at the end, in the form in which two implementations are compared, and
//! holds the revisions to their promise on the way: gapless, from 1.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use oracle::Answer;

/// The newest revision of every alert and decision.
#[derive(Clone, Debug, Default)]
pub(crate) struct Fold {
    alerts: BTreeMap<String, Value>,
    decisions: BTreeMap<String, Value>,
    /// Revisions that did not follow the one before.
    pub(crate) gaps: Vec<String>,
}

impl Fold {
    /// Takes in one record of the alerts topic.
    pub(crate) fn alert(&mut self, payload: &[u8]) {
        let alert: Value = serde_json::from_slice(payload).expect("an alert is JSON");
        let id = alert["alert_id"].as_str().expect("an alert has an id").to_owned();
        take(&mut self.alerts, &mut self.gaps, id, alert);
    }

    /// Takes in one record of the decisions topic.
    pub(crate) fn decision(&mut self, payload: &[u8]) {
        let decision: Value = serde_json::from_slice(payload).expect("a decision is JSON");
        take(&mut self.decisions, &mut self.gaps, decision["claim"].to_string(), decision);
    }

    /// The newest revision of every alert that is not withdrawn.
    pub(crate) fn open_alerts(&self) -> Vec<Value> {
        self.alerts.values().filter(|alert| alert["status"] != "withdrawn").cloned().collect()
    }

    /// What stands of every claim that was not taken back, in the form in which it is compared.
    pub(crate) fn decisions(&self) -> Vec<Value> {
        let standing = self.decisions.values().filter(|decision| decision["withdrawn"] != true);
        let decisions = standing.map(|decision| {
            let lines: Vec<Value> = decision["lines"].as_array().into_iter().flatten().map(line).collect();
            json!({
                "institution_id": decision["claim"]["institution_id"],
                "document_id": decision["claim"]["document_id"],
                "verdict": decision["verdict"], "payable": decision["payable"], "lines": lines,
            })
        });
        decisions.collect()
    }

    /// The newest revision of every decision, whole.
    pub(crate) fn whole_decisions(&self) -> Vec<Value> {
        self.decisions.values().cloned().collect()
    }

    /// How many codes the lines of standing decisions borrowed.
    pub(crate) fn lent(&self) -> u64 {
        let standing = self.decisions.values().filter(|decision| decision["withdrawn"] != true);
        let lines = standing.flat_map(|decision| decision["lines"].as_array().into_iter().flatten());
        lines.map(|line| line["lent"].as_array().map_or(0, |lent| lent.len() as u64)).sum()
    }

    /// What holds at the end.
    pub(crate) fn answer(&self) -> Answer {
        let open = self.open_alerts();
        let alerts = open.iter().map(|alert| {
            json!({
                "rule": alert["rule"], "basis": alert["basis"], "scope": alert["scope"],
                "code": alert["code"], "subject": side(&alert["subject"]),
                "counterpart": side(&alert["counterpart"]),
            })
        });
        Answer::new(alerts.collect(), self.decisions())
    }
}

fn take(newest: &mut BTreeMap<String, Value>, gaps: &mut Vec<String>, id: String, record: Value) {
    let before = newest.get(&id).and_then(|before| before["revision"].as_u64()).unwrap_or(0);
    if record["revision"].as_u64() != Some(before + 1) {
        gaps.push(format!("revision {} after {before}: {record}", record["revision"]));
    }
    newest.insert(id, record);
}

fn side(value: &Value) -> Value {
    if value.is_null() {
        return Value::Null;
    }
    json!({
        "institution_id": value["institution_id"], "group": value["group"],
        "document_id": value["document_id"], "line_id": value["line_id"],
    })
}

fn line(value: &Value) -> Value {
    json!({ "line_id": value["line_id"], "verdict": value["verdict"], "reasons": value["reasons"] })
}
