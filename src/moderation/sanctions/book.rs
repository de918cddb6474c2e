//! All offences, found by whom they are about.

use std::collections::hash_map::Entry as Place;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use jiff::Timestamp;

use super::ladder::Ladder;
use super::offence::{Effect, Entry, Offence, effect, family};
use crate::model::{Address, Cause, Nickname, Sanction, Target};
use crate::moderation::Full;
use crate::moderation::store::Changes;

/// Most offences that are kept, and how many of them may be for rules and plugins, so that moderators find room.
pub(super) const MOST: usize = 100_000;
const MOST_BY_FILTERS: usize = 90_000;
/// Most offences of one address, or of names that look the same, and how many of them may be for rules and plugins.
pub(super) const MOST_OF_ONE: usize = 64;
const MOST_OF_ONE_BY_FILTERS: usize = 48;
/// How many are dropped at once when no more are kept: it takes a look at all of them.
const DROPPED_AT_ONCE: usize = 1_000;

/// All offences.
#[derive(Debug)]
pub(super) struct Book {
    pub(super) ladder: Ladder,
    entries: BTreeMap<u64, Entry>,
    by_look: HashMap<Box<str>, Vec<u64>>,
    by_address: HashMap<Address, Vec<u64>>,
    next_id: u64,
    /// How many of them last.
    lasting: usize,
    /// Before this time nothing ends that could be dropped.
    full_until: Option<Timestamp>,
    pub(super) changes: Changes<u64>,
}

/// Who may be meant by a target: those who share one of these.
enum Key<'a> {
    Look(&'a str),
    Address(Address),
}

impl Book {
    pub(super) fn new(ladder: Ladder, next_id: u64, changes: Changes<u64>) -> Self {
        let (by_look, by_address) = (HashMap::new(), HashMap::new());
        Self { ladder, entries: BTreeMap::new(), by_look, by_address, next_id, lasting: 0, full_until: None, changes }
    }

    pub(super) fn lasting(&self) -> usize {
        self.lasting
    }

    pub(super) fn next_id(&self) -> u64 {
        self.next_id
    }

    /// Gives no number below this one from now on.
    pub(super) fn begin_at(&mut self, id: u64) {
        self.next_id = self.next_id.max(id);
    }

    pub(super) fn entry(&self, id: u64) -> Option<&Entry> {
        self.entries.get(&id)
    }

    pub(super) fn entries(&self) -> impl DoubleEndedIterator<Item = &Entry> {
        self.entries.values()
    }

    fn of_key(&self, key: &Key<'_>) -> &[u64] {
        let ids = match key {
            Key::Look(look) => self.by_look.get(*look),
            Key::Address(address) => self.by_address.get(address),
        };
        ids.map_or(&[], Vec::as_slice)
    }

    /// Those of a target and its look-alikes, in their order.
    fn of_target(&self, target: &Target) -> Vec<u64> {
        let mut found = Vec::new();
        with_keys(target, |key| found.extend_from_slice(self.of_key(&key)));
        found.sort_unstable();
        found.dedup();
        found
    }

    /// What follows from an offence, given those that came before it.
    fn effect(&self, offence: &Offence) -> Effect {
        let ids = self.of_target(&offence.order.target);
        let earlier = ids.iter().take_while(|id| **id < offence.id).filter_map(|id| self.entries.get(id));
        effect(&self.ladder, offence, earlier)
    }

    /// What would follow from an offence if it were taken now.
    pub(super) fn foresee(&self, mut offence: Offence) -> Option<Sanction> {
        offence.id = self.next_id;
        let effect = self.effect(&offence);
        Entry { offence, effect }.sanction()
    }

    /// Takes an offence.
    pub(super) fn add(&mut self, mut offence: Offence) -> Result<Sanction, Full> {
        offence.id = self.next_id;
        let now = offence.at;
        let effect = self.effect(&offence);
        let in_force = match effect {
            Effect::Absorbed(by) => self.entries.get(&by).and_then(Entry::sanction),
            Effect::Sanction { .. } => None,
        };
        let entry = Entry { offence, effect };
        if let Err(full) = self.make_room(&entry.offence, now) {
            // Nothing follows from it: all that is lost is what an undo would make of it.
            return in_force.ok_or(full);
        }
        let sanction = in_force.or_else(|| entry.sanction());
        self.put(entry);
        // An effect without a sanction that is in force cannot be.
        sanction.ok_or(Full::All { limit: MOST })
    }

    /// Puts an entry in as it is.
    pub(super) fn put(&mut self, entry: Entry) {
        let id = entry.offence.id;
        self.take_out(id);
        self.next_id = self.next_id.max(id.saturating_add(1));
        let (by_look, by_address) = (&mut self.by_look, &mut self.by_address);
        with_keys(&entry.offence.order.target, |key| {
            let ids = match key {
                Key::Look(look) => by_look.entry(look.into()).or_default(),
                Key::Address(address) => by_address.entry(address).or_default(),
            };
            let at = ids.partition_point(|other| *other < id);
            ids.insert(at, id);
        });
        self.lasting += usize::from(entry.lasts());
        self.entries.insert(id, entry);
        self.changes.note(id);
    }

    /// Takes an entry out.
    pub(super) fn take_out(&mut self, id: u64) -> Option<Entry> {
        let entry = self.entries.remove(&id)?;
        let (by_look, by_address) = (&mut self.by_look, &mut self.by_address);
        with_keys(&entry.offence.order.target, |key| match key {
            Key::Look(look) => without(by_look.entry(look.into()), id),
            Key::Address(address) => without(by_address.entry(address), id),
        });
        self.lasting -= usize::from(entry.lasts());
        self.changes.note(id);
        Some(entry)
    }

    /// Changes an entry, which keeps its number and target.
    pub(super) fn change(&mut self, id: u64, change: impl FnOnce(&mut Entry)) {
        if let Some(entry) = self.entries.get_mut(&id) {
            self.lasting -= usize::from(entry.lasts());
            change(entry);
            self.lasting += usize::from(entry.lasts());
            self.full_until = None;
            self.changes.note(id);
        }
    }

    /// Drops what has ended where there is no room for one more.
    fn make_room(&mut self, offence: &Offence, now: Timestamp) -> Result<(), Full> {
        let by_filter = !matches!(offence.order.cause, Cause::Moderator(_));
        let (all, of_one) = if by_filter { (MOST_BY_FILTERS, MOST_OF_ONE_BY_FILTERS) } else { (MOST, MOST_OF_ONE) };
        let mut full = Vec::new();
        with_keys(&offence.order.target, |key| {
            let ids = self.of_key(&key);
            if ids.len() >= of_one {
                full.push(self.oldest_ended(ids, now));
            }
        });
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
        let ended = || ids.iter().filter_map(|id| self.entries.get(id)).filter(|entry| !entry.holds(now));
        let found = ended().find(|entry| !entry.is_step()).or_else(|| ended().next());
        found.map(|entry| entry.offence.id)
    }

    /// The strongest sanction in force on somebody by one of these names, or from this address.
    pub(super) fn strongest<'a>(
        &'a self,
        nickname: Option<&Nickname>,
        address: Address,
        concerns: impl Fn(&Entry) -> bool,
    ) -> Option<&'a Entry> {
        let mut strongest: Option<&Entry> = None;
        let mut look_at = |ids: &[u64]| {
            for entry in ids.iter().filter_map(|id| self.entries.get(id)).filter(|entry| concerns(entry)) {
                let stronger = strongest.is_none_or(|other| strength(entry) > strength(other));
                if stronger {
                    strongest = Some(entry);
                }
            }
        };
        look_at(self.of_key(&Key::Address(address)));
        if let Some(nickname) = nickname.filter(|_| !self.by_look.is_empty()) {
            nickname.looks().iter().for_each(|look| look_at(self.of_key(&Key::Look(look))));
        }
        strongest
    }

    /// Takes all of these out and finds out anew what follows from those that came after them, as if they had never
    /// been. Comes back with what was in place of each entry that is another one now.
    pub(super) fn unmake(&mut self, ids: &[u64]) -> Vec<Entry> {
        let (mut before, mut families) = (Vec::new(), HashMap::<Family, u64>::new());
        for id in ids {
            let Some(entry) = self.take_out(*id) else { continue };
            let first = families.entry(Family::of(&entry.offence.order.target)).or_insert(*id);
            *first = (*first).min(*id);
            before.push(entry);
        }
        let later = families.values().min().copied().unwrap_or(u64::MAX);
        let ids: Vec<u64> = self.entries.range(later..).map(|(id, _)| *id).collect();
        for id in ids {
            let Some(entry) = self.entries.get(&id) else { continue };
            let concerned = families.get(&Family::of(&entry.offence.order.target)).is_some_and(|first| *first < id);
            if !concerned {
                continue;
            }
            let effect = self.effect(&entry.offence);
            if effect != entry.effect {
                before.push(entry.clone());
                self.change(id, |entry| entry.effect = effect);
            }
        }
        self.full_until = None;
        before
    }

    /// Forgets what has ended and can have no part in anything that may follow from other offences.
    pub(super) fn prune(&mut self, now: Timestamp) {
        let mut next = HashMap::<Family, (u64, Timestamp)>::new();
        let mut dropped = Vec::new();
        for (id, entry) in self.entries.iter().rev() {
            let family = next.entry(Family::of(&entry.offence.order.target));
            let (next_id, next_at) = match &family {
                Place::Occupied(next) => *next.get(),
                Place::Vacant(_) => (u64::MAX, now),
            };
            if self.matters(entry, next_id, next_at) {
                family.insert_entry((*id, entry.offence.at));
            } else {
                dropped.push(*id);
            }
        }
        for id in dropped {
            self.take_out(id);
        }
        self.by_look.shrink_to_fit();
        self.by_address.shrink_to_fit();
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
            crate::model::Penalty::Ladder => self.ladder.forgets_after().max(self.ladder.longest()),
            crate::model::Penalty::Fixed(kind, lasts) if kind.lasts() => lasts.unwrap_or(std::time::Duration::MAX),
            crate::model::Penalty::Fixed(..) => std::time::Duration::ZERO,
        };
        next_at < until.max(crate::moderation::time::after(*at, reach))
    }
}

/// Ban before mute, and what ends later first; of equal ones the first.
fn strength(entry: &Entry) -> (crate::model::SanctionKind, Timestamp, std::cmp::Reverse<u64>) {
    let (kind, until) = match entry.effect {
        Effect::Sanction { kind, until, .. } => (kind, until.unwrap_or(Timestamp::MAX)),
        Effect::Absorbed(_) => (crate::model::SanctionKind::Warn, Timestamp::MIN),
    };
    (kind, until, std::cmp::Reverse(entry.offence.id))
}

/// Targets that may have to do with each other.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Family {
    Names(Arc<str>),
    Address(Address),
}

impl Family {
    fn of(target: &Target) -> Self {
        match target {
            Target::Nickname(nickname) => Self::Names(family(nickname).into()),
            Target::Address(address) => Self::Address(*address),
        }
    }
}

fn with_keys(target: &Target, mut f: impl FnMut(Key<'_>)) {
    match target {
        Target::Nickname(nickname) => nickname.looks().iter().for_each(|look| f(Key::Look(look))),
        Target::Address(address) => f(Key::Address(*address)),
    }
}

fn without<K>(place: Place<'_, K, Vec<u64>>, id: u64) {
    if let Place::Occupied(mut ids) = place {
        ids.get_mut().retain(|other| *other != id);
        if ids.get().is_empty() {
            ids.remove();
        }
    }
}
