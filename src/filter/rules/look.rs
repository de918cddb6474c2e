//! One text, and what can be seen in it: each fact is found when the first rule asks for it.

use std::cell::OnceCell;
use std::ops::Range;

use crate::matching::{Letters, Mentions, language, letters, links, mentions};

/// A text that rules look at.
pub(super) struct Look<'t> {
    text: &'t str,
    /// The text with its disguises undone.
    clean: &'t str,
    links: OnceCell<Vec<FoundLink>>,
    mentions: OnceCell<Mentions>,
    letters: OnceCell<Letters>,
    language: OnceCell<Option<&'static str>>,
}

/// Where a text leads.
pub(super) struct FoundLink {
    /// Its place in the text.
    pub(super) bytes: Range<usize>,
    pub(super) host: String,
}

impl<'t> Look<'t> {
    pub(super) fn at(text: &'t str, clean: &'t str) -> Self {
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
            links(self.text, |link| found.push(FoundLink { bytes: link.bytes.clone(), host: link.host.to_string() }));
            found
        })
    }

    pub(super) fn mentions(&self) -> &Mentions {
        self.mentions.get_or_init(|| {
            let plain = mentions(self.text);
            if self.text.is_ascii() {
                return plain;
            }
            // Whoever is called in disguise is called. The place is that of the text, if it is called there too.
            let undone = mentions(self.clean);
            Mentions { names: plain.names.max(undone.names), everyone: plain.everyone || undone.everyone, ..plain }
        })
    }

    pub(super) fn letters(&self) -> &Letters {
        self.letters.get_or_init(|| letters(self.text))
    }

    pub(super) fn language(&self) -> Option<&'static str> {
        *self.language.get_or_init(|| language(self.text))
    }
}
