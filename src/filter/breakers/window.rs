//! The recent activity of one rule or plugin.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::Arc;

use super::Config;
use crate::model::{Address, Breaker};

/// The addresses from which a rule or plugin refused recent messages, and its hits on trusted senders.
#[derive(Debug)]
pub(super) struct Window {
    /// The breaker it belongs to. A changed rule or plugin has another one.
    pub(super) breaker: Arc<Breaker>,
    refused: AddressNumbers,
    trusted: MessageNumbers,
}

/// The effect of a rule or plugin on a message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct MessageEffect {
    pub(super) refused: bool,
    pub(super) hit_trusted: bool,
}

/// Why a breaker trips, with the count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TripCause {
    /// Addresses from which recent messages were refused.
    Refused(usize),
    /// Hits on trusted senders among recent messages.
    TrustedHits(usize),
}

impl Window {
    pub(super) fn new(breaker: Arc<Breaker>) -> Self {
        Self { breaker, refused: AddressNumbers::default(), trusted: MessageNumbers::default() }
    }

    /// Records what it did to the message of this number and address, of `seen` messages so far. Returns why the breaker trips
    /// now, if it does.
    pub(super) fn record(
        &mut self,
        effect: MessageEffect,
        address: Address,
        number: u64,
        seen: u64,
        config: &Config,
    ) -> Option<TripCause> {
        let oldest = seen.saturating_sub(config.messages) + 1;
        let refused = self.refused.record(effect.refused, address, number, oldest);
        let trusted = self.trusted.record(effect.hit_trusted, number, oldest);
        if refused > config.max_refusals() {
            return Some(TripCause::Refused(refused));
        }
        (trusted >= config.trusted_hits).then_some(TripCause::TrustedHits(trusted))
    }
}

/// Message numbers in ascending order. Bounded, since the window is dropped once a limit is exceeded.
#[derive(Debug, Default)]
struct MessageNumbers(VecDeque<u64>);

impl MessageNumbers {
    /// Adds a number if it `counts`, drops numbers below `oldest`, and returns how many are left.
    fn record(&mut self, counts: bool, number: u64, oldest: u64) -> usize {
        if counts && number >= oldest {
            // Numbers arrive almost in order.
            let place = self.0.iter().rposition(|other| *other <= number).map_or(0, |before| before + 1);
            self.0.insert(place, number);
        }
        while self.0.front().is_some_and(|first| *first < oldest) {
            self.0.pop_front();
        }
        self.0.len()
    }
}

/// Addresses with the number of the last message from each. Bounded in the same way.
#[derive(Debug, Default)]
struct AddressNumbers {
    last: HashMap<Address, u64>,
    ordered: BTreeSet<(u64, Address)>,
}

impl AddressNumbers {
    /// Adds the address of a message if it `counts`, drops addresses whose last message is older than `oldest`, and
    /// returns how many are left.
    fn record(&mut self, counts: bool, address: Address, number: u64, oldest: u64) -> usize {
        let before = self.last.get(&address).copied();
        if counts && number >= oldest && before.is_none_or(|before| before < number) {
            self.last.insert(address, number);
            self.ordered.insert((number, address));
            if let Some(before) = before {
                self.ordered.remove(&(before, address));
            }
        }
        while let Some((first, address)) = self.ordered.first().copied().filter(|(first, _)| *first < oldest) {
            self.ordered.remove(&(first, address));
            self.last.remove(&address);
        }
        self.last.len()
    }
}
