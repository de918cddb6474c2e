//! Settings of access by token.

use std::path::PathBuf;

use super::configured::{ConfiguredModerator, check_moderators};
use crate::settings::{Section, Setting};

/// Settings of access by token.
#[derive(Clone, Debug, Default)]
pub struct Config {
    /// Moderators with all scopes in all rooms, each with a name and a token.
    pub moderators: Vec<ConfiguredModerator>,
    /// The file with further moderators and trusted nicknames, identified by token hashes.
    pub tokens_file: Option<PathBuf>,
}

impl Config {
    /// Reads them from the section of moderation.
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
                    .check(|moderators| check_moderators(moderators)),
            ),
            tokens_file: section.read(Setting::new("tokens_file", None).doc(
                "Tokens file: further moderators with scopes and rooms, and trusted nicknames. It contains only \
                 hashes; `gischat-relay token` generates a token and its hash.",
            ).reloads()),
        }
    }
}
