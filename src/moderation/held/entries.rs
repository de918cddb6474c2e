//! The held messages with their indexes.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::Timestamp;
use uuid::Uuid;

use super::config::HeldConfig;
use super::fill::FillLevel;
use super::message::HeldMessage;
use super::shares::{Scarce, Shares};
use crate::moderation::InsertError;
use crate::store::ChangeTracker;

/// The messages with their indexes.
#[derive(Debug, Default)]
pub(super) struct Entries {
    /// Keyed by number, which is the order of holding.
    pub(super) messages: BTreeMap<u64, HeldMessage>,
    pub(super) by_id: HashMap<Uuid, u64>,
    pub(super) by_expiry: BTreeSet<(Timestamp, u64)>,
    pub(super) next: u64,
    pub(super) shares: Shares,
    /// The highest mark that was reported, until the queue has emptied below it.
    pub(super) reported: FillLevel,
    pub(super) changes: ChangeTracker<u64>,
}

impl Entries {
    pub(super) fn insert(&mut self, number: u64, message: HeldMessage) {
        self.next = self.next.max(number.saturating_add(1));
        self.by_id.insert(message.id(), number);
        self.by_expiry.insert((message.expires_at, number));
        let sender = &message.recorded.sender;
        self.shares.add(number, sender.address, &sender.room, message.bytes());
        self.messages.insert(number, message);
        self.changes.mark(number);
    }

    pub(super) fn remove(&mut self, number: u64) -> Option<HeldMessage> {
        let message = self.messages.remove(&number)?;
        let sender = &message.recorded.sender;
        self.shares.remove(number, sender.address, &sender.room, message.bytes());
        self.by_id.remove(&message.id());
        self.by_expiry.remove(&(message.expires_at, number));
        self.changes.mark(number);
        Some(message)
    }

    /// Returns the numbers of the messages that must give way to this one.
    pub(super) fn make_room(
        &mut self,
        config: &HeldConfig,
        number: u64,
        message: &HeldMessage,
    ) -> Result<Vec<u64>, InsertError> {
        let sender = &message.recorded.sender;
        self.shares.add(number, sender.address, &sender.room, message.bytes());
        let mut giving_way = Vec::new();
        let chosen = loop {
            let used = self.shares.total();
            let (scarce, error) = if used.messages > config.capacity {
                (Scarce::Messages, InsertError::HeldFull { limit: config.capacity })
            } else if used.bytes > config.max_bytes {
                (Scarce::Bytes, InsertError::HeldBytesFull { limit: config.max_bytes })
            } else {
                break Ok(());
            };
            let found = self.shares.newest_of_greediest(scarce).filter(|found| *found != number);
            let Some((found, other)) = found.and_then(|found| Some((found, self.messages.get(&found)?))) else {
                break Err(error);
            };
            let sender = &other.recorded.sender;
            self.shares.remove(found, sender.address, &sender.room, other.bytes());
            giving_way.push(found);
        };
        // The shares follow the messages again.
        self.shares.remove(number, sender.address, &sender.room, message.bytes());
        for (number, other) in giving_way.iter().filter_map(|number| Some((*number, self.messages.get(number)?))) {
            let sender = &other.recorded.sender;
            self.shares.add(number, sender.address, &sender.room, other.bytes());
        }
        chosen.map(|()| giving_way)
    }

    /// Returns the mark if it is higher than those reported since the queue was emptier.
    pub(super) fn report(&mut self, level: FillLevel) -> Option<FillLevel> {
        let is_new = level > self.reported;
        self.reported = self.reported.max(level);
        is_new.then_some(level)
    }

    pub(super) fn remove_all(&mut self, mut numbers: Vec<u64>) -> Vec<HeldMessage> {
        numbers.sort_unstable();
        numbers.into_iter().filter_map(|number| self.remove(number)).collect()
    }
}
