//! Moderators named in the setting `MODERATORS`.

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

use super::grant::Moderator;
use super::token::Digest;
use crate::settings::{Quotes, SettingValue};

/// Longest name of a moderator, in characters.
pub const MAX_MODERATOR_NAME: usize = 32;
/// Shortest token, in characters.
const MIN_TOKEN: usize = 16;
/// Longest token, in characters.
const MAX_TOKEN: usize = 256;
/// Most moderators in the setting, and most in the tokens file.
pub(super) const MAX_MODERATORS: usize = 100;

/// Checks the name of a moderator: 1 to 32 of `A-Z a-z 0-9 _ -`.
///
/// # Errors
/// A text that says what is allowed. It does not repeat the name, which may be a misplaced token.
pub fn check_name(name: &str) -> Result<(), String> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    if (1..=MAX_MODERATOR_NAME).contains(&name.len()) && name.bytes().all(allowed) {
        return Ok(());
    }
    Err(format!("1 to {MAX_MODERATOR_NAME} of A-Z a-z 0-9 _ - are allowed"))
}

/// A moderator with all scopes in all rooms. The token itself is not kept.
#[derive(Clone)]
pub struct ConfiguredModerator {
    name: Arc<str>,
    digest: Digest,
}

impl ConfiguredModerator {
    /// Returns the name, for logs and notes.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn to_moderator(&self) -> Moderator {
        Moderator::admin(Arc::clone(&self.name), self.digest)
    }
}

impl fmt::Debug for ConfiguredModerator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConfiguredModerator").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Errors never repeat a part of the text, so that swapping name and token does not log the token.
impl SettingValue for ConfiguredModerator {
    const EXPECTED: &'static str = "a name and a token, as in name:token";
    const EXAMPLE: &'static str = "\"\"";
    // A token may end with a quote.
    const QUOTES: Quotes = Quotes::Allowed;

    fn from_text(text: &str) -> Result<Self, String> {
        let Some((name, token)) = text.split_once(':') else { return Err(format!("is not {}", Self::EXPECTED)) };
        check_name(name).map_err(|allowed| format!("has an invalid name before the colon; {allowed}"))?;
        // They would become a part of the token, and a call without them would be refused.
        if ['"', '\''].iter().any(|&quote| token.len() > 1 && token.starts_with(quote) && token.ends_with(quote)) {
            return Err("has quotes around the token; put them around the whole value, or leave them out".to_owned());
        }
        if !(MIN_TOKEN..=MAX_TOKEN).contains(&token.len()) {
            return Err(format!("has a token of {} bytes; {MIN_TOKEN} to {MAX_TOKEN} are allowed", token.len()));
        }
        if !token.bytes().all(|byte| byte.is_ascii_graphic() && byte != b',') {
            return Err(
                "has a token with invalid characters; printable ASCII without spaces and commas is allowed".to_owned()
            );
        }
        Ok(Self { name: name.into(), digest: Digest::new(token.as_bytes()) })
    }

    fn to_toml(&self) -> String {
        format!("{}:…", self.name).to_toml()
    }
}

/// Checks the list of moderators.
///
/// # Errors
/// A text about the first duplicate name or token, or about the length of the list.
pub(super) fn check_moderators(moderators: &[ConfiguredModerator]) -> Result<(), String> {
    if moderators.len() > MAX_MODERATORS {
        return Err(format!("names {} moderators; at most {MAX_MODERATORS} are allowed", moderators.len()));
    }
    let (mut names, mut digests) = (HashSet::new(), HashSet::new());
    for (at, ConfiguredModerator { name, digest }) in moderators.iter().enumerate() {
        if !names.insert(name) {
            return Err(format!("has a duplicate name in item number {}", at + 1));
        }
        if !digests.insert(digest) {
            return Err(format!("has a duplicate token in item number {}", at + 1));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::Config;
    use crate::settings::SettingsSource;

    const TOKEN: &str = "0123456789abcdef";

    fn read(value: &str) -> Result<Vec<String>, String> {
        let mut source = SettingsSource::new().environment([("MODERATORS".into(), value.into())]);
        let config = Config::declare(&mut source.root().section("moderation", ""));
        let errors: Vec<String> = source.finish().errors.iter().map(ToString::to_string).collect();
        let names = config.moderators.iter().map(|moderator| moderator.name().to_owned());
        if errors.is_empty() { Ok(names.collect()) } else { Err(errors.join("\n")) }
    }

    #[test]
    fn moderators_are_separated_by_commas() {
        let two = format!("jane:{TOKEN}, Hans_2-x:{TOKEN}:{}", "~".repeat(MAX_TOKEN - 17));
        assert_eq!(read(&two), Ok(vec!["jane".to_owned(), "Hans_2-x".to_owned()]));
        assert_eq!(read(""), Ok(Vec::new()));
    }

    #[test]
    fn an_error_names_the_item_and_never_a_part_of_it() {
        let long = format!("jane:{}", "x".repeat(MAX_TOKEN + 1));
        let twice = format!("jane:{TOKEN},jane:{TOKEN}x");
        let same = format!("jane:{TOKEN},hans:{TOKEN}");
        let swapped = format!("{TOKEN}!:jane");
        for (value, error) in [
            ("sesame", "number 1, that is not a name and a token, as in name:token"),
            ("jane:sesame", "number 1, that has a token of 6 bytes; 16 to 256 are allowed"),
            (long.as_str(), "number 1, that has a token of 257 bytes; 16 to 256 are allowed"),
            ("jane:\"sesamesesamesesame\"", "number 1, that has quotes around the token"),
            ("jane:sesame sesame sesame", "invalid characters; printable ASCII without spaces and commas is allowed"),
            ("jane:sésamesésamesésame", "invalid characters; printable ASCII without spaces and commas is allowed"),
            (swapped.as_str(), "number 1, that has an invalid name before the colon"),
            (twice.as_str(), "duplicate name in item number 2"),
            (same.as_str(), "duplicate token in item number 2"),
        ] {
            let found = read(value).expect_err(value);
            assert!(found.starts_with("MODERATORS: ") && found.contains(error), "{value}: {found}");
            for piece in ["sesame", "sésame", TOKEN, "jane", "xxx"] {
                assert!(!found.contains(piece), "{value}: {found}");
            }
        }
    }

    #[test]
    fn debug_output_shows_neither_token_nor_digest() {
        let moderator = ConfiguredModerator::from_text(&format!("jane:{TOKEN}")).expect("a moderator");
        assert_eq!(format!("{moderator:?}"), "ConfiguredModerator { name: \"jane\", .. }");
    }
}
