//! Settings of access by token.

use std::path::PathBuf;

use super::configured::{ConfiguredModerator, check_moderators};
use crate::model::{Nickname, ReservedNames};
use crate::settings::{Section, Setting};

/// Most reserved nicknames.
const MAX_RESERVED: usize = 100;

/// Settings of access by token.
#[derive(Clone, Debug, Default)]
pub struct Config {
    /// Moderators with all scopes in all rooms, each with a name and a token.
    pub moderators: Vec<ConfiguredModerator>,
    /// The file with further moderators and trusted nicknames, identified by token hashes.
    pub tokens_file: Option<PathBuf>,
    /// Nicknames that nobody may use, besides those of the relay itself.
    pub reserved_nicknames: Vec<String>,
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
            reserved_nicknames: section.read(
                Setting::new("reserved_nicknames", ReservedNames::DEFAULT.map(str::to_owned).to_vec())
                    .doc(
                        "Nicknames that nobody may use, nor a disguise of them: other letter case, look-alikes, digits \
                         for letters, and digits, - and _ at the edges. The relay itself speaks as internal and \
                         moderation, which are reserved in any case.",
                    )
                    .reloads()
                    .check(|names| check_reserved(names)),
            ),
        }
    }
}

/// Checks that each name is a nickname with a letter.
fn check_reserved(names: &[String]) -> Result<(), String> {
    if names.len() > MAX_RESERVED {
        return Err(format!("names {} nicknames; at most {MAX_RESERVED} are allowed", names.len()));
    }
    for (at, name) in (1..).zip(names) {
        Nickname::check(name).map_err(|error| format!("has an item, number {at}, that {error}"))?;
        // Digits, - and _ at the edges of a name are ignored.
        if !name.bytes().any(|byte| byte.is_ascii_alphabetic()) {
            return Err(format!("has an item, number {at}, without a letter"));
        }
    }
    Ok(())
}
