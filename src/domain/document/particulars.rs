//! What else a document says of its visit and of its prescriptions.
//!
//! Nothing of it decides about a code. It is kept with the document, since patterns of persons, prescriptions and points
//! of sale go by it, and every field is the sender's own word.

use crate::domain::Text;
use crate::domain::amount::{Money, Quantity};

/// How a service was rendered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Service {
    /// 线下: the person was there.
    InPerson,
    /// 线上.
    Online,
}

impl Service {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::InPerson, Self::Online];

    /// The name in uploads.
    pub const fn name(self) -> &'static str {
        match self {
            Self::InPerson => "in_person",
            Self::Online => "online",
        }
    }

    /// The service of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|service| service.name() == name)
    }
}

/// Under which circumstances a document was made: part of its header.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Circumstances {
    /// 就诊凭证类型.
    pub credential_type: Option<Text>,
    /// 设备编号.
    pub device_id: Option<Text>,
    /// 经办人类别.
    pub operator_kind: Option<Text>,
    /// 参保地医保区划, six digits.
    pub insured_region: Option<Text>,
    /// 医疗类别: outpatient, chronic, emergency, inpatient, pharmacy, or whatever the sender says.
    pub medical_type: Option<Text>,
    /// What the personal account pays for the whole document.
    pub account_amount: Option<Money>,
    /// How the service was rendered.
    pub service: Option<Service>,
    /// How many codes of drugs the sender says belong to the settlement.
    pub declared_codes: Option<u32>,
    /// How many codes of consumables.
    pub declared_consumable_codes: Option<u32>,
}

/// What a line says of its prescription: part of its fee facet.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Prescription {
    /// 处方号.
    pub rx_id: Option<Text>,
    /// 外购处方.
    pub rx_external: bool,
    /// 开方医师.
    pub prescriber_id: Option<Text>,
    /// 药师.
    pub pharmacist_id: Option<Text>,
    /// 开单科室.
    pub department_id: Option<Text>,
    /// 用药天数.
    pub days_supply: Option<Quantity>,
}
