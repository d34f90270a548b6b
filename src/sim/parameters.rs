//! What a simulated province looks like: every assumption is a field here, with its unit and its reason.
//!
//! Shares are parts per million (`_ppm`), so that no result depends on floating point. The proportions follow
//! what is publicly known: about 3.2 亿 codes a day for 930,000 institutions (some 340 scans an institution and
//! day), some three packs a visit, three reports of one pack (stocked, handed over, settled), uploads up to two
//! days late. Where nothing is known the comment says *assumed*.
//!
//! They can be read from TOML, where what is left out keeps the value of [`Parameters::default`];
//! [`Parameters::EXAMPLE`] has them all.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::domain::time::Day;

/// A simulated province and how long it runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Parameters {
    /// Same seed and same parameters, same bytes.
    pub seed: u64,
    /// The first simulated day.
    #[serde(serialize_with = "write_day", deserialize_with = "read_day")]
    pub first_day: Day,
    /// Simulated days: 1 to 3,660. Late uploads still come up to two days after the last one.
    pub days: u32,
    /// Hospitals and pharmacies: 2 to 100,000.
    pub institutions: u32,
    /// Insured persons who visit them.
    pub persons: u32,
    /// Packs handed over a day, all institutions together: each makes up to three scans.
    pub codes_per_day: u32,
    /// Products in the catalogue: 20, so that every family of codes is there, to 200,000.
    pub products: u32,
    /// The form in which everybody uploads.
    pub form: UploadForm,
    /// How honest institutions work.
    pub habits: Habits,
    /// What is planted.
    pub fraud: Fraud,
    /// How uploads go wrong without anybody meaning it.
    pub dirt: Dirt,
    /// How senders work otherwise than the interface's book has it.
    pub senders: Senders,
}

/// The form of uploads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UploadForm {
    /// One canonical upload a document.
    #[default]
    Canonical,
    /// The national interface's own messages, with their responses where they have facts.
    National,
}

/// How honest institutions and persons behave.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Habits {
    /// Hospitals among the institutions. Of 930,000 institutions about 400,000 are pharmacies; most of the others
    /// are small, and hospitals here stand for those with split packs.
    pub hospitals_ppm: u32,
    /// How many visits a hospital has for each of a pharmacy (assumed).
    pub hospital_weight: u32,
    /// Institutions that upload their stock. Scan coverage is about 95 % in early 2025.
    pub stock_uploaders_ppm: u32,
    /// Institutions that upload what they dispense; the others only settle.
    pub dispensing_uploaders_ppm: u32,
    /// Products an institution keeps, at most (assumed; a small shop has some hundreds).
    pub shelves_per_institution: u32,
    /// Days that a delivery lasts (assumed).
    pub stock_days: u32,
    /// Most lines of a visit; between one and this, evenly.
    pub lines_per_visit_max: u32,
    /// Most packs of a line; between one and this, evenly.
    pub packs_per_line_max: u32,
    /// Visits with a long prescription: a chronic patient fetches the first line's packs for months. Monitors are
    /// told not to limit them, so they must not look like fraud (share assumed).
    pub long_prescriptions_ppm: u32,
    /// Most packs of the first line of a long prescription: three months of weekly packs; more than
    /// `packs_per_line_max` and up to this, evenly, as far as the shelf has them.
    pub long_prescription_packs_max: u32,
    /// Lines of hospitals that hand over a part of a pack, where the product allows it (assumed).
    pub split_ppm: u32,
    /// Visits paid by the person: dispensed, never settled (assumed).
    pub self_pay_ppm: u32,
    /// Dispensings of pharmacies that name neither settlement nor visit: linked by person and time only.
    pub unlinked_ppm: u32,
    /// Claims cancelled at the counter and made again minutes later, under a new number (assumed).
    pub cancelled_ppm: u32,
    /// Claims of hospitals whose fee lines are uploaded ahead of settlement and codes (assumed).
    pub fees_first_ppm: u32,
    /// Visits with a line that is brought back and refunded (assumed).
    pub returns_ppm: u32,
    /// Days after which it is brought back, at most.
    pub return_days_max: u32,
    /// Institutions that hand some packs to another one on a day (assumed).
    pub transfers_ppm: u32,
    /// Institutions that send a pack back to the wholesaler on a day, who sells it on (assumed).
    pub sent_back_ppm: u32,
    /// Institutions that write off a pack on a day (assumed).
    pub write_offs_ppm: u32,
    /// Days between two stocktakes of an institution.
    pub stocktake_days: u32,
    /// Pairs of institution and product that need no code: exemptions, like split packs for inpatients.
    pub exemptions_ppm: u32,
    /// Pairs with old stock without codes (无码库), which lasts for the first half of the run.
    pub no_code_stock_ppm: u32,
    /// What the fund pays of an amount, in hundredths (assumed).
    pub fund_percent: u32,
}

/// Planted acts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Fraud {
    /// Acts begun a day; the kinds take turns, so that each occurs.
    pub acts_per_day: u32,
    /// Packs in an act that moves several, at most.
    pub packs_per_act_max: u32,
}

/// Accidents of uploading.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Dirt {
    /// Documents issued late: by `late_hours_max` at most.
    pub issued_late_ppm: u32,
    /// Documents held up on the way, which overtake each other: by `late_hours_max` at most.
    pub held_up_ppm: u32,
    /// The tolerated delay is two days.
    pub late_hours_max: u32,
    /// Documents that arrive twice, identical.
    pub repeated_ppm: u32,
    /// Deliveries and dispensings sent again under a new number after a time-out.
    pub new_batch_ppm: u32,
    /// Documents wrong at first and corrected within a day.
    pub corrected_ppm: u32,
    /// Documents deleted and uploaded again under a new number.
    pub deleted_ppm: u32,
    /// Lines with a code cut off, doubled, or mistaken for the 69… barcode.
    pub mangled_ppm: u32,
    /// Codes scanned with harmless additions: full-width digits, blanks, a symbology mark.
    pub decorated_ppm: u32,
    /// Products of the 20-digit family whose prefix nobody mapped.
    pub unmapped_products_ppm: u32,
    /// Pairs of institution and product with a wrong entry in the institution's drug master: another product's code
    /// (which is a swap, to whoever reads it), no code, or a wrong rate, which counts a pack by its units.
    pub wrong_masters_ppm: u32,
    /// Institutions silent for a day, who upload everything the next morning.
    pub silent_days_ppm: u32,
    /// How far the clock of an institution is off, at most, in seconds, to either side; at most an hour.
    pub clock_skew_seconds_max: u32,
    /// Institutions whose software writes messages carelessly, each in its own way: field names misspelt or in
    /// capitals, codes joined in one text, moments without the blank, rows under the wrong node. National form only.
    pub careless_senders_ppm: u32,
}

/// Shares of senders that work otherwise than the interface's book has it, each for the whole run. Nothing of it is an
/// accident, and most of it changes no answer: what does is part of the truth. All are 0 unless asked for, so that a
/// province told by the book stays what it was.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Senders {
    /// Those who put no codes into the settlement: it borrows them from the hand-over of the same settlement. Some
    /// hospitals among them send requests without the platform's answers, so that only the visit joins the two.
    pub lending_ppm: u32,
    /// Those who report every box that they hand over or take back in a message of its own. National form only.
    pub boxes_ppm: u32,
    /// Those whose returns tell the day and no time.
    pub day_returns_ppm: u32,
    /// Hospitals that refund by a line that takes off so many packs of the claim's line, and do so for a part of it too;
    /// the others cancel the line, or in the national form the claim, and settle the rest again.
    pub partial_refunds_ppm: u32,
    /// Those who write something where there is nothing: `-`, `无` or zeros in fields of the national form, and twenty
    /// equal digits for the code of a line without one, which is an invalid code to whoever reads it.
    pub fillers_ppm: u32,
    /// Those who write a number of their own as the visit's into the hand-over.
    pub own_numbers_ppm: u32,
}

impl Senders {
    /// What the field is like: most lend (the kinds are known, the shares assumed).
    pub fn field() -> Self {
        Self {
            lending_ppm: 600_000,
            boxes_ppm: 200_000,
            day_returns_ppm: 200_000,
            partial_refunds_ppm: 300_000,
            fillers_ppm: 300_000,
            own_numbers_ppm: 150_000,
        }
    }
}

impl Parameters {
    /// Every parameter with its default and what it means, as TOML.
    pub const EXAMPLE: &str = include_str!("province.example.toml");

    /// Reads parameters from TOML; the error names line and field.
    pub fn from_toml(text: &str) -> Result<Self, toml::de::Error> {
        toml::from_str(text)
    }

    /// The first parameter that is out of its range, and the range.
    pub fn fault(&self) -> Option<String> {
        let ranges = [
            ("days", self.days, 1, 3_660),
            ("institutions", self.institutions, 2, 100_000),
            ("products", self.products, 20, 200_000),
            ("dirt.clock_skew_seconds_max", self.dirt.clock_skew_seconds_max, 0, 3_600),
        ];
        let fault = ranges.into_iter().find(|(_, value, least, most)| value < least || value > most);
        fault.map(|(name, value, least, most)| {
            format!("{name}: {value} is out of range; give {least} to {most}")
        })
    }

    /// A province small enough to watch: what `demo` shows in seconds.
    pub fn demo(seed: u64) -> Self {
        Self {
            seed,
            first_day: Day::from_civil(2026, 1, 5).unwrap_or(Day::from_days_since_epoch(20_458)),
            days: 21,
            institutions: 120,
            persons: 8_000,
            codes_per_day: 500,
            products: 60,
            form: UploadForm::Canonical,
            habits: Habits::default(),
            fraud: Fraud::default(),
            dirt: Dirt::usual(),
            senders: Senders::default(),
        }
    }

    /// The same province with nothing planted and every upload in time.
    pub fn clean(seed: u64) -> Self {
        Self {
            fraud: Fraud { acts_per_day: 0, packs_per_act_max: 0 },
            dirt: Dirt::none(),
            ..Self::demo(seed)
        }
    }

    /// Midnight, Beijing time, at which day number `day` of the run begins, in Unix milliseconds.
    pub(super) fn day_start(&self, day: u32) -> i64 {
        let days = i64::from(self.first_day.days_since_epoch()) + i64::from(day);
        days * super::DAY - 8 * super::HOUR
    }

    /// A moment, in Unix milliseconds, at which every upload has come and every grace is over.
    pub fn until(&self) -> i64 {
        self.day_start(self.days) + i64::from(self.dirt.late_hours_max) * super::HOUR + 8 * super::DAY
    }
}

/// The province of `demo`.
impl Default for Parameters {
    fn default() -> Self {
        Self::demo(20_260_105)
    }
}

/// Enough for each kind to occur within a week.
impl Default for Fraud {
    fn default() -> Self {
        Self { acts_per_day: 4, packs_per_act_max: 4 }
    }
}

/// The usual dirt.
impl Default for Dirt {
    fn default() -> Self {
        Self::usual()
    }
}

impl Default for Habits {
    fn default() -> Self {
        Self {
            hospitals_ppm: 250_000,
            hospital_weight: 4,
            stock_uploaders_ppm: 920_000,
            dispensing_uploaders_ppm: 930_000,
            shelves_per_institution: 30,
            stock_days: 4,
            lines_per_visit_max: 3,
            packs_per_line_max: 3,
            long_prescriptions_ppm: 20_000,
            long_prescription_packs_max: 12,
            split_ppm: 200_000,
            self_pay_ppm: 150_000,
            unlinked_ppm: 60_000,
            cancelled_ppm: 10_000,
            fees_first_ppm: 300_000,
            returns_ppm: 10_000,
            return_days_max: 7,
            transfers_ppm: 20_000,
            sent_back_ppm: 10_000,
            write_offs_ppm: 5_000,
            stocktake_days: 7,
            exemptions_ppm: 5_000,
            no_code_stock_ppm: 5_000,
            fund_percent: 70,
        }
    }
}

impl Dirt {
    /// Every upload in time and right.
    pub fn none() -> Self {
        Self {
            issued_late_ppm: 0,
            held_up_ppm: 0,
            late_hours_max: 0,
            repeated_ppm: 0,
            new_batch_ppm: 0,
            corrected_ppm: 0,
            deleted_ppm: 0,
            mangled_ppm: 0,
            decorated_ppm: 0,
            unmapped_products_ppm: 0,
            wrong_masters_ppm: 0,
            silent_days_ppm: 0,
            clock_skew_seconds_max: 0,
            careless_senders_ppm: 0,
        }
    }

    /// What the field is like (the kinds are known, the shares assumed).
    pub fn usual() -> Self {
        Self {
            issued_late_ppm: 40_000,
            held_up_ppm: 40_000,
            late_hours_max: 48,
            repeated_ppm: 20_000,
            new_batch_ppm: 5_000,
            corrected_ppm: 10_000,
            deleted_ppm: 4_000,
            mangled_ppm: 1_000,
            decorated_ppm: 5_000,
            unmapped_products_ppm: 20_000,
            wrong_masters_ppm: 1_000,
            silent_days_ppm: 2_000,
            clock_skew_seconds_max: 300,
            careless_senders_ppm: 200_000,
        }
    }
}

fn write_day<S: Serializer>(day: &Day, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(day)
}

fn read_day<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Day, D::Error> {
    let text = String::deserialize(deserializer)?;
    let mut parts = text.split('-');
    let mut number = || parts.next().filter(|part| part.len() <= 4)?.parse::<u16>().ok();
    let day = match (number(), number(), number()) {
        (Some(year), Some(month), Some(day)) => Day::from_civil(year.into(), month.into(), day.into()),
        _ => None,
    };
    day.filter(|_| parts.next().is_none())
        .ok_or_else(|| de::Error::custom(format!("`{text}` is no day; write it like 2026-01-05, in quotes")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_has_every_parameter_with_its_default() {
        let example: toml::Table = toml::from_str(Parameters::EXAMPLE).unwrap();
        let defaults = toml::Table::try_from(Parameters::default()).unwrap();
        assert_eq!(example, defaults);
        assert_eq!(Parameters::from_toml(Parameters::EXAMPLE).unwrap(), Parameters::default());
    }

    #[test]
    fn what_is_out_of_range_is_named_with_its_range() {
        assert_eq!(Parameters::default().fault(), None);
        for (parameters, expected) in [
            (Parameters { days: 0, ..Parameters::default() }, "days: 0 is out of range; give 1 to 3660"),
            (Parameters { days: 3_661, ..Parameters::default() }, "days: 3661 is"),
            (Parameters { institutions: 1, ..Parameters::default() }, "institutions: 1 is"),
            (Parameters { products: 19, ..Parameters::default() }, "products: 19 is"),
        ] {
            let fault = parameters.fault().unwrap_or_default();
            assert!(fault.starts_with(expected), "{fault}");
        }
    }

    #[test]
    fn what_is_left_out_keeps_its_default_and_what_is_wrong_is_refused() {
        let some =
            Parameters::from_toml("days = 3\nfirst_day = \"2026-02-28\"\n[dirt]\nmangled_ppm = 7\n").unwrap();
        assert_eq!((some.days, some.first_day), (3, Day::from_civil(2026, 2, 28).unwrap()));
        assert_eq!(some.dirt, Dirt { mangled_ppm: 7, ..Dirt::usual() });
        assert_eq!(some.habits, Habits::default());
        for (wrong, named) in [
            ("institution = 3", "institution"),
            ("first_day = \"2026-02-30\"", "2026-02-30"),
            ("first_day = \"2026-02-03-04\"", "is no day"),
            ("days = -1", "days"),
            ("[fraud]\nacts = 3", "acts"),
        ] {
            let error = Parameters::from_toml(wrong).unwrap_err().to_string();
            assert!(error.contains(named), "{wrong}: {error}");
        }
    }
}
