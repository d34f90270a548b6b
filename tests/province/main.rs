//! The simulated province: against the independent judge while it is small, and through the real stages over seeds.

#[path = "../oracle/mod.rs"]
mod oracle;

mod judged;
mod seeds;
mod stages;
