//! The rules filter: what the operator's rules file says about a message.
//!
//! Owns the way from the file to compiled [`Rules`], with all of its faults at once, and from a message to a
//! [`Finding`](crate::filter::Finding). `written` is the file as TOML has it, `compile` what it means, `examine` what
//! happens to a message; `conditions` has a file for each kind of evidence.

mod compile;
mod conditions;
mod costs;
mod current;
mod examine;
mod faults;
mod files;
mod heirs;
mod hits;
mod look;
mod mask;
mod matcher;
mod memory;
mod preset;
mod prints;
mod refused;
mod rule;
mod set;
mod starter;
mod written;

pub use costs::{PatternCost, RuleOutline};
pub use current::{Current, EXTRA, Source};
pub use hits::RuleFigures;
pub use preset::PresetError;
pub use prints::{Prints, Reading};
pub use refused::Refused;
pub use set::Rules;
pub use starter::TEXT as STARTER;
pub use written::Preset;

use crate::model::RoomName;

/// Largest rules file, and largest file of words, in bytes.
const MAX_FILE_BYTES: usize = 1 << 20;

/// What rules may speak of.
#[derive(Clone, Debug, Default)]
pub struct Instance {
    /// The rules of conduct, one a line, which a rule may name as its clause.
    pub clauses: String,
    /// The language that is spoken most, as a language tag: senders are told why in it.
    pub main_lang: String,
    /// The rooms that there are.
    pub rooms: Vec<RoomName>,
    /// How much the starter rules do, unless the file says so.
    pub preset: Preset,
}

#[cfg(test)]
mod tests;
