//! Where a link ends.

/// Whether a link ends before this, whatever it is made of.
pub(super) fn ends_link(c: char) -> bool {
    c.is_whitespace()
        || c.is_control()
        || matches!(c, '<' | '>' | '"' | '`' | '|' | '^' | '{' | '}')
        // Punctuation of East Asia and of printing.
        || matches!(c, '\u{3000}'..='\u{3020}' | '\u{ff01}' | '\u{ff08}' | '\u{ff09}' | '\u{ff0c}' | '\u{ff1a}' | '\u{ff1b}' | '\u{ff1f}')
        || matches!(c, '«' | '»' | '\u{201c}'..='\u{201f}')
}

/// The end of the link whose host ends at `host_end`: with port, path and query, without what belongs to the sentence.
pub(super) fn end(text: &str, host_end: usize) -> usize {
    let after = |at: usize| text.get(at..).unwrap_or_default();
    let mut end = host_end;
    let port = port(after(end));
    if port > 0 {
        end += port;
    }
    if !after(end).starts_with(['/', '?', '#', '\\']) {
        return end;
    }
    let rest = after(end);
    let rest = rest.split(ends_link).next().unwrap_or_default();
    end + without_sentence(rest).len()
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
