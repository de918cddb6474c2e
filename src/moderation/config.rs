//! Settings of the moderation state.

use std::path::PathBuf;

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
    /// The file that stores sanctions, held messages and levels; `None` keeps them in memory only.
    pub store: Option<PathBuf>,
}

impl Config {
    /// Reads them from the section of moderation.
    pub fn declare(section: &mut Section<'_>) -> Self {
        Self {
            store: section.read(Setting::new("store", None).doc(
                "File in which sanctions, held messages and levels survive a restart. It contains the texts of held \
                 messages until they are decided, and banned addresses in plain text.",
            )),
            ladder: Ladder::declare(&mut section.section("ladder", "Escalating sanctions for repeated offences.")),
            held: HeldConfig::declare(&mut section.section("held", "Messages held for a moderator.")),
        }
    }
}
