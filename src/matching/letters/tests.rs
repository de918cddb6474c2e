use super::*;
use proptest::prelude::*;

fn run(text: &str) -> (usize, &str) {
    let found = letter_stats(text);
    (found.longest_run, &text[found.run])
}

fn marks(text: &str) -> usize {
    letter_stats(text).max_marks
}

#[test]
fn capitals_are_counted_among_letters_with_case() {
    let found = letter_stats("WGS 84 ист ЯБЛОКО 漢字 ß İ");
    assert_eq!((found.letters, found.cased, found.capitals), (16, 14, 10));
    assert_eq!(found.uppercase_percent(), 71);
    assert_eq!(letter_stats("").uppercase_percent(), 0);
    assert_eq!(letter_stats("漢字 123 🗺").uppercase_percent(), 0);
    assert_eq!(letter_stats("STOP THAT").uppercase_percent(), 100);
}

#[test]
fn the_longest_run_ignores_case() {
    assert_eq!(run("so coOOooool"), (7, "oOOoooo"));
    assert_eq!(run("help!!!!"), (4, "!!!!"));
    assert_eq!(run("ДаАаа"), (4, "аАаа"));
    assert_eq!(run("哈哈哈"), (3, "哈哈哈"));
    assert_eq!(run("😂😂😂😂 ok"), (4, "😂😂😂😂"));
}

#[test]
fn joiners_and_marks_do_not_break_a_run() {
    assert_eq!(run("a\u{200b}a\u{301}a b"), (3, "a\u{200b}a\u{301}a"));
    assert_eq!(run("❤\u{fe0f}❤\u{fe0f}❤\u{fe0f}").0, 3);
    assert_eq!(run("👍🏽👍🏿👍").0, 3);
}

#[test]
fn whitespace_digits_and_drawn_lines_are_not_runs() {
    for text in
        ["1000000", "a      b", "-----", "=====", ".....", "| --- | --- |", "━━━━━", "____", "####", "//////", ""]
    {
        assert!(letter_stats(text).longest_run <= 1, "{text}");
    }
}

#[test]
fn colours_and_numbers_are_not_runs() {
    for text in ["#ffffff", "#FFAAAAAA", "0xFFFFFFFF", "0x00ffff"] {
        assert!(letter_stats(text).longest_run <= 1, "{text}");
    }
    assert_eq!(run("#aaaaaaaaaaaa").0, 12);
    assert_eq!(run("aaaa").0, 4);
    assert_eq!(run("#zzzz").0, 4);
}

#[test]
fn stacked_marks_are_found_with_their_letter() {
    let text = "xz\u{300}\u{301}\u{302}\u{303}\u{304}a";
    let found = letter_stats(text);
    assert_eq!((found.max_marks, found.marks), (5, 1..12));
    assert_eq!(marks("a\u{5b0}\u{5b1}\u{5b2}\u{5b3}\u{5b4}"), 5);
}

#[test]
fn ordinary_spelling_has_no_stacked_marks() {
    for text in ["שָׁלוֹם בְּרֵאשִׁ֖ית", "العَرَبِيَّةُ ٱلرَّحْمَٰنِ", "ที่นี่ น้ำ ผู้", "हिन्दी क्षत्रिय ज़्यादा", "မြို့ လျှော့", "བསྒྲུབས", "தமிழ்"]
    {
        assert_eq!(marks(text), 0, "{text}");
    }
    assert_eq!(marks("tie\u{302}\u{301}ng Vie\u{323}\u{302}t"), 2);
    assert_eq!(marks("\u{3b1}\u{314}\u{301}\u{345}"), 3);
    assert_eq!(marks("1\u{fe0f}\u{20e3} ❤\u{fe0f} 👨\u{200d}👩\u{200d}👧 🇮🇹"), 0);
}

#[test]
fn too_many_vowel_signs_are_stacked_marks() {
    assert_eq!(marks(&format!("ก{}", "\u{e47}".repeat(20))), 14);
    assert_eq!(marks("\u{301}\u{301}"), 2);
}

proptest! {
    #[test]
    fn ranges_lie_on_character_boundaries_and_counts_agree(text in "\\PC{0,60}|[aAbé \u{301}\u{200b}😂!#]{0,60}") {
        let found = letter_stats(&text);
        prop_assert!(text.get(found.run.clone()).is_some());
        prop_assert!(text.get(found.marks.clone()).is_some());
        prop_assert!(found.capitals <= found.cased && found.cased <= found.letters);
        prop_assert!(found.letters <= text.chars().count());
        prop_assert!(found.longest_run <= text[found.run.clone()].chars().count());
        prop_assert!(found.uppercase_percent() <= 100);
    }
}
