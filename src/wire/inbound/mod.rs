//! What comes from outside: records of hospitals, pharmacies and bureaus, in the forms in which they send them.
//!
//! [`intake`] is the door. Behind it stand the two shapes of an upload, [`canonical`] and [`nhsa`], the records of
//! [`reference`] data and the [`control`] of time; [`moment`], [`decimal`] and [`pseudonym`] read single values.
//! What cannot be used leaves as a [`reject`].

pub mod canonical;
pub mod control;
pub mod decimal;
pub mod intake;
pub mod moment;
pub mod nhsa;
pub mod pseudonym;
pub mod reference;
pub mod reject;
pub mod route;
