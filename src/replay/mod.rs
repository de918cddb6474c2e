//! Judges past decisions again by a changed chain: which of them would change?
//!
//! The clock is that of the messages, so a day takes seconds, and everything that counts or remembers arrives at the
//! same values as it did then: replaying a log kept with `all` and full texts through the same chain gives the same
//! decisions. `past_decision` holds what is known of a decision, `engine` judges it again, `reorder` sorts entries that
//! were logged late, `environment` is the part of the relay around the chain, and `report` collects the results.
//!
//! Some things cannot be reproduced: the nicknames in a room, which no log holds; the order in which messages of the
//! same moment on two shards reached the limits of one address; and what a sender would have done had the relay
//! answered differently. Each message is therefore judged with what the room knew of its sender at the time.

mod compare;
mod engine;
mod environment;
mod files;
mod past_decision;
mod recorded_filter;
mod reorder;
mod report;
mod state;
mod what_if;

pub use compare::{DecisionSource, ReportedOutcome};
pub use engine::{Replay, ReplayError};
pub use environment::{Environment, LogEnvironment, OpenPlugins, Run};
pub use files::{LogReadError, log_files, replay_logs};
pub use past_decision::{DecisionOrigin, DecisionSummary, PastDecision, SkipReason};
pub use recorded_filter::{Playback, RecordedFilter};
pub use report::{Flip, FlipTotals, ReplayReport, SkippedItems};
pub use what_if::{WhatIf, what_if};

#[cfg(test)]
mod tests;
