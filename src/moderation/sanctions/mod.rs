//! Sanctions: who is muted or banned, where, and until when, and the ladder that leads there.
//!
//! What is kept are offences, in the order in which they happened. What follows from each depends on what the same
//! target did before and on nothing else, so that offences can be taken out as if they had never been.

mod book;
mod bounds;
mod keys;
mod ladder;
mod offence;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;

use self::book::Book;
pub use self::ladder::{Ladder, Step};
pub use self::offence::Order;
pub(super) use self::offence::{Effect, Entry, Lifted, Offence};
use super::store::{Changes, Part, Taken};
use super::{Full, time};
use crate::model::{Address, Cause, Nickname, Penalty, RoomName, Sanction, Target};

/// Longest reason, in bytes.
const MAX_REASON: usize = 1_000;

/// All sanctions. Asked for each message, from many threads at once.
///
/// At most 100 000 offences are kept, and 64 for an address or for names that look the same; of both, some are for
/// moderators only. Beyond that, what has ended goes first.
#[derive(Debug)]
pub struct Sanctions {
    book: Mutex<Book>,
    /// How many of them last. None, usually: then nobody takes the lock.
    lasting: AtomicUsize,
}

/// What an undo has changed of what is in force.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Undone {
    /// Sanctions that are no longer in force, as they were.
    pub lifted: Vec<Sanction>,
    /// Sanctions that are in force in another way than before, or again, as they are.
    pub changed: Vec<Sanction>,
}

impl Sanctions {
    /// None yet. Nothing is kept beyond the end of the program.
    #[must_use]
    pub fn new(ladder: Ladder) -> Self {
        Self::with_changes(ladder, Changes::default())
    }

    pub(super) fn with_changes(ladder: Ladder, changes: Changes<u64>) -> Self {
        Self { book: Mutex::new(Book::new(ladder, 1, changes)), lasting: AtomicUsize::new(0) }
    }

    fn write<T>(&self, change: impl FnOnce(&mut Book) -> T) -> T {
        let mut book = self.lock();
        let done = change(&mut book);
        self.lasting.store(book.lasting(), Ordering::Relaxed);
        done
    }

    fn lock(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sanctions somebody.
    ///
    /// What a rule or plugin asks for while the target is muted or banned there by the ladder, or by the same rule or
    /// plugin, does nothing unless it is more than that: the sanction in force comes back. It comes from a message that
    /// was judged before that one.
    ///
    /// # Errors
    /// [`Full`] when there is no room for one more, and nothing that has ended could be forgotten instead.
    pub fn impose(&self, mut order: Order, now: Timestamp) -> Result<Sanction, Full> {
        if let Some(reason) = order.reason.take_if(|reason| reason.len() > MAX_REASON) {
            order.reason = reason.get(..reason.floor_char_boundary(MAX_REASON)).map(Into::into);
        }
        self.write(|book| book.add(Offence { id: 0, at: now, order, lifted: None }))
    }

    /// What [`Sanctions::impose`] would come to, for an order of a moderator.
    #[must_use]
    pub fn foresee(&self, order: &Order, now: Timestamp) -> Option<Sanction> {
        self.lock().foresee(Offence { id: 0, at: now, order: order.clone(), lifted: None })
    }

    /// Puts a sanction in as it is, in place of the one with its number if there is one. For what an earlier run of the
    /// relay has told of: a lifted one is put in as one that has ended.
    pub fn restore(&self, sanction: Sanction) {
        let Sanction { id, kind, target, room, at, until, reason, cause, step } = sanction;
        let penalty = match step {
            Some(_) => Penalty::Ladder,
            None => Penalty::Fixed(kind, until.filter(|_| kind.lasts()).map(|until| time::between(at, until))),
        };
        let order = Order { penalty, target, room, reason: Some(reason), cause };
        let offence = Offence { id, at, order, lifted: None };
        self.write(|book| book.put(Entry { offence, effect: Effect::Sanction { kind, until, step } }));
    }

    /// What keeps somebody with this name, from this address, from speaking in a room: the strongest sanction in force,
    /// a ban before a mute, and what ends later first.
    ///
    /// Look-alikes of a nickname share its fate. A text that is no nickname is nobody's.
    #[must_use]
    pub fn verdict(&self, room: &RoomName, author: &str, address: Address, now: Timestamp) -> Option<Sanction> {
        if self.lasting.load(Ordering::Relaxed) == 0 {
            return None;
        }
        let nickname = Nickname::parse(author).ok();
        let concerns = |entry: &Entry| entry.holds(now) && is_about(entry, room);
        self.lock().strongest(nickname.as_ref(), address, concerns).and_then(Entry::sanction)
    }

    /// What keeps an address out of a room: the ban on it that ends last.
    #[must_use]
    pub fn bans(&self, room: &RoomName, address: Address, now: Timestamp) -> Option<Sanction> {
        if self.lasting.load(Ordering::Relaxed) == 0 {
            return None;
        }
        let concerns = |entry: &Entry| entry.holds(now) && is_about(entry, room) && is_ban(entry);
        self.lock().strongest(None, address, concerns).and_then(Entry::sanction)
    }

    /// Lifts a sanction: it ends now, and is no step of the ladder for what comes after. It comes back as it was.
    ///
    /// `None` when there is none of this number, it was lifted before, or it has ended and is no step of the ladder.
    pub fn lift(&self, id: u64, now: Timestamp) -> Option<Sanction> {
        self.write(|book| {
            let entry = book.entry(id).filter(|entry| entry.holds(now) || entry.is_step())?;
            let sanction = entry.sanction();
            let lifted = Lifted { at: now, before: book.next_id() };
            book.change(id, |entry| entry.offence.lifted = Some(lifted));
            sanction
        })
    }

    /// All sanctions that are in force, in the order of their numbers.
    #[must_use]
    pub fn in_force(&self, now: Timestamp) -> Vec<Sanction> {
        self.lock().entries().filter(|entry| entry.holds(now)).filter_map(Entry::sanction).collect()
    }

    /// All sanctions that are in force, and those that are over but still count as steps of the ladder, in the order of
    /// their numbers: what has a part in what follows.
    #[must_use]
    pub fn that_count(&self, now: Timestamp) -> Vec<Sanction> {
        self.lock().entries().filter(|entry| entry.holds(now) || entry.is_step()).filter_map(Entry::sanction).collect()
    }

    /// The sanction of this number, in force or not, while it is kept. One that was lifted ended then.
    #[must_use]
    pub fn get(&self, id: u64) -> Option<Sanction> {
        self.lock().entry(id).and_then(Entry::sanction)
    }

    /// Takes back what was imposed because of this cause from `since` on, as if it had never been: also the steps of
    /// the ladder that others have led to since are those that they had led to without it.
    ///
    /// What was forgotten in between, because it had ended, takes no part.
    pub fn undo(&self, cause: &Cause, since: Timestamp, now: Timestamp) -> Undone {
        self.write(|book| {
            let own = book.entries().filter(|entry| entry.offence.order.cause == *cause && entry.offence.at >= since);
            let ids: Vec<u64> = own.map(|entry| entry.offence.id).collect();
            let mut before = book.unmake(&ids);
            before.sort_unstable_by_key(|entry| entry.offence.id);
            let mut undone = Undone::default();
            for entry in before {
                match book.entry(entry.offence.id).filter(|entry| entry.holds(now)) {
                    Some(after) => undone.changed.extend(after.sanction()),
                    None if entry.holds(now) => undone.lifted.extend(entry.sanction()),
                    None => {}
                }
            }
            undone
        })
    }

    /// Forgets what has ended and is no step of the ladder any more, the oldest first. To be called now and then; where
    /// there is much, not all of it is forgotten at once, and `true` tells that there may be more.
    pub fn prune(&self, now: Timestamp) -> bool {
        self.write(|book| book.prune(now))
    }

    /// What has changed since this was asked last, and the number that no offence has reached.
    pub(super) fn changed(&self) -> (Part<Entry>, u64) {
        let mut book = self.lock();
        let Taken { keys, all } = book.changes.take();
        let items = if all {
            book.entries().map(|entry| (entry.offence.id, Some(entry.clone()))).collect()
        } else {
            keys.into_iter().map(|id| (id, book.entry(id).cloned())).collect()
        };
        (Part { all, items }, book.next_id())
    }

    /// Says that what was taken could not be written.
    pub(super) fn not_written(&self, part: &Part<Entry>) {
        self.lock().changes.give_back(part.numbers(), part.all);
    }

    /// Puts in what was kept. New offences get `next_id` and what comes after it.
    pub(super) fn load(&self, kept: Vec<Entry>, next_id: u64) {
        self.write(|book| {
            for entry in kept {
                book.put(entry);
            }
            book.begin_at(next_id);
        });
    }

    #[cfg(test)]
    pub(super) fn entries_for_tests(&self) -> Vec<Entry> {
        self.lock().entries().cloned().collect()
    }

    /// How many mutes and bans have not been lifted, those that have ended since the last [`Sanctions::prune`] included.
    #[must_use]
    pub fn lasting(&self) -> usize {
        self.lasting.load(Ordering::Relaxed)
    }

    /// How many offences are kept.
    #[must_use]
    pub fn len(&self) -> usize {
        self.lock().entries().count()
    }

    /// Whether none is kept.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

fn is_about(entry: &Entry, room: &RoomName) -> bool {
    entry.offence.order.room.as_ref().is_none_or(|own| own == room)
}

fn is_ban(entry: &Entry) -> bool {
    let on_address = matches!(entry.offence.order.target, Target::Address(_));
    on_address && matches!(entry.effect, Effect::Sanction { kind: crate::model::SanctionKind::Ban, .. })
}

#[cfg(test)]
mod tests;
