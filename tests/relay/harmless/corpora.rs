//! The corpora: contents, budgets and files.

use super::{Speaker, repository};

/// Harmless texts of one kind.
#[derive(Debug)]
pub(super) struct Corpus {
    /// The file name, without `.txt`.
    pub(super) name: &'static str,
    /// A description of the texts.
    pub(super) description: &'static str,
    allowance: Allowance,
    /// Whether the budget applies only to members.
    members_only: bool,
}

/// The budget of a corpus.
#[derive(Clone, Copy, Debug)]
enum Allowance {
    None,
    /// Fewer than one in a thousand.
    UnderOneInThousand,
}

impl Corpus {
    /// The number of `texts` texts that may match when `speaker` sends them.
    pub(super) fn allowed_hits(&self, texts: usize, speaker: Speaker) -> usize {
        if self.members_only && speaker == Speaker::Newcomer {
            return texts;
        }
        match self.allowance {
            Allowance::None => 0,
            Allowance::UnderOneInThousand => texts.saturating_sub(1) / 1000,
        }
    }

    /// The texts, one a line.
    ///
    /// # Panics
    /// If they are missing: the tests must not pass without them.
    pub(super) fn read(&self) -> String {
        let path = repository("target/corpora").join(self.name).with_extension("txt");
        std::fs::read_to_string(&path)
            .unwrap_or_else(|e| panic!("{}: {e}\nFetch the corpora:  sh tests/corpora.sh", path.display()))
    }
}

const fn names(name: &'static str, about: &'static str) -> Corpus {
    Corpus { name, description: about, allowance: Allowance::None, members_only: false }
}

const fn speech(name: &'static str, about: &'static str) -> Corpus {
    Corpus { name, description: about, allowance: Allowance::UnderOneInThousand, members_only: false }
}

pub(super) static CORPORA: [Corpus; 19] = [
    names("towns", "names of towns"),
    names("crs", "coordinate systems"),
    names("layers", "names of layers"),
    names("files", "names of files"),
    speech("sentences-en", "sentences, English"),
    speech("sentences-fr", "sentences, French"),
    speech("sentences-de", "sentences, German"),
    speech("sentences-es", "sentences, Spanish"),
    speech("sentences-it", "sentences, Italian"),
    speech("sentences-ru", "sentences, Russian"),
    speech("sentences-el", "sentences, Greek"),
    Corpus { members_only: true, ..speech("links", "links") },
    speech("words-en", "words, English"),
    speech("words-fr", "words, French"),
    speech("words-de", "words, German"),
    speech("words-es", "words, Spanish"),
    speech("words-it", "words, Italian"),
    speech("words-ru", "words, Russian"),
    speech("words-el", "words, Greek"),
];

/// Describes the origin of the texts, for the document.
pub(super) const ORIGINS: &str = "\
- Names of towns: places with 1 000 people or more; those with 15 000 also by their names in Cyrillic and Greek letters,
  those with 100 000 by their names in all languages.
- Coordinate systems: names, older names and codes that PROJ knows.
- Names of layers: background maps that a map editor offers.
- Names of files: grids that PROJ knows, example data sets, pictures of layers, and made-up names in common styles.
- Sentences: web pages and newspapers, small talk, and messages of a map editor and a home automation program; of 20 to
  255 characters, none of them entirely in capitals.
- Links: such sentences and names of layers with links in them.
- Words: the 30 000 most frequent in films.
";
