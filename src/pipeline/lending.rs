//! Lending between documents: what a hand-over has to lend goes to the aliases of its numbers, is kept there, and goes on
//! to the settlements that borrow there; one that comes to borrow later is told of all that is kept. So it does not
//! matter which came first ([`crate::domain::register::lending`] says what is made of it).
//!
//! Nothing is passed on in one go that could be large: a page of settlements, or of offers, by one entry, the rest by the
//! entries that follow it.

use std::sync::Arc;

use super::aliases::{FORWARD_PAGE, documents_after};
use super::register::Cx;
use super::topics::{alias_key_bytes, document_key_bytes};
use crate::domain::Text;
use crate::domain::document::DocumentKey;
use crate::domain::document::lending::Offer;
use crate::domain::register::lending::{Borrower, Loan, Offered};
use crate::domain::time::Timestamp;
use crate::engine::StageError;
use crate::telemetry::limit::Limit;
use crate::wire::entries::{DocumentEntry, LoanRest};

/// Codes passed on by one entry to all settlements that it tells, about.
const CODES_AT_ONCE: usize = 10_000;

/// Most lenders whose offers one entry passes on to one settlement.
const LENDERS_AT_ONCE: usize = 200;

/// Sends what a hand-over has to lend to the aliases where it is to be known.
pub(super) fn send(offered: Offered, cx: &mut Cx<'_>) {
    for alias in offered.aliases {
        let offer = Box::new(offered.offer.clone());
        cx.out.send(&document_key_bytes(&alias), DocumentEntry::Offered { alias, offer });
    }
}

/// Tells the alias of a settlement that borrows there.
pub(super) fn ask(borrower: Borrower, settlement: &DocumentKey, cx: &mut Cx<'_>) {
    let Borrower { alias, received_at } = borrower;
    let key = document_key_bytes(&alias);
    cx.out.send(&key, DocumentEntry::Borrows { alias, member: settlement.clone(), received_at });
}

/// Keeps an offer under an alias and passes it on to the settlements that borrow there.
pub(super) fn keep(alias: &DocumentKey, offer: Offer, cx: &mut Cx<'_>) -> Result<(), StageError> {
    let lender = offer.lender.clone();
    let loan = cx.value(&alias_key_bytes(alias))?.document.lending.offer(alias, offer);
    if loan.is_empty() {
        return Ok(());
    }
    if loan.is_overfull {
        cx.tally.limit(Limit::LendersPerAlias);
    }
    let lender = Some(lender).filter(|_| !loan.is_overfull);
    tell_borrowers(alias, lender, None, cx)
}

/// Takes note of a settlement that borrows under an alias and tells it of what is offered there.
pub(super) fn borrow(
    alias: &DocumentKey,
    member: DocumentKey,
    received_at: Timestamp,
    cx: &mut Cx<'_>,
) -> Result<(), StageError> {
    let key = alias_key_bytes(alias);
    // In a replay the record is written before its upload moves time.
    if !cx.note_row(&key, &document_key_bytes(&member), received_at.max(cx.written_at))? {
        return Ok(());
    }
    if cx.value(&key)?.document.lending.count_borrower(alias).is_overfull {
        cx.tally.limit(Limit::LendersPerAlias);
        tell_borrowers(alias, None, None, cx)?;
    }
    tell_of_lenders(alias, member, None, cx)
}

/// Passes on what is still to be passed on.
pub(super) fn go_on(alias: &DocumentKey, rest: LoanRest, cx: &mut Cx<'_>) -> Result<(), StageError> {
    match rest {
        LoanRest::Members { lender, after } => tell_borrowers(alias, lender, Some(&after), cx),
        LoanRest::Offers { member, after } => tell_of_lenders(alias, member, Some(&after), cx),
    }
}

/// Tells one page of the settlements that borrow under an alias what one lender offers; none: that too much is offered.
fn tell_borrowers(
    alias: &DocumentKey,
    lender: Option<Text>,
    after: Option<&DocumentKey>,
    cx: &mut Cx<'_>,
) -> Result<(), StageError> {
    let offers = &cx.value(&alias_key_bytes(alias))?.document.lending.offers;
    let offer = lender.as_ref().and_then(|lender| offers.of(lender)).cloned();
    let loan = Loan { is_overfull: offer.is_none(), offers: offer.into_iter().collect() };
    let codes: usize = loan.offers.iter().map(|offer| offer.code_count()).sum();
    let page_len = CODES_AT_ONCE.checked_div(codes).map_or(FORWARD_PAGE, |len| len.clamp(1, FORWARD_PAGE));
    let page = documents_after(&alias_key_bytes(alias), after, page_len, cx)?;
    for member in &page {
        pass_on(alias, member.clone(), loan.clone(), cx);
    }
    if let (Some(after), true) = (page.last(), page.len() == page_len) {
        turn_page(alias, LoanRest::Members { lender, after: after.clone() }, cx);
    }
    Ok(())
}

/// Tells a settlement one page of what is offered under an alias.
fn tell_of_lenders(
    alias: &DocumentKey,
    member: DocumentKey,
    after: Option<&Text>,
    cx: &mut Cx<'_>,
) -> Result<(), StageError> {
    let offers = &cx.value(&alias_key_bytes(alias))?.document.lending.offers;
    let is_overfull = after.is_none() && offers.overfull.contains(&alias.document_id);
    let mut page: Vec<Arc<Offer>> = Vec::new();
    let mut codes = 0_usize;
    let mut rest = offers.after(after);
    while page.len() < LENDERS_AT_ONCE && codes < CODES_AT_ONCE {
        let Some(offer) = rest.next() else { break };
        codes = codes.saturating_add(offer.code_count());
        page.push(offer.clone());
    }
    let is_last_page = rest.next().is_none();
    drop(rest);
    let last = page.last().map(|offer| offer.lender.clone()).filter(|_| !is_last_page);
    let loan = Loan { offers: page, is_overfull };
    if !loan.is_empty() {
        pass_on(alias, member.clone(), loan, cx);
    }
    if let Some(after) = last {
        turn_page(alias, LoanRest::Offers { member, after }, cx);
    }
    Ok(())
}

fn pass_on(alias: &DocumentKey, member: DocumentKey, loan: Loan, cx: &mut Cx<'_>) {
    let key = document_key_bytes(&member);
    cx.out.send(&key, DocumentEntry::Loan { member, alias: alias.clone(), loan });
}

fn turn_page(alias: &DocumentKey, rest: LoanRest, cx: &mut Cx<'_>) {
    cx.out.send(&document_key_bytes(alias), DocumentEntry::LoanPage { alias: alias.clone(), rest });
}

/// Keeps what an alias passed on with the settlement, which is to look at itself once for all that comes until then.
pub(super) fn receive(
    member: DocumentKey,
    alias: &DocumentKey,
    loan: Loan,
    cx: &mut Cx<'_>,
) -> Result<(), StageError> {
    let key = document_key_bytes(&member);
    if cx.value(&key)?.document.lending.receive(alias, loan) {
        cx.out.send(&key, DocumentEntry::Reconsider { document: member });
    }
    Ok(())
}
