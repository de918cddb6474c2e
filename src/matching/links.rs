//! Finds links in a text.

use std::borrow::Cow;
use std::ops::Range;

use memchr::{memchr2_iter, memchr3_iter};

mod dot;
mod host;
mod path;
mod suffixes;

/// Maximum number of links reported per text.
const MAX_LINKS: usize = 64;
/// Schemes of links. `hxxp` is a common defanged spelling of `http`.
const SCHEMES: [&str; 8] = ["http", "https", "hxxp", "hxxps", "ftp", "ftps", "ws", "wss"];

/// A link in a text.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Link<'t> {
    /// The whole link, from its scheme or host to the end of its path: bytes of the text.
    pub bytes: Range<usize>,
    /// The host in lower case and compatibility form (`ｅｘａｍｐｌｅ．ｃｏｍ` becomes `example.com`), with any `www.`
    /// prefix. Internationalised names stay as written, in letters or as `xn--`. IPv6 addresses are in brackets.
    pub host: Cow<'t, str>,
    /// Start of the registered domain. Byte of `host`.
    domain_start: usize,
    /// Whether it is certainly a link: it has a scheme, `www.` or a path. Otherwise it is only a plausible host with a
    /// known suffix.
    pub is_certain: bool,
}

impl Link<'_> {
    /// Returns the registered domain: `example.co.uk` for `www.example.co.uk`. Returns the host if there is none, as
    /// for an IP address.
    #[must_use]
    pub fn domain(&self) -> &str {
        self.host.get(self.domain_start..).unwrap_or(&self.host)
    }
}

/// Calls `each` for the links of a text, at most 64.
///
/// With a scheme (`https://`, `ftp://` and the like), any host with a dot and any IP address is a link. Without one,
/// the last label must be a known public suffix. A suffix that is also a file extension requires `www.` or a path; a
/// suffix that is also a word requires one of these or a third label. Mail addresses, file names, script attributes and
/// sentences without a space after the full stop are not links.
///
/// Spellings that browsers treat alike are equal: a backslash for a slash, `%2e` for a dot in the host of a URL,
/// invisible characters. A URL within the path of another one is a separate link.
pub fn find_links<'t>(text: &'t str, mut each: impl FnMut(Link<'t>)) {
    let bytes = text.as_bytes();
    // Every link has a dot or a colon. Non-ASCII dots begin with one of three bytes.
    let mut signs = memchr2_iter(b'.', b':', bytes).peekable();
    let mut other_dots = memchr3_iter(0xe2, 0xe3, 0xef, bytes).filter(|at| dot::dot_at(text, *at).is_some()).peekable();
    let (mut done, mut count) = (0, 0);
    while count < MAX_LINKS {
        let next_is_other_dot = match (signs.peek(), other_dots.peek()) {
            (Some(sign), Some(other)) => other < sign,
            (None, Some(_)) => true,
            (Some(_), None) => false,
            (None, None) => return,
        };
        let Some(sign) = (if next_is_other_dot { other_dots.next() } else { signs.next() }) else { return };
        if sign < done {
            continue;
        }
        let found = if bytes.get(sign) == Some(&b':') {
            link_with_scheme(text, done, sign)
        } else {
            link_without_scheme(text, done, sign)
        };
        match found {
            Scanned::Link(link) => {
                done = link.bytes.end;
                count += 1;
                each(link);
            }
            Scanned::Nothing { end } => done = done.max(end),
        }
    }
}

/// Whether `host` is `domain` or a subdomain of it, ignoring case: `lists.qgis.org` is within `qgis.org`, and
/// `evilqgis.org` is not.
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

enum Scanned<'t> {
    Link(Link<'t>),
    /// No link begins before `end`.
    Nothing {
        end: usize,
    },
}

/// Finds a link around the colon of its scheme, no part of it before `done`.
fn link_with_scheme(text: &str, done: usize, colon: usize) -> Scanned<'_> {
    let nothing = Scanned::Nothing { end: colon + 1 };
    let Some((before, after)) = text.get(done..colon).zip(text.get(colon..)) else { return nothing };
    let Some(sign) = path::scheme_separator(after) else { return nothing };
    let Some(rest) = after.get(sign..) else { return nothing };
    let name = before.rsplit(|c: char| !c.is_ascii_alphabetic()).next().unwrap_or_default();
    if !SCHEMES.iter().any(|scheme| scheme.eq_ignore_ascii_case(name)) {
        return nothing;
    }
    let authority =
        rest.split(|c| matches!(c, '/' | '?' | '#' | '\\') || path::ends_link(c)).next().unwrap_or_default();
    // A user name and password may precede the host; they are used to imitate other hosts.
    let address = authority.rsplit('@').next().unwrap_or_default();
    let host_start = colon + sign + authority.len() - address.len();
    let Some(address) = host::host_of_authority(address) else { return nothing };
    let Some(host) = host::normalize_in_url(address) else { return nothing };
    let Some(domain_start) = host::domain_start_in_url(&host) else { return nothing };
    let end = path::end(text, host_start + address.len());
    Scanned::Link(Link { bytes: colon - name.len()..end, host, domain_start, is_certain: true })
}

/// Finds a link without a scheme around a dot, no part of it before `done`.
fn link_without_scheme(text: &str, done: usize, dot: usize) -> Scanned<'_> {
    let Some(mut raw) = host::labels_around(text, done, dot) else { return Scanned::Nothing { end: dot + 1 } };
    // Italic markup: `_example.com/x_`. Without a path it is a name in a script.
    if text.get(raw.end..).is_some_and(|after| after.starts_with('/')) {
        let written = text.get(raw.clone()).unwrap_or_default();
        raw.start += written.len() - written.trim_start_matches('_').len();
    }
    let nothing = Scanned::Nothing { end: raw.end };
    let (Some(before), Some(written), Some(after)) =
        (text.get(..raw.start), text.get(raw.clone()), text.get(raw.end..))
    else {
        return nothing;
    };
    let Some(host) = host::normalize(written) else { return nothing };
    let Some((domain_start, sure)) = host::classify(&host, written, before, after) else { return nothing };
    let end = path::end(text, raw.end);
    Scanned::Link(Link { bytes: raw.start..end, host, domain_start, is_certain: sure })
}

#[cfg(test)]
mod spellings;
#[cfg(test)]
mod tests;
