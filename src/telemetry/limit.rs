//! The limits that keep state and work bounded and are counted when they are reached. The guide of `deploy/README.md`
//! says of each what happens then.

use crate::domain::closed_set::closed_set;

closed_set! {
    /// A limit that was reached.
    pub enum Limit {
        /// Size of one alert.
        AlertBytes = "alert_bytes_max",
        /// Payments kept of one claim.
        ClaimPayments = "claim_payments_max",
        /// Findings ever published of one document.
        DocumentFindings = "document_findings_max",
        /// Lines, codes and reversed lines kept of one document.
        DocumentParts = "document_parts_max",
        /// What is lent under one alias.
        LendersPerAlias = "lenders_per_alias_max",
        /// Rulings of single lines kept of one claim.
        LineRulings = "line_rulings_max",
        /// Observations kept of one code, and findings ever published of it.
        ObservationsPerCode = "observations_per_code_max",
        /// Reference records named by one upload.
        ReferenceRecords = "reference_records_max",
        /// Reference records that cannot be read and are passed over.
        ReferenceUnreadable = "reference_unreadable",
        /// Single lines taken back under one alias.
        ReversalsPerAlias = "reversals_per_alias_max",
        /// Timers fired by one entry.
        TimersPerEntry = "timers_per_entry_max",
    }
}
