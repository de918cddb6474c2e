//! Held messages: what waits for a moderator's word.

mod config;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use uuid::Uuid;

pub use self::config::{HeldConfig, WhenUnanswered};
use super::store::{Changes, Part, Taken};
use super::{Full, time};
use crate::model::{Cause, Reason, Recorded};

/// A message that waits.
#[derive(Clone, Debug)]
pub struct HeldMessage {
    /// The message and who sent it, with the decision to hold it.
    pub recorded: Arc<Recorded>,
    /// Why it is held.
    pub reason: Reason,
    /// Who or what wanted it held; `None` for a level.
    pub cause: Option<Cause>,
    /// Since when.
    pub held_at: Timestamp,
    /// When it has waited long enough.
    pub expires: Timestamp,
}

impl HeldMessage {
    /// The id of the message.
    #[must_use]
    pub fn id(&self) -> Uuid {
        self.recorded.decision.message.id
    }
}

/// The messages that wait, in the order in which they came to be held. Bounded.
#[derive(Debug)]
pub struct Held {
    config: HeldConfig,
    queue: Mutex<Queue>,
}

#[derive(Debug, Default)]
struct Queue {
    /// By number.
    messages: BTreeMap<u64, HeldMessage>,
    by_id: HashMap<Uuid, u64>,
    by_expiry: BTreeSet<(Timestamp, u64)>,
    next: u64,
    changes: Changes<u64>,
}

impl Queue {
    fn put(&mut self, number: u64, message: HeldMessage) {
        self.next = self.next.max(number.saturating_add(1));
        self.by_id.insert(message.id(), number);
        self.by_expiry.insert((message.expires, number));
        self.messages.insert(number, message);
        self.changes.note(number);
    }

    fn take_out(&mut self, number: u64) -> Option<HeldMessage> {
        let message = self.messages.remove(&number)?;
        self.by_id.remove(&message.id());
        self.by_expiry.remove(&(message.expires, number));
        self.changes.note(number);
        Some(message)
    }

    fn take_all(&mut self, mut numbers: Vec<u64>) -> Vec<HeldMessage> {
        numbers.sort_unstable();
        numbers.into_iter().filter_map(|number| self.take_out(number)).collect()
    }
}

impl Held {
    /// None yet. Nothing is kept beyond the end of the program.
    #[must_use]
    pub fn new(config: HeldConfig) -> Self {
        Self::with_changes(config, Changes::default())
    }

    pub(super) fn with_changes(config: HeldConfig, changes: Changes<u64>) -> Self {
        Self { config, queue: Mutex::new(Queue { changes, ..Queue::default() }) }
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many may wait.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.config.capacity
    }

    /// What becomes of those that have waited long enough.
    #[must_use]
    pub fn when_nobody_answers(&self) -> WhenUnanswered {
        self.config.when_nobody_answers
    }

    /// Holds a message.
    ///
    /// # Errors
    /// [`Full::Held`] when as many are held as may be, [`Full::SameId`] when one with its id is.
    pub fn hold(
        &self,
        recorded: impl Into<Arc<Recorded>>,
        reason: Reason,
        cause: Option<Cause>,
        now: Timestamp,
    ) -> Result<(), Full> {
        let (recorded, mut queue) = (recorded.into(), self.lock());
        let id = recorded.decision.message.id;
        if queue.by_id.contains_key(&id) {
            return Err(Full::SameId { id });
        }
        if queue.messages.len() >= self.config.capacity {
            return Err(Full::Held { limit: self.config.capacity });
        }
        let expires = time::after(now, self.config.waits);
        let number = queue.next;
        queue.put(number, HeldMessage { recorded, reason, cause, held_at: now, expires });
        Ok(())
    }

    /// All of them, the oldest first.
    #[must_use]
    pub fn list(&self) -> Vec<HeldMessage> {
        self.lock().messages.values().cloned().collect()
    }

    /// The one of this id.
    #[must_use]
    pub fn get(&self, id: Uuid) -> Option<HeldMessage> {
        let queue = self.lock();
        queue.by_id.get(&id).and_then(|number| queue.messages.get(number)).cloned()
    }

    /// Takes the one of this id out; of several callers one gets it.
    #[must_use]
    pub fn take(&self, id: Uuid) -> Option<HeldMessage> {
        let mut queue = self.lock();
        let number = queue.by_id.get(&id).copied()?;
        queue.take_out(number)
    }

    /// Takes out those that have waited long enough, the oldest first.
    #[must_use]
    pub fn expired(&self, now: Timestamp) -> Vec<HeldMessage> {
        let mut queue = self.lock();
        let due = queue.by_expiry.range(..=(now, u64::MAX)).map(|(_, number)| *number).collect();
        queue.take_all(due)
    }

    /// When the next one will have waited long enough.
    #[must_use]
    pub fn next_expiry(&self) -> Option<Timestamp> {
        self.lock().by_expiry.first().map(|(expires, _)| *expires)
    }

    /// Takes out those that are held because of this cause from `since` on, the oldest first.
    #[must_use]
    pub fn undo(&self, cause: &Cause, since: Timestamp) -> Vec<HeldMessage> {
        let mut queue = self.lock();
        let own = |message: &HeldMessage| message.cause.as_ref() == Some(cause) && message.held_at >= since;
        let numbers = queue.messages.iter().filter(|(_, message)| own(message)).map(|(number, _)| *number).collect();
        queue.take_all(numbers)
    }

    /// What has changed since this was asked last.
    pub(super) fn changed(&self) -> Part<HeldMessage> {
        let mut queue = self.lock();
        let Taken { keys, all } = queue.changes.take();
        let items = if all {
            queue.messages.iter().map(|(number, message)| (*number, Some(message.clone()))).collect()
        } else {
            keys.into_iter().map(|number| (number, queue.messages.get(&number).cloned())).collect()
        };
        Part { all, items }
    }

    /// Says that what was taken could not be written.
    pub(super) fn not_written(&self, part: &Part<HeldMessage>) {
        self.lock().changes.give_back(part.numbers(), part.all);
    }

    /// Puts in what was kept.
    pub(super) fn load(&self, kept: Vec<(u64, HeldMessage)>) {
        let mut queue = self.lock();
        for (number, message) in kept {
            queue.put(number, message);
        }
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.lock().messages.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

#[cfg(test)]
mod tests;
