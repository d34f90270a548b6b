//! The simulated province: against the independent judge while it is small, and through the real stages over seeds,
//! in either form of uploads.

mod judged;
mod national;
mod seeds;
mod senders;
mod stages;
