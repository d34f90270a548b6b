//! State of the register.

use super::{columns, read, write};
use crate::domain::Text;
use crate::domain::document::lending::{Offer, Offers, Windows};
use crate::domain::document::merge::{Document, LineParts, ReversalStamp, Reversed, Stamped};
use crate::domain::document::{CodesFacet, FeeFacet, Header, Part};
use crate::domain::register::lending::Lending;
use crate::domain::register::{DocumentState, PublishedClaim};
use crate::domain::time::Millis;
use crate::wire::WireError;
use crate::wire::log::claim::{read_reasons, write_reasons};
use crate::wire::log::{
    TableReader, TableWriter, Wire, moment, read as read_field, read_all, read_optional, write_all,
};
use crate::wire::pb_internal as pb;

/// The bytes of a document's state.
pub fn encode_document(state: &DocumentState) -> Vec<u8> {
    let mut table = TableWriter::default();
    let message = pb::DocumentState {
        asserted: columns::write_asserted(&state.asserted, &mut table),
        parts: Some(state.parts.to_message(&mut table)),
        revision: state.revision,
        alerts: (!state.alerts.is_empty()).then(|| state.alerts.to_message(&mut table)),
        claim: state.claim.as_ref().map(|claim| claim.to_message(&mut table)),
        lending: (state.lending != Lending::default()).then(|| state.lending.to_message(&mut table)),
        due: state.due.map(|due| due.unix_millis()),
        untold: write_all(&state.untold, &mut table),
        is_awaited: state.is_awaited,
        judged_by: table.optional(&state.judged_by),
        handling: (!state.handling.is_empty()).then(|| state.handling.to_message(&mut table)),
        table: Some(table.finish_packed()),
    };
    write(&message)
}

/// The state of a document from its bytes.
pub fn decode_document(bytes: &[u8]) -> Result<DocumentState, WireError> {
    let message: pb::DocumentState = read(bytes, "document state")?;
    let table = TableReader::new(message.table)?;
    Ok(DocumentState {
        parts: read_field(&message.parts, "document_state.parts", &table)?,
        revision: message.revision,
        alerts: read_optional(&message.alerts, &table)?.unwrap_or_default(),
        claim: read_optional(&message.claim, &table)?,
        lending: read_optional(&message.lending, &table)?.unwrap_or_default(),
        due: message.due.map(moment),
        untold: read_all(&message.untold, &table)?,
        handling: read_optional(&message.handling, &table)?.unwrap_or_default(),
        is_awaited: message.is_awaited,
        asserted: columns::read_asserted(&message.asserted.unwrap_or_default(), &table)?,
        judged_by: table.optional(message.judged_by, "document_state.judged_by")?,
    })
}

impl Wire for Lending {
    type Message = pb::Lending;

    fn to_message(&self, table: &mut TableWriter) -> pb::Lending {
        let offers = |offers: &Offers, table: &mut TableWriter| {
            offers.iter().map(|offer| offer.to_message(table)).collect()
        };
        pb::Lending {
            offers: offers(&self.offers, table),
            waiting: offers(&self.waiting, table),
            overfull: self.offers.overfull.iter().map(|alias| table.text(alias)).collect(),
            waiting_overfull: self.waiting.overfull.iter().map(|alias| table.text(alias)).collect(),
            members: self.members as u64,
            by_settlement: self.windows.map(|windows| windows.by_settlement.get()),
            by_visit: self.windows.map(|windows| windows.by_visit.get()),
        }
    }

    fn from_message(message: &pb::Lending, table: &TableReader) -> Result<Self, WireError> {
        let offers = |offers: &[pb::Offer], overfull: &[u32]| -> Result<Offers, WireError> {
            let mut read: Offers = read_all::<Offer>(offers, table)?.into_iter().collect();
            let overfull = overfull.iter().map(|alias| table.text(*alias, "lending.overfull"));
            read.overfull = overfull.collect::<Result<_, _>>()?;
            Ok(read)
        };
        let windows = message.by_settlement.zip(message.by_visit);
        Ok(Self {
            offers: offers(&message.offers, &message.overfull)?,
            waiting: offers(&message.waiting, &message.waiting_overfull)?,
            members: usize::try_from(message.members).unwrap_or(usize::MAX),
            windows: windows.map(|(by_settlement, by_visit)| Windows {
                by_settlement: Millis::new(by_settlement),
                by_visit: Millis::new(by_visit),
            }),
        })
    }
}

impl Wire for Document {
    type Message = pb::LiveParts;

    fn to_message(&self, table: &mut TableWriter) -> pb::LiveParts {
        let mut message = pb::LiveParts {
            full: self.full.map(|full| full.unix_millis()),
            header: self.header.as_ref().map(|header| header.to_message(table)),
            reversed: Some(self.reversed.to_message(table)),
            earlier_headers: self.earlier_headers.iter().map(|issued_at| issued_at.unix_millis()).collect(),
            ..Default::default()
        };
        for (line_id, parts) in &self.lines {
            message.lines.push(pb::LiveLine {
                line_id: table.text(line_id),
                fee: parts.fee.as_ref().map(|fee| fee.to_message(table)),
                codes: parts.codes.as_ref().map(|codes| codes.to_message(table)),
            });
        }
        for (line_id, reversed) in &self.reversed_lines {
            let line_id = table.text(line_id);
            let reversed = Some(reversed.to_message(table));
            message.reversed_lines.push(pb::ReversedLine { line_id, reversed });
        }
        message
    }

    fn from_message(message: &pb::LiveParts, table: &TableReader) -> Result<Self, WireError> {
        let line = |line: &pb::LiveLine| -> Result<(Text, LineParts), WireError> {
            let parts = LineParts {
                fee: read_optional(&line.fee, table)?,
                codes: read_optional(&line.codes, table)?,
            };
            Ok((table.text(line.line_id, "live_line.line_id")?, parts))
        };
        let reversed_line = |line: &pb::ReversedLine| -> Result<(Text, Reversed), WireError> {
            let line_id = table.text(line.line_id, "reversed_line.line_id")?;
            Ok((line_id, read_optional(&line.reversed, table)?.unwrap_or_default()))
        };
        Ok(Self {
            full: message.full.map(moment),
            header: read_optional(&message.header, table)?,
            lines: message.lines.iter().map(line).collect::<Result<_, _>>()?,
            reversed: read_optional(&message.reversed, table)?.unwrap_or_default(),
            reversed_lines: message.reversed_lines.iter().map(reversed_line).collect::<Result<_, _>>()?,
            earlier_headers: message.earlier_headers.iter().copied().map(moment).collect(),
        })
    }
}

/// A stamped part is the same three things whatever the part is.
macro_rules! stamped {
    ($($content:ty = $message:ident, $field:literal;)+) => { $(
        impl Wire for Stamped<$content> {
            type Message = pb::$message;

            fn to_message(&self, table: &mut TableWriter) -> pb::$message {
                pb::$message {
                    part: Some(self.part.to_message(table)),
                    stamp: table.stamp(self.issued_at, &self.origin),
                }
            }

            fn from_message(message: &pb::$message, table: &TableReader) -> Result<Self, WireError> {
                let (issued_at, origin) = table.stamp(message.stamp)?;
                let part = read_field(&message.part, concat!($field, ".part"), table)?;
                Ok(Self { issued_at, part, origin })
            }
        }
    )+ };
}

stamped! {
    Header = StampedHeader, "header";
    FeeFacet = StampedFee, "fee";
}

impl Wire for Stamped<CodesFacet> {
    type Message = pb::StampedCodes;

    fn to_message(&self, table: &mut TableWriter) -> pb::StampedCodes {
        pb::StampedCodes {
            stamp: table.stamp(self.issued_at, &self.origin),
            split: self.part.content.split,
            reference: Some(table.slice(&self.part.reference)),
            scans: Some(columns::write_scans(&self.part.content.scans, table)),
        }
    }

    fn from_message(message: &pb::StampedCodes, table: &TableReader) -> Result<Self, WireError> {
        let (issued_at, origin) = table.stamp(message.stamp)?;
        let scans =
            message.scans.as_ref().map_or(Ok(Vec::new()), |scans| columns::read_scans(scans, table))?;
        let content = CodesFacet { scans, split: message.split };
        Ok(Self { issued_at, part: Part { content, reference: table.slice(&message.reference)? }, origin })
    }
}

impl Wire for ReversalStamp {
    type Message = pb::ReversalStamp;

    fn to_message(&self, table: &mut TableWriter) -> pb::ReversalStamp {
        pb::ReversalStamp { stamp: table.stamp(self.issued_at, &self.origin) }
    }

    fn from_message(message: &pb::ReversalStamp, table: &TableReader) -> Result<Self, WireError> {
        let (issued_at, origin) = table.stamp(message.stamp)?;
        Ok(Self { issued_at, origin })
    }
}

impl Wire for Reversed {
    type Message = pb::Reversed;

    fn to_message(&self, table: &mut TableWriter) -> pb::Reversed {
        pb::Reversed {
            header: self.header.as_ref().map(|stamp| stamp.to_message(table)),
            fee: self.fee.as_ref().map(|stamp| stamp.to_message(table)),
            codes: self.codes.as_ref().map(|stamp| stamp.to_message(table)),
        }
    }

    fn from_message(message: &pb::Reversed, table: &TableReader) -> Result<Self, WireError> {
        Ok(Self {
            header: read_optional(&message.header, table)?,
            fee: read_optional(&message.fee, table)?,
            codes: read_optional(&message.codes, table)?,
        })
    }
}

impl Wire for PublishedClaim {
    type Message = pb::PublishedClaim;

    fn to_message(&self, table: &mut TableWriter) -> pb::PublishedClaim {
        let reasons = self.reasons.iter().map(|(line_id, reasons)| pb::LineReasons {
            line_id: table.text(line_id),
            reasons: write_reasons(reasons),
        });
        let occurred_at = self.occurred_at.unix_millis();
        pb::PublishedClaim {
            reasons: reasons.collect(),
            occurred_at,
            told_after: self.told_at.unix_millis().wrapping_sub(occurred_at),
        }
    }

    fn from_message(message: &pb::PublishedClaim, table: &TableReader) -> Result<Self, WireError> {
        let reasons = message.reasons.iter().map(|line| {
            Ok((table.text(line.line_id, "line_reasons.line_id")?, read_reasons(&line.reasons)?))
        });
        Ok(Self {
            occurred_at: moment(message.occurred_at),
            told_at: moment(message.occurred_at.wrapping_add(message.told_after)),
            reasons: reasons.collect::<Result<_, WireError>>()?,
        })
    }
}
