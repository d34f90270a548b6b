//! What else a document says of its visit and of its prescriptions.
//!
//! Nothing of it decides about a code. It is kept with the document, since patterns of persons, prescriptions and points
//! of sale go by it, and every field is the sender's own word.

use std::sync::Arc;

use super::{FeeFacet, Header};
use crate::domain::Text;
use crate::domain::amount::{Money, Quantity};
use crate::domain::reference::Institution;
use crate::domain::time::Day;

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

/// Who and what stood around a line, for those who look into an alert: of its document, its prescription, and of the
/// record of its institution on its day.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Surroundings {
    /// 设备编号.
    pub device_id: Option<Text>,
    /// 经办人类别.
    pub operator_kind: Option<Text>,
    /// 参保地医保区划.
    pub insured_region: Option<Text>,
    /// 医疗类别.
    pub medical_type: Option<Text>,
    /// 开单科室.
    pub department_id: Option<Text>,
    /// 开方医师.
    pub prescriber_id: Option<Text>,
    /// 药师.
    pub pharmacist_id: Option<Text>,
    /// 处方号.
    pub rx_id: Option<Text>,
    /// From this day on the institution has its contract.
    pub contract_from: Option<Day>,
    /// The institution that it went on from.
    pub successor_of: Option<Text>,
}

impl Surroundings {
    /// What is known of a line; none when nothing is.
    pub fn of(
        header: &Header,
        fee: Option<&FeeFacet>,
        institution: Option<&Institution>,
    ) -> Option<Arc<Self>> {
        let circumstances = &header.circumstances;
        let prescription = fee.map(|fee| &fee.prescription);
        let surroundings = Self {
            device_id: circumstances.device_id.clone(),
            operator_kind: circumstances.operator_kind.clone(),
            insured_region: circumstances.insured_region.clone(),
            medical_type: circumstances.medical_type.clone(),
            department_id: prescription.and_then(|said| said.department_id.clone()),
            prescriber_id: prescription.and_then(|said| said.prescriber_id.clone()),
            pharmacist_id: prescription.and_then(|said| said.pharmacist_id.clone()),
            rx_id: prescription.and_then(|said| said.rx_id.clone()),
            contract_from: institution.and_then(|institution| institution.contract_from),
            successor_of: institution.and_then(|institution| institution.successor_of.clone()),
        };
        (surroundings != Self::default()).then(|| Arc::new(surroundings))
    }
}
