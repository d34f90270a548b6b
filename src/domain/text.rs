//! The type of texts.

/// An identifier, name or code: up to 23 bytes in place, which nearly all have, longer ones shared. Cloning allocates
/// nothing.
pub use smol_str::SmolStr as Text;
