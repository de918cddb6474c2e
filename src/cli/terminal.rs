//! Escapes untrusted text for a terminal.

use std::fmt::Write as _;

/// Whether a character may affect how a terminal displays other text: control characters, direction marks and invisible
/// characters.
fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200b}' | '\u{200e}'..='\u{200f}' | '\u{2028}'..='\u{202e}')
        || matches!(c, '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// Escapes unsafe characters in a text.
pub(super) fn printable(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if is_unsafe(c) {
            shown.extend(c.escape_default());
        } else {
            shown.push(c);
        }
    }
    shown
}

/// Escapes unsafe characters in JSON, which occur in its strings only. The result is equivalent JSON.
pub(super) fn plain_json(json: &str) -> String {
    let mut shown = String::with_capacity(json.len());
    for c in json.chars() {
        if is_unsafe(c) {
            // All unsafe characters are in the basic plane. Writing to a string cannot fail.
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
    fn unsafe_characters_are_escaped() {
        for (text, shown) in [
            ("plain \"é\" \\ e\u{301} 👩\u{200d}👧", "plain \"é\" \\ e\u{301} 👩\u{200d}👧"),
            ("\u{1b}[2J\n\u{9b}31m", "\\u{1b}[2J\\n\\u{9b}31m"),
            ("a\u{202e}b\u{2066}\u{feff}", "a\\u{202e}b\\u{2066}\\u{feff}"),
        ] {
            assert_eq!(printable(text), shown);
        }
    }

    #[test]
    fn escaped_json_is_equivalent() {
        let text = "a\u{1b}[2J\u{7f}\u{9b}\u{202e}\u{2028}é";
        let json = plain_json(&serde_json::to_string(text).unwrap());
        assert!(!json.chars().any(is_unsafe), "{json}");
        assert_eq!(serde_json::from_str::<String>(&json).unwrap(), text);
    }
}
