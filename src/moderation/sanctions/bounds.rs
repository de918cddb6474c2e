//! How much is kept, and what goes first when that is enough.

use std::collections::HashMap;
use std::time::Duration;

use jiff::Timestamp;

use super::book::{Book, Kept};
use super::keys::{Family, Key};
use super::offence::{Effect, Entry, Offence};
use crate::model::{Cause, Penalty};
use crate::moderation::{Full, time};

/// Most offences that are kept, and how many of them may be for rules and plugins, so that moderators find room.
pub(super) const MOST: usize = 100_000;
const MOST_BY_FILTERS: usize = 90_000;
/// Most offences of one address, or of names that look the same, and how many of them may be for rules and plugins.
pub(super) const MOST_OF_ONE: usize = 64;
const MOST_OF_ONE_BY_FILTERS: usize = 48;
/// How many are dropped at once when no more are kept: it takes a look at all of them.
const DROPPED_AT_ONCE: usize = 1_000;
/// How many are forgotten at once: whoever asks for a verdict waits meanwhile.
const FORGOTTEN_AT_ONCE: usize = 5_000;

impl Book {
    /// Drops what has ended where there is no room for one more.
    pub(super) fn make_room(&mut self, offence: &Offence, keys: &[Key]) -> Result<(), Full> {
        let now = offence.at;
        let by_filter = !matches!(offence.order.cause, Cause::Moderator(_));
        let (all, of_one) = if by_filter { (MOST_BY_FILTERS, MOST_OF_ONE_BY_FILTERS) } else { (MOST, MOST_OF_ONE) };
        let full: Vec<Option<u64>> = keys
            .iter()
            .map(|key| self.of_key(key))
            .filter(|ids| ids.len() >= of_one)
            .map(|ids| self.oldest_ended(ids, now))
            .collect();
        if full.contains(&None) {
            return Err(Full::Target { limit: of_one });
        }
        for id in full.into_iter().flatten() {
            self.take_out(id);
        }
        if self.entries.len() < all {
            return Ok(());
        }
        if self.full_until.is_some_and(|until| now < until) {
            return Err(Full::All { limit: all });
        }
        let ended = |steps: bool| {
            self.entries()
                .filter(move |entry| !entry.holds(now) && entry.is_step() == steps)
                .map(|entry| entry.offence.id)
        };
        let dropped: Vec<u64> = ended(false).chain(ended(true)).take(DROPPED_AT_ONCE).collect();
        if dropped.is_empty() {
            let ends = self.entries().filter_map(|entry| match entry.effect {
                Effect::Sanction { until, .. } => until,
                Effect::Absorbed(_) => None,
            });
            self.full_until = Some(ends.min().unwrap_or(Timestamp::MAX));
            return Err(Full::All { limit: all });
        }
        for id in dropped {
            self.take_out(id);
        }
        Ok(())
    }

    /// The oldest of these that has ended, rather one that is no step of the ladder: nobody is to get rid of those by
    /// many small offences.
    fn oldest_ended(&self, ids: &[u64], now: Timestamp) -> Option<u64> {
        let ended = || ids.iter().filter_map(|id| self.entry(*id)).filter(|entry| !entry.holds(now));
        let found = ended().find(|entry| !entry.is_step()).or_else(|| ended().next());
        found.map(|entry| entry.offence.id)
    }

    /// Forgets what has ended and can have no part in anything that may follow from other offences, the oldest first
    /// and not all at once; `true` when there may be more.
    pub(super) fn prune(&mut self, now: Timestamp) -> bool {
        let mut next = HashMap::<&Family, (u64, Timestamp)>::new();
        let mut over = Vec::new();
        for (id, Kept { entry, family, .. }) in self.entries.iter().rev() {
            let (next_id, next_at) = next.get(family).copied().unwrap_or((u64::MAX, now));
            if self.matters(entry, next_id, next_at) {
                next.insert(family, (*id, entry.offence.at));
            } else {
                over.push(*id);
            }
        }
        let more = over.len() > FORGOTTEN_AT_ONCE;
        for id in over.into_iter().rev().take(FORGOTTEN_AT_ONCE) {
            self.take_out(id);
        }
        more
    }

    /// Whether an entry may have a part in what follows from the next one that is kept, or from one that is still to
    /// come.
    ///
    /// What follows from the entry itself may become something else when others are undone, so that it is the longest
    /// time of all steps that counts.
    fn matters(&self, entry: &Entry, next_id: u64, next_at: Timestamp) -> bool {
        let Offence { at, order, lifted, .. } = &entry.offence;
        if lifted.is_some_and(|lifted| lifted.before <= next_id) {
            return false;
        }
        let until = match entry.effect {
            Effect::Sanction { until: None, .. } => return true,
            Effect::Sanction { until: Some(until), .. } => until,
            Effect::Absorbed(_) => *at,
        };
        let reach = match order.penalty {
            Penalty::Ladder => self.ladder.forgets_after().max(self.ladder.longest()),
            Penalty::Fixed(kind, lasts) if kind.lasts() => lasts.unwrap_or(Duration::MAX),
            Penalty::Fixed(..) => Duration::ZERO,
        };
        next_at < until.max(time::after(*at, reach))
    }
}
