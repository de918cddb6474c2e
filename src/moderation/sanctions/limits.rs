//! Limits on the ledger, and which offences are dropped first.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, HashMap};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::keys::{TargetFamily, TargetKey};
use super::ledger::{IndexedEntry, Ledger};
use super::offence::{Consequence, Offence, OffenceEntry};
use crate::model::{Actor, Penalty, Target};
use crate::moderation::{InsertError, time};

/// Most offences kept, and how many of them rules and plugins may add; the rest is reserved for moderators.
const MAX_OFFENCES: usize = 100_000;
const MAX_OFFENCES_BY_FILTERS: usize = 90_000;
/// Most offences of one address or group of look-alike nicknames, and how many of them rules and plugins may add.
pub(super) const MAX_PER_TARGET: usize = 64;
const MAX_PER_TARGET_BY_FILTERS: usize = 48;
/// Where offences come from, of which each has its share in a full ledger: a group of look-alike nicknames, an IPv4
/// address, or the /48 of an IPv6 address, since one customer may hold a /48.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Source {
    Names(Arc<str>),
    Network(IpAddr),
}

impl Source {
    fn of(family: &TargetFamily) -> Self {
        match family {
            TargetFamily::Names(names) => Self::Names(Arc::clone(names)),
            TargetFamily::Address(address) => Self::Network(match address.ip() {
                IpAddr::V6(v6) => {
                    let [a, b, c, ..] = v6.segments();
                    IpAddr::V6(Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0))
                }
                v4 @ IpAddr::V4(_) => v4,
            }),
        }
    }
}

/// Offences dropped at a time when the ledger is full, since finding them takes a scan of all.
const DROP_BATCH: usize = 1_000;
/// Most offences pruned at a time, since verdicts wait for the lock.
const PRUNE_BATCH: usize = 5_000;

impl Ledger {
    /// Makes room for one more offence by dropping offences that have ended, and then the oldest ones that rules and
    /// plugins have added, of the source with most: many offences must not keep the next offender from being muted.
    pub(super) fn make_room(&mut self, offence: &Offence, keys: &[TargetKey]) -> Result<(), InsertError> {
        let now = offence.at;
        let by_filter = is_requested_by_filter(offence);
        let (all, of_one) = if by_filter {
            (MAX_OFFENCES_BY_FILTERS, MAX_PER_TARGET_BY_FILTERS)
        } else {
            (MAX_OFFENCES, MAX_PER_TARGET)
        };
        let full: Vec<Option<u64>> = keys
            .iter()
            .map(|key| self.ids_of(key))
            .filter(|ids| ids.len() >= of_one)
            .map(|ids| self.oldest_ended(ids, now).or_else(|| self.oldest_replaceable(ids, offence)))
            .collect();
        if full.contains(&None) {
            return Err(InsertError::TargetFull { limit: of_one });
        }
        for id in full.into_iter().flatten() {
            self.remove(id);
        }
        if self.entries.len() < all {
            return Ok(());
        }
        if self.full_until.is_some_and(|until| now < until) {
            return Err(InsertError::OffencesFull { limit: all });
        }
        let ended = |steps: bool| {
            self.entries()
                .filter(move |entry| !entry.is_in_force(now) && entry.is_ladder_step() == steps)
                .map(|entry| entry.offence.id)
        };
        let dropped: Vec<u64> = ended(false).chain(ended(true)).take(DROP_BATCH).collect();
        let dropped = if dropped.is_empty() { self.oldest_of_greediest() } else { dropped };
        if dropped.is_empty() {
            let ends = self.entries().filter_map(|entry| match entry.consequence {
                Consequence::Sanction { until, .. } => until,
                Consequence::Absorbed { .. } => None,
            });
            self.full_until = Some(ends.min().unwrap_or(Timestamp::MAX));
            return Err(InsertError::OffencesFull { limit: all });
        }
        for id in dropped {
            self.remove(id);
        }
        Ok(())
    }

    /// Returns the oldest of these offences that has ended. Prefers those that are not ladder steps, so that many small
    /// offences do not push out ladder steps.
    fn oldest_ended(&self, ids: &[u64], now: Timestamp) -> Option<u64> {
        let ended = || ids.iter().filter_map(|id| self.entry(*id)).filter(|entry| !entry.is_in_force(now));
        let found = ended().find(|entry| !entry.is_ladder_step()).or_else(|| ended().next());
        found.map(|entry| entry.offence.id)
    }

    /// Returns the oldest of these offences that a rule or plugin has added, if the new one is of another nickname or
    /// connection at the same address: a rule or plugin must be able to mute the next one.
    fn oldest_replaceable(&self, ids: &[u64], offence: &Offence) -> Option<u64> {
        let is_sender = matches!(offence.request.target, Target::Sender { .. } | Target::Connection { .. });
        ids.iter().copied().find(|id| is_sender && self.entry(*id).is_some_and(is_by_filter))
    }

    /// Returns the offences that make room in a full ledger.
    fn oldest_of_greediest(&self) -> Vec<u64> {
        let mut by_source = BTreeMap::<Source, Vec<u64>>::new();
        for (id, IndexedEntry { entry, family, .. }) in self.entries.iter().rev() {
            if is_by_filter(entry) {
                by_source.entry(Source::of(family)).or_default().push(*id);
            }
        }
        // The newest first, so that the oldest is taken from the end. Among equals, the source with the oldest goes first.
        let mut greediest: BinaryHeap<(usize, Reverse<u64>, Vec<u64>)> =
            by_source.into_values().filter_map(|ids| Some((ids.len(), Reverse(*ids.last()?), ids))).collect();
        let mut dropped = Vec::with_capacity(DROP_BATCH);
        while dropped.len() < DROP_BATCH
            && let Some((count, Reverse(oldest), mut ids)) = greediest.pop()
        {
            dropped.push(oldest);
            ids.pop();
            if let Some(next) = ids.last().copied() {
                greediest.push((count - 1, Reverse(next), ids));
            }
        }
        dropped
    }

    /// Removes offences that have ended and can no longer affect others, oldest first, in bounded batches. Returns
    /// `true` if there may be more.
    pub(super) fn prune(&mut self, now: Timestamp) -> bool {
        let mut next = HashMap::<&TargetFamily, (u64, Timestamp)>::new();
        let mut over = Vec::new();
        for (id, IndexedEntry { entry, family, .. }) in self.entries.iter().rev() {
            let (next_id, next_at) = next.get(family).copied().unwrap_or((u64::MAX, now));
            if self.may_matter(entry, next_id, next_at) {
                next.insert(family, (*id, entry.offence.at));
            } else {
                over.push(*id);
            }
        }
        let more = over.len() > PRUNE_BATCH;
        for id in over.into_iter().rev().take(PRUNE_BATCH) {
            self.remove(id);
        }
        more
    }

    /// Whether an entry may affect the consequence of the next one or of a future one.
    ///
    /// An undo of other offences may change the consequence of this one, so the longest step of the ladder counts.
    fn may_matter(&self, entry: &OffenceEntry, next_id: u64, next_at: Timestamp) -> bool {
        let Offence { at, request, lifted, .. } = &entry.offence;
        if lifted.is_some_and(|lifted| lifted.before <= next_id) {
            return false;
        }
        let until = match entry.consequence {
            Consequence::Sanction { until: None, .. } => return true,
            Consequence::Sanction { until: Some(until), .. } => until,
            Consequence::Absorbed { .. } => *at,
        };
        let reach = match request.penalty {
            Penalty::Ladder => self.ladder.full_decay().max(self.ladder.longest_step()),
            Penalty::Fixed(kind, lasts) if kind.has_duration() => lasts.unwrap_or(Duration::MAX),
            Penalty::Fixed(..) => Duration::ZERO,
        };
        next_at < until.max(time::saturating_add(*at, reach))
    }
}

fn is_requested_by_filter(offence: &Offence) -> bool {
    !matches!(offence.request.actor, Actor::Moderator(_))
}

fn is_by_filter(entry: &OffenceEntry) -> bool {
    is_requested_by_filter(&entry.offence)
}
