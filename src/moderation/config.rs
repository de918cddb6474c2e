//! Settings of the moderation state.

use super::held::HeldConfig;
use super::sanctions::Ladder;
use crate::settings::Section;

/// Settings of the moderation state.
#[derive(Clone, Debug, Default)]
pub struct Config {
    /// The ladder of sanctions.
    pub ladder: Ladder,
    /// The held queue.
    pub held: HeldConfig,
}

impl Config {
    /// Reads them from the section of moderation.
    pub fn declare(section: &mut Section<'_>) -> Self {
        Self {
            ladder: Ladder::declare(&mut section.section("ladder", "Escalating sanctions for repeated offences.")),
            held: HeldConfig::declare(&mut section.section("held", "Messages held for a moderator.")),
        }
    }
}
