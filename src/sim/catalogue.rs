//! The catalogue of the simulated province: products, their packs and units, and how their codes look.
//!
//! Twenty patterns repeat, so that every family of codes and every shape of pack occurs in any catalogue. A code
//! is (product, number) inside the simulator and becomes text only in the writer; numbers are spread over the
//! serial's nine digits by a multiplication that never repeats below 10^9 packs of one product.

use super::parameters::Parameters;
use super::random::{mix, mix3};

/// How the codes of a product look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Family {
    /// 20 digits: 7 prefix, 9 serial, 4 check.
    Drug20,
    /// GS1 with serial.
    Gs1,
    /// GS1 with a lot and no serial: one code for many packs.
    Gs1Lot,
    /// UDI of the MA system with serial.
    Ma,
    /// The maker's own, without prefix.
    Maker,
    /// No code at all: decoction pieces.
    Uncoded,
}

/// One product.
#[derive(Clone, Debug)]
pub(super) struct Product {
    /// 医保目录编码.
    pub(super) code: String,
    pub(super) name: String,
    pub(super) family: Family,
    /// 药品标识码, GTIN-14 or UDI-DI; of makers' own codes how they begin, which no reference data knows.
    pub(super) prefix: String,
    /// Packs that one code stands for.
    pub(super) packs_per_code: u32,
    /// Units in a pack, when the catalogue knows it.
    pub(super) units_per_pack: Option<u32>,
    /// Price of a pack in fen.
    pub(super) price_fen: i64,
    /// Whether the reference data has a record for the prefix.
    pub(super) mapped: bool,
    /// Whether an item record says so, and what.
    pub(super) traceable: Option<bool>,
}

/// All products, and those that planted acts use.
#[derive(Clone, Debug)]
pub(super) struct Catalogue {
    pub(super) products: Vec<Product>,
    /// Mapped 20-digit drugs, one pack a code, known units: what most acts are about.
    pub(super) plain: Vec<u32>,
    /// Products with makers' own codes.
    pub(super) makers: Vec<u32>,
}

/// Patterns after which the catalogue repeats.
const PATTERNS: u32 = 20;
/// Prefixes of seven digits are given out in steps of seven.
const PRODUCTS_MAX: u32 = 200_000;

const NAMES: [&str; 10] = [
    "盐酸氨溴索片",
    "瑞格列奈片",
    "血塞通胶囊",
    "碳酸钙D3片",
    "参松养心胶囊",
    "复方丹参片",
    "阿托伐他汀钙片",
    "二甲双胍缓释片",
    "氨氯地平片",
    "多烯磷脂酰胆碱胶囊",
];

impl Catalogue {
    pub(super) fn new(parameters: &Parameters) -> Self {
        let count = parameters.products.clamp(PATTERNS, PRODUCTS_MAX);
        let products: Vec<Product> = (0..count).map(|index| product(parameters, index)).collect();
        let select = |accept: fn(&Product) -> bool| {
            (0..count).zip(&products).filter(|(_, p)| accept(p)).map(|(index, _)| index).collect::<Vec<u32>>()
        };
        let plain = select(|p| {
            p.family == Family::Drug20 && p.mapped && p.packs_per_code == 1 && p.units_per_pack.is_some()
        });
        let makers = select(|p| p.family == Family::Maker);
        Self { products, plain, makers }
    }

    pub(super) fn get(&self, index: u32) -> &Product {
        &self.products[index as usize % self.products.len()]
    }
}

impl Product {
    /// Whether one code has the identity of one package.
    pub(super) fn has_unit_codes(&self) -> bool {
        !matches!(self.family, Family::Gs1Lot | Family::Uncoded)
    }

    /// Whether it has codes at all.
    pub(super) fn has_codes(&self) -> bool {
        self.family != Family::Uncoded
    }

    /// Whether a part of a pack may be handed over: the units are known, and one code is one pack.
    pub(super) fn splittable(&self) -> bool {
        self.family == Family::Drug20
            && self.mapped
            && self.packs_per_code == 1
            && self.units_per_pack.is_some()
    }

    /// The code of pack number `number` in normal form.
    pub(super) fn normal_code(&self, number: u64) -> String {
        let serial = spread(number);
        match self.family {
            Family::Drug20 => {
                let check = mix3(serial, 20, self.price_fen as u64) % 10_000;
                format!("{}{serial:09}{check:04}", self.prefix)
            }
            Family::Gs1 => format!("(01){}(21)SN{serial:09}", self.prefix),
            Family::Gs1Lot => format!("(01){}(10)LOT{:04}", self.prefix, number % 10_000),
            Family::Ma => format!("{}.S{serial:09}", self.prefix),
            Family::Maker => format!("{}{serial:09}", self.prefix),
            Family::Uncoded => String::new(),
        }
    }
}

/// Spreads consecutive numbers over nine digits: 3^18 has no factor in common with 10^9.
const fn spread(number: u64) -> u64 {
    (number % 1_000_000_000).wrapping_mul(387_420_489) % 1_000_000_000
}

fn product(parameters: &Parameters, index: u32) -> Product {
    let pattern = index % PATTERNS;
    let chance = mix3(parameters.seed, 0xca7a, u64::from(index));
    let name = NAMES[index as usize % NAMES.len()];
    let units = 10 + (chance % 6) as u32 * 10;
    let base = Product {
        code: format!(
            "XR{:02}CBA{:03}A001010{:03}00{:03}",
            index % 100,
            index % 1000,
            index / 1000,
            index % 1000
        ),
        name: format!("{name} {index}号 {units}片"),
        family: Family::Drug20,
        prefix: format!("{}", 8_100_000 + index * 7),
        packs_per_code: 1,
        units_per_pack: Some(units),
        price_fen: 500 + (mix(chance) % 20_000) as i64,
        mapped: true,
        traceable: None,
    };
    match pattern {
        3 => Product { units_per_pack: None, ..base },
        9 => {
            Product { code: format!("ZI{:02}AAN{:04}0201{:05}", index % 100, index % 10_000, index), ..base }
        }
        12 if mix(chance ^ 12) % 1_000_000 < u64::from(parameters.dirt.unmapped_products_ppm) * 20 => {
            Product { mapped: false, units_per_pack: None, ..base }
        }
        13 => Product {
            name: format!("氯化钠注射液 {index}号 (箱码)"),
            packs_per_code: 10 + (chance % 4) as u32 * 10,
            units_per_pack: Some(1),
            ..base
        },
        14 => Product { family: Family::Gs1, prefix: gtin(index), ..base },
        15 => Product {
            family: Family::Maker,
            prefix: format!("QL{index:03}B"),
            units_per_pack: None,
            mapped: false,
            ..base
        },
        16 => Product { traceable: Some(true), prefix: gtin(index), ..consumable(base, index, Family::Gs1) },
        17 => Product { prefix: gtin(index), ..consumable(base, index, Family::Gs1Lot) },
        18 => Product {
            prefix: format!("MA.156.M0.100012.{:08}", 12_000_000 + index),
            ..consumable(base, index, Family::Ma)
        },
        19 => Product {
            code: format!("T{:09}", 1_700_000 + index),
            name: format!("黄芪饮片 {index}号"),
            family: Family::Uncoded,
            prefix: String::new(),
            units_per_pack: None,
            traceable: Some(false),
            ..base
        },
        _ => base,
    }
}

fn consumable(base: Product, index: u32, family: Family) -> Product {
    Product {
        code: format!("C{:019}", 1_010_100_000_000_u64 + u64::from(index)),
        name: format!("医用耗材 {index}号"),
        family,
        units_per_pack: Some(1),
        ..base
    }
}

/// A GTIN-14 with its check digit.
fn gtin(index: u32) -> String {
    let body = format!("0690{:09}", 123_400_000 + u64::from(index));
    let sum: u32 = body
        .bytes()
        .rev()
        .zip([3, 1].into_iter().cycle())
        .map(|(digit, weight)| u32::from(digit - b'0') * weight)
        .sum();
    format!("{body}{}", (10 - sum % 10) % 10)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn codes_of_different_packs_differ_and_have_their_form() {
        let catalogue = Catalogue::new(&Parameters::clean(3));
        let mut seen = BTreeSet::new();
        for product in catalogue.products.iter().filter(|p| p.has_unit_codes()) {
            for number in 0..50 {
                let code = product.normal_code(number);
                if product.family == Family::Drug20 {
                    assert_eq!((code.len(), code.bytes().all(|b| b.is_ascii_digit())), (20, true), "{code}");
                }
                assert!(seen.insert(code.clone()), "{code} twice");
            }
        }
    }

    #[test]
    fn every_family_is_there_and_gtins_verify() {
        let catalogue = Catalogue::new(&Parameters::clean(3));
        for family in
            [Family::Drug20, Family::Gs1, Family::Gs1Lot, Family::Ma, Family::Maker, Family::Uncoded]
        {
            assert!(catalogue.products.iter().any(|p| p.family == family), "{family:?}");
        }
        assert!(!catalogue.plain.is_empty() && !catalogue.makers.is_empty());
        assert_eq!(gtin(56_789), "06901234567892");
    }
}
