//! The feed: notes for moderators, such as "a plugin was suspended" or "the rules were reloaded". It is a view of the
//! [`Journal`].

use std::sync::Arc;

use jiff::Timestamp;
use tokio::sync::watch;

use super::journal::{Journal, JournalEntry, JournalEvent, JournalPage};
use super::note::{Note, NoteKind};

/// Longest text of a note, in bytes.
const MAX_TEXT: usize = 2_000;

/// The notes of a journal.
#[derive(Debug, Default)]
pub struct Feed {
    journal: Arc<Journal>,
    /// Changes when a note is added.
    added: watch::Sender<()>,
}

/// Notes after a given number.
#[derive(Debug)]
pub struct NotePage {
    /// The notes with their entry numbers, oldest first.
    pub notes: Vec<(u64, Note)>,
    /// Whether notes between the given number and these are no longer kept.
    pub has_gap: bool,
}

impl Feed {
    /// Creates a view of `journal`.
    #[must_use]
    pub fn new(journal: Arc<Journal>) -> Self {
        Self { journal, added: watch::Sender::default() }
    }

    /// Adds a note. The text is truncated to 2 000 bytes.
    pub fn note(&self, kind: NoteKind, text: &str, plugin: Option<Arc<str>>) {
        let text = text.get(..text.floor_char_boundary(MAX_TEXT)).unwrap_or_default();
        let note = Note { at: Timestamp::now(), kind, text: text.into(), plugin };
        self.journal.push(JournalEvent::Note(note));
        self.added.send_replace(());
    }

    /// Returns a receiver for which [`watch::Receiver::changed`] completes when [`Feed::after`] has new notes; one wake-up
    /// may stand for several notes. Adding a note never waits for receivers.
    #[must_use]
    pub fn subscribe(&self) -> watch::Receiver<()> {
        self.added.subscribe()
    }

    /// Returns up to `limit` notes after the entry of this number, oldest first. A number that is not yet assigned returns
    /// the notes from the beginning: it is from an earlier run whose clock was ahead.
    #[must_use]
    pub fn after(&self, id: u64, limit: usize) -> NotePage {
        let id = if id > self.journal.last_id() { 0 } else { id };
        let JournalPage { entries, has_gap, .. } = self.journal.notes_after(id, limit);
        let note = |JournalEntry { id, event }| match event {
            JournalEvent::Note(note) => Some((id, note)),
            JournalEvent::Decision(_) | JournalEvent::Act(_) => None,
        };
        NotePage { notes: entries.into_iter().filter_map(note).collect(), has_gap }
    }
}

#[cfg(test)]
mod tests {
    use super::super::journal::MAX_NOTES;
    use super::*;

    /// Adds a note and returns the number of its entry.
    fn note(feed: &Feed) -> u64 {
        feed.note(NoteKind::Reloaded, "x", None);
        feed.journal.last_id()
    }

    fn ids(feed: &Feed, after: u64, limit: usize) -> Vec<u64> {
        feed.after(after, limit).notes.iter().map(|(id, _)| *id).collect()
    }

    #[test]
    fn notes_are_returned_oldest_first_after_the_given_number() {
        let feed = Feed::default();
        assert!(ids(&feed, 0, 10).is_empty());
        let added: Vec<u64> = (0..5).map(|_| note(&feed)).collect();
        assert_eq!(ids(&feed, 0, 2), added[..2]);
        assert_eq!(ids(&feed, added[1], 10), added[2..]);
        assert!(ids(&feed, added[4], 10).is_empty());
        assert_eq!(ids(&feed, added[4] + 1, 10), added, "a number that is not yet assigned");
    }

    #[test]
    fn the_last_thousand_notes_are_kept() {
        let feed = Feed::default();
        let added: Vec<u64> = (0..2_500).map(|_| note(&feed)).collect();
        let kept = &added[2_500 - MAX_NOTES..];
        assert_eq!(ids(&feed, 0, usize::MAX), kept);
        assert!(feed.after(kept[0] - 2, 1).has_gap);
        assert!(!feed.after(kept[0] - 1, 1).has_gap);
    }

    #[tokio::test]
    async fn a_subscriber_is_woken_and_finds_the_notes() {
        let feed = Arc::new(Feed::default());
        let mut added = feed.subscribe();
        let noting = tokio::spawn({
            let feed = Arc::clone(&feed);
            async move { (0..3).for_each(|_| feed.note(NoteKind::Raid, "x", None)) }
        });
        while ids(&feed, 0, 10).len() < 3 {
            added.changed().await.unwrap();
        }
        noting.await.unwrap();
    }

    #[test]
    fn a_text_is_truncated_at_its_limit() {
        let feed = Feed::default();
        feed.note(NoteKind::PluginSuspended, &format!("x{}", "é".repeat(5_000)), Some("mine".into()));
        assert_eq!(feed.after(0, 1).notes.first().map(|(_, note)| note.text.len()), Some(MAX_TEXT - 1));
    }
}
