//! Hosts: where they begin and end, how they are compared, and which are none.

use std::borrow::Cow;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::ops::Range;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::decompose_compatible;

use super::super::kinds::Kind;
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

fn is_dot(c: char) -> bool {
    matches!(c, '.' | '。' | '．' | '｡' | '\u{2024}')
}

/// A full stop of Chinese and Japanese as well.
fn is_ideographic(dot: char) -> bool {
    matches!(dot, '。' | '｡')
}

/// What shows nothing, and what browsers leave out of hosts.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{200b}'..='\u{200d}' | '\u{2060}' | '\u{feff}')
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

/// The host in the part of an address between `//` and the path, without its port.
pub(super) fn of_address(place: &str) -> Option<&str> {
    if place.starts_with('[') {
        return place.get(..=place.find(']')?);
    }
    let host = place.split(':').next()?;
    let end = host.find(|c| !is_of_host(c) && !is_dot(c)).unwrap_or(host.len());
    host.get(..end).map(|host| host.trim_end_matches(is_dot)).filter(|host| !host.is_empty())
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
    if host.contains('_') || before.ends_with(['@', '＠']) || after.starts_with(['@', '＠']) {
        return None;
    }
    let listed = suffixes::look_up(host)?;
    let (taken, domain_at) = (listed.taken?, listed.domain_at?);
    let suffix = host.get(listed.suffix_at..)?;
    let www = host.starts_with("www.") && domain_at > 0;
    if www {
        return Some((domain_at, true));
    }
    if is_in_path(before) || after.starts_with(['(', '=', '[', '\\']) || is_joint(written) {
        return None;
    }
    let path = after.strip_prefix('/').is_some_and(|path| {
        taken == Suffix::Plain
            || path.starts_with(|c: char| c.is_alphanumeric() || matches!(c, '+' | '@' | '?' | '~' | '_'))
    });
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

/// Whether a name is part of a path: a slash before it that is none of an address.
fn is_in_path(before: &str) -> bool {
    let rest = before.trim_end_matches(['/', '\\']);
    before.len() - rest.len() == 1 && !rest.ends_with(':')
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
