//! Finds mentions: `@name` and `@everyone`.

use std::ops::Range;

use memchr::memchr2_iter;

use super::char_class::CharClass;

/// Maximum number of distinct names that are counted.
const MAX_NAMES: usize = 32;

/// Words that address everybody in a room, in lower case.
const EVERYONE: &[&str] = &[
    // English, and words of other chat systems.
    "all",
    "channel",
    "everybody",
    "everyone",
    "group",
    "here",
    "room",
    // French
    "tous",
    "toutes",
    "toutlemonde",
    "tout-le-monde",
    // German and Dutch
    "alle",
    "allemaal",
    "iedereen",
    // Spanish, Portuguese, Italian
    "todas",
    "todos",
    "tutte",
    "tutti",
    // Polish and Czech
    "vsichni",
    "všichni",
    "wszyscy",
    // Russian and Greek
    "все",
    "всем",
    "ολοι",
    "όλοι",
];

/// The mentions in a text.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Mentions {
    /// Number of distinct names, ignoring case, at most 32. Words for everybody do not count.
    pub names: usize,
    /// Whether everybody is mentioned: `@all`, `@everyone`, `@here`, `@channel`, `@room`, `@tous`, `@alle`, `@todos`
    /// and the like.
    pub everyone: bool,
    /// The first mention, of a name or of everybody, including its `@`: bytes of the text.
    pub first: Option<Range<usize>>,
}

/// Finds the mentions in a text: an `@`, possibly full-width, and a name of letters A to Z, digits, `_` and `-`.
///
/// The `@` of a mail address or in the path of a link is not a mention. A variable or decorator in a script
/// (`@map_scale`) looks like a name; callers that know the real names must tell them apart.
#[must_use]
pub fn find_mentions(text: &str) -> Mentions {
    let mut found = Mentions::default();
    let mut names: [&str; MAX_NAMES] = [""; MAX_NAMES];
    // 0xef is the first byte of a full-width `@`.
    for at in memchr2_iter(b'@', 0xef, text.as_bytes()) {
        let Some((before, after)) = text.split_at_checked(at) else { continue };
        let Some(rest) = after.strip_prefix(['@', '＠', '﹫']) else { continue };
        if before.chars().next_back().is_some_and(precedes_address) {
            continue;
        }
        let word = rest.split(|c| !is_name_char(c)).next().unwrap_or_default();
        let everyone = is_everyone(word);
        let name = word.split(|c: char| !c.is_ascii()).next().unwrap_or_default();
        let whole = if everyone { word } else { name };
        if whole.is_empty() {
            continue;
        }
        found.first.get_or_insert(at..at + (after.len() - rest.len()) + whole.len());
        if everyone {
            found.everyone = true;
        } else if let Some((known, free)) = names.split_at_mut_checked(found.names)
            && let Some(next) = free.first_mut()
            && !known.iter().any(|known| known.eq_ignore_ascii_case(name))
        {
            *next = name;
            found.names += 1;
        }
    }
    found
}

/// Whether an `@` after this character belongs to a mail address or a path.
fn precedes_address(before: char) -> bool {
    CharClass::new(before).is_letter_or_number() || matches!(before, '_' | '/' | '+' | '%')
}

fn is_name_char(c: char) -> bool {
    CharClass::new(c).is_letter_or_number() || c == '_' || c == '-'
}

fn is_everyone(word: &str) -> bool {
    let word = word.trim_end_matches(['-', '_']);
    // The longest has 12 letters, and so at most 24 bytes.
    (3..=24).contains(&word.len())
        && EVERYONE.iter().any(|known| {
            known.eq_ignore_ascii_case(word)
                || (!word.is_ascii() && word.chars().flat_map(char::to_lowercase).eq(known.chars()))
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn names(text: &str) -> usize {
        find_mentions(text).names
    }

    fn first(text: &str) -> Option<&str> {
        find_mentions(text).first.map(|range| &text[range])
    }

    #[test]
    fn each_name_counts_once() {
        assert_eq!(names("@Anna and @bob, @ANNA! (@c-3_x)"), 3);
        assert_eq!(names("@@anna ＠bob ﹫carl"), 3);
        assert_eq!(names("no at all @ home, @! @"), 0);
        assert_eq!(names(&(0..99).fold(String::new(), |text, n| format!("{text} @n{n}"))), 32);
    }

    #[test]
    fn the_first_mention_is_returned() {
        assert_eq!(first("hi ＠anna, @bob"), Some("＠anna"));
        assert_eq!(first("@annaさん"), Some("@anna"));
        assert_eq!(first("@Όλοι ok"), Some("@Όλοι"));
        assert_eq!(first("@ü"), None);
        assert_eq!(first("plain"), None);
    }

    #[test]
    fn addresses_and_paths_are_not_mentions() {
        for text in ["anna@example.org", "jürgen@all", "a_@all", "https://example.org/@all", "a+@all", "@", "user%@all"]
        {
            assert_eq!(find_mentions(text), Mentions::default(), "{text}");
        }
        assert_eq!(names("@anna@example.social"), 1);
    }

    #[test]
    fn everybody_is_mentioned_in_several_languages() {
        for text in
            ["@all", "@ALL!", "hey @everyone, look", "＠here", "@channel-", "@tous", "@Alle", "@todos", "@Все", "@ΌΛΟΙ"]
        {
            let found = find_mentions(text);
            assert!(found.everyone && found.names == 0, "{text}: {found:?}");
        }
        for text in ["@allan", "@here2", "all", "@nowhere", "@alle_s", "x@all"] {
            assert!(!find_mentions(text).everyone, "{text}");
        }
    }

    proptest! {
        #[test]
        fn the_first_mention_lies_on_character_boundaries(text in "\\PC{0,40}|[@＠a-cü_ \\-]{0,40}") {
            let found = find_mentions(&text);
            prop_assert_eq!(found.first.is_some(), found.everyone || found.names > 0);
            if let Some(first) = found.first {
                prop_assert!(text[first].starts_with(['@', '＠', '﹫']));
            }
        }
    }
}
