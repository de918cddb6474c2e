//! Features of a text, each computed when a rule first needs it.

use std::cell::OnceCell;
use std::ops::Range;

use crate::matching::{LetterStats, Mentions, detect_language, find_links, find_mentions, letter_stats};

/// A text with its features.
pub(super) struct TextFeatures<'t> {
    text: &'t str,
    /// The folded text.
    clean: &'t str,
    links: OnceCell<Vec<FoundLink>>,
    mentions: OnceCell<Mentions>,
    letters: OnceCell<LetterStats>,
    language: OnceCell<Option<&'static str>>,
}

/// A link in a text.
pub(super) struct FoundLink {
    /// Its range in the text.
    pub(super) bytes: Range<usize>,
    pub(super) host: String,
}

impl<'t> TextFeatures<'t> {
    pub(super) fn new(text: &'t str, clean: &'t str) -> Self {
        Self {
            text,
            clean,
            links: OnceCell::new(),
            mentions: OnceCell::new(),
            letters: OnceCell::new(),
            language: OnceCell::new(),
        }
    }

    pub(super) fn links(&self) -> &[FoundLink] {
        self.links.get_or_init(|| {
            let mut found = Vec::new();
            find_links(self.text, |link| {
                found.push(FoundLink { bytes: link.bytes.clone(), host: link.host.to_string() });
            });
            found
        })
    }

    pub(super) fn mentions(&self) -> &Mentions {
        self.mentions.get_or_init(|| {
            let plain = find_mentions(self.text);
            if self.text.is_ascii() {
                return plain;
            }
            // A disguised mention counts as well. The range is that of an undisguised one, if any.
            let undisguised = find_mentions(self.clean);
            Mentions {
                names: plain.names.max(undisguised.names),
                everyone: plain.everyone || undisguised.everyone,
                ..plain
            }
        })
    }

    pub(super) fn letters(&self) -> &LetterStats {
        self.letters.get_or_init(|| letter_stats(self.text))
    }

    pub(super) fn language(&self) -> Option<&'static str> {
        *self.language.get_or_init(|| detect_language(self.text))
    }
}
