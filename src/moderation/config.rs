//! Settings of moderation: who may moderate, and who is told.

use std::path::PathBuf;

use super::access::{Named, check_named};
use super::alerts;
use super::audit;
use super::held::HeldConfig;
use super::sanctions::Ladder;
use crate::settings::{Section, Setting};

/// Settings of moderation.
#[derive(Clone, Debug, Default)]
pub struct Config {
    /// Who may moderate everywhere, each with a name and a token of its own.
    pub moderators: Vec<Named>,
    /// The file with further moderators and trusted nicknames, by hashes of their tokens.
    pub tokens_file: Option<PathBuf>,
    /// Who is told at once of what cannot wait.
    pub alerts: alerts::Config,
    /// The ladder of sanctions.
    pub ladder: Ladder,
    /// The held queue.
    pub held: HeldConfig,
    /// The file that sanctions, held messages and levels are kept in; nothing is written when `None`.
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
                        "Who may moderate: name:token for each, the token of 16 to 256 printable characters. Each may \
                         do everything in all rooms. Without any, here or in tokens_file, a token for one run is \
                         printed at the start.",
                    )
                    .env(&["MODERATORS"])
                    .reloads()
                    .secret()
                    .check(|moderators| check_named(moderators)),
            ),
            tokens_file: section.read(Setting::new("tokens_file", None).doc(
                "The file with further moderators, each with scopes and rooms, and with nicknames that a token proves. \
                 It holds hashes alone; `gischat-relay token` makes a token with its hash.",
            ).reloads()),
            alerts: alerts::Config::declare(
                &mut section.section("alerts", "What cannot wait is posted to a web address, signed (a webhook)."),
            ),
            store: section.read(Setting::new("store", None).doc(
                "File that sanctions, held messages and levels are kept in, so that a restart forgets none of them. Held \
                 messages stand in it with their text until they are decided on, and banned addresses in plain.",
            )),
            ladder: Ladder::declare(&mut section.section("ladder", "What those get who break rules again and again.")),
            held: HeldConfig::declare(&mut section.section("held", "Messages that wait for a moderator.")),
            audit: audit::Config::declare(
                &mut section.section("audit", "A record of what was decided and done, as JSON lines in a folder."),
            ),
        }
    }
}
