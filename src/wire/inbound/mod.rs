//! What comes from outside: records of hospitals, pharmacies and bureaus, in the forms in which they send them.
//!
//! [`intake`] is the door. Behind it stand the two shapes of an upload, [`canonical`] and [`nhsa`], which both become a
//! [`draft`] that is then checked ([`validate`]), the records of [`reference`] data and the [`control`] of time;
//! [`moment`], [`decimal`] and [`pseudonym`] read single values. What cannot be used leaves as a [`reject`].

pub mod canonical;
pub mod control;
pub mod decimal;
mod draft;
pub mod intake;
mod json;
pub mod moment;
pub mod nhsa;
pub mod notes;
pub mod pseudonym;
pub mod reference;
pub mod reject;
pub mod route;
mod validate;
mod wrapper;
