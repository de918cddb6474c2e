//! Hosts: their boundaries, their normal form, and names that are not hosts.

use std::borrow::Cow;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::ops::Range;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::decompose_compatible;

use super::super::char_class::CharClass;
use super::dot::is_dot;
use super::path;
use super::suffixes::{self, SuffixClass};

/// Longest host. Bytes.
const MAX_HOST: usize = 253;
/// Longest host as written, before normalization shortens it. Bytes.
const MAX_WRITTEN: usize = 4 * MAX_HOST;
const MAX_LABEL: usize = 63;

/// Whether the dot is also the full stop of Chinese and Japanese.
fn is_ideographic(dot: char) -> bool {
    matches!(dot, '。' | '｡')
}

/// Whether a character is invisible or ignored in hosts by browsers, including direction marks.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{34f}' | '\u{180b}'..='\u{180d}' | '\u{180f}' | '\u{200b}'..='\u{200f}'
        | '\u{202a}'..='\u{202e}' | '\u{2060}' | '\u{2064}' | '\u{2066}'..='\u{2069}' | '\u{fe00}'..='\u{fe0f}'
        | '\u{feff}' | '\u{e0100}'..='\u{e01ef}')
}

fn is_host_char(c: char) -> bool {
    c.is_ascii_alphanumeric()
        || c == '-'
        || c == '_'
        || (!c.is_ascii()
            && (CharClass::new(c).is_letter_or_number() || CharClass::new(c).is_mark() || is_invisible(c)))
}

/// Whether a letter belongs to a script without spaces between words, so that a host may begin or end next to it.
fn is_unspaced(c: char) -> bool {
    matches!(c, '\u{e00}'..='\u{eff}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17ff}' | '\u{2e80}'..='\u{9fff}'
        | '\u{ac00}'..='\u{d7a3}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}')
}

/// Returns the labels around the dot at this byte: bytes of the text. The first label begins at `done` or later.
///
/// The part before has no dot, since the scan would have stopped there first.
pub(super) fn labels_around(text: &str, done: usize, dot: usize) -> Option<Range<usize>> {
    let sign = text.get(dot..)?.chars().next()?;
    let mut start = dot;
    let mut unspaced = None;
    for (at, c) in text.get(done..dot)?.char_indices().rev() {
        if !is_host_char(c) || unspaced.is_some_and(|known| known != is_unspaced(c)) {
            break;
        }
        unspaced = Some(is_unspaced(c));
        start = done + at;
    }
    let before_is_unspaced = unspaced?;
    let mut end = dot;
    let mut last_dot = Some((sign, before_is_unspaced));
    let mut unspaced = before_is_unspaced;
    for (at, c) in text.get(dot..)?.char_indices().skip(1) {
        if let Some((sign, before)) = last_dot {
            let foreign = is_ideographic(sign) && (before || is_unspaced(c));
            if !is_host_char(c) || foreign {
                break;
            }
            (last_dot, unspaced) = (None, is_unspaced(c));
        } else if is_dot(c) {
            last_dot = Some((c, unspaced));
            continue;
        } else if !is_host_char(c) || is_unspaced(c) != unspaced {
            break;
        }
        end = dot + at + c.len_utf8();
    }
    // Hyphens at the ends belong to the sentence.
    let raw = text.get(start..end)?;
    let start = start + (raw.len() - raw.trim_start_matches('-').len());
    let end = end - (raw.len() - raw.trim_end_matches('-').len());
    (start < dot && end > dot).then_some(start..end)
}

/// Returns the host of a URL authority, without user name and port. Bytes may be percent-encoded.
pub(super) fn host_of_authority(authority: &str) -> Option<&str> {
    if authority.starts_with('[') {
        return authority.get(..=authority.find(']')?);
    }
    let host = authority.split(':').next()?;
    let end = host.find(|c| !is_host_char(c) && !is_dot(c) && c != '%').unwrap_or(host.len());
    host.get(..end).map(|host| host.trim_end_matches(is_dot)).filter(|host| !host.is_empty())
}

/// Percent-decodes and normalizes a host as browsers do: `t%2eme`. If the result is not a host, normalizes the part
/// before the first `%`.
pub(super) fn normalize_in_url(written: &str) -> Option<Cow<'_, str>> {
    let Some((plain, _)) = written.split_once('%') else { return normalize(written) };
    let decoded = percent_decode(written);
    match decoded.as_deref().map(|host| host.trim_end_matches(is_dot)).and_then(normalize) {
        Some(host) => Some(Cow::Owned(host.into_owned())),
        None => normalize(plain.trim_end_matches(is_dot)),
    }
}

/// Percent-decodes a host.
fn percent_decode(written: &str) -> Option<String> {
    if written.len() > MAX_WRITTEN {
        return None;
    }
    let mut parts = written.split('%');
    let mut bytes = parts.next()?.as_bytes().to_vec();
    for part in parts {
        let (digits, rest) = part.split_at_checked(2)?;
        if !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
            return None;
        }
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
        bytes.extend_from_slice(rest.as_bytes());
    }
    String::from_utf8(bytes).ok()
}

/// Normalizes a host: lower case, compatibility form, ASCII dots. Returns `None` if the host is invalid.
pub(super) fn normalize(written: &str) -> Option<Cow<'_, str>> {
    if written.len() > MAX_WRITTEN {
        return None;
    }
    let host: Cow<'_, str> = if !written.is_ascii() {
        compatible(written).into()
    } else if written.bytes().any(|b| b.is_ascii_uppercase()) {
        written.to_ascii_lowercase().into()
    } else {
        written.into()
    };
    let is_address = host.starts_with('[');
    let fits = host.len() <= MAX_HOST
        && (is_address
            || host.split('.').all(|label| {
                (1..=MAX_LABEL).contains(&label.len())
                    && !label.starts_with('-')
                    && !label.ends_with('-')
                    && label.chars().all(is_host_char)
            }));
    fits.then_some(host)
}

/// Returns the compatibility form in lower case.
fn compatible(written: &str) -> String {
    let mut plain = String::with_capacity(written.len());
    for c in written.chars().filter(|c| !is_invisible(*c)) {
        decompose_compatible(c, |c| plain.push(if is_dot(c) { '.' } else { c.to_ascii_lowercase() }));
    }
    // Only invisible characters may have followed the last dot.
    plain.truncate(plain.trim_end_matches('.').len());
    // ASCII needs no composition.
    if plain.is_ascii() { plain } else { plain.nfc().flat_map(char::to_lowercase).collect() }
}

/// Returns where the domain begins in the host of a URL, or `None` for hosts that only resolve locally.
pub(super) fn domain_start_in_url(host: &str) -> Option<usize> {
    if let Some(address) = host.strip_prefix('[') {
        return address.strip_suffix(']')?.parse::<Ipv6Addr>().is_ok().then_some(0);
    }
    // Browsers accept an IPv4 address as a single number.
    let number = host.bytes().all(|b| b.is_ascii_digit())
        || host.strip_prefix("0x").is_some_and(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()));
    if number || host.parse::<Ipv4Addr>().is_ok() {
        return Some(0);
    }
    host.contains('.').then(|| suffixes::look_up(host).and_then(|listed| listed.domain_start).unwrap_or(0))
}

/// Decides from its context whether a name without a scheme is a link. Returns where its domain begins, and whether it
/// is certain.
pub(super) fn classify(host: &str, written: &str, before: &str, after: &str) -> Option<(usize, bool)> {
    if host.contains('_') || after.starts_with(['@', '＠']) {
        return None;
    }
    let listed = suffixes::look_up(host)?;
    let (class, domain_start) = (listed.class?, listed.domain_start?);
    let suffix = host.get(listed.suffix_start..)?;
    let path = has_path(before, after, class);
    let is_host = matches!(class, SuffixClass::Plain | SuffixClass::Word) && path;
    if let Some(name) = before.strip_suffix(['@', '＠']) {
        // Without a name before the `@` it is not a mail address.
        let mail = name.ends_with(|c: char| c.is_alphanumeric() || ".-_+'\"".contains(c));
        if mail || !is_host {
            return None;
        }
    }
    let www = host.starts_with("www.") && domain_start > 0;
    if www {
        return Some((domain_start, true));
    }
    // A leading slash may begin a path or precede a host; a host needs further evidence.
    if is_in_path(before) && !(is_host && has_leading_slash(before)) {
        return None;
    }
    if !path && (after.starts_with(['(', '=', '[', '\\']) || joins_sentences(written)) {
        return None;
    }
    let labels = host.split('.').count();
    let certain = path && class != SuffixClass::Archive;
    let name = host.get(domain_start..)?.split('.').next()?;
    // `1.it`, `z.de`: lists and abbreviations. Companies with one-letter names use the suffixes below.
    let is_name =
        name.chars().filter(|c| c.is_alphabetic()).nth(1).is_some() || matches!(suffix, "com" | "net" | "org" | "cn");
    let likely = is_name
        && match class {
            SuffixClass::Plain => true,
            SuffixClass::Word => labels >= 3 && !has_capitalised_label(written) && !is_package(host),
            SuffixClass::Name | SuffixClass::Archive => false,
        };
    (certain || likely).then_some((domain_start, certain))
}

/// Whether a path, or something else that only URLs have, follows a host.
fn has_path(before: &str, after: &str, class: SuffixClass) -> bool {
    let rest = path::lead(after).and_then(|lead| after.get(lead..)).unwrap_or_default();
    let mut chars = rest.chars();
    let (sign, rest) = (chars.next(), chars.as_str());
    let word = rest.starts_with(char::is_alphanumeric);
    // The other signs also follow file names and attributes: `README.md#use`, `layer.id?`.
    let is_host = matches!(class, SuffixClass::Plain | SuffixClass::Word);
    match sign {
        Some('/') => class == SuffixClass::Plain || word || rest.starts_with(['+', '@', '?', '~', '_']),
        // After another backslash it is a Windows path: `C:\example.com\x`, `\\example.com\x`.
        Some('\\') => is_host && word && !before.ends_with('\\') && !is_escape(rest),
        Some('#') => is_host && word,
        // A query, rather than a question and the next sentence: `is it.so?Yes`.
        Some('?') => {
            is_host && word && rest.trim_start_matches(|c: char| c.is_alphanumeric() || c == '_').starts_with('=')
        }
        _ => false,
    }
}

/// Whether a backslash before `rest` is an escape for a line break or tab: `"yes.no\n"`.
fn is_escape(rest: &str) -> bool {
    rest.strip_prefix(['n', 'r', 't']).is_some_and(|rest| !rest.starts_with(char::is_alphanumeric))
}

/// Whether a name is part of a path: a single slash precedes it, without a scheme.
fn is_in_path(before: &str) -> bool {
    let rest = before.trim_end_matches(['/', '\\']);
    before.len() - rest.len() == 1 && !rest.ends_with(':')
}

/// Whether the slash before a name begins a word.
fn has_leading_slash(before: &str) -> bool {
    before.strip_suffix('/').is_some_and(|rest| rest.is_empty() || rest.ends_with(char::is_whitespace))
}

/// Whether the last label begins a sentence: `end.Next`, `Nein.Es`, but not `EXAMPLE.COM`.
fn joins_sentences(written: &str) -> bool {
    written.rsplit(is_dot).next().is_some_and(is_capitalised)
}

fn is_capitalised(label: &str) -> bool {
    let mut chars = label.chars();
    chars.next().is_some_and(char::is_uppercase) && chars.next().is_some_and(char::is_lowercase)
}

/// Whether a label is capitalised, as in titles and sentences: `Prof.Dr.med`.
fn has_capitalised_label(written: &str) -> bool {
    written.split(is_dot).any(is_capitalised)
}

/// Whether it is a package name in reverse domain order: `com.example.mobile`.
fn is_package(host: &str) -> bool {
    ["com.", "de.", "io.", "net.", "org."].iter().any(|prefix| host.starts_with(prefix))
}
