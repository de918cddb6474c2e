//! Literals in texts: disguised words are found, and harmless words are not.

// Setup failures may panic.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, missing_docs)]

mod dice;
mod disguise;
mod evasion;
mod harmless;
mod support;
