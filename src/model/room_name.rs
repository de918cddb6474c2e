//! Room names.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize, Serializer};
use unicode_normalization::UnicodeNormalization;

/// A room name as its operator wrote it, without surrounding whitespace.
///
/// 1 to 64 code points of any script, no control characters. Two names are equal when their Unicode NFC forms are: one
/// system types `é` as one code point, another as two.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "String")]
pub struct RoomName {
    written: Arc<str>,
    canonical: Arc<str>,
}

/// Why a text is not a valid room name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RoomNameError {
    /// The name is empty or whitespace.
    #[error("a room name is empty")]
    Empty,
    /// The name is longer than [`RoomName::MAX_LENGTH`].
    #[error("a room name has {length} characters; the limit is {}", RoomName::MAX_LENGTH)]
    TooLong {
        /// Length in code points.
        length: usize,
    },
    /// `.` or `..`, which browsers resolve as path segments.
    #[error("a room cannot be named `.` or `..`: browsers would not find it")]
    Dots,
    /// The name contains a control character, such as a line feed.
    #[error("a room name holds a control character")]
    Control,
}

impl RoomName {
    /// The longest name, in code points.
    pub const MAX_LENGTH: usize = 64;

    /// Returns the name as its operator wrote it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.written
    }
}

/// Whitespace around the name is ignored.
impl FromStr for RoomName {
    type Err = RoomNameError;

    fn from_str(text: &str) -> Result<Self, RoomNameError> {
        let text = text.trim();
        let length = text.chars().count();
        if length == 0 {
            return Err(RoomNameError::Empty);
        }
        if length > Self::MAX_LENGTH {
            return Err(RoomNameError::TooLong { length });
        }
        if matches!(text, "." | "..") {
            return Err(RoomNameError::Dots);
        }
        if text.chars().any(char::is_control) {
            return Err(RoomNameError::Control);
        }
        let written: Arc<str> = text.into();
        let canonical = text.nfc().collect::<String>();
        let canonical = if *canonical == *written { Arc::clone(&written) } else { canonical.into() };
        Ok(Self { written, canonical })
    }
}

impl TryFrom<String> for RoomName {
    type Error = RoomNameError;

    fn try_from(text: String) -> Result<Self, RoomNameError> {
        text.parse()
    }
}

impl Serialize for RoomName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl PartialEq for RoomName {
    fn eq(&self, other: &Self) -> bool {
        self.canonical == other.canonical
    }
}

impl Eq for RoomName {}

impl std::hash::Hash for RoomName {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.canonical.hash(state);
    }
}

impl fmt::Display for RoomName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.written)
    }
}

/// The rooms in which something holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RoomScope {
    /// All rooms.
    All,
    /// These rooms only.
    Only(Arc<[RoomName]>),
}

impl RoomScope {
    /// Whether `room` is covered.
    #[must_use]
    pub fn contains(&self, room: &RoomName) -> bool {
        match self {
            Self::All => true,
            Self::Only(rooms) => rooms.contains(room),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<RoomName, RoomNameError> {
        text.parse()
    }

    #[test]
    fn surrounding_whitespace_is_ignored() {
        assert_eq!(parse("  Living room ").map(|n| n.to_string()), Ok("Living room".to_owned()));
    }

    #[test]
    fn composed_and_decomposed_spellings_name_the_same_room() {
        assert_eq!(parse("Caf\u{e9}"), parse("Cafe\u{301}"));
    }

    #[test]
    fn names_are_case_sensitive() {
        assert_ne!(parse("QGIS"), parse("qgis"));
    }

    #[test]
    fn a_name_of_the_maximum_length_is_valid_and_a_longer_one_is_not() {
        assert!(parse(&"é".repeat(64)).is_ok());
        assert_eq!(parse(&"é".repeat(65)), Err(RoomNameError::TooLong { length: 65 }));
    }

    #[test]
    fn a_path_segment_is_not_a_valid_name() {
        assert_eq!(parse(" . "), Err(RoomNameError::Dots));
        assert_eq!(parse(".."), Err(RoomNameError::Dots));
        assert!(parse("...").is_ok());
    }

    #[test]
    fn empty_names_and_control_characters_are_errors() {
        assert_eq!(parse(" \t"), Err(RoomNameError::Empty));
        assert_eq!(parse("a\nb"), Err(RoomNameError::Control));
    }
}
