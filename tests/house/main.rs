//! The house itself: what the compiler does not hold of the source, the contracts, the guides and what is deployed.

mod contract_tables;
mod deploy;
mod documented_commands;
mod field_numbers;
mod files;
mod functions;
mod layers;
mod lists;
mod page;
mod source;
mod tidy;
