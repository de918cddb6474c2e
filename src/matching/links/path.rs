//! Where a link ends.

use super::host::is_dot;

const SLASHES: [char; 2] = ['/', '\\'];

/// Whether a link ends before this, whatever it is made of.
pub(super) fn ends_link(c: char) -> bool {
    c.is_whitespace()
        || c.is_control()
        || matches!(c, '<' | '>' | '"' | '`' | '|' | '^' | '{' | '}')
        // Punctuation of East Asia and of printing.
        || matches!(c, '\u{3000}'..='\u{3020}' | '\u{ff01}' | '\u{ff08}' | '\u{ff09}' | '\u{ff0c}' | '\u{ff1a}' | '\u{ff1b}' | '\u{ff1f}')
        || matches!(c, '«' | '»' | '\u{201c}'..='\u{201f}')
}

/// The bytes of the sign after a scheme, `://`, if a text begins with it. Browsers take a backslash for a slash.
pub(super) fn scheme_sign(text: &str) -> Option<usize> {
    text.strip_prefix(':')?.strip_prefix(SLASHES)?.starts_with(SLASHES).then_some("://".len())
}

/// The bytes between a host and its path: a last dot and a port. `None` if there is no path.
pub(super) fn lead(after: &str) -> Option<usize> {
    let at = |at: usize| after.get(at..).unwrap_or_default();
    let dot = after.chars().next().filter(|c| is_dot(*c)).map_or(0, char::len_utf8);
    let lead = dot + port(at(dot));
    // A dot, and a question mark or number sign next to it, are of the sentence.
    let is_path = at(lead).starts_with(SLASHES) || (dot == 0 && at(lead).starts_with(['?', '#']));
    is_path.then_some(lead)
}

/// The end of the link whose host ends at `host_end`: with port, path and query, without what belongs to the sentence.
pub(super) fn end(text: &str, host_end: usize) -> usize {
    let after = text.get(host_end..).unwrap_or_default();
    let Some(lead) = lead(after) else { return host_end + port(after) };
    let rest = after.get(lead..).unwrap_or_default();
    let stop = rest.char_indices().find_map(|(at, c)| match c {
        ':' => next(rest, at),
        c => ends_link(c).then_some(at),
    });
    let path = stop.and_then(|stop| rest.get(..stop)).unwrap_or(rest);
    host_end + lead + without_sentence(path).len()
}

/// Where a path ends before a further address, `/,https://example.com`, if the colon at this byte is of one.
fn next(path: &str, colon: usize) -> Option<usize> {
    let (before, after) = path.split_at_checked(colon)?;
    scheme_sign(after)?;
    ["https", "http"].into_iter().find_map(|name| {
        let (before, end) = before.split_at_checked(before.len().checked_sub(name.len())?)?;
        // The bracket around the further one, as in `[text](address)`.
        end.eq_ignore_ascii_case(name).then(|| before.trim_end_matches(['(', '[']).len())
    })
}

/// Bytes of a colon and the number after it, 0 if there is none.
fn port(text: &str) -> usize {
    let Some(number) = text.strip_prefix(':') else { return 0 };
    let digits = number.bytes().take_while(u8::is_ascii_digit).count();
    if (1..=5).contains(&digits) { digits + 1 } else { 0 }
}

/// Leaves out punctuation at the end, and closing brackets that nothing in the link opens.
fn without_sentence(mut path: &str) -> &str {
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
