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

/// What the list of public suffixes says of a host.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Listed {
    /// Where the suffix begins. Byte of the host.
    pub(super) suffix_at: usize,
    /// Where the part begins that somebody registered, with one label more than the suffix. `None` if the host is a
    /// suffix itself under which nobody lives.
    pub(super) domain_at: Option<usize>,
    /// How it is taken; `None` if no suffix of it is known, where the last label counts as one.
    pub(super) taken: Option<Suffix>,
}

/// Looks a host in small letters up.
pub(super) fn look_up(host: &str) -> Option<Listed> {
    // Looking up is what costs most: once for each host.
    let suffix = List.suffix(host.as_bytes())?;
    let suffix_at = host.len().checked_sub(suffix.as_bytes().len())?;
    let (before, text) = host.split_at_checked(suffix_at)?;
    let private = suffix.typ() == Some(Type::Private);
    let domain_at = match before.strip_suffix('.') {
        Some(labels) => Some(labels.rfind('.').map_or(0, |dot| dot + 1)),
        // A suffix under which everybody has a place of the own, like `github.io`, is a host by itself.
        None => private.then_some(0),
    };
    Some(Listed { suffix_at, domain_at, taken: suffix.is_known().then(|| taken(text, private)) })
}

fn taken(suffix: &str, private: bool) -> Suffix {
    let listed = |list: &[&str]| list.binary_search(&suffix).is_ok();
    if suffix.contains('.') || private || suffix.starts_with("xn--") {
        Suffix::Plain
    } else if listed(ARCHIVES) {
        Suffix::Archive
    } else if listed(NAMES) {
        Suffix::Name
    } else if listed(WORDS) {
        Suffix::Word
    } else if suffix.chars().count() <= 2
        || listed(PLAIN)
        || matches!(suffix, "укр" | "срб" | "бел" | "мкд" | "қаз" | "мон")
    {
        Suffix::Plain
    } else {
        Suffix::Word
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lists_are_in_order_and_each_name_is_a_suffix() {
        for list in [PLAIN, WORDS, NAMES, ARCHIVES] {
            assert!(list.is_sorted(), "{list:?}");
            let unknown = |name: &&str| look_up(&format!("example.{name}")).is_none_or(|listed| listed.taken.is_none());
            let unknown: Vec<_> = list.iter().copied().filter(unknown).collect();
            assert!(unknown.is_empty(), "{unknown:?}");
        }
    }

    #[test]
    fn suffixes_are_told_apart() {
        for (host, suffix, taken) in [
            ("example.com", "com", Some(Suffix::Plain)),
            ("example.co.uk", "co.uk", Some(Suffix::Plain)),
            ("me.github.io", "github.io", Some(Suffix::Plain)),
            ("tell.me", "me", Some(Suffix::Word)),
            ("hello.world", "world", Some(Suffix::Word)),
            ("main.py", "py", Some(Suffix::Name)),
            ("data.zip", "zip", Some(Suffix::Archive)),
            ("layer.shp", "shp", None),
            ("пример.рф", "рф", Some(Suffix::Plain)),
            ("xn--e1afmkfd.xn--p1ai", "xn--p1ai", Some(Suffix::Plain)),
        ] {
            let listed = look_up(host).unwrap();
            assert_eq!((&host[listed.suffix_at..], listed.taken), (suffix, taken), "{host}");
        }
    }

    #[test]
    fn a_domain_has_one_label_more_than_its_suffix() {
        for (host, domain) in [
            ("a.b.example.co.uk", Some("example.co.uk")),
            ("example.com", Some("example.com")),
            ("github.io", Some("github.io")),
            ("co.uk", None),
            ("a.nas.local", Some("nas.local")),
        ] {
            assert_eq!(look_up(host).unwrap().domain_at.map(|at| &host[at..]), domain, "{host}");
        }
    }
}
