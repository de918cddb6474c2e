//! How full the held queue is, as moderators are told.

use super::config::HeldConfig;
use super::shares::Usage;

/// How far the number of messages must fall below a mark, in percent of the capacity, before the mark is noted again.
const SLACK: usize = 10;

/// The highest mark that the queue has reached, by its messages or their bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum FillLevel {
    /// Less than half.
    #[default]
    Low,
    /// Half.
    Half,
    /// Nine tenths.
    NearlyFull,
    /// Full, or a message was refused or gave way for lack of space.
    Full,
}

impl FillLevel {
    pub(super) fn of(used: Usage, config: &HeldConfig) -> Self {
        match percent(used, config) {
            100.. => Self::Full,
            90.. => Self::NearlyFull,
            50.. => Self::Half,
            _ => Self::Low,
        }
    }

    /// Returns the highest mark that is not noted again until the queue has emptied below it.
    pub(super) fn with_slack(used: Usage, config: &HeldConfig) -> Self {
        match percent(used, config) + SLACK {
            100.. => Self::Full,
            90.. => Self::NearlyFull,
            50.. => Self::Half,
            _ => Self::Low,
        }
    }
}

/// Returns the used part of the messages or of the bytes, whichever is larger.
fn percent(used: Usage, config: &HeldConfig) -> usize {
    let part = |used: usize, limit: usize| used.saturating_mul(100).checked_div(limit).unwrap_or(100);
    part(used.messages, config.capacity).max(part(used.bytes, config.max_bytes))
}
