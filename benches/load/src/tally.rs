//! Counts of the texts that all members together received.

use crate::frames::Text;
use crate::generation::{Generation, Kind};

/// The counts, by kind.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// Messages of members.
    pub(crate) messages: u64,
    /// Announcements of presence.
    pub(crate) presence: u64,
    refused: Unexpected,
    foreign: Unexpected,
}

/// Texts that should not arrive.
#[derive(Debug, Default)]
struct Unexpected {
    count: u64,
    /// The first one.
    sample: Option<String>,
}

impl Tally {
    /// Counts a text to a member of `generation` and returns its kind.
    #[inline]
    pub(crate) fn count(&mut self, generation: Generation, text: Text<'_>) -> Kind {
        let kind = generation.kind(text);
        match kind {
            Kind::Message => self.messages += 1,
            Kind::Presence => self.presence += 1,
            Kind::Refusal => self.refused.add(text),
            Kind::Foreign => self.foreign.add(text),
        }
        kind
    }

    /// All texts.
    pub(crate) fn texts(&self) -> u64 {
        self.messages + self.presence + self.refused.count + self.foreign.count
    }

    /// Returns descriptions of what should not have arrived. A run with refusals measures nothing.
    pub(crate) fn problems(&self) -> impl Iterator<Item = String> {
        let kinds = [(&self.refused, "messages refused"), (&self.foreign, "frames of another generation")];
        kinds.into_iter().filter_map(|(Unexpected { count, sample }, what)| {
            Some(format!("{count} {what}, the first with {}", sample.as_ref()?))
        })
    }
}

impl Unexpected {
    #[cold]
    fn add(&mut self, text: Text<'_>) {
        self.count += 1;
        self.sample.get_or_insert_with(|| String::from_utf8_lossy(text.head).into_owned());
    }
}
