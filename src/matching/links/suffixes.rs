//! Which last labels are more than the end of a host.

use psl::{List, Psl, Type};

/// How a host without scheme, `www.` and path is taken.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Suffix {
    /// Hardly anything else ends so.
    Plain,
    /// A word as well: a third label makes a host of it.
    Word,
    /// The end of file names or an attribute in scripts as well: a path makes a host of it.
    Name,
    /// Files that have others within, so that a path follows the name of a file as well.
    Archive,
}

/// Suffixes of more than two letters that many hosts and few words have. All others are words.
const PLAIN: &[&str] = &[
    "asia", "biz", "casino", "cat", "cloud", "club", "com", "edu", "eus", "gov", "gratis", "icu", "info", "int", "mil",
    "mobi", "net", "onl", "online", "org", "poker", "porn", "quest", "sbs", "sex", "shop", "site", "store", "tech",
    "top", "vip", "website", "wiki", "xxx",
];

/// Suffixes of countries that are words or abbreviations in languages that are written in chats.
const WORDS: &[&str] = &[
    "ad", "ag", "al", "am", "ao", "ba", "be", "bi", "bo", "by", "ci", "do", "eg", "et", "ga", "gm", "ht", "ie", "il",
    "im", "io", "is", "it", "je", "ki", "km", "ma", "me", "mv", "my", "na", "ne", "ni", "no", "nu", "om", "sa", "se",
    "si", "su", "to", "us", "va",
];

/// Suffixes that are the ends of file names or attributes and methods in scripts.
const NAMES: &[&str] = &[
    "ac", "ai", "app", "ar", "as", "bar", "bb", "bz", "cab", "cc", "cd", "cfd", "cl", "cm", "cr", "data", "date",
    "dev", "dm", "dot", "ee", "fm", "gal", "gd", "gl", "gs", "hm", "id", "in", "la", "lat", "lc", "link", "ls", "map",
    "md", "mk", "ml", "mm", "mo", "ms", "mu", "name", "nc", "now", "np", "open", "pa", "pe", "ph", "pics", "pk", "pl",
    "pm", "pn", "post", "pro", "ps", "pub", "py", "re", "read", "ro", "rs", "run", "sas", "save", "sc", "sd", "search",
    "select", "sh", "show", "sl", "sm", "so", "sr", "st", "style", "sv", "tc", "td", "tf", "tk", "tl", "tm", "tn",
    "tt", "vc", "vi", "xyz",
];

const ARCHIVES: &[&str] = &["mov", "tab", "zip"];

/// The suffix of a host in small letters and how it is taken; `None` when none is known.
pub(super) fn suffix(host: &str) -> Option<(&str, Suffix)> {
    let suffix = List.suffix(host.as_bytes()).filter(psl::Suffix::is_known)?;
    let text = host.get(host.len().checked_sub(suffix.as_bytes().len())?..)?;
    let listed = |list: &[&str]| list.binary_search(&text).is_ok();
    let taken = if text.contains('.') || suffix.typ() == Some(Type::Private) || text.starts_with("xn--") {
        Suffix::Plain
    } else if listed(ARCHIVES) {
        Suffix::Archive
    } else if listed(NAMES) {
        Suffix::Name
    } else if listed(WORDS) {
        Suffix::Word
    } else if text.chars().count() <= 2
        || listed(PLAIN)
        || matches!(text, "укр" | "срб" | "бел" | "мкд" | "қаз" | "мон")
    {
        Suffix::Plain
    } else {
        Suffix::Word
    };
    Some((text, taken))
}

/// Whether a suffix is one under which everybody has a place of the own, like `github.io`, that is a host by itself.
pub(super) fn is_place(host: &str) -> bool {
    List.suffix(host.as_bytes())
        .is_some_and(|suffix| suffix.typ() == Some(Type::Private) && suffix.as_bytes().len() == host.len())
}

/// Where the part of a host begins that somebody registered. Byte.
pub(super) fn domain_at(host: &str) -> Option<usize> {
    host.len().checked_sub(List.domain(host.as_bytes())?.as_bytes().len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lists_are_in_order_and_each_name_is_a_suffix() {
        for list in [PLAIN, WORDS, NAMES, ARCHIVES] {
            assert!(list.is_sorted(), "{list:?}");
            let unknown = |name: &&str| suffix(&format!("example.{name}")).is_none();
            let unknown: Vec<_> = list.iter().copied().filter(unknown).collect();
            assert!(unknown.is_empty(), "{unknown:?}");
        }
    }

    #[test]
    fn suffixes_are_told_apart() {
        for (host, wanted) in [
            ("example.com", Some(("com", Suffix::Plain))),
            ("example.co.uk", Some(("co.uk", Suffix::Plain))),
            ("me.github.io", Some(("github.io", Suffix::Plain))),
            ("tell.me", Some(("me", Suffix::Word))),
            ("hello.world", Some(("world", Suffix::Word))),
            ("main.py", Some(("py", Suffix::Name))),
            ("data.zip", Some(("zip", Suffix::Archive))),
            ("layer.shp", None),
            ("пример.рф", Some(("рф", Suffix::Plain))),
            ("xn--e1afmkfd.xn--p1ai", Some(("xn--p1ai", Suffix::Plain))),
        ] {
            assert_eq!(suffix(host), wanted, "{host}");
        }
    }
}
