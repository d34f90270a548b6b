//! State of the monitor.

use super::{columns, read, write};
use crate::domain::claim::Verdict;
use crate::domain::monitor::{CodeState, Judged};
use crate::domain::rules::RuleId;
use crate::wire::WireError;
use crate::wire::log::{Numbered, TableReader, TableWriter, Wire, moment, read_optional};
use crate::wire::pb_internal as pb;

/// The bytes of a code's state.
pub fn encode_code(state: &CodeState) -> Vec<u8> {
    let mut table = TableWriter::default();
    let judged = |key: &_| state.verdicts.get(key).map(|judged| judged.revision);
    let message = pb::CodeState {
        observations: (!state.observations.is_empty())
            .then(|| columns::write_observations(&state.observations, judged, &mut table)),
        judged_reasons: judged_reasons(state),
        alerts: (!state.alerts.is_empty()).then(|| state.alerts.to_message(&mut table)),
        due: state.due.map(|due| due.unix_millis()),
        emptied_at: state.emptied_at.map(|moment| moment.unix_millis()),
        table: Some(table.finish_packed()),
    };
    write(&message)
}

/// Only live observations are answered, so a row tells which answer a reason belongs to.
fn judged_reasons(state: &CodeState) -> Vec<pb::JudgedReason> {
    let mut reasons = Vec::new();
    for (row, observation) in (0..).zip(&state.observations) {
        let judged = state.verdicts.get(&observation.key);
        for (rule, verdict) in judged.iter().flat_map(|judged| &judged.reasons) {
            reasons.push(pb::JudgedReason { row, rule: rule.number(), verdict: verdict.number() });
        }
    }
    reasons
}

/// The state of a code from its bytes.
pub fn decode_code(bytes: &[u8]) -> Result<CodeState, WireError> {
    let message: pb::CodeState = read(bytes, "code state")?;
    let table = TableReader::new(message.table)?;
    let mut state = CodeState {
        alerts: read_optional(&message.alerts, &table)?.unwrap_or_default(),
        due: message.due.map(moment),
        emptied_at: message.emptied_at.map(moment),
        ..CodeState::default()
    };
    for (observation, judged) in
        columns::read_observations(&message.observations.unwrap_or_default(), &table)?
    {
        if let Some(revision) = judged {
            state.verdicts.insert(observation.key.clone(), Judged { revision, ..Judged::default() });
        }
        state.observations.push(observation);
    }
    for reason in &message.judged_reasons {
        let field = "judged_reason.row";
        let observation = state.observations.get(reason.row as usize).ok_or(WireError::Field { field })?;
        let judged = state.verdicts.get_mut(&observation.key).ok_or(WireError::Field { field })?;
        let rule = RuleId::required(reason.rule, "judged_reason.rule")?;
        judged.reasons.insert(rule, Verdict::required(reason.verdict, "judged_reason.verdict")?);
    }
    Ok(state)
}
