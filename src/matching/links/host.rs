//! Hosts: where they begin and end, how they are compared, and which are none.

use std::borrow::Cow;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::ops::Range;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::decompose_compatible;

use super::super::kinds::Kind;
use super::path;
use super::suffixes::{self, Suffix};

/// Longest host. Bytes.
const MAX_HOST: usize = 253;
/// Longest host as it is written, with what compatibility form shortens. Bytes.
const MAX_WRITTEN: usize = 4 * MAX_HOST;
const MAX_LABEL: usize = 63;

/// The end of the dot at this byte, if there is one: the usual one, or one that browsers take for it.
pub(super) fn dot_at(text: &str, at: usize) -> Option<usize> {
    let c = text.get(at..)?.chars().next()?;
    is_dot(c).then(|| at + c.len_utf8())
}

pub(super) fn is_dot(c: char) -> bool {
    matches!(c, '.' | '。' | '．' | '｡' | '\u{2024}')
}

/// A full stop of Chinese and Japanese as well.
fn is_ideographic(dot: char) -> bool {
    matches!(dot, '。' | '｡')
}

/// What shows nothing, and what browsers leave out of hosts; signs of direction as well.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{34f}' | '\u{180b}'..='\u{180d}' | '\u{180f}' | '\u{200b}'..='\u{200f}'
        | '\u{202a}'..='\u{202e}' | '\u{2060}' | '\u{2064}' | '\u{2066}'..='\u{2069}' | '\u{fe00}'..='\u{fe0f}'
        | '\u{feff}' | '\u{e0100}'..='\u{e01ef}')
}

fn is_of_host(c: char) -> bool {
    c.is_ascii_alphanumeric()
        || c == '-'
        || c == '_'
        || (!c.is_ascii() && (Kind::of(c).is_letter_or_number() || Kind::of(c).is_mark() || is_invisible(c)))
}

/// Whether a letter is of a script that puts no blanks between words, so that a host may begin or end next to it.
fn is_spaceless(c: char) -> bool {
    matches!(c, '\u{e00}'..='\u{eff}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17ff}' | '\u{2e80}'..='\u{9fff}'
        | '\u{ac00}'..='\u{d7a3}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}')
}

/// The labels around the dot at this byte: bytes of the text. The one before it begins at `done` or later.
///
/// There is no dot in the part before, or it would have been asked about before.
pub(super) fn around(text: &str, done: usize, dot: usize) -> Option<Range<usize>> {
    let sign = text.get(dot..)?.chars().next()?;
    let mut start = dot;
    let mut spaceless = None;
    for (at, c) in text.get(done..dot)?.char_indices().rev() {
        if !is_of_host(c) || spaceless.is_some_and(|known| known != is_spaceless(c)) {
            break;
        }
        spaceless = Some(is_spaceless(c));
        start = done + at;
    }
    let before_is_spaceless = spaceless?;
    let mut end = dot;
    let mut last_dot = Some((sign, before_is_spaceless));
    let mut spaceless = before_is_spaceless;
    for (at, c) in text.get(dot..)?.char_indices().skip(1) {
        if let Some((sign, before)) = last_dot {
            let foreign = is_ideographic(sign) && (before || is_spaceless(c));
            if !is_of_host(c) || foreign {
                break;
            }
            (last_dot, spaceless) = (None, is_spaceless(c));
        } else if is_dot(c) {
            last_dot = Some((c, spaceless));
            continue;
        } else if !is_of_host(c) || is_spaceless(c) != spaceless {
            break;
        }
        end = dot + at + c.len_utf8();
    }
    // Hyphens at the edges belong to the sentence.
    let raw = text.get(start..end)?;
    let start = start + (raw.len() - raw.trim_start_matches('-').len());
    let end = end - (raw.len() - raw.trim_end_matches('-').len());
    (start < dot && end > dot).then_some(start..end)
}

/// The host in the part of an address between `//` and the path, without its port. Bytes may be written with `%`.
pub(super) fn of_address(place: &str) -> Option<&str> {
    if place.starts_with('[') {
        return place.get(..=place.find(']')?);
    }
    let host = place.split(':').next()?;
    let end = host.find(|c| !is_of_host(c) && !is_dot(c) && c != '%').unwrap_or(host.len());
    host.get(..end).map(|host| host.trim_end_matches(is_dot)).filter(|host| !host.is_empty())
}

/// The host that browsers read in `t%2eme`, normalized. If it is none, what comes before the first `%`.
pub(super) fn normalized_of_address(written: &str) -> Option<Cow<'_, str>> {
    let Some((plain, _)) = written.split_once('%') else { return normalized(written) };
    let read = decoded(written);
    let read = read.as_deref().map(|read| read.trim_end_matches(is_dot)).and_then(normalized);
    match read {
        Some(host) => Some(Cow::Owned(host.into_owned())),
        None => normalized(plain.trim_end_matches(is_dot)),
    }
}

/// With the bytes that `%` and two digits stand for.
fn decoded(written: &str) -> Option<String> {
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

/// Small letters, compatibility form, the usual dot. `None` for what is no host by its length or characters.
pub(super) fn normalized(written: &str) -> Option<Cow<'_, str>> {
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
                    && label.chars().all(is_of_host)
            }));
    fits.then_some(host)
}

/// The compatibility form in small letters.
fn compatible(written: &str) -> String {
    let mut plain = String::with_capacity(written.len());
    for c in written.chars().filter(|c| !is_invisible(*c)) {
        decompose_compatible(c, |c| plain.push(if is_dot(c) { '.' } else { c.to_ascii_lowercase() }));
    }
    // After a dot there may have been nothing but what shows nothing.
    plain.truncate(plain.trim_end_matches('.').len());
    // What is ASCII now, like most that is written in look-alikes, has nothing to be put together.
    if plain.is_ascii() { plain } else { plain.nfc().flat_map(char::to_lowercase).collect() }
}

/// Where the domain begins in the host of an address with a scheme; `None` for hosts that lead nowhere from elsewhere.
pub(super) fn domain_of_address(host: &str) -> Option<usize> {
    if let Some(address) = host.strip_prefix('[') {
        return address.strip_suffix(']')?.parse::<Ipv6Addr>().is_ok().then_some(0);
    }
    // An address in one number, which browsers take as well.
    let number = host.bytes().all(|b| b.is_ascii_digit())
        || host.strip_prefix("0x").is_some_and(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()));
    if number || host.parse::<Ipv4Addr>().is_ok() {
        return Some(0);
    }
    host.contains('.').then(|| suffixes::look_up(host).and_then(|listed| listed.domain_at).unwrap_or(0))
}

/// Whether a host without a scheme is one, by what is around it: where its domain begins, and whether it is sure.
pub(super) fn judge(host: &str, written: &str, before: &str, after: &str) -> Option<(usize, bool)> {
    if host.contains('_') || after.starts_with(['@', '＠']) {
        return None;
    }
    let listed = suffixes::look_up(host)?;
    let (taken, domain_at) = (listed.taken?, listed.domain_at?);
    let suffix = host.get(listed.suffix_at..)?;
    let path = has_path(before, after, taken);
    let is_host = matches!(taken, Suffix::Plain | Suffix::Word) && path;
    if let Some(name) = before.strip_suffix(['@', '＠']) {
        // Without a name before the sign it is no mail address.
        let mail = name.ends_with(|c: char| c.is_alphanumeric() || ".-_+'\"".contains(c));
        if mail || !is_host {
            return None;
        }
    }
    let www = host.starts_with("www.") && domain_at > 0;
    if www {
        return Some((domain_at, true));
    }
    // A slash that begins a word may begin a path as well as stand before a host: more must tell that it is one.
    if is_in_path(before) && !(is_host && is_first_slash(before)) {
        return None;
    }
    if !path && (after.starts_with(['(', '=', '[', '\\']) || is_joint(written)) {
        return None;
    }
    let labels = host.split('.').count();
    let sure = path && taken != Suffix::Archive;
    let name = host.get(domain_at..)?.split('.').next()?;
    // `1.it`, `z.de`: lists and abbreviations. Companies with such names took these suffixes.
    let is_name =
        name.chars().filter(|c| c.is_alphabetic()).nth(1).is_some() || matches!(suffix, "com" | "net" | "org" | "cn");
    let likely = is_name
        && match taken {
            Suffix::Plain => true,
            Suffix::Word => labels >= 3 && !has_capitalised_label(written) && !is_package(host),
            Suffix::Name | Suffix::Archive => false,
        };
    (sure || likely).then_some((domain_at, sure))
}

/// Whether what follows a host is a path or what else only addresses have.
fn has_path(before: &str, after: &str, taken: Suffix) -> bool {
    let rest = path::lead(after).and_then(|lead| after.get(lead..)).unwrap_or_default();
    let mut chars = rest.chars();
    let (sign, rest) = (chars.next(), chars.as_str());
    let word = rest.starts_with(char::is_alphanumeric);
    // The other signs follow names of files and attributes: `README.md#use`, `layer.id?`.
    let is_host = matches!(taken, Suffix::Plain | Suffix::Word);
    match sign {
        Some('/') => taken == Suffix::Plain || word || rest.starts_with(['+', '@', '?', '~', '_']),
        // After another it is a path of Windows: `C:\example.com\x`, `\\example.com\x`.
        Some('\\') => is_host && word && !before.ends_with('\\') && !is_escape(rest),
        Some('#') => is_host && word,
        // More than a question and the next sentence: `is it.so?Yes`.
        Some('?') => {
            is_host && word && rest.trim_start_matches(|c: char| c.is_alphanumeric() || c == '_').starts_with('=')
        }
        _ => false,
    }
}

/// Whether a backslash before this stands for the end of a line or a tab: `"yes.no\n"`.
fn is_escape(rest: &str) -> bool {
    rest.strip_prefix(['n', 'r', 't']).is_some_and(|rest| !rest.starts_with(char::is_alphanumeric))
}

/// Whether a name is part of a path: a slash before it that is none of an address.
fn is_in_path(before: &str) -> bool {
    let rest = before.trim_end_matches(['/', '\\']);
    before.len() - rest.len() == 1 && !rest.ends_with(':')
}

/// Whether the slash before a name has nothing before it.
fn is_first_slash(before: &str) -> bool {
    before.strip_suffix('/').is_some_and(|rest| rest.is_empty() || rest.ends_with(char::is_whitespace))
}

/// Whether the last label begins a sentence: `end.Next`, `Nein.Es`, but not `EXAMPLE.COM`.
fn is_joint(written: &str) -> bool {
    written.rsplit(is_dot).next().is_some_and(is_capitalised)
}

fn is_capitalised(label: &str) -> bool {
    let mut chars = label.chars();
    chars.next().is_some_and(char::is_uppercase) && chars.next().is_some_and(char::is_lowercase)
}

/// Titles and sentences: `Prof.Dr.med`.
fn has_capitalised_label(written: &str) -> bool {
    written.split(is_dot).any(is_capitalised)
}

/// Names of programs, written from the other end: `com.example.mobile`.
fn is_package(host: &str) -> bool {
    ["com.", "de.", "io.", "net.", "org."].iter().any(|end| host.starts_with(end))
}
