//! What befalls a document between its making and its arrival, and how the sender mends it.
//!
//! Every accident here leaves the *set* of live facts as it was meant: a late, repeated, corrected or deleted and
//! renewed document ends in the same facts. What cannot be mended (a mangled code) is decided where the lines are
//! made, and is part of the truth. A document on whose number or stamp others depend is handled `Careful`: it may
//! only be held up on the way, or arrive twice. One that the truth counts comes in no second batch.

use super::document::{Body, Document, Full, Handling, Name, Pack};
use super::national::{self, RowIdentity};
use super::parameters::UploadForm;
use super::places::World;
use super::province::Province;
use super::truth::{DocumentRef, LineRef};
use super::{HOUR, writer};
use crate::domain::document::{Group, Kind};

/// A document that was sent.
#[derive(Clone, Debug)]
pub(super) struct Filed {
    pub(super) name: Name,
    pub(super) institution: u32,
    pub(super) group: Group,
    pub(super) kind: Kind,
    /// When it occurred, by the sender's clock.
    pub(super) occurred_at: i64,
    /// The number of its visit, else of its settlement.
    pub(super) visit: u64,
    /// The visit's number as it names it, if it does.
    pub(super) visit_number: Option<String>,
    /// It tells the day on which it occurred, and no time.
    pub(super) by_day: bool,
    /// What tells its rows apart, in the national form.
    pub(super) rows: Vec<RowIdentity>,
    /// A claim without codes of its own.
    pub(super) is_bare: bool,
    /// The hand-over whose codes it borrows.
    pub(super) lender: Option<Box<Filed>>,
    /// When the last version of it is sent.
    pub(super) sent_at: i64,
    /// When it counts as known: the later of occurrence and issue (rules: at most 7 days after it occurred).
    pub(super) known_at: i64,
}

impl Filed {
    pub(super) fn document(&self, world: &World) -> DocumentRef {
        let LineRef { institution_id, group, document_id, .. } = self.line(world, 0, Which::Row(0));
        DocumentRef { institution_id, group, document_id }
    }

    /// What a line is called by who reads it, where it has several rows by one of them.
    pub(super) fn line(&self, world: &World, line: usize, which: Which) -> LineRef {
        match world.parameters.form {
            UploadForm::National => national::line(world, self, line, which),
            UploadForm::Canonical => LineRef {
                institution_id: world.institution(self.institution).id.clone(),
                group: self.group.name().to_owned(),
                document_id: self.name.to_string(),
                line_id: (line + 1).to_string(),
            },
        }
    }

    /// How many documents a line becomes to who reads it.
    pub(super) fn rows_of(&self, line: usize) -> usize {
        self.rows.iter().filter(|row| row.line == line).count().max(1)
    }

    /// When its codes count as known: a claim's may come with the hand-over that lends them.
    pub(super) fn codes_known_at(&self) -> i64 {
        let lent = self.lender.as_ref().map(|lender| lender.known_at.min(self.occurred_at + 7 * super::DAY));
        lent.map_or(self.known_at, |lent| lent.max(self.known_at))
    }

    /// What is known of a document when it is sent.
    fn new(world: &World, document: &Document, form: UploadForm, sent_at: i64) -> Self {
        let filed = Self {
            name: document.name,
            institution: document.institution,
            group: document.group(),
            kind: Kind::Settlement,
            occurred_at: document.issued_at,
            visit: 0,
            visit_number: None,
            by_day: false,
            rows: Vec::new(),
            is_bare: false,
            lender: None,
            sent_at,
            known_at: document.issued_at,
        };
        let Body::Full(full) = &document.body else {
            return filed;
        };
        let rows = match form {
            UploadForm::National => national::row_identities(world, document, full),
            UploadForm::Canonical => Vec::new(),
        };
        Self {
            kind: full.kind,
            occurred_at: full.occurred_at,
            visit: full.visit.or(full.settlement).unwrap_or_default(),
            visit_number: full.visit_number(),
            by_day: full.by_day,
            rows,
            is_bare: full.bare,
            lender: full.lender.clone(),
            known_at: document.issued_at.clamp(full.moment(), full.moment() + 7 * super::DAY),
            ..filed
        }
    }
}

/// One of the rows that report a line.
#[derive(Clone, Copy, Debug)]
pub(super) enum Which {
    /// By its place among them.
    Row(usize),
    /// The one that has this pack.
    Of(Pack),
}

/// What happens to a document.
enum Accident {
    Nothing,
    IssuedLate,
    Repeated,
    NewBatch,
    Corrected,
    Deleted,
}

impl Province {
    /// Sends a document, whose times are true ones, with whatever befalls it.
    pub(super) fn send(&mut self, mut document: Document, handling: Handling) -> Filed {
        match self.accident(&document, handling) {
            Accident::Nothing => self.post(document),
            Accident::IssuedLate => {
                document.issued_at += self.lateness();
                self.post(document)
            }
            Accident::Repeated => {
                let first = self.post(document.clone());
                let second = self.post(document);
                Filed { sent_at: first.sent_at.min(second.sent_at), ..first }
            }
            Accident::NewBatch => {
                let filed = self.post(document.clone());
                document.name.again = 1;
                document.issued_at += self.hours(6);
                self.post(document);
                filed
            }
            Accident::Corrected => {
                let first = self.post(mistaken(document.clone()));
                // A row of the national form with other codes is another row: the wrong one is deleted first.
                if document.group() != Group::Settlement && self.world.parameters.form == UploadForm::National
                {
                    self.delete_rows(&document, first.sent_at);
                }
                document.issued_at += self.hours(24);
                self.post(document)
            }
            Accident::Deleted => {
                self.post(document.clone());
                let issued_at = document.issued_at + self.hours(12);
                let deletion = self.delete(&document, issued_at);
                document.name.again = 1;
                document.issued_at = issued_at + self.hours(6);
                let renewed = self.post(document);
                // As long as both are there, nobody can tell which one counts.
                Filed { sent_at: renewed.sent_at.max(deletion.sent_at), ..renewed }
            }
        }
    }

    /// Sends the deletion of a document.
    fn delete(&mut self, document: &Document, issued_at: i64) -> Filed {
        let deletion = deletion(self.name('X'), document, issued_at);
        self.post(deletion)
    }

    /// Sends the deletion of a document's rows right behind them. Nothing is drawn for it, so that the same province
    /// in the canonical form has the same accidents.
    fn delete_rows(&mut self, document: &Document, sent_at: i64) {
        let skew = self.world.institution(document.institution).clock_skew_millis;
        let name = Name { letter: 'X', ..document.name };
        let deletion = deletion(name, document, document.issued_at + HOUR / 120 + skew);
        let sent_at = sent_at.max(document.issued_at + HOUR / 120) + 1000;
        for (group, json) in national::messages(&self.world, &deletion) {
            self.enqueue(sent_at, group, json);
        }
    }

    /// Writes one upload and puts it on its way.
    fn post(&mut self, mut document: Document) -> Filed {
        let dirt = &self.world.parameters.dirt;
        let held_up = if self.accidents.chance(dirt.held_up_ppm) { self.lateness() } else { 0 };
        let transit = self.accidents.within(1, 30) * 1000;
        let sent_at = self.after_silence(document.institution, document.issued_at + transit + held_up);
        let skew = self.world.institution(document.institution).clock_skew_millis;
        document.issued_at += skew;
        if let Body::Full(full) = &mut document.body {
            full.occurred_at += skew;
        }
        let form = self.world.parameters.form;
        match form {
            UploadForm::Canonical => {
                let mut json = String::with_capacity(1024);
                writer::write(&self.world, &document, &mut json);
                self.enqueue(sent_at, document.group(), json);
            }
            UploadForm::National => {
                for (group, json) in national::messages(&self.world, &document) {
                    self.enqueue(sent_at, group, json);
                }
            }
        }
        Filed::new(&self.world, &document, form, sent_at)
    }

    fn accident(&mut self, document: &Document, handling: Handling) -> Accident {
        let drawn = self.accidents.below(1_000_000) as u32;
        let Body::Full(full) = &document.body else {
            return Accident::Nothing;
        };
        let dirt = &self.world.parameters.dirt;
        let mut limit = 0;
        let mut below = |share: u32| {
            limit = u32::saturating_add(limit, share);
            drawn < limit
        };
        if below(dirt.repeated_ppm) {
            Accident::Repeated
        } else if handling == Handling::Careful {
            Accident::Nothing
        } else if below(dirt.issued_late_ppm) {
            Accident::IssuedLate
        } else if below(dirt.corrected_ppm) {
            Accident::Corrected
        } else if below(dirt.deleted_ppm) {
            Accident::Deleted
        } else if handling == Handling::Free && below(dirt.new_batch_ppm) && self.may_come_in_new_batch(full)
        {
            Accident::NewBatch
        } else {
            Accident::Nothing
        }
    }

    /// Whole packs bought or handed over: seen twice at the same place for the same person they mean the same.
    /// Parts of packs would add up, and a claim sent twice under two numbers *is* a claim too many.
    fn may_come_in_new_batch(&self, full: &Full) -> bool {
        let whole = |line: &super::document::Line| {
            !line.split && self.world.catalogue.get(line.product).packs_per_code == 1
        };
        match full.kind {
            Kind::PurchaseIn => true,
            Kind::Dispense => full.lines.iter().all(whole),
            _ => false,
        }
    }

    fn lateness(&mut self) -> i64 {
        self.hours(i64::from(self.world.parameters.dirt.late_hours_max))
    }

    /// Up to `most` hours, at least a minute.
    fn hours(&mut self, most: i64) -> i64 {
        self.accidents.within(1, (most * 60).max(1)) * (HOUR / 60)
    }
}

/// What takes a document back.
fn deletion(name: Name, document: &Document, issued_at: i64) -> Document {
    let body = Body::Reversal {
        group: document.group(),
        target: document.name,
        line: None,
        settlement: document.settlement(),
    };
    Document { name, institution: document.institution, issued_at, body }
}

/// The first version of a document that is corrected later: one pack too many on its first line, whose codes are
/// missing.
fn mistaken(mut document: Document) -> Document {
    if let Body::Full(full) = &mut document.body
        && let Some(line) = full.lines.first_mut()
    {
        line.quantity += 1;
        line.scans.clear();
    }
    document
}
