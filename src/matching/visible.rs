//! Characters that leave a mark on the screen.

use std::sync::LazyLock;

use regex_syntax::hir::{Class, Hir, HirKind};

/// Characters that show nothing by themselves: blanks, controls, formatting characters and fillers, by the properties of
/// Unicode, and those that only look blank. The formatting characters that surround numbers are visible.
const INVISIBLE: &str = r"[[\p{White_Space}\p{Cc}\p{Cf}\p{Default_Ignorable_Code_Point}\p{Noncharacter_Code_Point}\x{2800}\x{FFFC}\x{13441}\x{13442}\x{16FE4}\x{1D159}]--\p{Prepended_Concatenation_Mark}]";

/// The ranges of [`INVISIBLE`], in order.
static RANGES: LazyLock<Vec<(char, char)>> = LazyLock::new(|| {
    let parsed = regex_syntax::parse(INVISIBLE);
    let Ok(HirKind::Class(Class::Unicode(class))) = parsed.as_ref().map(Hir::kind) else { return Vec::new() };
    class.ranges().iter().map(|range| (range.start(), range.end())).collect()
});

/// Whether a character shows something. Combining marks do.
#[must_use]
pub(super) fn is_visible(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_graphic();
    }
    let at = RANGES.partition_point(|(_, end)| *end < c);
    RANGES.get(at).is_none_or(|(start, _)| c < *start)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blanks_fillers_and_formatting_characters_are_invisible() {
        for c in "\0\u{1b} \u{85}\u{a0}\u{ad}\u{34f}\u{61c}\u{115f}\u{1160}\u{17b4}\u{180e}\u{200b}\u{200d}\u{200e}\u{2028}\
                  \u{202e}\u{2060}\u{2061}\u{2067}\u{2800}\u{3000}\u{3164}\u{fe0f}\u{feff}\u{ffa0}\u{fff9}\u{fffc}\u{ffff}\
                  \u{16fe4}\u{1d159}\u{1d173}\u{e0001}\u{e0020}\u{e01ef}\u{e0fff}\u{10fffe}"
            .chars()
        {
            assert!(!is_visible(c), "{c:?}");
        }
    }

    #[test]
    fn letters_signs_marks_and_private_icons_are_visible() {
        for c in ".aé\u{301}\u{600}\u{6dd}א⠁한🗺\u{fffd}\u{e000}\u{20dd}\u{1f3fb}".chars() {
            assert!(is_visible(c), "{c:?}");
        }
    }
}
