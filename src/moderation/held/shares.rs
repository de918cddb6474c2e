//! The shares of addresses and rooms in the held queue, which decide whose message gives way when it is full.

use std::collections::{BTreeSet, HashMap};

use crate::model::{Address, RoomName};

/// The number of messages and their bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Usage {
    pub(super) messages: usize,
    pub(super) bytes: usize,
}

/// A resource of the queue that is exhausted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scarce {
    Messages,
    Bytes,
}

impl Usage {
    fn of(self, scarce: Scarce) -> usize {
        match scarce {
            Scarce::Messages => self.messages,
            Scarce::Bytes => self.bytes,
        }
    }

    fn add(&mut self, bytes: usize) {
        self.messages += 1;
        self.bytes += bytes;
    }

    fn subtract(&mut self, bytes: usize) {
        self.messages -= 1;
        self.bytes -= bytes;
    }
}

/// The messages of the queue by address and by room.
#[derive(Debug, Default)]
pub(super) struct Shares {
    total: Usage,
    by_room: HashMap<RoomName, Usage>,
    by_address: HashMap<Address, Share>,
}

/// The share of an address.
#[derive(Debug, Default)]
struct Share {
    usage: Usage,
    /// The numbers of its messages in each room.
    numbers: HashMap<RoomName, BTreeSet<u64>>,
}

impl Shares {
    pub(super) fn total(&self) -> Usage {
        self.total
    }

    pub(super) fn add(&mut self, number: u64, address: Address, room: &RoomName, bytes: usize) {
        self.total.add(bytes);
        self.by_room.entry(room.clone()).or_default().add(bytes);
        let share = self.by_address.entry(address).or_default();
        share.usage.add(bytes);
        share.numbers.entry(room.clone()).or_default().insert(number);
    }

    /// Removes a message that was added with the same values.
    pub(super) fn remove(&mut self, number: u64, address: Address, room: &RoomName, bytes: usize) {
        let Some(share) = self.by_address.get_mut(&address) else { return };
        let Some(numbers) = share.numbers.get_mut(room) else { return };
        if !numbers.remove(&number) {
            return;
        }
        if numbers.is_empty() {
            share.numbers.remove(room);
        }
        share.usage.subtract(bytes);
        if share.usage.messages == 0 {
            self.by_address.remove(&address);
        }
        self.total.subtract(bytes);
        if let Some(usage) = self.by_room.get_mut(room) {
            usage.subtract(bytes);
            if usage.messages == 0 {
                self.by_room.remove(room);
            }
        }
    }

    /// Returns the number of the message that gives way: the newest of the address that has most, in its room that has
    /// most. Among addresses with as much, the one in the fuller room, then the one with the newest message.
    pub(super) fn newest_of_greediest(&self, scarce: Scarce) -> Option<u64> {
        let mut greediest: Option<(usize, usize, u64)> = None;
        for share in self.by_address.values() {
            let own = share.usage.of(scarce);
            if greediest.is_some_and(|(most, ..)| own < most) {
                continue;
            }
            for (room, numbers) in &share.numbers {
                let of_room = self.by_room.get(room).map_or(0, |usage| usage.of(scarce));
                let candidate = numbers.last().map(|newest| (own, of_room, *newest));
                greediest = greediest.max(candidate);
            }
        }
        greediest.map(|(.., number)| number)
    }
}
