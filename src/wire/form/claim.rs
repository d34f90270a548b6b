//! Claims, the monitor's answers to them, what people did about them, and what is kept of them.

use super::{alternatives, sequences, structures};
use crate::domain::adjudicator::{Answer, ClaimState, Published, Said};
use crate::domain::claim::{
    Claim, ClaimChange, ClaimLine, ClaimPaid, CodeVerdict, DecisionLine, LentTo, Verdict,
};
use crate::domain::handling::{Act, Book, Handling, Issued, LineRuling, Paid, Payment, Ruling};

alternatives! {
    Verdict { 1 Pay, 2 Hold, 3 Refuse }
    Act {
        1 Ruling { line_id: line_id, ruling: ruling },
        2 Payment { payment_id: payment_id, payment: payment },
    }
}

structures! {
    Claim {
        0 key, 1 revision, 2 withdrawn, 3 occurred_at, 4 lines, 5 ruleset, 6 reference_version, 7 origin,
    }
    ClaimChange { 0 key, 1 revision, 2 lines, 3 ruleset, 4 reference_version, 5 origin }
    ClaimLine { 0 line_id, 1 amount, 2 awaits, 3 reasons, 4 ruling, 5 lent }
    LentTo { 0 code, 1 document_id, 2 line_id }
    CodeVerdict { 0 key, 1 line_id, 2 code, 3 revision, 4 reasons }
    ClaimPaid { 0 key, 1 paid }
    Paid { 0 paid, 1 recovered }
    LineRuling { 0 verdict, 1 rules }
    Handling { 0 claim, 1 issued_at, 2 act, 3 origin }
    Ruling { 0 verdict, 1 rules, 2 ruled_by, 3 basis }
    Payment { 0 amount, 1 paid_on, 2 recovered, 3 withdrawn }
    Answer { 0 revision, 1 reasons }
    Published { 0 revision, 1 said }
    Said { 0 verdict, 1 payable, 2 provisional, 3 withdrawn, 4 paid, 5 lines }
    DecisionLine { 0 line_id, 1 verdict, 2 reasons, 3 is_ruled, 4 overruled, 5 amount, 6 lent }
    Book [may be blank] { 0 rulings, 1 payments }
    ClaimState {
        0 claim, 1 answers, 2 published, 3 released, 4 deadline, 5 paid, 6 answered_at;
        not kept: missing, touched
    }
}

sequences! {
    Issued { 0 issued_at, 1 act }
}
