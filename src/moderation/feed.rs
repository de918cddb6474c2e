//! What moderators should know, as it happens: a plugin was set aside, the rules were read again.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use tokio::sync::watch;

/// Notes that are kept; the oldest ones go first.
pub const MAX_NOTES: usize = 1_000;
/// Longest text of a note, in bytes.
const MAX_TEXT: usize = 2_000;

/// The last notes, in their order.
#[derive(Debug, Default)]
pub struct Feed {
    ring: Mutex<Ring>,
    /// The id of the newest note; 0 before the first.
    newest: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct Ring {
    notes: VecDeque<Note>,
    last_id: u64,
}

/// Something that moderators should know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// Its number, from 1 on, each one more than the one before.
    pub id: u64,
    /// When it was noted.
    pub at: Timestamp,
    /// What it is about.
    pub kind: Kind,
    /// What happened, for people.
    pub text: Arc<str>,
    /// The plugin that it is about.
    pub plugin: Option<Arc<str>>,
}

/// The kinds of note, by names that programs may rely on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A plugin failed too often and is not asked for a while.
    PluginSetAside,
    /// A plugin that was set aside works again.
    PluginWell,
    /// A plugin was loaded.
    PluginLoaded,
    /// A plugin could not be loaded.
    PluginNotLoaded,
    /// A plugin was removed.
    PluginGone,
    /// Rules and plugins were read again.
    Reloaded,
    /// Rules were to be read again, and stay as they are.
    RulesAtFault,
    /// Many senders say nearly the same in a room. Noted once, however many they are.
    Raid,
    /// A message waits for a moderator. The note tells the room and why, never the message's text.
    MessageHeld,
    /// A rule or plugin refused too much, and only observes from now on. Noted once.
    BrakePulled,
    /// The relay runs without a part of itself.
    Degraded,
    /// A part of the relay works again.
    Recovered,
    /// Notes were lost, because too many came at once.
    NotesLost,
}

impl Kind {
    /// The stable name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::PluginSetAside => "plugin_set_aside",
            Self::PluginWell => "plugin_well",
            Self::PluginLoaded => "plugin_loaded",
            Self::PluginNotLoaded => "plugin_not_loaded",
            Self::PluginGone => "plugin_gone",
            Self::Reloaded => "reloaded",
            Self::RulesAtFault => "rules_at_fault",
            Self::Raid => "raid",
            Self::MessageHeld => "message_held",
            Self::BrakePulled => "brake_pulled",
            Self::Degraded => "degraded",
            Self::Recovered => "recovered",
            Self::NotesLost => "notes_lost",
        }
    }
}

impl Feed {
    /// Notes something. A text over 2 000 bytes is cut.
    pub fn note(&self, kind: Kind, text: &str, plugin: Option<Arc<str>>) {
        let text = text.get(..text.floor_char_boundary(MAX_TEXT)).unwrap_or_default();
        let mut ring = self.ring.lock().unwrap_or_else(PoisonError::into_inner);
        ring.last_id += 1;
        let note = Note { id: ring.last_id, at: Timestamp::now(), kind, text: text.into(), plugin };
        if ring.notes.len() >= MAX_NOTES {
            ring.notes.pop_front();
        }
        ring.notes.push_back(note);
        // While the ring is locked, so that the ids that are told only grow.
        self.newest.send_replace(ring.last_id);
    }

    /// Tells the id of the newest note, again and again: whoever waits for [`watch::Receiver::changed`] wakes up when
    /// there are notes to ask [`Feed::after`] for. Notes that come together may wake it once. Nobody who notes something
    /// waits for those who are told.
    #[must_use]
    pub fn newest(&self) -> watch::Receiver<u64> {
        self.newest.subscribe()
    }

    /// The first notes after the one of this id that are still kept, at most `limit`, the oldest first. An id that has
    /// not been given yet is one of an earlier run: then it is all of them.
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
    fn notes_come_oldest_first_and_after_the_last_one_that_is_known() {
        let feed = Feed::default();
        assert!(ids(&feed, 0, 10).is_empty());
        for _ in 0..5 {
            feed.note(Kind::Reloaded, "x", None);
        }
        assert_eq!(ids(&feed, 0, 2), [1, 2]);
        assert_eq!(ids(&feed, 2, 10), [3, 4, 5]);
        assert!(ids(&feed, 5, 10).is_empty());
        assert_eq!(ids(&feed, 6, 10), [1, 2, 3, 4, 5], "an id of an earlier run");
    }

    #[test]
    fn a_thousand_notes_are_kept_and_ids_go_on() {
        let feed = Feed::default();
        for _ in 0..2_500 {
            feed.note(Kind::Reloaded, "x", None);
        }
        let kept = ids(&feed, 0, usize::MAX);
        assert_eq!((kept.len(), kept.first(), kept.last()), (MAX_NOTES, Some(&1_501), Some(&2_500)));
        assert_eq!(ids(&feed, 2_498, 10), [2_499, 2_500]);
    }

    #[tokio::test]
    async fn who_waits_for_notes_is_woken_and_finds_them() {
        let feed = Arc::new(Feed::default());
        let mut newest = feed.newest();
        assert_eq!(*newest.borrow_and_update(), 0);
        let noting = tokio::spawn({
            let feed = Arc::clone(&feed);
            async move { (0..3).for_each(|_| feed.note(Kind::Raid, "x", None)) }
        });
        newest.wait_for(|id| *id == 3).await.unwrap();
        assert_eq!(ids(&feed, 0, 10), [1, 2, 3]);
        noting.await.unwrap();
    }

    #[test]
    fn a_text_is_cut_at_its_limit() {
        let feed = Feed::default();
        feed.note(Kind::PluginSetAside, &format!("x{}", "é".repeat(5_000)), Some("mine".into()));
        assert_eq!(feed.after(0, 1).first().map(|note| note.text.len()), Some(MAX_TEXT - 1));
    }
}
