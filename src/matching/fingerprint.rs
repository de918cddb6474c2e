//! Nearly the same text.

use super::kinds::Kind;

/// Bins of a fingerprint.
const BINS: usize = 16;
/// Equal bins of [`BINS`] from which on two texts are nearly the same. Of pairs of texts that have nothing in common, one
/// in a thousand reaches it; of texts with a word exchanged, nearly all.
const ENOUGH: usize = 6;
/// Texts of fewer letters have no part of four and are compared as a whole.
const GRAM: u16 = 4;
/// A bin that no part of the text fell into.
const EMPTY: u16 = u16::MAX;

/// What is kept of a text to know it again, also when it was changed a little: 48 bytes, from which the text cannot be
/// told.
///
/// All parts of four letters are thrown by a hash into 16 bins, and each bin keeps the least hash. Texts that share most
/// of their parts agree in most bins. Blanks, punctuation and digits between letters are one gap, whatever they are, and
/// those at the ends are nothing: `buy now!!! 17` is `buy, now 23`. A text with fewer than four letters is equal to the
/// same text only, apart from blanks.
///
/// Fingerprints of different seeds have nothing to do with each other.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Fingerprint {
    whole: u64,
    bins: [u16; BINS],
    letters: u16,
}

impl Fingerprint {
    /// Takes the fingerprint of a text whose case is folded already, and disguises undone if that is wished.
    ///
    /// The seed should be drawn at random once for a process: who knows it could make different texts look alike.
    #[must_use]
    pub fn of(clean: &str, seed: u64) -> Self {
        let hash = Hash::new(seed);
        let mut bins = [EMPTY; BINS];
        let mut letters = 0_u16;
        let mut whole = hash.start();
        let mut last = [0_u32; GRAM as usize];
        let (mut filled, mut gap) = (0_u16, false);
        for c in clean.chars() {
            if !is_kept(c) {
                gap = true;
                continue;
            }
            let blank = gap && letters > 0;
            for c in blank.then_some(' ').into_iter().chain(Some(c)) {
                whole = hash.add(whole, u64::from(c));
                let [_, b, c1, d] = last;
                last = [b, c1, d, u32::from(c)];
                filled = filled.saturating_add(1);
                if filled >= GRAM {
                    let value = hash.gram(last);
                    // The upper four bits choose the bin, the next sixteen are the value.
                    if let Some(bin) = bins.get_mut((value >> 60) as usize) {
                        *bin = (*bin).min((value >> 44 & 0xffff) as u16);
                    }
                }
            }
            letters = letters.saturating_add(1);
            gap = false;
        }
        if letters < GRAM {
            bins = [EMPTY; BINS];
            let characters = clean.chars().filter(|c| !c.is_whitespace());
            // Begun otherwise, so that it is no longer text's.
            whole = characters.fold(hash.add(hash.start(), 0), |whole, c| hash.add(whole, u64::from(c)));
        }
        Self { whole, bins, letters }
    }

    /// Whether both texts are the same, apart from what lies between their letters.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        self.whole == other.whole && self.letters == other.letters
    }

    /// Whether both texts are the same or nearly so.
    #[must_use]
    pub fn is_like(&self, other: &Self) -> bool {
        if self.is_same(other) {
            return true;
        }
        let pairs = || self.bins.iter().zip(&other.bins);
        let equal = pairs().filter(|(a, b)| a == b && **a != EMPTY).count();
        if equal == 0 {
            // Most pairs end here.
            return false;
        }
        let used = pairs().filter(|(a, b)| **a != EMPTY || **b != EMPTY).count();
        // A short text fills few bins; it takes the same share of them.
        equal * BINS >= used * ENOUGH
    }

    /// How many letters the text has, at most 65 535. Emoji and other signs that are no punctuation count as letters.
    ///
    /// The fewer they are, the less a likeness says: a rule should ask for a minimum, and people greet each other with
    /// the same words.
    #[must_use]
    pub fn letters(&self) -> u16 {
        self.letters
    }
}

fn is_kept(c: char) -> bool {
    // Arrows, shapes and emoji too; selectors and joiners are none.
    Kind::of(c).is_letter()
        || matches!(c, '\u{2190}'..='\u{245f}' | '\u{2500}'..='\u{2bff}' | '\u{1f000}'..='\u{1faff}')
}

/// Multiplies to twice the length and folds both halves. Without the seed nobody can tell which text goes where.
#[derive(Clone, Copy, Debug)]
struct Hash {
    first: u64,
    second: u64,
}

impl Hash {
    fn new(seed: u64) -> Self {
        // Digits of the golden ratio and of pi: any odd numbers without a pattern would do.
        let first = fold(seed ^ 0x9e37_79b9_7f4a_7c15, 0x2436_a885_a308_d313);
        Self { first, second: fold(first ^ seed, 0xc2b2_ae3d_27d4_eb4f) }
    }

    fn start(self) -> u64 {
        self.second
    }

    fn add(self, state: u64, value: u64) -> u64 {
        fold(state ^ value, self.first | 1)
    }

    fn gram(self, [a, b, c, d]: [u32; GRAM as usize]) -> u64 {
        let pair = |a, b| u64::from(a) << 32 | u64::from(b);
        let mixed = fold(pair(a, b) ^ self.first, pair(c, d) ^ self.second);
        fold(mixed, self.second | 1)
    }
}

fn fold(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    let low = u64::try_from(product & u128::from(u64::MAX)).unwrap_or_default();
    let high = u64::try_from(product >> 64).unwrap_or_default();
    low ^ high
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SEED: u64 = 7;

    fn of(text: &str) -> Fingerprint {
        Fingerprint::of(&text.to_lowercase(), SEED)
    }

    const TEXT: &str = "win free coins now, visit our channel and get a bonus for your first deposit";

    #[test]
    fn what_lies_between_letters_makes_no_difference() {
        for (a, b) in [
            (TEXT, "  win   free coins - now! visit our channel and get a bonus for your first deposit !!! 4711"),
            ("raid 1", "RAID... 2"),
            ("Привет всем", "привет, всем!"),
            ("看这里看这里", "看这里看这里。"),
        ] {
            assert!(of(a).is_same(&of(b)), "{a} | {b}");
        }
        assert!(!of(TEXT).is_same(&of(&TEXT.replace("free", "cheap"))));
    }

    #[test]
    fn a_small_change_leaves_texts_alike() {
        for changed in [
            TEXT.replace("free", "cheap"),
            TEXT.replace("coins", "c0ins"),
            TEXT.replace("channel", "chanel"),
            format!("hello {TEXT}"),
            format!("{TEXT} 🎰🎰 xkcd"),
            TEXT.replace("bonus for", ""),
        ] {
            assert!(of(TEXT).is_like(&of(&changed)), "{changed}");
        }
    }

    #[test]
    fn different_texts_are_not_alike() {
        let texts = [
            TEXT,
            "how do i export a layer to geopackage in the newest version",
            "the map canvas stays white after i add a wms layer of the city",
            "quelqu'un sait comment projeter une couche en lambert 93 ?",
            "ich habe das plugin installiert, aber es erscheint nicht im menü",
            "где взять слой с границами районов города?",
            "merci beaucoup, ça marche maintenant",
        ];
        for (n, a) in texts.iter().enumerate() {
            for b in &texts[n + 1..] {
                assert!(!of(a).is_like(&of(b)), "{a} | {b}");
            }
        }
    }

    #[test]
    fn short_texts_are_compared_as_a_whole() {
        for (a, b, same) in [
            ("ok", "ok", true),
            ("ok 1", "ok 2", false),
            ("o k", "ok", true),
            ("4326", "3857", false),
            ("47.1, 8.5", "47.1,8.5", true),
            ("", "  ", true),
            ("", "1", false),
            ("👍", "👎", false),
        ] {
            let (a, b) = (of(a), of(b));
            assert_eq!((a.is_same(&b), a.is_like(&b)), (same, same), "{a:?} {b:?}");
        }
    }

    #[test]
    fn letters_are_told() {
        assert_eq!(of("ab c, 12!").letters(), 3);
        assert_eq!(of("🎰🎰 é́漢").letters(), 4);
        assert_eq!(Fingerprint::of(&"a".repeat(70_000), SEED).letters(), u16::MAX);
        assert_eq!(size_of::<Fingerprint>(), 48);
    }

    #[test]
    fn another_seed_gives_another_fingerprint() {
        assert!(!Fingerprint::of(TEXT, 1).is_like(&Fingerprint::of(TEXT, 2)));
        assert!(!Fingerprint::of("a", 1).is_like(&Fingerprint::of("a", 2)));
    }

    proptest! {
        #[test]
        fn a_text_is_like_itself_and_likeness_goes_both_ways(a in "\\PC{0,40}|[a-c ]{0,20}", b in "\\PC{0,40}|[a-c ]{0,20}", seed: u64) {
            let (a, b) = (Fingerprint::of(&a, seed), Fingerprint::of(&b, seed));
            prop_assert!(a.is_same(&a) && a.is_like(&a));
            prop_assert_eq!(a.is_like(&b), b.is_like(&a));
            prop_assert!(!a.is_same(&b) || a.is_like(&b));
        }
    }
}
