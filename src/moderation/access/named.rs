//! Moderators as the setting `MODERATORS` names them.

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

use super::grant::Moderator;
use super::token::Digest;
use crate::settings::{Quotes, Value};

/// Longest name of a moderator, in characters.
pub const MAX_NAME: usize = 32;
/// Shortest token, in characters.
const MIN_TOKEN: usize = 16;
/// Longest token, in characters.
const MAX_TOKEN: usize = 256;
/// Most moderators of the setting, and most of the file.
pub(super) const MAX_MODERATORS: usize = 100;

/// Says whether a text may be the name of a moderator: 1 to 32 of `A-Z a-z 0-9 _ -`.
///
/// # Errors
/// What is allowed. The name is not repeated: it may be a token that stands in the wrong place.
pub fn check_name(name: &str) -> Result<(), String> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    if (1..=MAX_NAME).contains(&name.len()) && name.bytes().all(allowed) {
        return Ok(());
    }
    Err(format!("1 to {MAX_NAME} of A-Z a-z 0-9 _ - are allowed"))
}

/// Somebody who may do everything everywhere, by name and token. The token itself is not kept.
#[derive(Clone)]
pub struct Named {
    name: Arc<str>,
    digest: Digest,
}

impl Named {
    /// The name, for logs and notes.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn moderator(&self) -> Moderator {
        Moderator::of_all(Arc::clone(&self.name), self.digest)
    }
}

impl fmt::Debug for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Named").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Faults never repeat a piece of the text: whoever swaps name and token must not find the token in a log.
impl Value for Named {
    const EXPECTED: &'static str = "a name and a token, as in name:token";
    const EXAMPLE: &'static str = "\"\"";
    // A token may end with one.
    const QUOTES: Quotes = Quotes::Allowed;

    fn from_text(text: &str) -> Result<Self, String> {
        let Some((name, token)) = text.split_once(':') else { return Err(format!("is not {}", Self::EXPECTED)) };
        check_name(name).map_err(|allowed| format!("has no good name before the colon; {allowed}"))?;
        if !(MIN_TOKEN..=MAX_TOKEN).contains(&token.len()) {
            return Err(format!("has a token of {} bytes; {MIN_TOKEN} to {MAX_TOKEN} are allowed", token.len()));
        }
        if !token.bytes().all(|byte| byte.is_ascii_graphic() && byte != b',') {
            return Err("has a token with other characters than printable ASCII without blanks and commas".to_owned());
        }
        Ok(Self { name: name.into(), digest: Digest::of(token.as_bytes()) })
    }

    fn to_toml(&self) -> String {
        format!("{}:…", self.name).to_toml()
    }
}

/// Checks all of them together.
///
/// # Errors
/// The first one that has the name or the token of another one, or that they are too many.
pub(in crate::moderation) fn check(moderators: &[Named]) -> Result<(), String> {
    if moderators.len() > MAX_MODERATORS {
        return Err(format!("names {} moderators; at most {MAX_MODERATORS} are allowed", moderators.len()));
    }
    let (mut names, mut digests) = (HashSet::new(), HashSet::new());
    for (at, Named { name, digest }) in moderators.iter().enumerate() {
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
    use crate::moderation::Config;
    use crate::settings::Source;

    const TOKEN: &str = "0123456789abcdef";

    fn read(value: &str) -> Result<Vec<String>, String> {
        let mut source = Source::new().environment([("MODERATORS".into(), value.into())]);
        let config = Config::declare(&mut source.root().section("moderation", ""));
        let faults: Vec<String> = source.finish().faults.iter().map(ToString::to_string).collect();
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
        let moderator = Named::from_text(&format!("jane:{TOKEN}")).expect("a moderator");
        assert_eq!(format!("{moderator:?}"), "Named { name: \"jane\", .. }");
    }
}
