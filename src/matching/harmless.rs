//! Texts and names that show something, and nothing that disturbs what clients show around them.

use std::iter;

use super::visible::is_visible;

/// Most line breaks of a text. More would push everything else off the screen.
const MAX_LINE_BREAKS: usize = 20;

/// Bidirectional controls that close what others open.
const CLOSERS: [char; 2] = [POP_EMBEDDING, POP_ISOLATE];
const POP_EMBEDDING: char = '\u{202c}';
const POP_ISOLATE: char = '\u{2069}';

/// Whether a character opens or closes an embedding, an override or an isolate. Direction marks affect nothing behind
/// them, and do not count.
fn is_bidi_control(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn is_line_break(c: char) -> bool {
    matches!(c, '\n' | '\u{2028}' | '\u{2029}')
}

/// Why a text cannot be shown to others. The message follows the name of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// It has nothing to see.
    #[error("is empty; at least 1 visible character is needed")]
    Invisible,
    /// It contains a control character.
    #[error("contains the control character U+{:04X}; only tabs and line breaks are allowed", u32::from(*.0))]
    Control(char),
    /// It has too many line breaks.
    #[error("has {0} line breaks; at most {MAX_LINE_BREAKS} are allowed")]
    LineBreaks(usize),
}

/// Returns a text without the closing controls at its end, which do not count towards its length: [`balanced`] adds
/// them, and others repeat the text.
#[must_use]
pub fn without_closers(text: &str) -> &str {
    text.trim_end_matches(CLOSERS)
}

/// Checks a text of several lines.
///
/// # Errors
/// [`TextError`].
pub fn check_text(text: &str) -> Result<(), TextError> {
    if !has_visible(text) {
        return Err(TextError::Invisible);
    }
    if let Some(control) = forbidden_control(text) {
        return Err(TextError::Control(control));
    }
    match text.chars().filter(|c| is_line_break(*c)).count() {
        breaks if breaks > MAX_LINE_BREAKS => Err(TextError::LineBreaks(breaks)),
        _ => Ok(()),
    }
}

/// Whether a text has something to see.
#[must_use]
pub fn has_visible(text: &str) -> bool {
    text.chars().any(is_visible)
}

/// Whether a text has a character that a name of one line must not have: a control or a line break.
#[must_use]
pub fn disturbs_line(text: &str) -> bool {
    text.chars().any(|c| c.is_control() || is_line_break(c) || is_bidi_control(c))
}

/// As [`disturbs_line`], for a definition that may have several lines.
#[must_use]
pub fn disturbs_lines(text: &str) -> bool {
    forbidden_control(text).is_some() || text.chars().any(is_bidi_control)
}

/// Returns the first control character other than tabs and line breaks. Windows writes a line break as two characters.
fn forbidden_control(text: &str) -> Option<char> {
    let mut chars = text.chars().peekable();
    iter::from_fn(|| chars.next().map(|c| (c, chars.peek().copied())))
        .find(|(c, next)| c.is_control() && !matches!((c, next), ('\t' | '\n', _) | ('\r', Some('\n'))))
        .map(|(c, _)| c)
}

/// Returns a text in which every bidirectional control has its counterpart; `None` if it is so already.
///
/// Controls that are open at the end are closed there, and controls that close nothing are dropped. Refusing the text
/// would punish people who write from right to left for half of a copied quotation.
#[must_use]
pub fn balanced(text: &str) -> Option<String> {
    if !text.contains(is_bidi_control) {
        return None;
    }
    let mut open = Vec::new();
    let mut balanced = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        let is_stray = match c {
            '\u{202a}' | '\u{202b}' | '\u{202d}' | '\u{202e}' => {
                open.push(POP_EMBEDDING);
                false
            }
            '\u{2066}'..='\u{2068}' => {
                open.push(POP_ISOLATE);
                false
            }
            POP_EMBEDDING => open.pop_if(|closer| *closer == POP_EMBEDDING).is_none(),
            // Closes the embeddings within the isolate, too.
            POP_ISOLATE => match open.iter().rposition(|closer| *closer == POP_ISOLATE) {
                Some(isolate) => {
                    open.truncate(isolate);
                    false
                }
                None => true,
            },
            _ => false,
        };
        if !is_stray {
            balanced.push(c);
        }
    }
    balanced.extend(open.into_iter().rev());
    (balanced != text).then_some(balanced)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(text: &str) -> Option<String> {
        check_text(text).err().map(|error| format!("the text {error}"))
    }

    #[test]
    fn a_text_of_invisible_characters_is_empty() {
        for c in
            ["\u{200b}", "\u{3164}", "\u{2800}", "\u{ad}", "\0", "\u{1b}", "\u{2066}\u{2069}", "\u{feff} \u{e0041}"]
        {
            let text = "the text is empty; at least 1 visible character is needed";
            assert_eq!(refusal(c).as_deref(), Some(text), "{c:?}");
            assert_eq!(refusal(&format!("{c}.")).is_some(), c.contains(['\0', '\u{1b}']), "{c:?}");
        }
    }

    #[test]
    fn controls_are_refused_except_tabs_and_line_breaks() {
        for c in ('\0'..='\u{9f}').filter(|c| c.is_control()) {
            let code = u32::from(c);
            let text =
                format!("the text contains the control character U+{code:04X}; only tabs and line breaks are allowed");
            assert_eq!(refusal(&format!("a{c}b")), (!matches!(c, '\t' | '\n')).then_some(text), "{c:?}");
        }
        assert_eq!(refusal("a\r\nb"), None);
    }

    #[test]
    fn at_most_20_line_breaks_are_allowed() {
        for newline in ["\n", "\r\n", "\u{2028}", "\u{2029}"] {
            assert_eq!(refusal(&format!("a{}", newline.repeat(20))), None, "{newline:?}");
            let text = "the text has 21 line breaks; at most 20 are allowed";
            assert_eq!(refusal(&format!("a{}", newline.repeat(21))).as_deref(), Some(text), "{newline:?}");
        }
    }

    #[test]
    fn open_controls_are_closed_at_the_end_and_stray_closers_dropped() {
        for (text, closed) in [
            ("\u{202e}gnp.exe", "\u{202e}gnp.exe\u{202c}"),
            ("\u{2067}שלום", "\u{2067}שלום\u{2069}"),
            ("\u{2068}a\u{202b}b", "\u{2068}a\u{202b}b\u{202c}\u{2069}"),
            ("\u{202d}a\u{2066}b\u{202c}", "\u{202d}a\u{2066}b\u{2069}\u{202c}"),
            ("a\u{2069}b\u{202c}", "ab"),
            ("\u{2069}\u{202e}x", "\u{202e}x\u{202c}"),
        ] {
            assert_eq!(balanced(text).as_deref(), Some(closed), "{text:?}");
            assert_eq!(balanced(closed), None, "{closed:?}");
        }
    }

    #[test]
    fn balanced_texts_and_direction_marks_stay_as_they_are() {
        for text in [
            "hello",
            "שלום \u{200f}(QGIS)\u{200e}",
            "\u{2067}שלום\u{2069}!",
            "\u{202b}\u{2066}a\u{202a}b\u{2069}\u{202c}",
            "\u{61c}",
        ] {
            assert_eq!(balanced(text), None, "{text:?}");
        }
    }
}
