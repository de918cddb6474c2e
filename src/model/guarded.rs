//! Names that not everybody may use: those of the relay, and those whose owners prove them with a token.

use std::collections::HashMap;
use std::sync::Arc;

use super::nickname::MAX_LENGTH;
use super::{Nickname, RoomName, RoomScope, Skeletons};

/// Names reserved for the relay, in all disguises.
///
/// A name is reserved if it equals one of them after `-`, `_` and digits at its edges are removed, and digits are read as
/// the letters that they stand for. Letter case is ignored, `i` and `l` count as one letter, and `rn` counts as `m`.
/// Further letters make another name: `moderation_team` and `international` are free.
#[derive(Clone, Debug)]
pub struct ReservedNames(Arc<[Vec<u8>]>);

impl ReservedNames {
    /// The default. QGIS plugins show their own lines as those of `admin`.
    pub const DEFAULT: [&str; 3] = ["internal", "moderation", "admin"];
    /// The names under which the relay itself speaks. They are always reserved.
    const OWN: [&str; 2] = ["internal", "moderation"];

    /// Reserves these names besides those of the relay itself.
    pub fn new<'n>(names: impl IntoIterator<Item = &'n str>) -> Self {
        let all = names.into_iter().chain(Self::OWN);
        Self(all.map(|name| canonical(name.as_bytes())).filter(|name| !name.is_empty()).collect())
    }

    /// Whether a name is one of them or imitates one.
    #[must_use]
    pub fn contains(&self, name: &str) -> bool {
        let name = name.as_bytes();
        if name.len() > MAX_LENGTH {
            return false;
        }
        // A digit at an edge may be an ornament or stand for a letter.
        let edge = name.iter().take_while(|byte| is_ornament(**byte)).count();
        (0..=edge).filter_map(|start| name.get(start..)).any(|rest| {
            let rest = canonical(rest);
            self.0.iter().any(|reserved| is_disguised(&rest, reserved))
        })
    }
}

impl Default for ReservedNames {
    fn default() -> Self {
        Self::new(Self::DEFAULT)
    }
}

/// Whether a canonical name is a reserved one with ornaments behind it.
fn is_disguised(name: &[u8], reserved: &[u8]) -> bool {
    name.split_at_checked(reserved.len()).is_some_and(|(word, rest)| {
        word.iter().zip(reserved).all(|(byte, letter)| stands_for(*byte, *letter))
            && rest.iter().all(|byte| is_ornament(*byte))
    })
}

fn is_ornament(byte: u8) -> bool {
    byte.is_ascii_digit() || matches!(byte, b'-' | b'_')
}

/// Returns a name in one letter case, with one spelling for letters that look alike.
fn canonical(name: &[u8]) -> Vec<u8> {
    let mut letters = Vec::with_capacity(name.len() + 4);
    for byte in name {
        match byte.to_ascii_lowercase() {
            b'i' => letters.push(b'l'),
            b'm' => letters.extend(b"rn"),
            other => letters.push(other),
        }
    }
    letters
}

/// Whether a byte of a name may be read as this letter.
fn stands_for(byte: u8, letter: u8) -> bool {
    byte == letter
        || match byte {
            b'0' => letter == b'o',
            b'1' => letter == b'l',
            b'2' => letter == b'z',
            b'3' => letter == b'e',
            b'4' => letter == b'a',
            b'5' => letter == b's',
            b'6' => matches!(letter, b'b' | b'g'),
            b'7' => letter == b't',
            b'8' => letter == b'b',
            b'9' => matches!(letter, b'g' | b'q'),
            _ => false,
        }
}

/// The reserved names, and the nicknames that are kept for owners who prove them with a token.
#[derive(Clone, Debug, Default)]
pub struct GuardedNames {
    reserved: ReservedNames,
    kept: Vec<(Nickname, RoomScope)>,
    /// Indexes of `kept`.
    by_skeleton: HashMap<Box<str>, usize>,
}

impl GuardedNames {
    /// Guards these names. No two of the kept nicknames look alike.
    pub fn new(reserved: ReservedNames, kept: impl IntoIterator<Item = (Nickname, RoomScope)>) -> Self {
        let kept: Vec<(Nickname, RoomScope)> = kept.into_iter().collect();
        let mut by_skeleton = HashMap::new();
        for (at, (nickname, _)) in kept.iter().enumerate() {
            by_skeleton.extend(nickname.skeletons().iter().map(|skeleton| (Box::from(skeleton), at)));
        }
        Self { reserved, kept, by_skeleton }
    }

    /// Whether a name is reserved for the relay.
    #[must_use]
    pub fn is_reserved(&self, name: &str) -> bool {
        self.reserved.contains(name)
    }

    /// Whether a nickname is kept in `room` for somebody else than the owner of `proven`, or looks like one that is.
    #[must_use]
    pub fn is_kept_from(&self, proven: Option<&str>, room: &RoomName, skeletons: &Skeletons) -> bool {
        let found = skeletons.iter().filter_map(|skeleton| self.kept.get(*self.by_skeleton.get(skeleton)?));
        found.into_iter().any(|(kept, rooms)| rooms.contains(room) && Some(kept.as_str()) != proven)
    }

    /// Whether exactly this nickname is kept in `room`.
    #[must_use]
    pub fn is_kept(&self, room: &RoomName, name: &str) -> bool {
        self.kept.iter().any(|(kept, rooms)| kept.as_str() == name && rooms.contains(room))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{nickname, room};

    #[test]
    fn reserved_names_and_their_disguises_are_those_of_the_cases() {
        let reserved = ReservedNames::default();
        for line in include_str!("../../tests/cases/reserved-nicknames.txt").lines() {
            let (sign, name) = line.split_at(line.len().min(1));
            match sign {
                "-" => assert!(reserved.contains(name), "{name}"),
                "+" => assert!(!reserved.contains(name), "{name}"),
                _ => {}
            }
        }
    }

    #[test]
    fn the_names_of_the_relay_are_reserved_whatever_the_setting() {
        let reserved = ReservedNames::new(["QGIS"]);
        for name in ["internal", "moderation_", "qg1s", "9gis-", "Q6IS", "_qgis_1"] {
            assert!(reserved.contains(name), "{name}");
        }
        for name in ["admin", "qgis_fan", "qgi"] {
            assert!(!reserved.contains(name), "{name}");
        }
    }

    #[test]
    fn a_nickname_and_its_look_alikes_are_kept_for_their_owner_in_their_rooms() {
        let here = RoomScope::Only([room("QGIS")].into());
        let names = GuardedNames::new(ReservedNames::default(), [(nickname("loki"), here)]);
        let kept = |name: &str, proven, place| names.is_kept_from(proven, &room(place), &nickname(name).skeletons());
        for name in ["loki", "LOKI", "l0ki", "Ioki"] {
            assert!(kept(name, None, "QGIS"), "{name}");
            assert!(kept(name, Some("anna"), "QGIS"), "{name}");
            assert!(!kept(name, Some("loki"), "QGIS"), "{name}");
            assert!(!kept(name, None, "QField"), "{name}");
        }
        assert!(!kept("lokia", None, "QGIS"));
        assert!(names.is_kept(&room("QGIS"), "loki"));
        assert!(!names.is_kept(&room("QGIS"), "Loki") && !names.is_kept(&room("QField"), "loki"));
    }
}
