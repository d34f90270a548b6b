//! Institutions, regions and persons of the simulated province.
//!
//! A person is an index; number and certificate are computed from it when they are written, so that millions of
//! persons cost no memory.

use std::fmt;

use super::catalogue::Catalogue;
use super::national::Carelessness;
use super::parameters::Parameters;
use super::random::{Random, mix3};
use crate::domain::time::Day;

/// Districts of several cities (GB/T 2260), so that acts can cross them.
pub(super) const REGIONS: [(&str, &str); 10] = [
    ("370202", "市南区"),
    ("370203", "市北区"),
    ("370211", "黄岛区"),
    ("370102", "历下区"),
    ("370103", "市中区"),
    ("370602", "芝罘区"),
    ("370702", "潍城区"),
    ("371002", "环翠区"),
    ("371502", "东昌府区"),
    ("371302", "兰山区"),
];

/// The last five characters of an institution's number count them.
const INSTITUTIONS_MAX: u32 = 100_000;

/// One hospital or pharmacy.
#[derive(Clone, Debug)]
pub(super) struct Institution {
    /// 定点医药机构编号.
    pub(super) id: String,
    pub(super) name: String,
    /// Index into [`REGIONS`].
    pub(super) region: usize,
    pub(super) hospital: bool,
    pub(super) uploads_stock: bool,
    pub(super) uploads_dispensing: bool,
    /// How far its clock is off.
    pub(super) clock_skew_millis: i64,
}

/// What an institution's drug master says of a product.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Master {
    /// What is true.
    Right,
    /// The catalogue code of this other product.
    OtherProduct(u32),
    /// No catalogue code.
    NoProduct,
    /// So many units to the pack that is one: whole packs are counted by their units.
    WrongRate(u32),
}

/// Everything that does not change during a run.
#[derive(Clone, Debug)]
pub(super) struct World {
    pub(super) parameters: Parameters,
    pub(super) catalogue: Catalogue,
    pub(super) institutions: Vec<Institution>,
    /// Those who upload stock and dispensing: acts happen there, so that their consequences are certain.
    pub(super) reporters: Vec<u32>,
    /// For the choice of an institution by weight: running sums.
    weights: Vec<u64>,
}

impl World {
    pub(super) fn new(parameters: &Parameters) -> Self {
        let mut random = Random::new(parameters.seed, 1);
        let count = parameters.institutions.clamp(2, INSTITUTIONS_MAX);
        let institutions: Vec<Institution> =
            (0..count).map(|index| institution(parameters, &mut random, index)).collect();
        let reporters = (0..count)
            .zip(&institutions)
            .filter(|(_, place)| place.uploads_stock && place.uploads_dispensing)
            .map(|(index, _)| index)
            .collect();
        let weights = institutions
            .iter()
            .scan(0, |sum, place| {
                *sum += if place.hospital { u64::from(parameters.habits.hospital_weight) } else { 1 };
                Some(*sum)
            })
            .collect();
        Self {
            parameters: parameters.clone(),
            catalogue: Catalogue::new(parameters),
            institutions,
            reporters,
            weights,
        }
    }

    pub(super) fn institution(&self, index: u32) -> &Institution {
        &self.institutions[index as usize % self.institutions.len()]
    }

    /// An institution, the busier the likelier.
    pub(super) fn visited(&self, random: &mut Random) -> u32 {
        let total = self.weights.last().copied().unwrap_or(1);
        let drawn = random.below(total);
        self.weights.partition_point(|&sum| sum <= drawn) as u32
    }

    /// Packs that an institution hands over on a day, on average, in thousandths.
    pub(super) fn demand_thousandths(&self, index: u32) -> u64 {
        let total = self.weights.last().copied().unwrap_or(1).max(1);
        let at = index as usize;
        let before = if at == 0 { 0 } else { self.weights.get(at - 1).copied().unwrap_or(0) };
        let weight = self.weights.get(at).copied().unwrap_or(0).saturating_sub(before);
        u64::from(self.parameters.codes_per_day) * 1000 * weight / total
    }

    /// Whether an exemption covers the pair.
    pub(super) fn exempt(&self, institution: u32, product: u32) -> bool {
        self.may_lack_codes(product)
            && self.pair(institution, product, 0xe) < u64::from(self.parameters.habits.exemptions_ppm)
    }

    /// Whether the pair has old stock without codes.
    pub(super) fn has_no_code_stock(&self, institution: u32, product: u32) -> bool {
        self.may_lack_codes(product)
            && self.pair(institution, product, 0xf) < u64::from(self.parameters.habits.no_code_stock_ppm)
    }

    /// The last day on which stock without codes may be sold.
    pub(super) fn no_code_stock_until(&self) -> Day {
        let half = i32::try_from(self.parameters.days / 2).unwrap_or(i32::MAX / 2);
        Day::from_days_since_epoch(self.parameters.first_day.days_since_epoch().saturating_add(half))
    }

    /// Whether the institution sells the product without a code on day `day` of the run, lawfully.
    pub(super) fn sold_without_code(&self, institution: u32, product: u32, day: u32) -> bool {
        self.exempt(institution, product)
            || day <= self.parameters.days / 2 && self.has_no_code_stock(institution, product)
    }

    /// What the institution's drug master says of the product. Wrong only for mapped drugs that it always sells with
    /// codes, so that what follows from it is certain.
    pub(super) fn master(&self, institution: u32, product: u32) -> Master {
        let share = self.parameters.dirt.wrong_masters_ppm;
        if share == 0 || self.pair(institution, product, 0xd) >= u64::from(share) {
            return Master::Right;
        }
        let lacks_codes = self.exempt(institution, product) || self.has_no_code_stock(institution, product);
        let Ok(at) = self.catalogue.plain.binary_search(&product) else {
            return Master::Right;
        };
        let plain = &self.catalogue.plain;
        match self.pair(institution, product, 0xdd) % 3 {
            _ if lacks_codes || plain.len() < 2 => Master::Right,
            0 => Master::OtherProduct(plain[(at + 1) % plain.len()]),
            1 => Master::NoProduct,
            _ => Master::WrongRate(self.catalogue.get(product).units_per_pack.unwrap_or(10)),
        }
    }

    /// How careless the institution's software is.
    pub(super) fn carelessness(&self, institution: u32) -> Carelessness {
        let share = u64::from(self.parameters.dirt.careless_senders_ppm);
        if self.pair(institution, 0, 0xc) >= share {
            return Carelessness::None;
        }
        let kinds = Carelessness::ALL;
        kinds[(self.pair(institution, 1, 0xc) % kinds.len() as u64) as usize]
    }

    fn may_lack_codes(&self, product: u32) -> bool {
        self.catalogue.get(product).splittable()
    }

    /// A number below a million that depends on the seed, the pair and what it is for.
    pub(super) fn pair(&self, institution: u32, product: u32, salt: u64) -> u64 {
        mix3(self.parameters.seed ^ salt, u64::from(institution), u64::from(product)) % 1_000_000
    }
}

fn institution(parameters: &Parameters, random: &mut Random, index: u32) -> Institution {
    let habits = &parameters.habits;
    let region = index as usize % REGIONS.len();
    let hospital = random.chance(habits.hospitals_ppm);
    let skew = i64::from(parameters.dirt.clock_skew_seconds_max.min(3600));
    let (district, district_name) = REGIONS[region];
    let letter = if hospital { 'H' } else { 'P' };
    let uploads_stock = random.chance(habits.stock_uploaders_ppm);
    let uploads_dispensing = random.chance(habits.dispensing_uploaders_ppm);
    Institution {
        id: format!("{letter}{district}{:05}", index % 100_000),
        name: format!("{district_name}第{index}{}", if hospital { "医院" } else { "药店" }),
        region,
        hospital,
        uploads_stock,
        uploads_dispensing,
        clock_skew_millis: random.within(-skew, skew) * 1000,
    }
}

/// 人员编号 of a person.
pub(super) struct PersonNumber(pub(super) u32);

/// 证件号码 of a person: a citizen number with its check character.
pub(super) struct PersonCertificate(pub(super) u32);

impl fmt::Display for PersonNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "3700{:016}", self.0)
    }
}

impl fmt::Display for PersonCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
        const CHECKS: [char; 11] = ['1', '0', 'X', '9', '8', '7', '6', '5', '4', '3', '2'];
        let index = self.0 as usize;
        let (district, _) = REGIONS[index % REGIONS.len()];
        let rest = index / REGIONS.len();
        let (year, month, day) = Day::from_days_since_epoch((rest % 25_000) as i32 - 12_000).civil();
        let body = format!("{district}{year:04}{month:02}{day:02}{:03}", rest / 25_000 % 1000);
        let sum: u32 =
            body.bytes().zip(WEIGHTS).map(|(digit, weight)| u32::from(digit - b'0') * weight).sum();
        write!(f, "{body}{}", CHECKS[sum as usize % CHECKS.len()])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn persons_are_distinct_and_certificates_have_18_characters() {
        let certificates: BTreeSet<String> =
            (0..5000).map(|i| PersonCertificate(i * 7).to_string()).collect();
        assert_eq!(certificates.len(), 5000);
        assert!(certificates.iter().all(|c| c.len() == 18));
    }

    #[test]
    fn institution_ids_have_twelve_characters_and_are_distinct() {
        let world = World::new(&Parameters::clean(1));
        let ids: BTreeSet<&str> = world.institutions.iter().map(|place| place.id.as_str()).collect();
        assert_eq!(ids.len(), world.institutions.len());
        assert!(ids.iter().all(|id| id.len() == 12));
    }

    #[test]
    fn demand_adds_up_to_the_packs_of_a_day() {
        let world = World::new(&Parameters::clean(1));
        let sum: u64 = (0..world.institutions.len() as u32).map(|i| world.demand_thousandths(i)).sum();
        let expected = u64::from(world.parameters.codes_per_day) * 1000;
        assert!(sum <= expected && sum > expected - 1000, "{sum}");
    }
}
