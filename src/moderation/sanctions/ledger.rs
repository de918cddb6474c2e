//! The ledger: all offences, indexed by target.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use jiff::Timestamp;

use super::keys::{TargetFamily, TargetKey, remove_id};
use super::ladder::Ladder;
use super::offence::{Consequence, Offence, OffenceEntry, PenaltyRequest, consequence_of};
use super::scope::{Origin, share_skeleton};
use crate::model::{Address, ConnectionId, Nickname, Sanction, SanctionKind, Skeletons, Target};
use crate::moderation::{InsertError, time};
use crate::store::ChangeTracker;

/// Offences under so many nicknames within this time lead to a sanction on the connection.
const MAX_NAMES: usize = 3;
const NAMES_WINDOW: Duration = Duration::from_mins(10);

/// All offences, indexed by target.
#[derive(Debug)]
pub(super) struct Ledger {
    pub(super) ladder: Ladder,
    pub(super) entries: BTreeMap<u64, IndexedEntry>,
    by_skeleton: HashMap<Box<str>, Vec<u64>>,
    by_address: HashMap<Address, Vec<u64>>,
    next_id: u64,
    /// Mutes and bans not lifted.
    lasting: usize,
    /// The ledger is full, and no offence ends before this time.
    pub(super) full_until: Option<Timestamp>,
    pub(super) changes: ChangeTracker<u64>,
}

/// An entry with its keys. Skeletons are slow to compute and needed often.
#[derive(Debug)]
pub(super) struct IndexedEntry {
    pub(super) entry: OffenceEntry,
    pub(super) keys: Box<[TargetKey]>,
    pub(super) family: TargetFamily,
    /// Of a target that is a nickname at an address.
    pub(super) skeletons: Option<Skeletons>,
}

impl IndexedEntry {
    /// Whether its target, which has this address, covers a connection from there under a nickname.
    fn covers(&self, connection: Option<ConnectionId>, skeletons: Option<&Skeletons>) -> bool {
        match &self.entry.offence.request.target {
            Target::Nickname(_) | Target::Address(_) => true,
            Target::Connection { id, .. } => *id == connection,
            Target::Sender { .. } => {
                let (own, other) = (self.skeletons.as_ref(), skeletons);
                own.zip(other).is_some_and(|(own, other)| share_skeleton(own, other))
            }
        }
    }
}

impl Ledger {
    pub(super) fn new(ladder: Ladder, next_id: u64, changes: ChangeTracker<u64>) -> Self {
        let (by_skeleton, by_address) = (HashMap::new(), HashMap::new());
        Self {
            ladder,
            entries: BTreeMap::new(),
            by_skeleton,
            by_address,
            next_id,
            lasting: 0,
            full_until: None,
            changes,
        }
    }

    pub(super) fn unlifted_count(&self) -> usize {
        self.lasting
    }

    pub(super) fn next_id(&self) -> u64 {
        self.next_id
    }

    /// Assigns no number below `id` from now on.
    pub(super) fn reserve_ids_below(&mut self, id: u64) {
        self.next_id = self.next_id.max(id);
    }

    pub(super) fn entry(&self, id: u64) -> Option<&OffenceEntry> {
        self.entries.get(&id).map(|indexed| &indexed.entry)
    }

    pub(super) fn entries(&self) -> impl DoubleEndedIterator<Item = &OffenceEntry> {
        self.entries.values().map(|indexed| &indexed.entry)
    }

    pub(super) fn ids_of(&self, key: &TargetKey) -> &[u64] {
        match key {
            TargetKey::Skeleton(skeleton) => self.ids_of_skeleton(skeleton),
            TargetKey::Address(address) => self.ids_of_address(*address),
        }
    }

    fn ids_of_skeleton(&self, skeleton: &str) -> &[u64] {
        self.by_skeleton.get(skeleton).map_or(&[], Vec::as_slice)
    }

    fn ids_of_address(&self, address: Address) -> &[u64] {
        self.by_address.get(&address).map_or(&[], Vec::as_slice)
    }

    /// Returns the consequence of an offence with these keys, given the offences before it, and the sanction in force
    /// because of it.
    fn consequence(&self, offence: &Offence, keys: &[TargetKey]) -> (Consequence, Sanction) {
        let mut ids: Vec<u64> = keys.iter().flat_map(|key| self.ids_of(key)).copied().collect();
        ids.sort_unstable();
        ids.dedup();
        let earlier = ids.iter().take_while(|id| **id < offence.id).filter_map(|id| self.entry(*id));
        consequence_of(&self.ladder, offence, earlier)
    }

    /// Returns the sanction that an offence would lead to.
    pub(super) fn preview(&self, mut offence: Offence) -> Option<Sanction> {
        offence.id = self.next_id;
        match self.consequence(&offence, &TargetKey::keys_of(&offence.request.target)) {
            (Consequence::Sanction { .. }, sanction) => Some(sanction),
            (Consequence::Absorbed { .. }, _) => None,
        }
    }

    /// Adds an offence and returns the sanction in force because of it.
    pub(super) fn add(&mut self, mut offence: Offence) -> Result<Sanction, InsertError> {
        offence.id = self.next_id;
        let keys = TargetKey::keys_of(&offence.request.target);
        let (consequence, sanction) = self.consequence(&offence, &keys);
        match self.make_room(&offence, &keys) {
            Ok(()) => self.insert_with_keys(keys, OffenceEntry { offence, consequence }),
            Err(full) => match consequence {
                Consequence::Sanction { .. } => return Err(full),
                // An absorbed offence has no consequence, so dropping it matters only to a later undo.
                Consequence::Absorbed { .. } => {}
            },
        }
        Ok(sanction)
    }

    /// Inserts an entry unchanged.
    pub(super) fn insert(&mut self, entry: OffenceEntry) {
        self.insert_with_keys(TargetKey::keys_of(&entry.offence.request.target), entry);
    }

    fn insert_with_keys(&mut self, keys: Box<[TargetKey]>, entry: OffenceEntry) {
        let id = entry.offence.id;
        self.remove(id);
        self.next_id = self.next_id.max(id.saturating_add(1));
        for key in &keys {
            let ids = match key {
                TargetKey::Skeleton(skeleton) => self.by_skeleton.entry(skeleton.clone()).or_default(),
                TargetKey::Address(address) => self.by_address.entry(*address).or_default(),
            };
            let at = ids.partition_point(|other| *other < id);
            ids.insert(at, id);
        }
        self.lasting += usize::from(entry.is_lasting());
        let family = TargetFamily::new(&entry.offence.request.target);
        let skeletons = match &entry.offence.request.target {
            Target::Sender { nickname, .. } => Some(nickname.skeletons()),
            Target::Nickname(_) | Target::Address(_) | Target::Connection { .. } => None,
        };
        self.entries.insert(id, IndexedEntry { entry, keys, family, skeletons });
        self.changes.mark(id);
    }

    /// Removes an entry.
    pub(super) fn remove(&mut self, id: u64) -> Option<IndexedEntry> {
        let indexed = self.entries.remove(&id)?;
        for key in &indexed.keys {
            match key {
                TargetKey::Skeleton(skeleton) => remove_id(&mut self.by_skeleton, &**skeleton, id),
                TargetKey::Address(address) => remove_id(&mut self.by_address, address, id),
            }
        }
        self.lasting -= usize::from(indexed.entry.is_lasting());
        self.changes.mark(id);
        Some(indexed)
    }

    /// Updates an entry. `change` must keep its number and target.
    pub(super) fn update(&mut self, id: u64, change: impl FnOnce(&mut OffenceEntry)) {
        if let Some(IndexedEntry { entry, .. }) = self.entries.get_mut(&id) {
            self.lasting -= usize::from(entry.is_lasting());
            change(entry);
            self.lasting += usize::from(entry.is_lasting());
            self.full_until = None;
            self.changes.mark(id);
        }
    }

    /// Returns the strongest sanction against this nickname or origin among the entries that `concerns` accepts.
    pub(super) fn strongest<'a>(
        &'a self,
        nickname: Option<&Nickname>,
        Origin { address, connection }: Origin,
        concerns: impl Fn(&OffenceEntry) -> bool,
    ) -> Option<&'a OffenceEntry> {
        if self.by_address.is_empty() && self.by_skeleton.is_empty() {
            return None;
        }
        let skeletons = nickname.map(Nickname::skeletons);
        let mut strongest: Option<&OffenceEntry> = None;
        let mut consider = |ids: &[u64]| {
            for indexed in ids.iter().filter_map(|id| self.entries.get(id)) {
                let entry = &indexed.entry;
                let stronger = strongest.is_none_or(|other| strength(entry) > strength(other));
                if stronger && concerns(entry) && indexed.covers(connection, skeletons.as_ref()) {
                    strongest = Some(entry);
                }
            }
        };
        if !self.by_address.is_empty() {
            address.networks().for_each(|network| consider(self.ids_of_address(network)));
        }
        if let Some(skeletons) = &skeletons {
            skeletons.iter().for_each(|skeleton| consider(self.ids_of_skeleton(skeleton)));
        }
        strongest
    }

    /// Changes the target of a request from a nickname at an address to the connection, if offences under two other
    /// nicknames came from that address to that room a short time ago.
    pub(super) fn widen(&self, request: &mut PenaltyRequest, connection: Option<ConnectionId>, now: Timestamp) {
        let Target::Sender { nickname, address } = &request.target else { return };
        let mut names = vec![nickname.skeletons()];
        for indexed in self.ids_of_address(*address).iter().filter_map(|id| self.entries.get(id)) {
            let offence = &indexed.entry.offence;
            let is_recent = time::elapsed(offence.at, now) < NAMES_WINDOW && offence.lifted.is_none();
            let Some(skeletons) = indexed.skeletons.as_ref().filter(|_| is_recent) else { continue };
            if offence.request.room == request.room && !names.iter().any(|other| share_skeleton(skeletons, other)) {
                names.push(skeletons.clone());
            }
        }
        if names.len() >= MAX_NAMES {
            request.target = Target::Connection { id: connection, address: *address };
        }
    }

    /// Removes these offences and recalculates the consequences of later ones. Returns each entry that was removed or
    /// changed, as it was before.
    pub(super) fn retract(&mut self, ids: &[u64]) -> Vec<OffenceEntry> {
        let (mut before, mut families) = (Vec::new(), HashMap::<TargetFamily, u64>::new());
        for id in ids {
            let Some(IndexedEntry { entry, family, .. }) = self.remove(*id) else { continue };
            let first = families.entry(family).or_insert(*id);
            *first = (*first).min(*id);
            before.push(entry);
        }
        let later = families.values().min().copied().unwrap_or(u64::MAX);
        let concerned = |indexed: &IndexedEntry| {
            families.get(&indexed.family).is_some_and(|first| *first < indexed.entry.offence.id)
        };
        let later = self.entries.range(later..).filter(|(_, indexed)| concerned(indexed));
        let ids: Vec<u64> = later.map(|(id, _)| *id).collect();
        for id in ids {
            let Some(IndexedEntry { entry, keys, .. }) = self.entries.get(&id) else { continue };
            let (consequence, _) = self.consequence(&entry.offence, keys);
            if consequence != entry.consequence {
                before.push(entry.clone());
                self.update(id, |entry| entry.consequence = consequence);
            }
        }
        self.full_until = None;
        before
    }
}

/// Orders sanctions by strength: a ban before a mute, then the later end, then the lower number.
fn strength(entry: &OffenceEntry) -> (SanctionKind, Timestamp, Reverse<u64>) {
    let (kind, until) = match entry.consequence {
        Consequence::Sanction { kind, until, .. } => (kind, until.unwrap_or(Timestamp::MAX)),
        Consequence::Absorbed { .. } => (SanctionKind::Warn, Timestamp::MIN),
    };
    (kind, until, Reverse(entry.offence.id))
}
