//! State of the monitor.

use super::{read, write};
use crate::domain::monitor::{CodeState, Judged};
use crate::domain::observation::ObservationKey;
use crate::wire::WireError;
use crate::wire::internal::claim::{read_reasons, write_reasons};
use crate::wire::internal::{
    TableReader, TableWriter, Wire, moment, read as read_field, read_all, read_optional, write_all,
};
use crate::wire::pb_internal as pb;

/// The bytes of a code's state.
pub fn encode_code(state: &CodeState) -> Vec<u8> {
    let mut table = TableWriter::default();
    let verdicts = state.verdicts.iter().map(|(key, judged)| pb::JudgedObservation {
        key: Some(key.to_message(&mut table)),
        revision: judged.revision,
        reasons: write_reasons(&judged.reasons),
    });
    let message = pb::CodeState {
        verdicts: verdicts.collect(),
        observations: write_all(&state.observations, &mut table),
        alerts: (!state.alerts.is_empty()).then(|| state.alerts.to_message(&mut table)),
        due: state.due.map(|due| due.unix_millis()),
        emptied_at: state.emptied_at.map(|moment| moment.unix_millis()),
        table: Some(table.finish()),
    };
    write(&message)
}

/// The state of a code from its bytes.
pub fn decode_code(bytes: &[u8]) -> Result<CodeState, WireError> {
    let message: pb::CodeState = read(bytes, "code state")?;
    let table = TableReader::new(message.table)?;
    let mut state = CodeState {
        observations: read_all(&message.observations, &table)?,
        alerts: read_optional(&message.alerts, &table)?.unwrap_or_default(),
        due: message.due.map(moment),
        emptied_at: message.emptied_at.map(moment),
        ..CodeState::default()
    };
    for judged in &message.verdicts {
        let key: ObservationKey = read_field(&judged.key, "judged.key", &table)?;
        let reasons = read_reasons(&judged.reasons)?;
        state.verdicts.insert(key, Judged { revision: judged.revision, reasons });
    }
    Ok(state)
}
