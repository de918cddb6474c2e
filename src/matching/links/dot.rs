//! Dots of hosts.

/// Returns the end of the dot at this byte, if there is one: the ASCII dot or one that browsers treat as equal.
pub(super) fn dot_at(text: &str, at: usize) -> Option<usize> {
    let c = text.get(at..)?.chars().next()?;
    is_dot(c).then(|| at + c.len_utf8())
}

pub(super) fn is_dot(c: char) -> bool {
    matches!(c, '.' | '。' | '．' | '｡' | '\u{2024}')
}
