//! Settings of the moderation state.

use super::held::HeldConfig;
use super::sanctions::Ladder;
use crate::settings::{Section, Setting};

/// Settings of the moderation state.
#[derive(Clone, Debug, Default)]
pub struct Config {
    /// The ladder of sanctions.
    pub ladder: Ladder,
    /// The held queue.
    pub held: HeldConfig,
    /// Whether moderators see positions and extents.
    pub shows_places: bool,
}

impl Config {
    /// Reads them from the section of moderation.
    pub fn declare(section: &mut Section<'_>) -> Self {
        Self {
            shows_places: section.read(Setting::new("show_positions", false).doc(
                "Show moderators the positions and extents of messages, while the decision is in memory. The \
                         audit log never holds them.",
            )),
            ladder: Ladder::declare(&mut section.section("ladder", "Escalating sanctions for repeated offences.")),
            held: HeldConfig::declare(&mut section.section("held", "Messages held for a moderator.")),
        }
    }
}
