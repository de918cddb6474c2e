//! The queue of held messages, which wait for a moderator.

mod config;
mod entries;
mod fill;
mod message;
mod shares;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use uuid::Uuid;

pub use self::config::{ExpiryAction, HeldConfig};
use self::entries::Entries;
pub use self::fill::FillLevel;
pub use self::message::HeldMessage;
use super::{InsertError, time};
use crate::model::{Actor, JudgedMessage, Reason};
use crate::store::{ChangeTracker, DirtyKeys, Persist, TableChanges};

/// The held messages, in the order in which they were held. Bounded.
#[derive(Debug)]
pub struct HeldQueue {
    config: HeldConfig,
    queue: Mutex<Entries>,
}

/// The result of holding a message.
#[derive(Debug, Default)]
pub struct Holding {
    /// The messages that gave way, oldest first. They are no longer held.
    pub displaced: Vec<HeldMessage>,
    /// The mark that the queue has reached, once each time.
    pub reached: Option<FillLevel>,
}

/// A message that is not held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotHeld {
    /// Why.
    pub error: InsertError,
    /// The mark that the queue has reached, once each time.
    pub reached: Option<FillLevel>,
}

impl HeldQueue {
    /// Creates an empty queue that is not stored.
    #[must_use]
    pub fn new(config: HeldConfig) -> Self {
        Self::with_changes(config, ChangeTracker::default())
    }

    pub(super) fn with_changes(config: HeldConfig, changes: ChangeTracker<u64>) -> Self {
        Self { config, queue: Mutex::new(Entries { changes, ..Entries::default() }) }
    }

    fn write<T>(&self, change: impl FnOnce(&mut Entries) -> T) -> T {
        let mut queue = self.lock();
        let result = change(&mut queue);
        queue.reported = queue.reported.min(FillLevel::with_slack(queue.shares.total(), &self.config));
        result
    }

    fn lock(&self) -> MutexGuard<'_, Entries> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the most messages that may be held.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.config.capacity
    }

    /// Returns what happens to expired messages.
    #[must_use]
    pub fn on_expiry(&self) -> ExpiryAction {
        self.config.on_expiry
    }

    /// Holds a message.
    ///
    /// At capacity, the newest message of the address that has most gives way, in its room that has most. That may be
    /// this message.
    ///
    /// # Errors
    /// [`InsertError::HeldFull`] and [`InsertError::HeldBytesFull`] if no address has more than that of this message,
    /// [`InsertError::DuplicateId`] if a message with this id is already held.
    pub fn hold(
        &self,
        recorded: impl Into<Arc<JudgedMessage>>,
        reason: Reason,
        held_by: Option<Actor>,
        now: Timestamp,
    ) -> Result<Holding, NotHeld> {
        let (recorded, mut queue) = (recorded.into(), self.lock());
        let id = recorded.decision.message.id;
        if queue.by_id.contains_key(&id) {
            return Err(NotHeld { error: InsertError::DuplicateId { id }, reached: None });
        }
        let expires_at = time::saturating_add(now, self.config.max_wait);
        let (number, message) = (queue.next, HeldMessage { recorded, reason, held_by, held_at: now, expires_at });
        match queue.make_room(&self.config, number, &message) {
            Ok(giving_way) => {
                let displaced = queue.remove_all(giving_way);
                queue.insert(number, message);
                let level = if displaced.is_empty() {
                    FillLevel::of(queue.shares.total(), &self.config)
                } else {
                    FillLevel::Full
                };
                Ok(Holding { displaced, reached: queue.report(level) })
            }
            Err(error) => Err(NotHeld { error, reached: queue.report(FillLevel::Full) }),
        }
    }

    /// Returns all held messages, oldest first.
    #[must_use]
    pub fn list(&self) -> Vec<HeldMessage> {
        self.lock().messages.values().cloned().collect()
    }

    /// Returns the held message with this id.
    #[must_use]
    pub fn get(&self, id: Uuid) -> Option<HeldMessage> {
        let queue = self.lock();
        queue.by_id.get(&id).and_then(|number| queue.messages.get(number)).cloned()
    }

    /// Removes the message with this id. Of concurrent callers, exactly one receives it.
    #[must_use]
    pub fn take(&self, id: Uuid) -> Option<HeldMessage> {
        self.write(|queue| {
            let number = queue.by_id.get(&id).copied()?;
            queue.remove(number)
        })
    }

    /// Removes the messages that have expired, oldest first.
    #[must_use]
    pub fn expired(&self, now: Timestamp) -> Vec<HeldMessage> {
        self.write(|queue| {
            let due = queue.by_expiry.range(..=(now, u64::MAX)).map(|(_, number)| *number).collect();
            queue.remove_all(due)
        })
    }

    /// Returns when the next message expires.
    #[must_use]
    pub fn next_expiry(&self) -> Option<Timestamp> {
        self.lock().by_expiry.first().map(|(expires, _)| *expires)
    }

    /// Removes the messages that `actor` has held since `since`, oldest first.
    #[must_use]
    pub fn undo(&self, actor: &Actor, since: Timestamp) -> Vec<HeldMessage> {
        self.take_all(|message| message.held_by.as_ref() == Some(actor) && message.held_at >= since)
    }

    /// Removes the messages that `is_taken` accepts, oldest first.
    #[must_use]
    pub fn take_all(&self, is_taken: impl Fn(&HeldMessage) -> bool) -> Vec<HeldMessage> {
        self.write(|queue| {
            let taken = queue.messages.iter().filter(|(_, message)| is_taken(message));
            let numbers = taken.map(|(number, _)| *number).collect();
            queue.remove_all(numbers)
        })
    }

    /// Adds messages read from the store.
    pub(super) fn load(&self, kept: Vec<(u64, HeldMessage)>) {
        let mut queue = self.lock();
        for (number, message) in kept {
            queue.insert(number, message);
        }
    }

    /// Returns the number of held messages.
    #[must_use]
    pub fn len(&self) -> usize {
        self.lock().messages.len()
    }

    /// Whether no message is held.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Persist for HeldQueue {
    type Record = HeldMessage;

    fn take_changes(&self) -> TableChanges<HeldMessage> {
        let mut queue = self.lock();
        let DirtyKeys { keys, is_everything: replaces_all } = queue.changes.take();
        let items = if replaces_all {
            queue.messages.iter().map(|(number, message)| (*number, Some(message.clone()))).collect()
        } else {
            keys.into_iter().map(|number| (number, queue.messages.get(&number).cloned())).collect()
        };
        TableChanges { replaces_all, items, next_key: None }
    }

    fn restore_changes(&self, changes: &TableChanges<HeldMessage>) {
        self.lock().changes.put_back(changes.keys(), changes.replaces_all);
    }
}

#[cfg(test)]
mod tests;
