//! Sanctions (mutes, bans, warnings, kicks) and the ladder that escalates them.
//!
//! The state is a list of offences in order. The consequence of an offence depends only on earlier offences of the same
//! target, so that an offence can be retracted as if it had never happened.

mod keys;
mod ladder;
mod ledger;
mod limits;
mod offence;
mod scope;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;

pub use self::ladder::{Ladder, LadderStep};
use self::ledger::Ledger;
pub use self::offence::PenaltyRequest;
pub(super) use self::offence::{Consequence, Lift, Offence, OffenceEntry};
pub use self::scope::{Origin, concerns, is_exempt};
use super::{InsertError, time};
use crate::model::{Actor, Address, Nickname, Penalty, RoomName, Sanction, Sender, Target};
use crate::store::{ChangeTracker, DirtyKeys, Persist, TableChanges};

/// Longest reason, in bytes.
const MAX_REASON: usize = 1_000;

/// All sanctions. Read for each message, from many threads.
///
/// Keeps at most 100 000 offences, and 64 per address or group of look-alike nicknames; part of both limits is reserved
/// for moderators. At a limit, offences that have ended are dropped first, then the oldest that rules and plugins have added,
/// of the address, IPv6 /48 or group of nicknames with most.
#[derive(Debug)]
pub struct Sanctions {
    ledger: Mutex<Ledger>,
    /// Mutes and bans not lifted. Usually zero, and readers skip the lock.
    lasting: AtomicUsize,
}

/// The sanctions that an undo has changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UndoResult {
    /// Sanctions no longer in force, as they were before.
    pub lifted: Vec<Sanction>,
    /// Sanctions that are in force with other terms than before, or again, as they are now.
    pub changed: Vec<Sanction>,
}

impl Sanctions {
    /// Creates an empty list that is not stored.
    #[must_use]
    pub fn new(ladder: Ladder) -> Self {
        Self::with_changes(ladder, ChangeTracker::default())
    }

    pub(super) fn with_changes(ladder: Ladder, changes: ChangeTracker<u64>) -> Self {
        Self { ledger: Mutex::new(Ledger::new(ladder, 1, changes)), lasting: AtomicUsize::new(0) }
    }

    fn write<T>(&self, change: impl FnOnce(&mut Ledger) -> T) -> T {
        let mut ledger = self.lock();
        let done = change(&mut ledger);
        self.lasting.store(ledger.unlifted_count(), Ordering::Relaxed);
        done
    }

    fn lock(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Imposes a sanction.
    ///
    /// A request of a rule or plugin is absorbed while the target is muted or banned in that room by the ladder, or by
    /// the same rule or plugin, unless it asks for more: it comes from a message judged before that sanction. The
    /// sanction in force is returned then.
    ///
    /// # Errors
    /// [`InsertError`] at a limit, if no offence could be dropped instead.
    pub fn impose(&self, mut request: PenaltyRequest, now: Timestamp) -> Result<Sanction, InsertError> {
        truncate_reason(&mut request);
        self.write(|ledger| ledger.add(Offence { id: 0, at: now, request, lifted: None }))
    }

    /// Imposes a sanction that a rule or plugin requests against the sender of a message. The third nickname at an
    /// address within ten minutes leads to a sanction on the connection, whatever its next nickname is.
    ///
    /// # Errors
    /// As [`Sanctions::impose`].
    pub fn impose_on_sender(
        &self,
        mut request: PenaltyRequest,
        sender: &Sender,
        now: Timestamp,
    ) -> Result<Sanction, InsertError> {
        truncate_reason(&mut request);
        self.write(|ledger| {
            ledger.widen(&mut request, sender.connection, now);
            ledger.add(Offence { id: 0, at: now, request, lifted: None })
        })
    }

    /// Returns the sanction that [`Sanctions::impose`] would impose for a moderator.
    #[must_use]
    pub fn preview(&self, request: &PenaltyRequest, now: Timestamp) -> Option<Sanction> {
        self.lock().preview(Offence { id: 0, at: now, request: request.clone(), lifted: None })
    }

    /// Adds a sanction unchanged, replacing the one with its number. For sanctions logged by an earlier run; a lifted
    /// one is added as ended.
    pub fn restore(&self, sanction: Sanction) {
        let Sanction { id, kind, target, room, at, until, reason, actor, step } = sanction;
        let penalty = match step {
            Some(_) => Penalty::Ladder,
            None => Penalty::Fixed(kind, until.filter(|_| kind.has_duration()).map(|until| time::elapsed(at, until))),
        };
        let request = PenaltyRequest { penalty, target, room, reason: Some(reason), actor };
        let offence = Offence { id, at, request, lifted: None };
        self.write(|ledger| {
            ledger.insert(OffenceEntry { offence, consequence: Consequence::Sanction { kind, until, step } });
        });
    }

    /// Returns the strongest sanction in force in a room against this author or origin: a ban before a mute, then the
    /// one that ends last.
    ///
    /// A sanction also applies to look-alikes of its nickname. An `author` that is not a valid nickname matches none.
    #[must_use]
    pub fn strongest(
        &self,
        room: &RoomName,
        author: &str,
        origin: impl Into<Origin>,
        now: Timestamp,
    ) -> Option<Sanction> {
        if self.lasting.load(Ordering::Relaxed) == 0 {
            return None;
        }
        let nickname = author.parse::<Nickname>().ok();
        let concerns = |entry: &OffenceEntry| entry.is_in_force(now) && applies_in(entry, room);
        self.lock().strongest(nickname.as_ref(), origin.into(), concerns).and_then(OffenceEntry::sanction)
    }

    /// Returns the ban that keeps an address out of a room; the one that ends last.
    #[must_use]
    pub fn address_ban(&self, room: &RoomName, address: Address, now: Timestamp) -> Option<Sanction> {
        if self.lasting.load(Ordering::Relaxed) == 0 {
            return None;
        }
        let concerns =
            |entry: &OffenceEntry| entry.is_in_force(now) && applies_in(entry, room) && is_address_ban(entry);
        self.lock().strongest(None, address.into(), concerns).and_then(OffenceEntry::sanction)
    }

    /// Lifts a sanction: it ends now and no longer counts as a ladder step. Returns it as it was before.
    ///
    /// Returns `None` if there is no such sanction, it is already lifted, or it has ended and is not a ladder step.
    pub fn lift(&self, id: u64, now: Timestamp) -> Option<Sanction> {
        self.write(|ledger| {
            let entry = ledger.entry(id).filter(|entry| entry.is_in_force(now) || entry.is_ladder_step())?;
            let sanction = entry.sanction();
            let lifted = Lift { at: now, before: ledger.next_id() };
            ledger.update(id, |entry| entry.offence.lifted = Some(lifted));
            sanction
        })
    }

    /// Returns the sanctions in force, ordered by number.
    #[must_use]
    pub fn in_force(&self, now: Timestamp) -> Vec<Sanction> {
        self.lock().entries().filter(|entry| entry.is_in_force(now)).filter_map(OffenceEntry::sanction).collect()
    }

    /// Returns the sanctions that are in force or still count as ladder steps, ordered by number.
    #[must_use]
    pub fn in_force_or_counted(&self, now: Timestamp) -> Vec<Sanction> {
        self.lock()
            .entries()
            .filter(|entry| entry.is_in_force(now) || entry.is_ladder_step())
            .filter_map(OffenceEntry::sanction)
            .collect()
    }

    /// Returns the sanction with this number, in force or not. A lifted one ends when it was lifted.
    #[must_use]
    pub fn get(&self, id: u64) -> Option<Sanction> {
        self.lock().entry(id).and_then(OffenceEntry::sanction)
    }

    /// Retracts what `actor` has imposed since `since`, as if it had never happened: ladder steps that others took
    /// since then are recalculated.
    ///
    /// Offences that were pruned in between are not considered.
    pub fn undo(&self, actor: &Actor, since: Timestamp, now: Timestamp) -> UndoResult {
        self.write(|ledger| {
            let own =
                ledger.entries().filter(|entry| entry.offence.request.actor == *actor && entry.offence.at >= since);
            let ids: Vec<u64> = own.map(|entry| entry.offence.id).collect();
            let mut before = ledger.retract(&ids);
            before.sort_unstable_by_key(|entry| entry.offence.id);
            let mut result = UndoResult::default();
            for entry in before {
                match ledger.entry(entry.offence.id).filter(|entry| entry.is_in_force(now)) {
                    Some(after) => result.changed.extend(after.sanction()),
                    None if entry.is_in_force(now) => result.lifted.extend(entry.sanction()),
                    None => {}
                }
            }
            result
        })
    }

    /// Removes offences that have ended and can no longer affect others, oldest first. Call it periodically. Removes a
    /// bounded number per call and returns `true` if there may be more.
    pub fn prune(&self, now: Timestamp) -> bool {
        self.write(|ledger| ledger.prune(now))
    }

    /// Adds offences read from the store. New offences are numbered from `next_id`.
    pub(super) fn load(&self, kept: Vec<(u64, OffenceEntry)>, next_id: u64) {
        self.write(|ledger| {
            for (id, mut entry) in kept {
                entry.offence.id = id;
                ledger.insert(entry);
            }
            ledger.reserve_ids_below(next_id);
        });
    }

    #[cfg(test)]
    pub(super) fn entries_for_tests(&self) -> Vec<OffenceEntry> {
        self.lock().entries().cloned().collect()
    }

    /// Returns the number of mutes and bans not lifted, including those that have ended since the last
    /// [`Sanctions::prune`].
    #[must_use]
    pub fn unlifted_count(&self) -> usize {
        self.lasting.load(Ordering::Relaxed)
    }

    /// Returns the number of offences kept.
    #[must_use]
    pub fn len(&self) -> usize {
        self.lock().entries().count()
    }

    /// Whether no offence is kept.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Persist for Sanctions {
    type Record = OffenceEntry;

    fn take_changes(&self) -> TableChanges<OffenceEntry> {
        let mut ledger = self.lock();
        let DirtyKeys { keys, is_everything: replaces_all } = ledger.changes.take();
        let items = if replaces_all {
            ledger.entries().map(|entry| (entry.offence.id, Some(entry.clone()))).collect()
        } else {
            keys.into_iter().map(|id| (id, ledger.entry(id).cloned())).collect()
        };
        TableChanges { replaces_all, items, next_key: Some(ledger.next_id()) }
    }

    fn restore_changes(&self, changes: &TableChanges<OffenceEntry>) {
        self.lock().changes.put_back(changes.keys(), changes.replaces_all);
    }
}

fn truncate_reason(request: &mut PenaltyRequest) {
    if let Some(reason) = request.reason.take_if(|reason| reason.len() > MAX_REASON) {
        request.reason = reason.get(..reason.floor_char_boundary(MAX_REASON)).map(Into::into);
    }
}

fn applies_in(entry: &OffenceEntry, room: &RoomName) -> bool {
    entry.offence.request.room.as_ref().is_none_or(|own| own == room)
}

fn is_address_ban(entry: &OffenceEntry) -> bool {
    let on_address = matches!(entry.offence.request.target, Target::Address(_));
    on_address && matches!(entry.consequence, Consequence::Sanction { kind: crate::model::SanctionKind::Ban, .. })
}

#[cfg(test)]
mod tests;
