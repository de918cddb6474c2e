//! Settings of moderation.

use std::path::PathBuf;

use super::access::{ConfiguredModerator, check_named};
use super::alerts;
use super::audit;
use super::held::HeldConfig;
use super::sanctions::Ladder;
use crate::settings::{Section, Setting};

/// Settings of moderation.
#[derive(Clone, Debug, Default)]
pub struct Config {
    /// Moderators with all scopes in all rooms, each with a name and a token.
    pub moderators: Vec<ConfiguredModerator>,
    /// The file with further moderators and trusted nicknames, identified by token hashes.
    pub tokens_file: Option<PathBuf>,
    /// The webhook for urgent events.
    pub alerts: alerts::Config,
    /// The ladder of sanctions.
    pub ladder: Ladder,
    /// The held queue.
    pub held: HeldConfig,
    /// The file that stores sanctions, held messages and levels; `None` keeps them in memory only.
    pub store: Option<PathBuf>,
    /// The audit log.
    pub audit: audit::Config,
}

impl Config {
    /// Reads the section.
    pub fn declare(section: &mut Section<'_>) -> Self {
        Self {
            moderators: section.read(
                Setting::new("moderators", Vec::new())
                    .doc(
                        "Moderators, as name:token with a token of 16 to 256 printable characters. Each may do \
                         everything in all rooms. If there are none, here or in tokens_file, the relay prints a \
                         token that is valid for this run.",
                    )
                    .env(&["MODERATORS"])
                    .reloads()
                    .secret()
                    .check(|moderators| check_named(moderators)),
            ),
            tokens_file: section.read(Setting::new("tokens_file", None).doc(
                "Tokens file: further moderators with scopes and rooms, and trusted nicknames. It contains only \
                 hashes; `gischat-relay token` generates a token and its hash.",
            ).reloads()),
            alerts: alerts::Config::declare(
                &mut section.section("alerts", "Signed webhook for urgent events."),
            ),
            store: section.read(Setting::new("store", None).doc(
                "File in which sanctions, held messages and levels survive a restart. It contains the texts of held \
                 messages until they are decided, and banned addresses in plain text.",
            )),
            ladder: Ladder::declare(&mut section.section("ladder", "Escalating sanctions for repeated offences.")),
            held: HeldConfig::declare(&mut section.section("held", "Messages held for a moderator.")),
            audit: audit::Config::declare(
                &mut section.section("audit", "Audit log: decisions and moderator actions as JSON lines."),
            ),
        }
    }
}
