//! Texts that others wrote, fit for a terminal.

use std::fmt::Write as _;

/// Whether a character may change what a terminal shows of others: control characters, marks of writing direction,
/// what cannot be seen.
fn is_tricky(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200b}' | '\u{200e}'..='\u{200f}' | '\u{2028}'..='\u{202e}')
        || matches!(c, '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// A text that somebody else wrote, fit for a terminal.
pub(super) fn printable(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if is_tricky(c) {
            shown.extend(c.escape_default());
        } else {
            shown.push(c);
        }
    }
    shown
}

/// JSON that says the same and is fit for a terminal: such characters stand in its texts alone.
pub(super) fn plain_json(json: &str) -> String {
    let mut shown = String::with_capacity(json.len());
    for c in json.chars() {
        if is_tricky(c) {
            // All of them are of the basic plane. Writing to a string cannot fail.
            let _infallible = write!(shown, "\\u{:04x}", u32::from(c));
        } else {
            shown.push(c);
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_change_a_terminal_is_escaped() {
        for (text, shown) in [
            ("plain \"é\" \\ e\u{301} 👩\u{200d}👧", "plain \"é\" \\ e\u{301} 👩\u{200d}👧"),
            ("\u{1b}[2J\n\u{9b}31m", "\\u{1b}[2J\\n\\u{9b}31m"),
            ("a\u{202e}b\u{2066}\u{feff}", "a\\u{202e}b\\u{2066}\\u{feff}"),
        ] {
            assert_eq!(printable(text), shown);
        }
    }

    #[test]
    fn escaped_json_says_the_same() {
        let text = "a\u{1b}[2J\u{7f}\u{9b}\u{202e}\u{2028}é";
        let json = plain_json(&serde_json::to_string(text).unwrap());
        assert!(!json.chars().any(is_tricky), "{json}");
        assert_eq!(serde_json::from_str::<String>(&json).unwrap(), text);
    }
}
