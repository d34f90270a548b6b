//! Rulings and payments.

use super::{Numbered, TableReader, TableWriter, Wire, WireError, moment, read};
use crate::domain::Text;
use crate::domain::amount::Money;
use crate::domain::claim::Verdict;
use crate::domain::handling::{Act, Book, Handling, Issued, Payment, Ruling};
use crate::domain::time::{Day, Timestamp};
use crate::wire::pb_internal as pb;

impl Wire for Handling {
    type Message = pb::Handling;

    fn to_message(&self, table: &mut TableWriter) -> pb::Handling {
        use pb::handling::Act as Message;
        let act = match &self.act {
            Act::Ruling { line_id, ruling } => {
                Message::Ruling(write_ruling(line_id, self.issued_at, ruling, table))
            }
            Act::Payment { payment_id, payment } => {
                Message::Payment(write_payment(payment_id, self.issued_at, payment, table))
            }
        };
        pb::Handling {
            claim: Some(self.claim.to_message(table)),
            origin: Some(self.origin.to_message(table)),
            act: Some(act),
        }
    }

    fn from_message(message: &pb::Handling, table: &TableReader) -> Result<Self, WireError> {
        use pb::handling::Act as Message;
        let (issued_at, act) = match message.act.as_ref().ok_or(WireError::Field { field: "handling.act" })? {
            Message::Ruling(message) => {
                let (line_id, Issued { issued_at, act: ruling }) = read_ruling(message, table)?;
                (issued_at, Act::Ruling { line_id, ruling })
            }
            Message::Payment(message) => {
                let (payment_id, Issued { issued_at, act: payment }) = read_payment(message, table)?;
                (issued_at, Act::Payment { payment_id, payment })
            }
        };
        Ok(Self {
            claim: read(&message.claim, "handling.claim", table)?,
            issued_at,
            act,
            origin: read(&message.origin, "handling.origin", table)?,
        })
    }
}

impl Wire for Book {
    type Message = pb::HandlingBook;

    fn to_message(&self, table: &mut TableWriter) -> pb::HandlingBook {
        let rulings = self.rulings.iter();
        let rulings = rulings
            .map(|(line_id, ruling)| write_ruling(line_id, ruling.issued_at, &ruling.act, table))
            .collect();
        let payments = self.payments.iter();
        let payments = payments
            .map(|(payment_id, payment)| write_payment(payment_id, payment.issued_at, &payment.act, table))
            .collect();
        pb::HandlingBook { rulings, payments }
    }

    fn from_message(message: &pb::HandlingBook, table: &TableReader) -> Result<Self, WireError> {
        let rulings = message.rulings.iter().map(|ruling| read_ruling(ruling, table));
        let payments = message.payments.iter().map(|payment| read_payment(payment, table));
        Ok(Self {
            rulings: rulings.collect::<Result<_, _>>()?,
            payments: payments.collect::<Result<_, _>>()?,
        })
    }
}

fn write_ruling(
    line_id: &Option<Text>,
    issued_at: Timestamp,
    ruling: &Ruling,
    table: &mut TableWriter,
) -> pb::Ruling {
    pb::Ruling {
        issued_at: issued_at.unix_millis(),
        line_id: table.optional(line_id),
        verdict: Verdict::number_of(ruling.verdict),
        rules: ruling.rules.iter().map(|rule| table.text(rule)).collect(),
        ruled_by: table.text(&ruling.ruled_by),
        basis: table.text(&ruling.basis),
    }
}

fn read_ruling(
    message: &pb::Ruling,
    table: &TableReader,
) -> Result<(Option<Text>, Issued<Ruling>), WireError> {
    let rules = message.rules.iter().map(|rule| table.text(*rule, "ruling.rules"));
    let ruling = Ruling {
        verdict: Verdict::from_number(message.verdict)?,
        rules: rules.collect::<Result<_, _>>()?,
        ruled_by: table.text(message.ruled_by, "ruling.ruled_by")?,
        basis: table.text(message.basis, "ruling.basis")?,
    };
    let line_id = table.optional(message.line_id, "ruling.line_id")?;
    Ok((line_id, Issued { issued_at: moment(message.issued_at), act: ruling }))
}

fn write_payment(
    payment_id: &Text,
    issued_at: Timestamp,
    payment: &Payment,
    table: &mut TableWriter,
) -> pb::Payment {
    pb::Payment {
        issued_at: issued_at.unix_millis(),
        payment_id: table.text(payment_id),
        amount: payment.amount.fen(),
        paid_on: payment.paid_on.days_since_epoch(),
        recovered: payment.recovered,
        withdrawn: payment.withdrawn,
    }
}

fn read_payment(message: &pb::Payment, table: &TableReader) -> Result<(Text, Issued<Payment>), WireError> {
    let payment = Payment {
        amount: Money::from_fen(message.amount),
        paid_on: Day::from_days_since_epoch(message.paid_on),
        recovered: message.recovered,
        withdrawn: message.withdrawn,
    };
    let payment_id = table.text(message.payment_id, "payment.payment_id")?;
    Ok((payment_id, Issued { issued_at: moment(message.issued_at), act: payment }))
}
