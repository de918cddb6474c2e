//! Fingerprints that recognise similar texts.

use super::char_class::CharClass;

/// Number of bins of a fingerprint.
const BINS: usize = 16;
/// Number of equal bins, of [`BINS`], from which two texts are similar. One in a thousand pairs of unrelated texts
/// reaches it, and nearly all pairs that differ in one word.
const MIN_EQUAL_BINS: usize = 6;
/// Letters per n-gram. Texts with fewer letters are compared as a whole.
const NGRAM: u16 = 4;
/// The value of a bin that no n-gram fell into.
const EMPTY: u16 = u16::MAX;

/// A 48-byte fingerprint that recognises a text even after small changes. It does not reveal the text.
///
/// A hash distributes all 4-grams of letters over 16 bins, and each bin keeps the smallest hash (`MinHash`). Texts that
/// share most 4-grams agree in most bins. Whitespace, punctuation and digits between letters count as one gap, and
/// those at the ends are ignored: `buy now!!! 17` equals `buy, now 23`. A text with fewer than four letters equals only
/// the same text, apart from whitespace.
///
/// Fingerprints made with different seeds are not comparable.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Fingerprint {
    whole: u64,
    bins: [u16; BINS],
    letters: u16,
}

impl Fingerprint {
    /// Computes the fingerprint of a text whose letter case is folded, and whose disguises may be undone.
    ///
    /// Draw the seed at random once per process: anyone who knows it can construct different texts that look similar.
    #[must_use]
    pub fn new(clean: &str, seed: u64) -> Self {
        let hash = SeededHash::new(seed);
        let mut bins = [EMPTY; BINS];
        let mut letters = 0_u16;
        let mut whole = hash.start();
        let mut last = [0_u32; NGRAM as usize];
        let (mut filled, mut gap) = (0_u16, false);
        for c in clean.chars() {
            if !is_counted(c) {
                gap = true;
                continue;
            }
            let blank = gap && letters > 0;
            for c in blank.then_some(' ').into_iter().chain(Some(c)) {
                whole = hash.add(whole, u64::from(c));
                let [_, b, c1, d] = last;
                last = [b, c1, d, u32::from(c)];
                filled = filled.saturating_add(1);
                if filled >= NGRAM {
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
        if letters < NGRAM {
            bins = [EMPTY; BINS];
            let characters = clean.chars().filter(|c| !c.is_whitespace());
            // A different start, so that it cannot equal the hash of a longer text.
            whole = characters.fold(hash.add(hash.start(), 0), |whole, c| hash.add(whole, u64::from(c)));
        }
        Self { whole, bins, letters }
    }

    /// Whether both texts have the same letters and gaps.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        self.whole == other.whole && self.letters == other.letters
    }

    /// Whether both texts are the same or similar.
    #[must_use]
    pub fn is_similar(&self, other: &Self) -> bool {
        if self.is_same(other) {
            return true;
        }
        let pairs = || self.bins.iter().zip(&other.bins);
        let equal = pairs().filter(|(a, b)| a == b && **a != EMPTY).count();
        if equal == 0 {
            // The most common case.
            return false;
        }
        let used = pairs().filter(|(a, b)| **a != EMPTY || **b != EMPTY).count();
        // A short text fills few bins; the same share of them must agree.
        equal * BINS >= used * MIN_EQUAL_BINS
    }

    /// Returns the number of letters of the text, at most 65 535. Emoji and other symbols count as letters.
    ///
    /// Similarity means little for short texts, since people use the same greetings: rules should require a minimum.
    #[must_use]
    pub fn letter_count(&self) -> u16 {
        self.letters
    }
}

fn is_counted(c: char) -> bool {
    // Arrows, shapes and emoji count as well; selectors and joiners do not.
    CharClass::new(c).is_letter()
        || matches!(c, '\u{2190}'..='\u{245f}' | '\u{2500}'..='\u{2bff}' | '\u{1f000}'..='\u{1faff}')
}

/// A seeded hash: multiplies to twice the width and folds both halves.
#[derive(Clone, Copy, Debug)]
struct SeededHash {
    first: u64,
    second: u64,
}

impl SeededHash {
    fn new(seed: u64) -> Self {
        // Digits of the golden ratio and of pi; any odd numbers without a pattern would do.
        let first = fold(seed ^ 0x9e37_79b9_7f4a_7c15, 0x2436_a885_a308_d313);
        Self { first, second: fold(first ^ seed, 0xc2b2_ae3d_27d4_eb4f) }
    }

    fn start(self) -> u64 {
        self.second
    }

    fn add(self, state: u64, value: u64) -> u64 {
        fold(state ^ value, self.first | 1)
    }

    fn gram(self, [a, b, c, d]: [u32; NGRAM as usize]) -> u64 {
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

    fn fingerprint(text: &str) -> Fingerprint {
        Fingerprint::new(&text.to_lowercase(), SEED)
    }

    const TEXT: &str = "win free coins now, visit our channel and get a bonus for your first deposit";

    #[test]
    fn gaps_between_letters_are_equal() {
        for (a, b) in [
            (TEXT, "  win   free coins - now! visit our channel and get a bonus for your first deposit !!! 4711"),
            ("raid 1", "RAID... 2"),
            ("Привет всем", "привет, всем!"),
            ("看这里看这里", "看这里看这里。"),
        ] {
            assert!(fingerprint(a).is_same(&fingerprint(b)), "{a} | {b}");
        }
        assert!(!fingerprint(TEXT).is_same(&fingerprint(&TEXT.replace("free", "cheap"))));
    }

    #[test]
    fn texts_with_a_small_change_are_similar() {
        for changed in [
            TEXT.replace("free", "cheap"),
            TEXT.replace("coins", "c0ins"),
            TEXT.replace("channel", "chanel"),
            format!("hello {TEXT}"),
            format!("{TEXT} 🎰🎰 xkcd"),
            TEXT.replace("bonus for", ""),
        ] {
            assert!(fingerprint(TEXT).is_similar(&fingerprint(&changed)), "{changed}");
        }
    }

    #[test]
    fn different_texts_are_not_similar() {
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
                assert!(!fingerprint(a).is_similar(&fingerprint(b)), "{a} | {b}");
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
            let (a, b) = (fingerprint(a), fingerprint(b));
            assert_eq!((a.is_same(&b), a.is_similar(&b)), (same, same), "{a:?} {b:?}");
        }
    }

    #[test]
    fn letters_are_counted() {
        assert_eq!(fingerprint("ab c, 12!").letter_count(), 3);
        assert_eq!(fingerprint("🎰🎰 é́漢").letter_count(), 4);
        assert_eq!(Fingerprint::new(&"a".repeat(70_000), SEED).letter_count(), u16::MAX);
        assert_eq!(size_of::<Fingerprint>(), 48);
    }

    #[test]
    fn fingerprints_of_different_seeds_are_not_similar() {
        assert!(!Fingerprint::new(TEXT, 1).is_similar(&Fingerprint::new(TEXT, 2)));
        assert!(!Fingerprint::new("a", 1).is_similar(&Fingerprint::new("a", 2)));
    }

    proptest! {
        #[test]
        fn similarity_is_reflexive_and_symmetric(a in "\\PC{0,40}|[a-c ]{0,20}", b in "\\PC{0,40}|[a-c ]{0,20}", seed: u64) {
            let (a, b) = (Fingerprint::new(&a, seed), Fingerprint::new(&b, seed));
            prop_assert!(a.is_same(&a) && a.is_similar(&a));
            prop_assert_eq!(a.is_similar(&b), b.is_similar(&a));
            prop_assert!(!a.is_same(&b) || a.is_similar(&b));
        }
    }
}
