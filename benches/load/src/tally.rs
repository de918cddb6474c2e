//! Counts of the texts that all members together received.

use crate::frames::{self, Kind};

/// The counts, by kind.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// Chat messages.
    pub(crate) chat: u64,
    /// Announcements of presence.
    pub(crate) presence: u64,
    refused: u64,
    /// The first refusal, as a sample.
    notice: Option<String>,
}

impl Tally {
    /// Counts `text` and returns its kind.
    #[inline]
    pub(crate) fn count(&mut self, text: &[u8]) -> Kind {
        let kind = frames::kind(text);
        match kind {
            Kind::Chat => self.chat += 1,
            Kind::Presence => self.presence += 1,
            Kind::Refusal => {
                self.refused += 1;
                self.notice.get_or_insert_with(|| String::from_utf8_lossy(text).into_owned());
            }
        }
        kind
    }

    /// All texts.
    pub(crate) fn texts(&self) -> u64 {
        self.chat + self.presence + self.refused
    }

    /// Returns a description of the refusals, if any. A run with refusals measures nothing.
    pub(crate) fn problem(&self) -> Option<String> {
        let notice = self.notice.as_ref()?;
        Some(format!("{} messages refused, the first with {notice}", self.refused))
    }
}
