//! Counts of what institutions send.

use super::{alternatives, structures};
use crate::domain::outcome::{Leniency, RejectReason};
use crate::domain::sender::{Counts, Received, SenderDay, SenderState, Standing};

alternatives! {
    RejectReason {
        1 Unparseable, 2 MissingField, 3 MalformedField, 4 WrongTopic, 5 OverLimit, 6 TimeOutOfRange, 7 UnknownMessage,
        8 UnsupportedReversal,
    }
    Leniency {
        1 JsonInText, 2 Repeated, 3 ListForm, 4 WholeNumber, 5 Rounded, 6 NegativeCount, 7 Filler, 8 MaskedPerson,
        9 StaffCertificate, 10 JoinedCodes, 11 RoundedCode, 12 RefusedRow, 13 Wrapped,
    }
}

structures! {
    SenderDay { 0 institution_id, 1 day }
    Received [may be blank] {
        0 records, 1 ignored, 2 rejected, 3 uploads, 4 uploads_rejected, 5 duplicates, 6 left_out, 7 leniencies,
    }
    Standing [may be blank] {
        0 documents, 1 late, 2 lines_need_codes, 3 lines_with_code, 4 lines_with_lent_code_only, 5 codes_declared,
        6 codes_not_sent, 7 claims_without_number, 8 reversals_waiting,
    }
    Counts { 0 received, 1 standing }
    SenderState { 0 counts, 1 newest, 2 revision, 3 published_at, 4 due }
}
