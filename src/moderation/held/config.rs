//! Settings of the held queue.

use std::time::Duration;

use crate::names::named;
use crate::settings::{Section, Setting};

/// Default of [`HeldConfig::max_bytes`].
const MAX_BYTES: usize = 12 * 1024 * 1024;

/// Settings of the held queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldConfig {
    /// The most messages that may be held.
    pub capacity: usize,
    /// The most bytes of held messages together.
    pub max_bytes: usize,
    /// How long a message is held before it expires.
    pub max_wait: Duration,
    /// What happens to an expired message.
    pub on_expiry: ExpiryAction,
}

named! {
    /// What happens to a held message when it expires.
    pub enum ExpiryAction {
        /// Drop it.
        Drop = "drop",
        /// Broadcast it.
        Release = "release",
    }
}

impl Default for HeldConfig {
    fn default() -> Self {
        Self { capacity: 1_000, max_bytes: MAX_BYTES, max_wait: Duration::from_mins(30), on_expiry: ExpiryAction::Drop }
    }
}

impl HeldConfig {
    /// Reads the section.
    pub fn declare(section: &mut Section<'_>) -> Self {
        let capacity = section.read(
            Setting::new("capacity", 1_000_usize)
                .doc("Maximum number of held messages. Beyond that, the newest message of the address that has most held \
                     messages is refused.")
                .within(1..=100_000),
        );
        let max_bytes = section.read(
            Setting::new("max_bytes", MAX_BYTES)
                .doc("Memory for held messages, such as images and layers, in bytes. Beyond that, the newest message of the \
                     address that uses most is refused.")
                .within(65_536..=1_073_741_824),
        );
        let minutes = section.read(
            Setting::new("minutes", 30_u32)
                .doc("How long a message is held for a moderator, in minutes.")
                .within(1..=10_080),
        );
        let when_nobody_answers = section.read(
            Setting::new("when_nobody_answers", ExpiryAction::Drop)
                .doc("What happens to a held message that no moderator decides on: it is dropped or released."),
        );
        Self { capacity, max_bytes, max_wait: Duration::from_mins(minutes.into()), on_expiry: when_nobody_answers }
    }
}
