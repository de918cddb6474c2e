//! Holding messages for moderators, and refusing held ones without a moderator.

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use uuid::Uuid;

use super::error::InsertError;
use super::handle::{Moderation, ModerationEvent};
use super::held::{FillLevel, HeldMessage, Holding, NotHeld};
use super::note::NoteKind;
use super::sanctions::concerns;
use crate::model::{ActKind, Actor, JudgedMessage, Reason, ReasonCode, RoomName, Sanction};

/// Shortest time between two notes about held messages.
const NOTE_INTERVAL: Duration = Duration::from_mins(1);

/// Shown to the sender of a message that is not held, or no longer.
const QUEUE_FULL: &str = "this message needs a moderator, and too many messages are held already";

impl Moderation {
    /// Holds a message for a moderator. A message that gives way for it is refused.
    ///
    /// # Errors
    /// The [`Reason`] for the sender when the message cannot be held.
    pub fn hold(&self, judged: &JudgedMessage) -> Result<(), Reason> {
        let decision = &judged.decision;
        let reason = decision.reason.clone().unwrap_or_else(|| Reason::new(ReasonCode::Held, ""));
        let actor = decision.deciding_match().and_then(|matched| matched.basis.actor());
        let mut kept = judged.clone();
        // The nicknames in the room are not needed later and would be stored with each message.
        kept.sender.context.nicknames = Arc::default();
        let held = self.state().held().hold(kept, reason, actor, self.now());
        let (result, reached) = match held {
            Ok(Holding { displaced, reached }) => {
                for message in displaced {
                    self.report_refused(Actor::Relay, &message, QUEUE_FULL.into(), ReasonCode::HoldUnavailable);
                }
                (Ok(()), reached)
            }
            Err(NotHeld { error, reached }) => {
                let text = match error {
                    InsertError::DuplicateId { .. } => "a message with this id is already held",
                    _ => QUEUE_FULL,
                };
                (Err(Reason::new(ReasonCode::HoldUnavailable, text)), reached)
            }
        };
        if let Some(level) = reached {
            self.note_fill(level);
        }
        if result.is_ok() {
            self.note_held(&judged.sender.room);
        }
        result
    }

    /// Returns a future that resolves once the messages held so far are on disk, or cannot be written, after 5 s at most. It
    /// tells whether this one is still held. `None` without a store.
    pub fn held_on_disk(&self, message: Uuid) -> Option<impl Future<Output = bool> + Send + 'static> {
        let state = Arc::clone(self.state());
        state.is_stored().then_some(async move {
            // The store reports failures. The message is held in memory meanwhile.
            let _failed = state.flush().await;
            state.held().get(message).is_some()
        })
    }

    /// Refuses the held messages of somebody who is muted or banned, `except` for one. Each is an act of whoever imposed
    /// the sanction.
    pub fn refuse_held_of(&self, sanction: &Sanction, except: Option<Uuid>) {
        if !sanction.kind.has_duration() {
            return;
        }
        let refused = self.state().held().take_all(|held| {
            let JudgedMessage { sender, decision, .. } = &*held.recorded;
            Some(decision.message.id) != except && concerns(sanction, sender, &decision.message.author)
        });
        for held in refused {
            let text = "you were muted or banned, and your message was not sent".into();
            self.report_refused(sanction.actor.clone(), &held, text, ReasonCode::HeldRefused);
        }
    }

    /// Records that a held message was refused, and tells its sender.
    fn report_refused(&self, actor: Actor, held: &HeldMessage, text: Cow<'static, str>, code: ReasonCode) {
        let sender = &held.recorded.sender;
        self.record_detached(actor, Some(sender.room.clone()), ActKind::Refused { message: held.id() });
        if let Some(connection) = sender.connection {
            self.send_event(ModerationEvent::Refused(connection, Reason::new(code, text)));
        }
    }

    /// Notes that a message is held, at most once a minute.
    fn note_held(&self, room: &RoomName) {
        let now = u64::try_from(self.since_start().as_millis()).unwrap_or(u64::MAX).saturating_add(1);
        let last = self.last_held_note.load(Ordering::Relaxed);
        let is_due = last == 0 || u128::from(now.saturating_sub(last)) >= NOTE_INTERVAL.as_millis();
        if is_due && self.last_held_note.compare_exchange(last, now, Ordering::Relaxed, Ordering::Relaxed).is_ok() {
            let waiting = self.state().held().len();
            self.note(NoteKind::MessageHeld, &format!("{waiting} messages held, the latest in {room}"));
        }
    }

    fn note_fill(&self, level: FillLevel) {
        let held = self.state().held();
        let (waiting, capacity) = (held.len(), held.capacity());
        let state = match level {
            FillLevel::Low => return,
            FillLevel::Half => "half full",
            FillLevel::NearlyFull => "nine tenths full",
            FillLevel::Full => "full: the newest messages of the addresses that have most are refused",
        };
        self.note(NoteKind::HeldQueue, &format!("{waiting} messages held of at most {capacity}; the queue is {state}"));
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use jiff::Timestamp;

    use super::*;
    use crate::fixtures::{decision, judged, message};
    use crate::model::{Message, Outcome};
    use crate::moderation::{Config, Feed, Journal, State};
    use crate::store;

    /// The service of a relay that starts now by the monotonic clock, and at this time by the calendar.
    fn started_at(now: Timestamp) -> Moderation {
        let state = Arc::new(State::open(&Config::default(), &store::Config::default(), now).unwrap());
        let journal = Arc::new(Journal::new(now));
        let feed = Arc::new(Feed::new(Arc::clone(&journal)));
        Moderation::new(state, journal, None, feed, Instant::now()).0
    }

    fn hold_at(moderation: &Moderation, at: Timestamp) {
        let message = Message { at, ..message("hans", "text") };
        moderation.hold(&judged(decision(message, Outcome::Hold))).unwrap();
    }

    fn notes(moderation: &Moderation) -> usize {
        let notes = moderation.feed().after(0, 100).notes;
        notes.iter().filter(|(_, note)| note.kind == NoteKind::MessageHeld).count()
    }

    #[test]
    fn a_clock_that_is_set_neither_releases_a_held_message_nor_keeps_it() {
        let start = Timestamp::from_second(1_800_000_000).unwrap();
        let moderation = started_at(start);
        for days in [-400_i64, 0, 400] {
            hold_at(&moderation, start.checked_add(jiff::SignedDuration::from_hours(24 * days)).unwrap());
        }
        assert_eq!(moderation.state().held().expired(moderation.now()).len(), 0);
        let half_an_hour = moderation.state().time_at(Duration::from_mins(31));
        assert_eq!(moderation.state().held().expired(half_an_hour).len(), 3);
    }

    #[test]
    fn a_clock_that_is_set_does_not_change_the_pace_of_notes() {
        let start = Timestamp::from_second(1_800_000_000).unwrap();
        let moderation = started_at(start);
        for days in [400_i64, 0, 800] {
            hold_at(&moderation, start.checked_add(jiff::SignedDuration::from_hours(24 * days)).unwrap());
        }
        assert_eq!(notes(&moderation), 1);
    }
}
