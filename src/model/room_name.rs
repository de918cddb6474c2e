//! Names of rooms.

use std::fmt;
use std::sync::Arc;

use unicode_normalization::UnicodeNormalization;

/// The name of a room as its operator wrote it, without blanks around it.
///
/// 1 to 64 code points of any script, no control characters. Two names are the same room when their canonical forms
/// (Unicode NFC) are equal: one system types `é` as one code point and another as two.
#[derive(Clone, Debug)]
pub struct RoomName {
    written: Arc<str>,
    canonical: Arc<str>,
}

/// Why a text is no room name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RoomNameFault {
    /// Nothing is left once the blanks around it are gone.
    #[error("a room name is empty")]
    Empty,
    /// Longer than [`RoomName::MAX_LENGTH`].
    #[error("a room name has {length} characters; the limit is {}", RoomName::MAX_LENGTH)]
    TooLong {
        /// Its length, in code points.
        length: usize,
    },
    /// `.` or `..`, which browsers take for steps in a path.
    #[error("a room cannot be named `.` or `..`: browsers would not find it")]
    Dots,
    /// It holds a control character, such as a line feed.
    #[error("a room name holds a control character")]
    Control,
}

impl RoomName {
    /// Longest name, in code points.
    pub const MAX_LENGTH: usize = 64;

    /// Reads a name, dropping the blanks around it.
    ///
    /// # Errors
    /// [`RoomNameFault`] when nothing is left, the name is too long or holds a control character.
    pub fn parse(text: &str) -> Result<Self, RoomNameFault> {
        let text = text.trim();
        let length = text.chars().count();
        if length == 0 {
            return Err(RoomNameFault::Empty);
        }
        if length > Self::MAX_LENGTH {
            return Err(RoomNameFault::TooLong { length });
        }
        if matches!(text, "." | "..") {
            return Err(RoomNameFault::Dots);
        }
        if text.chars().any(char::is_control) {
            return Err(RoomNameFault::Control);
        }
        let written: Arc<str> = text.into();
        let canonical = text.nfc().collect::<String>();
        let canonical = if *canonical == *written { Arc::clone(&written) } else { canonical.into() };
        Ok(Self { written, canonical })
    }

    /// The name as its operator wrote it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.written
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blanks_around_a_name_do_not_count() {
        assert_eq!(RoomName::parse("  Living room ").map(|n| n.to_string()), Ok("Living room".to_owned()));
    }

    #[test]
    fn composed_and_decomposed_spellings_are_one_room() {
        assert_eq!(RoomName::parse("Caf\u{e9}"), RoomName::parse("Cafe\u{301}"));
    }

    #[test]
    fn letter_case_makes_another_room() {
        assert_ne!(RoomName::parse("QGIS"), RoomName::parse("qgis"));
    }

    #[test]
    fn the_longest_name_is_taken_and_one_more_character_is_not() {
        assert!(RoomName::parse(&"é".repeat(64)).is_ok());
        assert_eq!(RoomName::parse(&"é".repeat(65)), Err(RoomNameFault::TooLong { length: 65 }));
    }

    #[test]
    fn a_name_that_is_a_step_in_a_path_is_a_fault() {
        assert_eq!(RoomName::parse(" . "), Err(RoomNameFault::Dots));
        assert_eq!(RoomName::parse(".."), Err(RoomNameFault::Dots));
        assert!(RoomName::parse("...").is_ok());
    }

    #[test]
    fn an_empty_name_and_one_with_a_line_feed_are_faults() {
        assert_eq!(RoomName::parse(" \t"), Err(RoomNameFault::Empty));
        assert_eq!(RoomName::parse("a\nb"), Err(RoomNameFault::Control));
    }
}
