//! The end of a link.

use super::dot::is_dot;

const SLASHES: [char; 2] = ['/', '\\'];

/// Whether any link ends before this character.
pub(super) fn ends_link(c: char) -> bool {
    c.is_whitespace()
        || c.is_control()
        || matches!(c, '<' | '>' | '"' | '`' | '|' | '^' | '{' | '}')
        // East Asian and typographic punctuation.
        || matches!(c, '\u{3000}'..='\u{3020}' | '\u{ff01}' | '\u{ff08}' | '\u{ff09}' | '\u{ff0c}' | '\u{ff1a}' | '\u{ff1b}' | '\u{ff1f}')
        || matches!(c, '«' | '»' | '\u{201c}'..='\u{201f}')
}

/// Returns the length of `://` if a text begins with it. Browsers accept a backslash for a slash.
pub(super) fn scheme_separator(text: &str) -> Option<usize> {
    text.strip_prefix(':')?.strip_prefix(SLASHES)?.starts_with(SLASHES).then_some("://".len())
}

/// Returns the length of a trailing dot and a port between a host and its path, or `None` without a path. Bytes.
pub(super) fn lead(after: &str) -> Option<usize> {
    let at = |at: usize| after.get(at..).unwrap_or_default();
    let dot = after.chars().next().filter(|c| is_dot(*c)).map_or(0, char::len_utf8);
    let lead = dot + port(at(dot));
    // A dot followed by a question mark or number sign belongs to the sentence.
    let is_path = at(lead).starts_with(SLASHES) || (dot == 0 && at(lead).starts_with(['?', '#']));
    is_path.then_some(lead)
}

/// Returns the end of the link whose host ends at `host_end`, including port, path and query, but not sentence
/// punctuation.
pub(super) fn end(text: &str, host_end: usize) -> usize {
    let after = text.get(host_end..).unwrap_or_default();
    let Some(lead) = lead(after) else { return host_end + port(after) };
    let rest = after.get(lead..).unwrap_or_default();
    let stop = rest.char_indices().find_map(|(at, c)| match c {
        ':' => end_before_url(rest, at),
        c => ends_link(c).then_some(at),
    });
    let path = stop.and_then(|stop| rest.get(..stop)).unwrap_or(rest);
    host_end + lead + trim_punctuation(path).len()
}

/// Returns where a path ends before another URL, as in `/,https://example.com`, if this colon belongs to one.
fn end_before_url(path: &str, colon: usize) -> Option<usize> {
    let (before, after) = path.split_at_checked(colon)?;
    scheme_separator(after)?;
    ["https", "http"].into_iter().find_map(|name| {
        let (before, end) = before.split_at_checked(before.len().checked_sub(name.len())?)?;
        // The bracket before the other URL, as in `[text](url)`.
        end.eq_ignore_ascii_case(name).then(|| before.trim_end_matches(['(', '[']).len())
    })
}

/// Returns the length of a colon and port number, or 0. Bytes.
fn port(text: &str) -> usize {
    let Some(number) = text.strip_prefix(':') else { return 0 };
    let digits = number.bytes().take_while(u8::is_ascii_digit).count();
    if (1..=5).contains(&digits) { digits + 1 } else { 0 }
}

/// Strips trailing punctuation, and closing brackets without an opening one in the link.
fn trim_punctuation(mut path: &str) -> &str {
    let count = |path: &str, bracket: char| path.matches(bracket).count();
    let mut open = [('(', ')'), ('[', ']')].map(|(open, close)| (close, count(path, open), count(path, close)));
    loop {
        let Some(last) = path.chars().next_back() else { return path };
        let cut = match last {
            '.' | ',' | ';' | ':' | '!' | '?' | '\'' | '*' | '_' | '~' | '…' | '’' => true,
            _ => open.iter_mut().find(|(close, ..)| *close == last).is_some_and(|(_, opened, closed)| {
                let cut = *closed > *opened;
                *closed -= usize::from(cut);
                cut
            }),
        };
        if !cut {
            return path;
        }
        path = path.get(..path.len() - last.len_utf8()).unwrap_or_default();
    }
}
