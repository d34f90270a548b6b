//! What each institution sends, by the day ([`crate::domain::sender`]): sums that the register keeps beside its documents
//! and publishes for whoever answers the question "what is wrong with what you send".
//!
//! Intake keeps nothing, so what it received goes through the log to one partition of the register for each institution
//! and day. What stands is added up where the documents are: each partition of the register has a sum of its own, and
//! whoever reads the topic adds up those of all writers. A sum is published once in a while
//! ([`super::StageOptions::senders_every`]), rarely while the log is far behind; what was added since is in the next record,
//! and none is lost by a crash.

use super::register::{Cx, Register};
use super::topics::{sender_key_bytes, sender_of_key};
use crate::domain::Text;
use crate::domain::document::Upload;
use crate::domain::outcome::RejectReason;
use crate::domain::sender::{self, Counts, Received, SenderDay, SenderState, StandingChange, Writer};
use crate::domain::time::Millis;
use crate::engine::StageError;
use crate::store::StoreError;
use crate::wire::outbound::sender::Published;

/// Adds what intake received.
pub(super) fn received(
    register: &Register,
    sender: &SenderDay,
    received: &Received,
    cx: &mut Cx<'_>,
) -> Result<(), StageError> {
    count(register, Writer::Intake, sender, cx, |counts| counts.received.add(received))
}

/// Counts what documents of an institution say else than before.
pub(super) fn stand(
    register: &Register,
    institution_id: &Text,
    changes: &[StandingChange],
    cx: &mut Cx<'_>,
) -> Result<(), StageError> {
    for change in changes {
        let sender = SenderDay { institution_id: Some(institution_id.clone()), day: change.day };
        count(register, Writer::Register, &sender, cx, |counts| counts.standing.change(change))?;
    }
    Ok(())
}

/// Counts an upload that said nothing new.
pub(super) fn duplicate(register: &Register, upload: &Upload, cx: &mut Cx<'_>) -> Result<(), StageError> {
    of_upload(register, upload, cx, |received| received.duplicates += 1)
}

/// Counts an upload that its document does not take.
pub(super) fn rejected(
    register: &Register,
    upload: &Upload,
    reason: RejectReason,
    cx: &mut Cx<'_>,
) -> Result<(), StageError> {
    of_upload(register, upload, cx, |received| *received.uploads_rejected.entry(reason).or_default() += 1)
}

/// What the bureau says of claims is nothing that an institution sent.
fn of_upload(
    register: &Register,
    upload: &Upload,
    cx: &mut Cx<'_>,
    add: impl FnOnce(&mut Received),
) -> Result<(), StageError> {
    if matches!(upload, Upload::Handling(_)) {
        return Ok(());
    }
    let sender = SenderDay {
        institution_id: Some(upload.key().institution_id.clone()),
        day: upload.origin().received_at.day(),
    };
    count(register, Writer::Register, &sender, cx, |counts| add(&mut counts.received))
}

fn count(
    register: &Register,
    writer: Writer,
    sender: &SenderDay,
    cx: &mut Cx<'_>,
    add: impl FnOnce(&mut Counts),
) -> Result<(), StageError> {
    let (key, now) = (sender_key_bytes(writer, sender), cx.now());
    let every = sender::spacing(register.senders_every, now, cx.wall());
    let state = state(&key, cx)?;
    add(&mut state.counts);
    state.newest = Some(sender.day.begins_at().plus(Millis::from_days(1)));
    if state.changed(now, every) {
        publish(register, writer, sender, &key, cx)?;
    }
    Ok(())
}

/// Publishes a sum that changed a while ago, if the key is that of one.
pub(super) fn wake(register: &Register, key: &[u8], cx: &mut Cx<'_>) -> Result<bool, StageError> {
    let Some((writer, sender)) = sender_of_key(key) else { return Ok(false) };
    publish(register, writer, &sender, key, cx)?;
    Ok(true)
}

fn publish(
    register: &Register,
    writer: Writer,
    sender: &SenderDay,
    key: &[u8],
    cx: &mut Cx<'_>,
) -> Result<(), StageError> {
    let (at, partition) = (cx.now(), cx.partition);
    let state = state(key, cx)?;
    state.published(at);
    let (revision, counts) = (state.revision, state.counts.clone());
    let published = Published { sender, writer, partition, revision, at, counts: &counts };
    register.outputs.sender_day(&published, cx.out);
    Ok(())
}

fn state<'a>(key: &[u8], cx: &'a mut Cx<'_>) -> Result<&'a mut SenderState, StoreError> {
    Ok(cx.value(key)?.sender.get_or_insert_default())
}
