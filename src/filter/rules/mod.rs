//! The rules filter: applies the operator's rules file to messages.
//!
//! The file is compiled into a [`RuleSet`]; all errors in it are reported together. The set judges each message and
//! returns a [`Finding`](crate::filter::Finding). `document` reads the TOML, `compile` validates and compiles it,
//! `examine` runs the rules on a message, and `conditions` has one file for each kind of condition.

mod active;
mod carry_over;
mod compile;
mod conditions;
mod costs;
mod document;
mod examine;
mod files;
mod hits;
mod input;
mod load;
mod mask;
mod matcher;
mod memory;
mod preset;
mod reload_error;
mod rule;
mod rule_hit;
mod set;
mod source;
mod stamps;
mod starter;
mod text_features;
mod texts;
mod verdict;

pub use active::{ActiveRules, WHAT_IF_FILE_NAME};
pub use costs::{PatternCost, RuleOutline};
pub use document::Preset;
pub use hits::RuleStats;
pub use preset::PresetError;
pub use reload_error::RulesReloadError;
pub use set::RuleSet;
pub use source::{LoadAttempt, RulesSource};
pub use stamps::RulesFileStamps;
pub use starter::TEXT as STARTER_RULES;

use super::NewcomerDefinition;
use crate::model::RoomName;

/// Largest size of a rules file or a words file, in bytes.
const MAX_RULES_FILE_BYTES: usize = 1 << 20;

/// Settings of the instance that rules refer to.
#[derive(Clone, Debug, Default)]
pub struct RulesContext {
    /// The rules of conduct, one per line. The `clause` of a rule is one of these lines.
    pub clauses: String,
    /// The main language of the instance, as a language tag. Reasons are given in it.
    pub main_lang: String,
    /// All rooms.
    pub rooms: Vec<RoomName>,
    /// The preset of the starter rules, unless the rules file sets one.
    pub preset: Preset,
    /// The definition of a newcomer.
    pub newcomer: NewcomerDefinition,
}

#[cfg(test)]
mod tests;
