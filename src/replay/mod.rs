//! Past decisions once more, by a changed chain: which of them would be others?
//!
//! The clock is that of the messages, so that a day passes in seconds and everything that counts or remembers comes to
//! the same as it did then: a log kept with `all` and full texts, by the same chain, gives the same decisions. `past`
//! is what is known of a decision, `engine` judges it again, `order` puts what was logged late where it belongs, `stage`
//! is the relay around the chain, `report` what has come of it.
//!
//! What cannot be had again: the nicknames of a room, which no log holds; how messages of one moment on two shards met
//! in the limits of one address; and what a sender would have done, had the relay answered otherwise. So a message is
//! judged with what the room knew of its sender then.

mod compare;
mod echo;
mod engine;
mod files;
mod order;
mod past;
mod report;
mod stage;
mod standing;
mod what_if;

pub use echo::{Echo, Prompt};
pub use engine::{Ended, Replay};
pub use files::{Unreadable, log_files, read_logs};
pub use past::{Origin, Past, Unfit, Was};
pub use report::{Flip, Grounds, Report, Share, Side, Skipped};
pub use stage::{Begun, LogStage, OpenPlugins, Stage};
pub use what_if::{WhatIf, what_if};

#[cfg(test)]
mod tests;
