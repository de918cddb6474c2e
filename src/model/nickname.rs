//! Nicknames and look-alikes.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use unicode_security::confusable_detection::skeleton;

/// A nickname: one or more of `A-Z a-z 0-9 _ -`.
///
/// The `shape` filter enforces the configured length; no nickname is longer than 64 characters.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct Nickname(Box<str>);

/// Why a text is not a valid nickname.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NicknameError {
    /// The text is empty.
    #[error("is empty")]
    Empty,
    /// It contains another character than `A-Z a-z 0-9 _ -`.
    #[error("may hold only the letters A to Z and a to z, digits, _ and -")]
    Characters,
    /// It is longer than 64 characters.
    #[error("is too long")]
    TooLong,
}

/// The longest nickname, whatever the settings say. Skeletons are computed before `shape` runs, and would take seconds
/// for a name of millions of characters.
pub(super) const MAX_LENGTH: usize = 64;

impl Nickname {
    /// Checks that `text` is a valid nickname.
    ///
    /// # Errors
    /// [`NicknameError`] when it is empty, too long, or contains a forbidden character.
    pub fn check(text: &str) -> Result<(), NicknameError> {
        if text.is_empty() {
            return Err(NicknameError::Empty);
        }
        if text.len() > MAX_LENGTH {
            return Err(NicknameError::TooLong);
        }
        if text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-') {
            Ok(())
        } else {
            Err(NicknameError::Characters)
        }
    }

    /// Returns the nickname as typed.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the skeletons (UTS 39). Two nicknames clash when they share one of them.
    ///
    /// A skeleton is case-folded, and computed for the name both as typed and case-folded. Both are needed: the
    /// skeleton of `I` is `l`, that of `i` is `i`, so `Ioki` looks like `loki` as typed and like `ioki` folded.
    #[must_use]
    pub fn skeletons(&self) -> Skeletons {
        Skeletons::new(&self.0)
    }
}

impl FromStr for Nickname {
    type Err = NicknameError;

    fn from_str(text: &str) -> Result<Self, NicknameError> {
        Self::check(text)?;
        Ok(Self(text.into()))
    }
}

impl TryFrom<String> for Nickname {
    type Error = NicknameError;

    fn try_from(text: String) -> Result<Self, NicknameError> {
        text.parse()
    }
}

impl fmt::Display for Nickname {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The skeletons of a nickname; see [`Nickname::skeletons`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Skeletons {
    as_is: Box<str>,
    /// `None` when equal to `as_is`.
    folded: Option<Box<str>>,
}

impl Skeletons {
    fn new(name: &str) -> Self {
        let as_is: Box<str> = fold(&skeleton(name).collect::<String>()).into();
        let folded: Box<str> = fold(&skeleton(&fold(name)).collect::<String>()).into();
        Self { folded: (folded != as_is).then_some(folded), as_is }
    }

    /// Iterates over the distinct skeletons.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        std::iter::once(&*self.as_is).chain(self.folded.as_deref())
    }
}

/// Folds case. Nicknames and skeletons of ASCII are ASCII, so lower case is enough.
fn fold(text: &str) -> String {
    text.to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clash(a: &str, b: &str) -> bool {
        let (a, b) = (Skeletons::new(a), Skeletons::new(b));
        a.iter().any(|x| b.iter().any(|y| x == y))
    }

    #[test]
    fn names_that_differ_in_letter_case_clash() {
        for (a, b) in [("Jane", "jane"), ("Jane", "JANE"), ("IOKI", "ioki"), ("Tim", "TIM")] {
            assert!(clash(a, b), "{a} and {b}");
        }
    }

    #[test]
    fn names_with_look_alike_letters_clash() {
        for (a, b) in [("l0ki", "loki"), ("Ioki", "loki"), ("Ioki", "l0ki"), ("rnap", "map"), ("L0KI", "loki")] {
            assert!(clash(a, b), "{a} and {b}");
        }
    }

    #[test]
    fn distinct_names_do_not_clash() {
        for (a, b) in [("Jane", "Janet"), ("map", "nap"), ("ann_1", "ann-1"), ("jane2", "jane3")] {
            assert!(!clash(a, b), "{a} and {b}");
        }
    }

    #[test]
    fn a_nickname_contains_only_the_listed_characters() {
        assert!("Hans_Hibbel-2".parse::<Nickname>().is_ok());
        assert_eq!("".parse::<Nickname>(), Err(NicknameError::Empty));
        for name in ["a b", "é", "a.b", "a\n", "ｊａｎｅ"] {
            assert_eq!(name.parse::<Nickname>(), Err(NicknameError::Characters), "{name}");
        }
    }
}
