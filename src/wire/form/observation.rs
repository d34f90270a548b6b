//! Observations, and what is kept of codes.

use std::collections::BTreeMap;

use super::{Form, Reader, WireError, Writer, alternatives, structures};
use crate::domain::document::particulars::Surroundings;
use crate::domain::monitor::{CodeState, Judged};
use crate::domain::observation::{CodeChange, LentFrom, Observation, ObservationKey, What};

alternatives! {
    What { 1 Asserted, 2 Retracted, 3 Tick, 4 Reference }
}

structures! {
    ObservationKey { 0 document, 1 line_id }
    LentFrom { 0 document_id, 1 line_id }
    Surroundings [may be blank] {
        0 device_id, 1 operator_kind, 2 insured_region, 3 medical_type, 4 department_id, 5 prescriber_id,
        6 pharmacist_id, 7 rx_id, 8 contract_from, 9 successor_of,
    }
    // The bits of what is nearly always said come first.
    Observation {
        0 key, 1 kind, 2 role, 3 time, 4 codes_issued_at, 5 region, 6 origin, 7 codes_on_line, 8 revision,
        9 reference_version, 10 quantity, 11 product_code, 12 product, 13 person, 14 settlement_id, 15 fund_amount,
        16 stock_uploaded_since, 17 dispensing_uploaded_since, 18 tier, 19 product_name, 20 visit_id,
        21 surroundings, 22 has_papers, 23 split, 24 is_day, 25 quantity_before, 26 units, 27 returns, 28 lent_from,
    }
    CodeChange {
        0 code, 1 document, 2 document_revision, 3 what, 4 asserted, 5 origin, 6 retracted, 7 lender,
    }
    Judged { 0 revision, 1 reasons }
}

/// What was answered to an observation stands behind it.
impl Form for CodeState {
    fn write(&self, to: &mut Writer) {
        let Self { observations, alerts, verdicts, due, emptied_at } = self;
        to.count(observations.len());
        for observation in observations {
            observation.write(to);
            let judged = verdicts.get(&observation.key);
            judged.is_some().write(to);
            judged.into_iter().for_each(|judged| judged.write(to));
        }
        alerts.write(to);
        due.write(to);
        emptied_at.write(to);
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, WireError> {
        let count = from.count()?;
        // One is likely to come; more than so many are made room for as they are read.
        let mut observations = Vec::with_capacity(count.min(15).saturating_add(1));
        let mut verdicts = BTreeMap::new();
        for _ in 0..count {
            let observation = Observation::read(from)?;
            if let Some(judged) = Option::<Judged>::read(from)? {
                verdicts.insert(observation.key.clone(), judged);
            }
            observations.push(observation);
        }
        Ok(Self {
            observations,
            verdicts,
            alerts: Form::read(from)?,
            due: Form::read(from)?,
            emptied_at: Form::read(from)?,
        })
    }
}
