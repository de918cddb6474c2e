//! Settings of the held queue.

use std::time::Duration;

use crate::settings::{Choice, Section, Setting};

/// Settings of the held queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldConfig {
    /// How many messages may wait.
    pub capacity: usize,
    /// How long one waits.
    pub waits: Duration,
    /// What becomes of it then.
    pub when_nobody_answers: WhenUnanswered,
}

/// What becomes of a held message that nobody decides on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhenUnanswered {
    /// It is not broadcast.
    Drop,
    /// It is broadcast.
    Release,
}

impl Choice for WhenUnanswered {
    const NAMES: &'static [(&'static str, Self)] = &[("drop", Self::Drop), ("release", Self::Release)];
}

impl Default for HeldConfig {
    fn default() -> Self {
        Self { capacity: 1_000, waits: Duration::from_mins(30), when_nobody_answers: WhenUnanswered::Drop }
    }
}

impl HeldConfig {
    /// Reads the section.
    pub fn declare(section: &mut Section<'_>) -> Self {
        let capacity = section.read(
            Setting::new("capacity", 1_000_usize)
                .doc("Messages that may wait for a moderator; a further one is refused.")
                .within(1..=100_000),
        );
        let minutes = section.read(
            Setting::new("minutes", 30_u32)
                .doc("How long a message waits for a moderator. Minutes.")
                .within(1..=10_080),
        );
        let when_nobody_answers = section.read(
            Setting::new("when_nobody_answers", WhenUnanswered::Drop)
                .doc("What becomes of a held message that no moderator decides on: it is dropped or released."),
        );
        Self { capacity, waits: Duration::from_mins(minutes.into()), when_nobody_answers }
    }
}
