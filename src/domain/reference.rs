//! Reference data: dated records about products, items, institutions, exemptions, recalls.
//!
//! Intake attaches to each part of a document all dated records of the keys that the part names ([`Slice`]);
//! the stage that judges the part chooses among them by the day of the document's live header. So judgement
//! never looks anything up outside its own input.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use super::Text;
use super::document::{CodesFacet, FeeFacet, Upload};
use super::time::Day;

/// What a record is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Key {
    /// A 药品标识码, GTIN or UDI-DI.
    Product {
        /// The prefix of the codes.
        prefix: Text,
    },
    /// A catalogue product.
    Item {
        /// 医保目录编码.
        product_code: Text,
    },
    /// An institution.
    Institution {
        /// 定点医药机构编号.
        institution_id: Text,
    },
    /// Lines of the product need no code.
    Exemption {
        /// 医保目录编码.
        product_code: Text,
        /// At this institution; none means everywhere.
        institution_id: Option<Text>,
    },
    /// 无码库: lines of the product at the institution need no code.
    NoCodeStock {
        /// 定点医药机构编号.
        institution_id: Text,
        /// 医保目录编码.
        product_code: Text,
    },
    /// A recalled lot.
    Recall {
        /// 医保目录编码.
        product_code: Text,
        /// 生产批号.
        lot: Text,
    },
    /// A code that must not be sold, in normal form.
    BannedCode {
        /// The code.
        code: Text,
    },
}

/// What a product record says.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Product {
    /// 医保目录编码.
    pub product_code: Option<Text>,
    /// Name for people.
    pub name: Option<Text>,
    /// Packs that one code stands for, 1 to [`PACK_FACTOR_MAX`].
    pub packs_per_code: u32,
    /// Units in one pack, 1 to [`PACK_FACTOR_MAX`]; absent means unknown.
    pub units_per_pack: Option<u32>,
}

/// What an item record says.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Item {
    /// Whether lines of the product need codes.
    pub traceable: Option<bool>,
    /// On a watch list.
    pub watch: bool,
}

/// What an institution record says.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Institution {
    /// Name for people.
    pub name: Option<Text>,
    /// GB/T 2260 region; absent: characters 2–7 of the id.
    pub region: Option<Text>,
    /// Level of the hospital, or `pharmacy`.
    pub tier: Option<Text>,
    /// From this day on it uploads what it stocks.
    pub stock_uploaded_since: Option<Day>,
    /// From this day on it uploads what it hands over.
    pub dispensing_uploaded_since: Option<Day>,
    /// From this day on it puts the codes into the settlement itself, so that nothing is lent to it.
    pub codes_in_settlement_since: Option<Day>,
    /// From this day on it has its contract.
    pub contract_from: Option<Day>,
    /// The institution that it went on from, under another number.
    pub successor_of: Option<Text>,
}

/// The content of a record, by its key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Value {
    /// Of [`Key::Product`].
    Product(Product),
    /// Of [`Key::Item`].
    Item(Item),
    /// Of [`Key::Institution`].
    Institution(Institution),
    /// Of the keys whose presence says it all.
    Present,
}

/// One dated record.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Record {
    /// What it is about.
    pub key: Key,
    /// First day, inclusive; absent: since ever.
    pub valid_from: Option<Day>,
    /// Last day, inclusive; absent: for ever.
    pub valid_to: Option<Day>,
    /// What it says.
    pub value: Value,
}

/// A change of the reference data: sets or deletes the record of (key, valid_from).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The record; of a deletion only key and valid_from count.
    pub record: Record,
    /// Whether it is deleted.
    pub deleted: bool,
}

/// Greatest `packs_per_code` and `units_per_pack`: keeps every product of a pack and a quantity inside 64 bits.
pub const PACK_FACTOR_MAX: u32 = 1_000_000;

impl Record {
    /// Whether it is valid on `day`.
    pub fn is_valid_on(&self, day: Day) -> bool {
        self.valid_from.is_none_or(|from| from <= day) && self.valid_to.is_none_or(|to| day <= to)
    }
}

/// All dated records of the keys that one part of a document names, in order of (key, valid_from), with the
/// version of the reference data that they were taken from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Slice {
    /// The version of the book when the records were taken.
    pub version: u64,
    records: Arc<[Arc<Record>]>,
}

impl Slice {
    /// A slice of the given records, in any order.
    pub fn new(version: u64, mut records: Vec<Arc<Record>>) -> Self {
        records.sort_unstable();
        records.dedup();
        Self { version, records: records.into() }
    }

    /// The records, in order of (key, valid_from).
    pub fn records(&self) -> &[Arc<Record>] {
        &self.records
    }

    fn valid_on<'a, 'k>(&'a self, key: &'k Key, day: Day) -> impl Iterator<Item = &'a Record> + use<'a, 'k> {
        let start = self.records.partition_point(|record| record.key < *key);
        let from_key = self.records.get(start..).unwrap_or_default().iter().map(Arc::as_ref);
        from_key.take_while(move |record| record.key == *key).filter(move |record| record.is_valid_on(day))
    }

    /// Whether any record of the key is valid on `day`.
    pub fn has(&self, key: &Key, day: Day) -> bool {
        self.valid_on(key, day).next().is_some()
    }

    /// What the record with the greatest `valid_from` says among those of the key that are valid on `day`.
    pub fn latest(&self, key: &Key, day: Day) -> Option<&Value> {
        self.valid_on(key, day).last().map(|record| &record.value)
    }

    /// The product record of a prefix.
    pub fn product(&self, prefix: &Text, day: Day) -> Option<&Product> {
        match self.latest(&Key::Product { prefix: prefix.clone() }, day) {
            Some(Value::Product(product)) => Some(product),
            _ => None,
        }
    }

    /// The item record of a product.
    pub fn item(&self, product_code: &Text, day: Day) -> Option<&Item> {
        match self.latest(&Key::Item { product_code: product_code.clone() }, day) {
            Some(Value::Item(item)) => Some(item),
            _ => None,
        }
    }

    /// The record of an institution.
    pub fn institution(&self, institution_id: &Text, day: Day) -> Option<&Institution> {
        match self.latest(&Key::Institution { institution_id: institution_id.clone() }, day) {
            Some(Value::Institution(institution)) => Some(institution),
            _ => None,
        }
    }
}

/// The region of an institution: its record's, else characters 2–7 of its id.
pub fn region_of(institution_id: &Text, record: Option<&Institution>) -> Text {
    match record.and_then(|record| record.region.clone()) {
        Some(region) => region,
        None => institution_id.get(1..7).unwrap_or_default().into(),
    }
}

/// All reference data known, as of a version.
#[derive(Clone, Debug, Default)]
pub struct Book {
    version: u64,
    records: HashMap<Key, BTreeMap<Option<Day>, Arc<Record>>>,
}

impl Book {
    /// Applies one change of a list that is read from its beginning: the version is the number of changes.
    pub fn apply(&mut self, change: Change) {
        self.apply_at(self.version.saturating_add(1), change);
    }

    /// Applies one change of a log that gives every change its version. Unlike a count it stays the same when the log
    /// is compacted, so all who read the log, now or after a restart, mean the same by it.
    ///
    /// Later changes of the same (key, valid_from) replace earlier ones.
    pub fn apply_at(&mut self, version: u64, change: Change) {
        self.version = self.version.max(version);
        let Change { record, deleted } = change;
        if deleted {
            if let Some(dated) = self.records.get_mut(&record.key) {
                dated.remove(&record.valid_from);
                if dated.is_empty() {
                    self.records.remove(&record.key);
                }
            }
        } else {
            let dated = self.records.entry(record.key.clone()).or_default();
            dated.insert(record.valid_from, Arc::new(record));
        }
    }

    /// The version of the newest change applied.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// Whether there is no record at all.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// What the header of a document needs: its institution.
    pub fn for_header(&self, institution_id: &Text) -> Slice {
        self.slice([Key::Institution { institution_id: institution_id.clone() }])
    }

    /// What a fee facet needs: its product's item, exemptions, no-code stock and recall.
    pub fn for_fee(&self, institution_id: &Text, fee: &FeeFacet) -> Slice {
        let Some(product_code) = &fee.product_code else {
            return self.slice([]);
        };
        let exemption =
            |institution_id| Key::Exemption { product_code: product_code.clone(), institution_id };
        let mut keys = vec![
            Key::Item { product_code: product_code.clone() },
            exemption(None),
            exemption(Some(institution_id.clone())),
            Key::NoCodeStock { institution_id: institution_id.clone(), product_code: product_code.clone() },
        ];
        if let Some(lot) = &fee.lot {
            keys.push(Key::Recall { product_code: product_code.clone(), lot: lot.clone() });
        }
        self.slice(keys)
    }

    /// What a codes facet needs: the product of every prefix, and which codes are banned.
    pub fn for_codes(&self, codes: &CodesFacet) -> Slice {
        let mut keys = BTreeSet::new();
        for code in codes.scans.iter().filter_map(|scanned| scanned.scan.valid()) {
            keys.insert(Key::BannedCode { code: code.normal.clone() });
            if let Some(prefix) = &code.prefix {
                keys.insert(Key::Product { prefix: prefix.clone() });
            }
        }
        self.slice(keys)
    }

    fn slice(&self, keys: impl IntoIterator<Item = Key>) -> Slice {
        let dated = keys.into_iter().filter_map(|key| self.records.get(&key));
        Slice::new(self.version, dated.flat_map(BTreeMap::values).cloned().collect())
    }
}

/// Attaches to every part of an upload all dated records of the keys that it names; how many different ones that are.
pub fn attach(upload: &mut Upload, book: &Book) -> usize {
    let Upload::Version(version) = upload else { return 0 };
    let institution_id = version.key.institution_id.clone();
    let mut attached = HashSet::new();
    let mut take = |slice: Slice| {
        attached.extend(slice.records().iter().map(Arc::as_ptr));
        slice
    };
    if let Some(header) = &mut version.header {
        header.reference = take(book.for_header(&institution_id));
    }
    for line in &mut version.lines {
        if let Some(fee) = &mut line.fee {
            fee.reference = take(book.for_fee(&institution_id, &fee.content));
        }
        if let Some(codes) = &mut line.codes {
            codes.reference = take(book.for_codes(&codes.content));
        }
    }
    attached.len()
}

impl Extend<Change> for Book {
    /// Applies the changes of a list.
    fn extend<T: IntoIterator<Item = Change>>(&mut self, changes: T) {
        changes.into_iter().for_each(|change| self.apply(change));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_that_the_log_gives_outlives_what_the_log_has_forgotten() {
        let change = |lot: &str| Change {
            record: Record {
                key: Key::Recall { product_code: "X".into(), lot: lot.into() },
                valid_from: None,
                valid_to: None,
                value: Value::Present,
            },
            deleted: false,
        };
        let (mut whole, mut compacted) = (Book::default(), Book::default());
        for version in 1..=9 {
            whole.apply_at(version, change("A"));
        }
        compacted.apply_at(9, change("A"));
        assert_eq!((whole.version(), compacted.version()), (9, 9));
        compacted.apply(change("B"));
        assert_eq!(compacted.version(), 10);
    }
}
