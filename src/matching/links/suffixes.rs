//! Classifies public suffixes by what else they may be.

use psl::{List, Psl, Type};

/// How to treat a name with this suffix that has no scheme, `www.` or path.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum SuffixClass {
    /// A host: hardly anything else ends like this.
    Plain,
    /// The suffix is also a word: a host needs a third label.
    Word,
    /// The suffix is also a file extension or an attribute in scripts: a host needs a path.
    Name,
    /// The suffix is also an archive extension: even with a path it may be a file.
    Archive,
}

/// Suffixes of more than two letters that are common for hosts and rare otherwise. All others count as words.
const PLAIN: &[&str] = &[
    "asia", "biz", "casino", "cat", "cloud", "club", "com", "edu", "eus", "gov", "gratis", "icu", "info", "int", "mil",
    "mobi", "net", "onl", "online", "org", "poker", "porn", "quest", "sbs", "sex", "shop", "site", "store", "tech",
    "top", "vip", "website", "wiki", "xxx",
];

/// Country suffixes that are words or abbreviations in languages used in chats.
const WORDS: &[&str] = &[
    "ad", "ag", "al", "am", "ao", "ba", "be", "bi", "bo", "by", "ci", "do", "eg", "et", "ga", "gm", "ht", "ie", "il",
    "im", "io", "is", "it", "je", "ki", "km", "ma", "me", "mv", "my", "na", "ne", "ni", "no", "nu", "om", "sa", "se",
    "si", "su", "to", "us", "va",
];

/// Suffixes that are file extensions, or attributes and methods in scripts.
const NAMES: &[&str] = &[
    "ac", "ai", "app", "ar", "as", "bar", "bb", "bz", "cab", "cc", "cd", "cfd", "cl", "cm", "cr", "data", "date",
    "dev", "dm", "dot", "ee", "fm", "gal", "gd", "gl", "gs", "hm", "id", "in", "la", "lat", "lc", "link", "ls", "map",
    "md", "mk", "ml", "mm", "mo", "ms", "mu", "name", "nc", "now", "np", "open", "pa", "pe", "ph", "pics", "pk", "pl",
    "pm", "pn", "post", "pro", "ps", "pub", "py", "re", "read", "ro", "rs", "run", "sas", "save", "sc", "sd", "search",
    "select", "sh", "show", "sl", "sm", "so", "sr", "st", "style", "sv", "tc", "td", "tf", "tk", "tl", "tm", "tn",
    "tt", "vc", "vi", "xyz",
];

const ARCHIVES: &[&str] = &["mov", "tab", "zip"];

/// The public suffix of a host.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct PublicSuffix {
    /// Start of the suffix. Byte of the host.
    pub(super) suffix_start: usize,
    /// Start of the registered domain, which has one label more than the suffix. `None` if the host is itself a suffix
    /// without a site of its own.
    pub(super) domain_start: Option<usize>,
    /// Its class; `None` if the suffix is not on the list, in which case it is the last label.
    pub(super) class: Option<SuffixClass>,
}

/// Looks up the suffix of a host in lower case.
pub(super) fn look_up(host: &str) -> Option<PublicSuffix> {
    // The lookup is the most expensive step, so it is done once per host.
    let suffix = List.suffix(host.as_bytes())?;
    let suffix_start = host.len().checked_sub(suffix.as_bytes().len())?;
    let (before, text) = host.split_at_checked(suffix_start)?;
    let private = suffix.typ() == Some(Type::Private);
    let domain_start = match before.strip_suffix('.') {
        Some(labels) => Some(labels.rfind('.').map_or(0, |dot| dot + 1)),
        // A private suffix such as `github.io` is a host itself.
        None => private.then_some(0),
    };
    Some(PublicSuffix { suffix_start, domain_start, class: suffix.is_known().then(|| classify(text, private)) })
}

fn classify(suffix: &str, private: bool) -> SuffixClass {
    let listed = |list: &[&str]| list.binary_search(&suffix).is_ok();
    if suffix.contains('.') || private || suffix.starts_with("xn--") {
        SuffixClass::Plain
    } else if listed(ARCHIVES) {
        SuffixClass::Archive
    } else if listed(NAMES) {
        SuffixClass::Name
    } else if listed(WORDS) {
        SuffixClass::Word
    } else if suffix.chars().count() <= 2
        || listed(PLAIN)
        || matches!(suffix, "укр" | "срб" | "бел" | "мкд" | "қаз" | "мон")
    {
        SuffixClass::Plain
    } else {
        SuffixClass::Word
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lists_are_sorted_and_every_name_is_a_suffix() {
        for list in [PLAIN, WORDS, NAMES, ARCHIVES] {
            assert!(list.is_sorted(), "{list:?}");
            let unknown = |name: &&str| look_up(&format!("example.{name}")).is_none_or(|listed| listed.class.is_none());
            let unknown: Vec<_> = list.iter().copied().filter(unknown).collect();
            assert!(unknown.is_empty(), "{unknown:?}");
        }
    }

    #[test]
    fn suffixes_are_classified() {
        for (host, suffix, class) in [
            ("example.com", "com", Some(SuffixClass::Plain)),
            ("example.co.uk", "co.uk", Some(SuffixClass::Plain)),
            ("me.github.io", "github.io", Some(SuffixClass::Plain)),
            ("tell.me", "me", Some(SuffixClass::Word)),
            ("hello.world", "world", Some(SuffixClass::Word)),
            ("main.py", "py", Some(SuffixClass::Name)),
            ("data.zip", "zip", Some(SuffixClass::Archive)),
            ("layer.shp", "shp", None),
            ("пример.рф", "рф", Some(SuffixClass::Plain)),
            ("xn--e1afmkfd.xn--p1ai", "xn--p1ai", Some(SuffixClass::Plain)),
        ] {
            let listed = look_up(host).unwrap();
            assert_eq!((&host[listed.suffix_start..], listed.class), (suffix, class), "{host}");
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
            assert_eq!(look_up(host).unwrap().domain_start.map(|at| &host[at..]), domain, "{host}");
        }
    }
}
