//! Where a text links to.

use std::borrow::Cow;
use std::ops::Range;

use memchr::{memchr2_iter, memchr3_iter};

mod host;
mod path;
mod suffixes;

/// Links that are reported of one text.
const MAX_LINKS: usize = 64;
/// Schemes that lead somewhere by themselves. `hxxp` is for readers who know what it means.
const SCHEMES: [&str; 8] = ["http", "https", "hxxp", "hxxps", "ftp", "ftps", "ws", "wss"];

/// A link in a text.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Link<'t> {
    /// All of it, from its scheme or host to the end of its path: bytes of the text.
    pub bytes: Range<usize>,
    /// Where it leads: in small letters, in compatibility form (`ｅｘａｍｐｌｅ．ｃｏｍ` is `example.com`), with its `www.`
    /// if there is one. Names in other alphabets stay as they are written, in letters or as `xn--`. Of an IP address the
    /// address, in brackets if it is of version 6.
    pub host: Cow<'t, str>,
    /// Where the part begins that somebody registered. Byte of `host`.
    domain_at: usize,
    /// Whether it can be nothing else: it has a scheme, `www.` or a path. Else it only looks like a host of a known
    /// suffix.
    pub sure: bool,
}

impl Link<'_> {
    /// The part of the host that somebody registered: `example.co.uk` of `www.example.co.uk`. The host itself if it has
    /// no such part, like an address.
    #[must_use]
    pub fn domain(&self) -> &str {
        self.host.get(self.domain_at..).unwrap_or(&self.host)
    }
}

/// Finds the links of a text, the first 64.
///
/// With a scheme (`https://`, `ftp://` and the like) any host that has a dot is one, and any IP address. Without, the
/// last label must be known as a public suffix. If it is the end of file names as well, it takes `www.` or a path; if it
/// is a short word of a language or another word, these or a third label. Mail addresses, names of files, attributes of
/// a script and sentences with no blank after the full stop are no links.
///
/// What browsers read as the same is the same: a backslash for a slash, `%2e` for a dot in the host of an address,
/// characters that show nothing. An address within the path of another is a link by itself.
pub fn links<'t>(text: &'t str, mut each: impl FnMut(Link<'t>)) {
    let bytes = text.as_bytes();
    // No link is without a dot or a colon. Other dots than the usual one begin with one of three bytes.
    let mut signs = memchr2_iter(b'.', b':', bytes).peekable();
    let mut odd = memchr3_iter(0xe2, 0xe3, 0xef, bytes).filter(|at| host::dot_at(text, *at).is_some()).peekable();
    let (mut done, mut count) = (0, 0);
    while count < MAX_LINKS {
        let next_is_odd = match (signs.peek(), odd.peek()) {
            (Some(sign), Some(odd)) => odd < sign,
            (None, Some(_)) => true,
            (Some(_), None) => false,
            (None, None) => return,
        };
        let Some(sign) = (if next_is_odd { odd.next() } else { signs.next() }) else { return };
        if sign < done {
            continue;
        }
        let found =
            if bytes.get(sign) == Some(&b':') { with_scheme(text, done, sign) } else { plain(text, done, sign) };
        match found {
            Found::Link(link) => {
                done = link.bytes.end;
                count += 1;
                each(link);
            }
            Found::Nothing { end } => done = done.max(end),
        }
    }
}

/// Whether `host` is `domain` or below it: `lists.qgis.org` is within `qgis.org`, `evilqgis.org` is not. Without regard
/// to case.
#[must_use]
pub fn is_within(host: &str, domain: &str) -> bool {
    let (host, domain) = (host.trim_end_matches('.'), domain.trim_matches('.'));
    let Some(begin) = host.len().checked_sub(domain.len()).filter(|_| !domain.is_empty()) else { return false };
    let Some((before, end)) = host.split_at_checked(begin) else { return false };
    let same = end.eq_ignore_ascii_case(domain)
        || (!domain.is_ascii()
            && end.chars().flat_map(char::to_lowercase).eq(domain.chars().flat_map(char::to_lowercase)));
    same && (before.is_empty() || before.ends_with('.'))
}

enum Found<'t> {
    Link(Link<'t>),
    /// No link begins before this byte.
    Nothing {
        end: usize,
    },
}

/// A link around the colon of its scheme, none of it before `done`.
fn with_scheme(text: &str, done: usize, colon: usize) -> Found<'_> {
    let nothing = Found::Nothing { end: colon + 1 };
    let Some((before, after)) = text.get(done..colon).zip(text.get(colon..)) else { return nothing };
    let Some(sign) = path::scheme_sign(after) else { return nothing };
    let Some(rest) = after.get(sign..) else { return nothing };
    let name = before.rsplit(|c: char| !c.is_ascii_alphabetic()).next().unwrap_or_default();
    if !SCHEMES.iter().any(|scheme| scheme.eq_ignore_ascii_case(name)) {
        return nothing;
    }
    let authority =
        rest.split(|c| matches!(c, '/' | '?' | '#' | '\\') || path::ends_link(c)).next().unwrap_or_default();
    // A name and password may come first; it is how hosts are made to look like others.
    let place = authority.rsplit('@').next().unwrap_or_default();
    let host_at = colon + sign + authority.len() - place.len();
    let Some(place) = host::of_address(place) else { return nothing };
    let Some(host) = host::normalized_of_address(place) else { return nothing };
    let Some(domain_at) = host::domain_of_address(&host) else { return nothing };
    let end = path::end(text, host_at + place.len());
    Found::Link(Link { bytes: colon - name.len()..end, host, domain_at, sure: true })
}

/// A link around a dot, none of it before `done`.
fn plain(text: &str, done: usize, dot: usize) -> Found<'_> {
    let Some(mut raw) = host::around(text, done, dot) else { return Found::Nothing { end: dot + 1 } };
    // Slanted text begins so: `_example.com/x_`. Without a path it is a name of a script.
    if text.get(raw.end..).is_some_and(|after| after.starts_with('/')) {
        let written = text.get(raw.clone()).unwrap_or_default();
        raw.start += written.len() - written.trim_start_matches('_').len();
    }
    let nothing = Found::Nothing { end: raw.end };
    let (Some(before), Some(written), Some(after)) =
        (text.get(..raw.start), text.get(raw.clone()), text.get(raw.end..))
    else {
        return nothing;
    };
    let Some(host) = host::normalized(written) else { return nothing };
    let Some((domain_at, sure)) = host::judge(&host, written, before, after) else { return nothing };
    let end = path::end(text, raw.end);
    Found::Link(Link { bytes: raw.start..end, host, domain_at, sure })
}

#[cfg(test)]
mod spellings;
#[cfg(test)]
mod tests;
