//! The feed: notes for moderators, such as "a plugin was suspended" or "the rules were reloaded".

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use tokio::sync::watch;

/// Notes kept; the oldest are dropped first.
pub const MAX_NOTES: usize = 1_000;
/// Longest text of a note, in bytes.
const MAX_TEXT: usize = 2_000;

/// The most recent notes, in order.
#[derive(Debug, Default)]
pub struct Feed {
    ring: Mutex<Ring>,
    /// The id of the newest note; 0 before the first.
    last_id: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct Ring {
    notes: VecDeque<Note>,
    last_id: u64,
}

/// A note for moderators.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// The id: consecutive, from 1 at each start.
    pub id: u64,
    /// When it was added.
    pub at: Timestamp,
    /// Its kind.
    pub kind: NoteKind,
    /// What happened, for people.
    pub text: Arc<str>,
    /// The plugin concerned, if any.
    pub plugin: Option<Arc<str>>,
}

/// The kind of a note. Programs may rely on the names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NoteKind {
    /// A plugin failed too often and is suspended.
    PluginSuspended,
    /// A suspended plugin is healthy again.
    PluginHealthy,
    /// A plugin was loaded.
    PluginLoaded,
    /// A plugin could not be loaded.
    PluginNotLoaded,
    /// A plugin was removed.
    PluginRemoved,
    /// Rules and plugins were reloaded.
    Reloaded,
    /// The rules files have errors; the previous rules stay in force.
    RulesInvalid,
    /// Many senders send nearly the same text to a room. Noted once per raid.
    Raid,
    /// A message is held. The note names the room, never the text of the message.
    MessageHeld,
    /// A rule or plugin rejected too much and only observes from now on. Noted once.
    BreakerTripped,
    /// A part of the relay is not available.
    Degraded,
    /// A part of the relay works again.
    Recovered,
    /// Notes were lost because too many were added at a time.
    NotesLost,
}

impl NoteKind {
    /// Returns the stable name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::PluginSuspended => "plugin_suspended",
            Self::PluginHealthy => "plugin_healthy",
            Self::PluginLoaded => "plugin_loaded",
            Self::PluginNotLoaded => "plugin_not_loaded",
            Self::PluginRemoved => "plugin_removed",
            Self::Reloaded => "reloaded",
            Self::RulesInvalid => "rules_invalid",
            Self::Raid => "raid",
            Self::MessageHeld => "message_held",
            Self::BreakerTripped => "breaker_tripped",
            Self::Degraded => "degraded",
            Self::Recovered => "recovered",
            Self::NotesLost => "notes_lost",
        }
    }
}

impl Feed {
    /// Adds a note. The text is truncated to 2 000 bytes.
    pub fn note(&self, kind: NoteKind, text: &str, plugin: Option<Arc<str>>) {
        let text = text.get(..text.floor_char_boundary(MAX_TEXT)).unwrap_or_default();
        let mut ring = self.ring.lock().unwrap_or_else(PoisonError::into_inner);
        ring.last_id += 1;
        let note = Note { id: ring.last_id, at: Timestamp::now(), kind, text: text.into(), plugin };
        if ring.notes.len() >= MAX_NOTES {
            ring.notes.pop_front();
        }
        ring.notes.push_back(note);
        // Sent under the lock, so that subscribers see ids only grow.
        self.last_id.send_replace(ring.last_id);
    }

    /// Returns a receiver of the id of the newest note. [`watch::Receiver::changed`] completes when [`Feed::after`] has
    /// new notes; one wake-up may stand for several notes. Adding a note never waits for receivers.
    #[must_use]
    pub fn subscribe(&self) -> watch::Receiver<u64> {
        self.last_id.subscribe()
    }

    /// Returns up to `limit` notes with an id above `id`, oldest first. An `id` not yet assigned comes from an earlier
    /// run and returns notes from the beginning.
    #[must_use]
    pub fn after(&self, id: u64, limit: usize) -> Vec<Note> {
        let ring = self.ring.lock().unwrap_or_else(PoisonError::into_inner);
        let id = if id > ring.last_id { 0 } else { id };
        let begin = ring.notes.partition_point(|note| note.id <= id);
        ring.notes.range(begin..).take(limit).cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(feed: &Feed, after: u64, limit: usize) -> Vec<u64> {
        feed.after(after, limit).iter().map(|note| note.id).collect()
    }

    #[test]
    fn notes_are_returned_oldest_first_after_the_given_id() {
        let feed = Feed::default();
        assert!(ids(&feed, 0, 10).is_empty());
        for _ in 0..5 {
            feed.note(NoteKind::Reloaded, "x", None);
        }
        assert_eq!(ids(&feed, 0, 2), [1, 2]);
        assert_eq!(ids(&feed, 2, 10), [3, 4, 5]);
        assert!(ids(&feed, 5, 10).is_empty());
        assert_eq!(ids(&feed, 6, 10), [1, 2, 3, 4, 5], "an id of an earlier run");
    }

    #[test]
    fn the_last_thousand_notes_are_kept_and_ids_continue() {
        let feed = Feed::default();
        for _ in 0..2_500 {
            feed.note(NoteKind::Reloaded, "x", None);
        }
        let kept = ids(&feed, 0, usize::MAX);
        assert_eq!((kept.len(), kept.first(), kept.last()), (MAX_NOTES, Some(&1_501), Some(&2_500)));
        assert_eq!(ids(&feed, 2_498, 10), [2_499, 2_500]);
    }

    #[tokio::test]
    async fn a_subscriber_is_woken_and_finds_the_notes() {
        let feed = Arc::new(Feed::default());
        let mut newest = feed.subscribe();
        assert_eq!(*newest.borrow_and_update(), 0);
        let noting = tokio::spawn({
            let feed = Arc::clone(&feed);
            async move { (0..3).for_each(|_| feed.note(NoteKind::Raid, "x", None)) }
        });
        newest.wait_for(|id| *id == 3).await.unwrap();
        assert_eq!(ids(&feed, 0, 10), [1, 2, 3]);
        noting.await.unwrap();
    }

    #[test]
    fn a_text_is_truncated_at_its_limit() {
        let feed = Feed::default();
        feed.note(NoteKind::PluginSuspended, &format!("x{}", "é".repeat(5_000)), Some("mine".into()));
        assert_eq!(feed.after(0, 1).first().map(|note| note.text.len()), Some(MAX_TEXT - 1));
    }
}
