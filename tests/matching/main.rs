//! Literals in texts: what is found in spite of disguises, what is harmless and not found, and what holds for any text.

// A test that cannot begin ends in a panic.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, missing_docs)]

mod dice;
mod disguise;
mod evasion;
mod harmless;
mod support;
