//! Failures of plugin calls.

use std::time::Duration;

use super::budget::BudgetExhausted;
use super::contract::AnswerError;

/// Longest text of a plugin in an error, in characters.
const MAX_CHARS: usize = 800;

/// Why a plugin gave no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PluginFailure {
    /// It exceeded its deadline.
    #[error("it took longer than {} ms", .0.as_millis())]
    Deadline(Duration),
    /// All its instances were busy until the deadline.
    #[error("all its instances were busy")]
    Busy,
    /// It exceeded its deadline, but had the CPU for too small a part of that time.
    #[error("it got too little CPU time to answer within its deadline")]
    Preempted,
    /// The memory budget of all plugins together is exhausted.
    #[error(transparent)]
    MemoryExhausted(#[from] BudgetExhausted),
    /// It could not be loaded, or is not loaded yet.
    #[error("it is not loaded")]
    NotLoaded,
    /// It is suspended because it failed too often.
    #[error("it is suspended after repeated failures")]
    Suspended,
    /// It trapped or exceeded a limit. The text may come from the plugin.
    #[error("{}", single_line(.0))]
    Failed(String),
    /// Its answer is invalid.
    #[error(transparent)]
    InvalidAnswer(#[from] AnswerError),
}

/// Turns untrusted text into part of a readable line: truncated, without control characters.
pub(super) fn single_line(text: &str) -> String {
    text.trim().chars().take(MAX_CHARS).map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// The first line of an error's root cause.
pub(super) fn root_cause(error: &wasmtime::Error) -> String {
    error.root_cause().to_string().lines().next().unwrap_or_default().to_owned()
}
