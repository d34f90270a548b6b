//! Aliases: other identities that documents can be named by.
//!
//! An alias is an entry at its own partition. A reversal that arrives under it is kept there and goes on to all
//! documents behind it, a page at a time; a document that comes to stand behind it later is told of every reversal
//! kept. So it does not matter which came first. Reversals that come close upon each other are told together: the
//! cancelled lines of a long document would otherwise make each document behind the alias be judged once for every one
//! of them. What a hand-over lends takes a similar way ([`super::lending`]). The state of an alias has a key of its own, since
//! a document may be called like it; rows are those of aliases alone: the documents behind one under the bytes of a
//! document's key, those that borrow there under the key of its state.

use std::collections::BTreeSet;

use super::register::{Cx, Register};
use super::senders;
use super::topics::{alias_key_bytes, document_key_bytes, document_of_key};
use crate::domain::document::{DocumentKey, Reversal};
use crate::domain::time::Timestamp;
use crate::engine::StageError;
use crate::store::StoreError;
use crate::wire::entries::DocumentEntry;

/// Documents told of a reversal by one entry; the rest is told by the entries that follow it.
pub(super) const FORWARD_PAGE: usize = 500;

/// Takes note of a document behind an alias and tells it of every reversal that the alias keeps.
pub(super) fn add_member(
    register: &Register,
    alias: &DocumentKey,
    member: DocumentKey,
    received_at: Timestamp,
    cx: &mut Cx<'_>,
) -> Result<(), StageError> {
    // In a replay the record is written before its upload moves time.
    let noted_at = received_at.max(cx.written_at);
    if !cx.note_row(&document_key_bytes(alias), &document_key_bytes(&member), noted_at)? {
        return Ok(());
    }
    let found = cx.value(&alias_key_bytes(alias))?.document.found_member();
    senders::stand(register, &alias.institution_id, &found, cx)?;
    let state = &cx.value(&alias_key_bytes(alias))?.document;
    let mut kept = state.parts.reversals(alias);
    // Of those not told yet it will hear with all the others.
    let untold: BTreeSet<_> = state.untold.iter().map(|told| (&told.line_id, told.issued_at)).collect();
    kept.retain(|reversal| !untold.contains(&(&reversal.line_id, reversal.issued_at)));
    forward(&kept, member, cx);
    Ok(())
}

/// Whether any document stands behind an alias.
pub(super) fn has_members(alias: &DocumentKey, cx: &mut Cx<'_>) -> Result<bool, StageError> {
    Ok(!members_after(alias, None, 1, cx)?.is_empty())
}

/// Tells the documents behind an alias of the reversals that arrived under it since that was done last.
pub(super) fn tell(alias: &DocumentKey, cx: &mut Cx<'_>) -> Result<(), StageError> {
    let untold = std::mem::take(&mut cx.value(&alias_key_bytes(alias))?.document.untold);
    tell_members(&untold, None, cx)
}

/// Passes reversals on to one page of the documents behind the alias that they name.
pub(super) fn tell_members(
    reversals: &[Reversal],
    after: Option<&DocumentKey>,
    cx: &mut Cx<'_>,
) -> Result<(), StageError> {
    let Some(alias) = reversals.first().map(|reversal| reversal.target.clone()) else { return Ok(()) };
    let page = members_after(&alias, after, FORWARD_PAGE, cx)?;
    for member in &page {
        forward(reversals, member.clone(), cx);
    }
    if let (Some(after), true) = (page.last(), page.len() == FORWARD_PAGE) {
        let page = DocumentEntry::ForwardPage { reversals: reversals.to_vec(), after: after.clone() };
        cx.out.send(&document_key_bytes(&alias), page);
    }
    Ok(())
}

/// The documents behind an alias that follow one of them, so many at most.
fn members_after(
    alias: &DocumentKey,
    after: Option<&DocumentKey>,
    at_most: usize,
    cx: &mut Cx<'_>,
) -> Result<Vec<DocumentKey>, StageError> {
    documents_after(&document_key_bytes(alias), after, at_most, cx)
}

/// The documents noted under a key that follow one of them, so many at most.
pub(super) fn documents_after(
    key: &[u8],
    after: Option<&DocumentKey>,
    at_most: usize,
    cx: &mut Cx<'_>,
) -> Result<Vec<DocumentKey>, StageError> {
    let after = after.map(document_key_bytes);
    let rows = cx.rows_after(key, after.as_deref(), at_most)?;
    let documents = rows.iter().map(|row| {
        document_of_key(row)
            .ok_or_else(|| StoreError::Unreadable("a row of an alias names no document".into()).into())
    });
    documents.collect()
}

fn forward(reversals: &[Reversal], member: DocumentKey, cx: &mut Cx<'_>) {
    if reversals.is_empty() {
        return;
    }
    cx.tally.forwarded += reversals.len() as u64;
    let addressed = reversals.iter().map(|reversal| Reversal {
        target: member.clone(),
        of_alias: false,
        ..reversal.clone()
    });
    let reversals = addressed.collect();
    cx.out.send(&document_key_bytes(&member), DocumentEntry::Forwarded { member, reversals });
}
