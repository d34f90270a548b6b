//! The lives of so many codes as documents in the order of their upload, from a seed alone.
//!
//! Each code is stocked in once, handed over once and settled once; a small share is settled a second time by another
//! institution, for another person. Codes that are sold together come from one purchase. Only numbers are kept here:
//! [`writer`](super::writer) makes the uploads.

use oracle::world::dice::Dice;

/// How many products there are.
pub(crate) const PRODUCTS: usize = 200;
/// How many institutions there are.
pub(crate) const INSTITUTIONS: usize = 2_000;
/// How many persons there are.
pub(crate) const PERSONS: usize = 1_000_000;
/// How long the lives last.
pub(crate) const SPAN_MILLIS: i64 = 30 * 24 * HOUR;

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;
/// Sales behind a purchase lie so far apart, as a share of what is left of the span.
const SALE_SPREAD: f64 = 0.1;
const MILLION: usize = 1_000_000;

/// What a document says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// Codes are stocked in.
    Purchase,
    /// Codes are handed over.
    Dispensing,
    /// Codes are settled.
    Settlement,
}

/// Codes of one line: consecutive, and of one product.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Line {
    pub(crate) first: usize,
    pub(crate) count: usize,
}

/// One upload.
#[derive(Clone, Debug)]
pub(crate) struct Document {
    pub(crate) kind: Kind,
    /// Whether it settles a code that was settled before.
    pub(crate) is_second: bool,
    pub(crate) institution: usize,
    /// Of the purchase or of the sale: a hand-over has that of its settlement.
    pub(crate) number: usize,
    pub(crate) person: usize,
    pub(crate) lines: Vec<Line>,
    /// When it happened, in milliseconds since the start.
    pub(crate) occurred: i64,
    /// When it is uploaded, likewise.
    pub(crate) issued: i64,
}

impl Document {
    /// How many codes it speaks of.
    pub(crate) fn observations(&self) -> usize {
        self.lines.iter().map(|line| line.count).sum()
    }
}

/// A code: its product, and its number within it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Code {
    pub(crate) product: usize,
    pub(crate) serial: usize,
}

/// What a workload is made from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Size {
    pub(crate) seed: u64,
    pub(crate) codes: usize,
    /// Of a million codes so many are settled again.
    pub(crate) settled_again_ppm: usize,
    /// A second settlement comes after at least and at most so long.
    pub(crate) settled_again_after: (i64, i64),
}

/// 1 to 72 hours.
pub(crate) const DAYS_LATER: (i64, i64) = (HOUR, 72 * HOUR);
/// For lives that are pressed into a minute: long enough that no second settlement overtakes the first.
pub(crate) const WEEKS_LATER: (i64, i64) = (SPAN_MILLIS / 10, SPAN_MILLIS / 4);

/// All documents, in the order of their upload.
pub(crate) struct Workload {
    pub(crate) documents: Vec<Document>,
    pub(crate) codes: Vec<Code>,
}

impl Workload {
    /// Makes one.
    pub(crate) fn new(size: Size) -> Self {
        let mut maker = Maker::new(size);
        let mut purchases = 0;
        while maker.codes.len() < size.codes {
            maker.purchase(purchases);
            purchases += 1;
        }
        let Maker { mut documents, codes, .. } = maker;
        documents.sort_by_key(|document| (document.issued, document.kind, document.number));
        Self { documents, codes }
    }

    /// Spreads the uploads evenly: so many observations a second, in the order that they have. What happened lies
    /// shortly before its upload.
    pub(crate) fn at_rate(mut self, rate: usize) -> Self {
        let sales = self.documents.iter().map(|document| document.number + 1).max().unwrap_or_default();
        let mut settled = vec![i64::MAX; sales];
        let mut observations = 0;
        for document in &mut self.documents {
            document.issued = (observations * 1_000 / rate) as i64;
            document.occurred = document.issued - if document.kind == Kind::Purchase { 1_000 } else { 200 };
            if document.kind == Kind::Settlement {
                settled[document.number] = document.occurred;
            }
            observations += document.observations();
        }
        // What is handed over is handed over before it is settled, however late it is uploaded.
        for document in self.documents.iter_mut().filter(|document| document.kind == Kind::Dispensing) {
            document.occurred = document.occurred.min(settled[document.number].saturating_sub(100));
        }
        self
    }

    /// How many observations the documents make.
    pub(crate) fn observations(&self) -> usize {
        self.documents.iter().map(Document::observations).sum()
    }

    /// The documents that are claims.
    pub(crate) fn settlements(&self) -> impl Iterator<Item = &Document> {
        self.documents.iter().filter(|document| document.kind == Kind::Settlement)
    }

    /// Those of them that settle a code a second time.
    pub(crate) fn planted(&self) -> impl Iterator<Item = &Document> {
        self.documents.iter().filter(|document| document.is_second)
    }
}

struct Maker {
    size: Size,
    dice: Dice,
    busy: Vec<f64>,
    popular: Vec<f64>,
    /// The next serial number of each product.
    serials: Vec<usize>,
    documents: Vec<Document>,
    codes: Vec<Code>,
    sales: usize,
}

impl Maker {
    fn new(size: Size) -> Self {
        let mut dice = Dice::new(size.seed);
        Self {
            busy: weights(&mut dice, INSTITUTIONS, 0.7),
            popular: weights(&mut dice, PRODUCTS, 0.9),
            serials: (0..PRODUCTS).map(|_| 100 * MILLION + dice.below(400 * MILLION)).collect(),
            documents: Vec::new(),
            codes: Vec::with_capacity(size.codes),
            sales: 0,
            size,
            dice,
        }
    }

    /// 20 to 100 codes in 2 to 5 lines, and all that becomes of them.
    fn purchase(&mut self, number: usize) {
        let institution = picked(&mut self.dice, &self.busy);
        let size = (20 + self.dice.below(81)).min(self.size.codes - self.codes.len());
        let line_count = (2 + self.dice.below(4)).min(size);
        let stocked = (fraction(&mut self.dice) * SPAN_MILLIS as f64 * 0.85) as i64;
        let lines: Vec<Line> = (0..line_count)
            .map(|line| self.new_codes(size / line_count + usize::from(line < size % line_count)))
            .collect();
        self.documents.push(Document {
            kind: Kind::Purchase,
            is_second: false,
            institution,
            number,
            person: 0,
            lines: lines.clone(),
            occurred: stocked,
            issued: stocked + self.dice.between(MINUTE, 2 * HOUR),
        });
        let mut pieces = self.pieces(&lines);
        while !pieces.is_empty() {
            let count = (1 + self.dice.below(3)).min(pieces.len());
            let sold = pieces.split_off(pieces.len() - count);
            self.sell(institution, stocked, sold);
        }
    }

    fn new_codes(&mut self, count: usize) -> Line {
        let (first, product) = (self.codes.len(), picked(&mut self.dice, &self.popular));
        for _ in 0..count {
            self.codes.push(Code { product, serial: self.serials[product] });
            self.serials[product] += 1;
        }
        Line { first, count }
    }

    /// One or two codes each, in no order.
    fn pieces(&mut self, lines: &[Line]) -> Vec<Line> {
        let mut pieces = Vec::new();
        for line in lines {
            let (mut first, end) = (line.first, line.first + line.count);
            while first < end {
                let count = (1 + self.dice.below(2)).min(end - first);
                pieces.push(Line { first, count });
                first += count;
            }
        }
        self.dice.shuffle(&mut pieces);
        pieces
    }

    /// A hand-over and its settlement, hours to days after the purchase.
    fn sell(&mut self, institution: usize, stocked: i64, lines: Vec<Line>) {
        let wait = (-(1.0 - fraction(&mut self.dice)).ln() * SALE_SPREAD).min(0.9);
        let sold = stocked + 2 * HOUR + (wait * (SPAN_MILLIS - stocked) as f64) as i64;
        let settlement = self.settlement(institution, sold, lines.clone(), false);
        let (number, person) = (settlement.number, settlement.person);
        self.documents.push(settlement);
        let occurred = sold - self.dice.between(10_000, 3 * MINUTE);
        let issued = sold + self.upload_delay();
        let kind = Kind::Dispensing;
        for code in lines.iter().flat_map(|line| line.first..line.first + line.count) {
            if self.dice.below(MILLION) < self.size.settled_again_ppm {
                let elsewhere = (institution + 1 + self.dice.below(INSTITUTIONS - 1)) % INSTITUTIONS;
                let (least, greatest) = self.size.settled_again_after;
                let again = sold + self.dice.between(least, greatest);
                let mut second =
                    self.settlement(elsewhere, again, vec![Line { first: code, count: 1 }], true);
                second.person = (person + 1 + self.dice.below(PERSONS - 1)) % PERSONS;
                self.documents.push(second);
            }
        }
        let handed_over =
            Document { kind, is_second: false, institution, number, person, lines, occurred, issued };
        self.documents.push(handed_over);
    }

    fn settlement(
        &mut self,
        institution: usize,
        occurred: i64,
        lines: Vec<Line>,
        is_second: bool,
    ) -> Document {
        let number = self.sales;
        self.sales += 1;
        let person = self.dice.below(PERSONS);
        let issued = occurred + self.dice.between(1_000, 20_000);
        Document { kind: Kind::Settlement, is_second, institution, number, person, lines, occurred, issued }
    }

    /// A third of the hand-overs is uploaded at once, the rest within eight hours, the sooner the likelier.
    fn upload_delay(&mut self) -> i64 {
        if self.dice.below(3) == 0 {
            return self.dice.between(0, 2 * MINUTE);
        }
        let share = fraction(&mut self.dice);
        (share * share * 8.0 * HOUR as f64) as i64
    }
}

/// A number from 0 to below 1.
fn fraction(dice: &mut Dice) -> f64 {
    dice.below(1 << 40) as f64 / (1_u64 << 40) as f64
}

/// Running sums of weights whose logarithms are spread like a bell.
fn weights(dice: &mut Dice, count: usize, spread: f64) -> Vec<f64> {
    let mut sum = 0.0;
    let mut next = || {
        let bell: f64 = (0..12).map(|_| fraction(dice)).sum::<f64>() - 6.0;
        sum += (bell * spread).exp();
        sum
    };
    (0..count).map(|_| next()).collect()
}

fn picked(dice: &mut Dice, sums: &[f64]) -> usize {
    let at = fraction(dice) * sums[sums.len() - 1];
    sums.partition_point(|sum| *sum <= at).min(sums.len() - 1)
}
