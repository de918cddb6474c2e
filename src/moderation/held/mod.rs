//! The queue of held messages, which wait for a moderator.

mod config;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use self::config::{ExpiryAction, HeldConfig};
use super::{InsertError, time};
use crate::model::{Actor, JudgedMessage, Reason};
use crate::store::{ChangeTracker, DirtyKeys, Persist, Record, TableChanges};

/// A held message.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct HeldMessage {
    /// The message, its sender and the decision to hold it.
    #[serde(flatten)]
    pub recorded: Arc<JudgedMessage>,
    /// Why it is held, for its sender.
    pub reason: Reason,
    /// The rule or plugin that holds it; `None` for a level.
    #[serde(rename = "cause")]
    pub held_by: Option<Actor>,
    /// When it was held.
    pub held_at: Timestamp,
    /// When it expires.
    #[serde(rename = "expires")]
    pub expires_at: Timestamp,
}

impl Record for HeldMessage {
    const TABLE: &'static str = "held";
    const NAME: &'static str = "held message";
    const VERSION: u32 = 2;
}

impl HeldMessage {
    /// Returns the id of the message.
    #[must_use]
    pub fn id(&self) -> Uuid {
        self.recorded.decision.message.id
    }

    fn bytes(&self) -> usize {
        self.recorded.decision.message.size()
    }
}

/// The held messages, in the order in which they were held. Bounded.
#[derive(Debug)]
pub struct HeldQueue {
    config: HeldConfig,
    queue: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    /// Keyed by number, which is the order of holding.
    messages: BTreeMap<u64, HeldMessage>,
    by_id: HashMap<Uuid, u64>,
    by_expiry: BTreeSet<(Timestamp, u64)>,
    next: u64,
    /// Size of all messages.
    bytes: usize,
    changes: ChangeTracker<u64>,
}

impl Inner {
    fn insert(&mut self, number: u64, message: HeldMessage) {
        self.next = self.next.max(number.saturating_add(1));
        self.by_id.insert(message.id(), number);
        self.by_expiry.insert((message.expires_at, number));
        self.bytes += message.bytes();
        self.messages.insert(number, message);
        self.changes.mark(number);
    }

    fn remove(&mut self, number: u64) -> Option<HeldMessage> {
        let message = self.messages.remove(&number)?;
        self.bytes -= message.bytes();
        self.by_id.remove(&message.id());
        self.by_expiry.remove(&(message.expires_at, number));
        self.changes.mark(number);
        Some(message)
    }

    fn remove_all(&mut self, mut numbers: Vec<u64>) -> Vec<HeldMessage> {
        numbers.sort_unstable();
        numbers.into_iter().filter_map(|number| self.remove(number)).collect()
    }
}

impl HeldQueue {
    /// Creates an empty queue that is not stored.
    #[must_use]
    pub fn new(config: HeldConfig) -> Self {
        Self::with_changes(config, ChangeTracker::default())
    }

    pub(super) fn with_changes(config: HeldConfig, changes: ChangeTracker<u64>) -> Self {
        Self { config, queue: Mutex::new(Inner { changes, ..Inner::default() }) }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
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
    /// # Errors
    /// [`InsertError::HeldFull`] and [`InsertError::HeldBytesFull`] at capacity, [`InsertError::DuplicateId`] if a message with this id is already held.
    pub fn hold(
        &self,
        recorded: impl Into<Arc<JudgedMessage>>,
        reason: Reason,
        held_by: Option<Actor>,
        now: Timestamp,
    ) -> Result<(), InsertError> {
        let (recorded, mut queue) = (recorded.into(), self.lock());
        let id = recorded.decision.message.id;
        if queue.by_id.contains_key(&id) {
            return Err(InsertError::DuplicateId { id });
        }
        if queue.messages.len() >= self.config.capacity {
            return Err(InsertError::HeldFull { limit: self.config.capacity });
        }
        if queue.bytes + recorded.decision.message.size() > self.config.max_bytes {
            return Err(InsertError::HeldBytesFull { limit: self.config.max_bytes });
        }
        let expires_at = time::saturating_add(now, self.config.max_wait);
        let number = queue.next;
        queue.insert(number, HeldMessage { recorded, reason, held_by, held_at: now, expires_at });
        Ok(())
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
        let mut queue = self.lock();
        let number = queue.by_id.get(&id).copied()?;
        queue.remove(number)
    }

    /// Removes the messages that have expired, oldest first.
    #[must_use]
    pub fn expired(&self, now: Timestamp) -> Vec<HeldMessage> {
        let mut queue = self.lock();
        let due = queue.by_expiry.range(..=(now, u64::MAX)).map(|(_, number)| *number).collect();
        queue.remove_all(due)
    }

    /// Returns when the next message expires.
    #[must_use]
    pub fn next_expiry(&self) -> Option<Timestamp> {
        self.lock().by_expiry.first().map(|(expires, _)| *expires)
    }

    /// Removes the messages that `actor` has held since `since`, oldest first.
    #[must_use]
    pub fn undo(&self, actor: &Actor, since: Timestamp) -> Vec<HeldMessage> {
        let mut queue = self.lock();
        let own = |message: &HeldMessage| message.held_by.as_ref() == Some(actor) && message.held_at >= since;
        let numbers = queue.messages.iter().filter(|(_, message)| own(message)).map(|(number, _)| *number).collect();
        queue.remove_all(numbers)
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
