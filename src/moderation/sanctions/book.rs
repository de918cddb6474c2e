//! All offences, found by whom they are about.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;

use super::bounds::MOST;
use super::keys::{Family, Key, without};
use super::ladder::Ladder;
use super::offence::{Effect, Entry, Offence, effect};
use crate::model::{Address, Nickname, Sanction, SanctionKind};
use crate::moderation::Full;
use crate::moderation::store::Changes;

/// All offences.
#[derive(Debug)]
pub(super) struct Book {
    pub(super) ladder: Ladder,
    pub(super) entries: BTreeMap<u64, Kept>,
    by_look: HashMap<Box<str>, Vec<u64>>,
    by_address: HashMap<Address, Vec<u64>>,
    next_id: u64,
    /// How many of them last.
    lasting: usize,
    /// Before this time nothing ends that could be dropped.
    pub(super) full_until: Option<Timestamp>,
    pub(super) changes: Changes<u64>,
}

/// An entry, and whom it may be about. What a name looks like takes a while to find out, and is asked again and again.
#[derive(Debug)]
pub(super) struct Kept {
    pub(super) entry: Entry,
    pub(super) keys: Box<[Key]>,
    pub(super) family: Family,
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
        self.entries.get(&id).map(|kept| &kept.entry)
    }

    pub(super) fn entries(&self) -> impl DoubleEndedIterator<Item = &Entry> {
        self.entries.values().map(|kept| &kept.entry)
    }

    pub(super) fn of_key(&self, key: &Key) -> &[u64] {
        match key {
            Key::Look(look) => self.of_look(look),
            Key::Address(address) => self.of_address(*address),
        }
    }

    fn of_look(&self, look: &str) -> &[u64] {
        self.by_look.get(look).map_or(&[], Vec::as_slice)
    }

    fn of_address(&self, address: Address) -> &[u64] {
        self.by_address.get(&address).map_or(&[], Vec::as_slice)
    }

    /// What follows from an offence on those of these keys, given those that came before it.
    fn effect(&self, offence: &Offence, keys: &[Key]) -> Effect {
        let mut ids: Vec<u64> = keys.iter().flat_map(|key| self.of_key(key)).copied().collect();
        ids.sort_unstable();
        ids.dedup();
        let earlier = ids.iter().take_while(|id| **id < offence.id).filter_map(|id| self.entry(*id));
        effect(&self.ladder, offence, earlier)
    }

    /// What would follow from an offence if it were taken now.
    pub(super) fn foresee(&self, mut offence: Offence) -> Option<Sanction> {
        offence.id = self.next_id;
        let effect = self.effect(&offence, &Key::all_of(&offence.order.target));
        Entry { offence, effect }.sanction()
    }

    /// Takes an offence.
    pub(super) fn add(&mut self, mut offence: Offence) -> Result<Sanction, Full> {
        offence.id = self.next_id;
        let keys = Key::all_of(&offence.order.target);
        let effect = self.effect(&offence, &keys);
        let in_force = match effect {
            Effect::Absorbed(by) => self.entry(by).and_then(Entry::sanction),
            Effect::Sanction { .. } => None,
        };
        if let Err(full) = self.make_room(&offence, &keys) {
            // Nothing follows from it: all that is lost is what an undo would make of it.
            return in_force.ok_or(full);
        }
        let entry = Entry { offence, effect };
        let sanction = in_force.or_else(|| entry.sanction());
        self.put_under(keys, entry);
        // An effect without a sanction that is in force cannot be.
        sanction.ok_or(Full::All { limit: MOST })
    }

    /// Puts an entry in as it is.
    pub(super) fn put(&mut self, entry: Entry) {
        self.put_under(Key::all_of(&entry.offence.order.target), entry);
    }

    fn put_under(&mut self, keys: Box<[Key]>, entry: Entry) {
        let id = entry.offence.id;
        self.take_out(id);
        self.next_id = self.next_id.max(id.saturating_add(1));
        for key in &keys {
            let ids = match key {
                Key::Look(look) => self.by_look.entry(look.clone()).or_default(),
                Key::Address(address) => self.by_address.entry(*address).or_default(),
            };
            let at = ids.partition_point(|other| *other < id);
            ids.insert(at, id);
        }
        self.lasting += usize::from(entry.lasts());
        let family = Family::of(&entry.offence.order.target);
        self.entries.insert(id, Kept { entry, keys, family });
        self.changes.note(id);
    }

    /// Takes an entry out.
    pub(super) fn take_out(&mut self, id: u64) -> Option<Kept> {
        let kept = self.entries.remove(&id)?;
        for key in &kept.keys {
            match key {
                Key::Look(look) => without(&mut self.by_look, &**look, id),
                Key::Address(address) => without(&mut self.by_address, address, id),
            }
        }
        self.lasting -= usize::from(kept.entry.lasts());
        self.changes.note(id);
        Some(kept)
    }

    /// Changes an entry, which keeps its number and target.
    pub(super) fn change(&mut self, id: u64, change: impl FnOnce(&mut Entry)) {
        if let Some(Kept { entry, .. }) = self.entries.get_mut(&id) {
            self.lasting -= usize::from(entry.lasts());
            change(entry);
            self.lasting += usize::from(entry.lasts());
            self.full_until = None;
            self.changes.note(id);
        }
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
            for entry in ids.iter().filter_map(|id| self.entry(*id)).filter(|entry| concerns(entry)) {
                let stronger = strongest.is_none_or(|other| strength(entry) > strength(other));
                if stronger {
                    strongest = Some(entry);
                }
            }
        };
        look_at(self.of_address(address));
        if let Some(nickname) = nickname.filter(|_| !self.by_look.is_empty()) {
            nickname.looks().iter().for_each(|look| look_at(self.of_look(look)));
        }
        strongest
    }

    /// Takes all of these out and finds out anew what follows from those that came after them, as if they had never
    /// been. Comes back with what was in place of each entry that is another one now.
    pub(super) fn unmake(&mut self, ids: &[u64]) -> Vec<Entry> {
        let (mut before, mut families) = (Vec::new(), HashMap::<Family, u64>::new());
        for id in ids {
            let Some(Kept { entry, family, .. }) = self.take_out(*id) else { continue };
            let first = families.entry(family).or_insert(*id);
            *first = (*first).min(*id);
            before.push(entry);
        }
        let later = families.values().min().copied().unwrap_or(u64::MAX);
        let concerned = |kept: &Kept| families.get(&kept.family).is_some_and(|first| *first < kept.entry.offence.id);
        let later = self.entries.range(later..).filter(|(_, kept)| concerned(kept));
        let ids: Vec<u64> = later.map(|(id, _)| *id).collect();
        for id in ids {
            let Some(Kept { entry, keys, .. }) = self.entries.get(&id) else { continue };
            let effect = self.effect(&entry.offence, keys);
            if effect != entry.effect {
                before.push(entry.clone());
                self.change(id, |entry| entry.effect = effect);
            }
        }
        self.full_until = None;
        before
    }
}

/// Ban before mute, and what ends later first; of equal ones the first.
fn strength(entry: &Entry) -> (SanctionKind, Timestamp, Reverse<u64>) {
    let (kind, until) = match entry.effect {
        Effect::Sanction { kind, until, .. } => (kind, until.unwrap_or(Timestamp::MAX)),
        Effect::Absorbed(_) => (SanctionKind::Warn, Timestamp::MIN),
    };
    (kind, until, Reverse(entry.offence.id))
}
