//! Nicknames, and when two of them look alike.

use std::fmt;

use unicode_security::confusable_detection::skeleton;

/// A name that people go by in a room: one or more of `A-Z a-z 0-9 _ -`.
///
/// How long it may be is a setting, which the `shape` filter keeps; none is longer than 64 characters.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Nickname(Box<str>);

/// Why a text is no nickname.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NicknameFault {
    /// There is nothing in it.
    #[error("is empty")]
    Empty,
    /// It holds something else than `A-Z a-z 0-9 _ -`.
    #[error("may hold only the letters A to Z and a to z, digits, _ and -")]
    Characters,
    /// It is longer than any nickname may be.
    #[error("is too long")]
    TooLong,
}

/// No nickname has more characters, whatever the settings say. Names are looked at before `shape` is asked, and what a
/// name of millions of characters looks like takes seconds to find out.
const LONGEST: usize = 64;

impl Nickname {
    /// Reads a nickname.
    ///
    /// # Errors
    /// [`NicknameFault`] when it is empty or holds a character that nicknames may not hold.
    pub fn parse(text: &str) -> Result<Self, NicknameFault> {
        Self::check(text)?;
        Ok(Self(text.into()))
    }

    /// Says whether `text` may be a nickname, without keeping it.
    ///
    /// # Errors
    /// As [`Nickname::parse`].
    pub fn check(text: &str) -> Result<(), NicknameFault> {
        if text.is_empty() {
            return Err(NicknameFault::Empty);
        }
        if text.len() > LONGEST {
            return Err(NicknameFault::TooLong);
        }
        if text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-') {
            Ok(())
        } else {
            Err(NicknameFault::Characters)
        }
    }

    /// The name as it was typed.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What the name looks like: two names clash when they share one of their looks.
    ///
    /// The looks are the case folding of the name's UTS 39 skeleton, taken of the name as it is and of the folded name.
    /// Both are needed: the skeleton of `I` is `l` but that of `i` is `i`, so that `Ioki` looks like `loki` as it is and
    /// like `ioki` folded.
    #[must_use]
    pub fn looks(&self) -> Looks {
        Looks::of(&self.0)
    }
}

impl fmt::Display for Nickname {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The forms in which a nickname can be mistaken for another; see [`Nickname::looks`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Looks {
    as_is: Box<str>,
    /// `None` when it is the same as the other.
    folded: Option<Box<str>>,
}

impl Looks {
    fn of(name: &str) -> Self {
        let as_is: Box<str> = fold(&skeleton(name).collect::<String>()).into();
        let folded: Box<str> = fold(&skeleton(&fold(name)).collect::<String>()).into();
        Self { folded: (folded != as_is).then_some(folded), as_is }
    }

    /// Each look once.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        std::iter::once(&*self.as_is).chain(self.folded.as_deref())
    }
}

/// Case folding. Nicknames and the skeletons of ASCII are ASCII, where it is the same as lower case.
fn fold(text: &str) -> String {
    text.to_lowercase()
}

/// Says whether a name is kept for the relay itself (`internal`, `moderation`), in any letter case and look-alike form.
///
/// Stricter than the clash of two members: `1nternal` is no look of `internal` (a small i looks like no one), but it is
/// one of `Internal`. Here `i` and `l` count as one letter.
#[must_use]
pub fn is_reserved(name: &str) -> bool {
    // The coarse looks of `internal` and `moderation`: `m` looks like `rn`.
    const RESERVED: [&str; 2] = ["lnternal", "rnoderatlon"];
    // What looks like them is about as long.
    name.len() <= LONGEST && Looks::of(name).iter().any(|look| RESERVED.contains(&look.replace('i', "l").as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clash(a: &str, b: &str) -> bool {
        let (a, b) = (Looks::of(a), Looks::of(b));
        a.iter().any(|x| b.iter().any(|y| x == y))
    }

    #[test]
    fn letter_case_does_not_tell_two_names_apart() {
        for (a, b) in [("Jane", "jane"), ("Jane", "JANE"), ("IOKI", "ioki"), ("Tim", "TIM")] {
            assert!(clash(a, b), "{a} and {b}");
        }
    }

    #[test]
    fn letters_that_look_alike_do_not_tell_two_names_apart() {
        for (a, b) in [("l0ki", "loki"), ("Ioki", "loki"), ("Ioki", "l0ki"), ("rnap", "map"), ("L0KI", "loki")] {
            assert!(clash(a, b), "{a} and {b}");
        }
    }

    #[test]
    fn names_that_differ_do_not_clash() {
        for (a, b) in [("Jane", "Janet"), ("map", "nap"), ("ann_1", "ann-1"), ("jane2", "jane3")] {
            assert!(!clash(a, b), "{a} and {b}");
        }
    }

    #[test]
    fn the_relays_own_names_are_reserved_in_every_disguise() {
        for name in [
            "internal",
            "Internal",
            "INTERNAL",
            "1nternal",
            "lnterna1",
            "moderation",
            "M0DERATION",
            "rnoderati0n",
            "moderatlon",
        ] {
            assert!(is_reserved(name), "{name}");
        }
        for name in ["jane", "international", "mod", "internal2", "moderator"] {
            assert!(!is_reserved(name), "{name}");
        }
    }

    #[test]
    fn only_the_listed_characters_make_a_nickname() {
        assert!(Nickname::parse("Hans_Hibbel-2").is_ok());
        assert_eq!(Nickname::parse(""), Err(NicknameFault::Empty));
        for name in ["a b", "é", "a.b", "a\n", "ｊａｎｅ"] {
            assert_eq!(Nickname::parse(name), Err(NicknameFault::Characters), "{name}");
        }
    }
}
