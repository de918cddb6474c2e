//! The moderation levels of rooms, and of all rooms.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;

use crate::model::{ActiveLevel, ModerationLevel, RoomName};
use crate::store::{ChangeTracker, Persist, Record, TableChanges};

/// The levels in effect. Read for each message, from many threads.
#[derive(Debug, Default)]
pub struct Levels {
    set: Mutex<Inner>,
    /// Whether any level is set. Usually none is, and readers skip the lock.
    is_any_set: AtomicBool,
}

#[derive(Debug, Default)]
struct Inner {
    /// The key `None` stands for all rooms.
    levels: HashMap<Option<RoomName>, (ModerationLevel, Option<Timestamp>)>,
    changes: ChangeTracker<()>,
}

impl Levels {
    pub(super) fn with_changes(changes: ChangeTracker<()>) -> Self {
        Self { set: Mutex::new(Inner { changes, ..Inner::default() }), is_any_set: AtomicBool::new(false) }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.set.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self, change: impl FnOnce(&mut Inner)) {
        let mut set = self.lock();
        change(&mut set);
        self.is_any_set.store(!set.levels.is_empty(), Ordering::Relaxed);
        set.changes.mark(());
    }

    /// Sets the level of a room, or of all rooms without a level of their own.
    ///
    /// `Normal` for a room overrides the level of all rooms. The caller checks that the room exists, which bounds the
    /// number of levels.
    pub fn set(&self, room: Option<RoomName>, level: ModerationLevel, until: Option<Timestamp>) {
        self.write(|set| {
            if room.is_none() && level == ModerationLevel::Normal {
                set.levels.remove(&None);
            } else {
                set.levels.insert(room, (level, until));
            }
        });
    }

    /// Takes back what was set for a room, which then has the level of everywhere; or for everywhere.
    pub fn clear(&self, room: Option<&RoomName>) {
        self.write(|set| {
            set.levels.remove(&room.cloned());
        });
    }

    /// The level of a room: its own if one is set and has not ended, else that for everywhere, else `Normal`.
    #[must_use]
    pub fn effective(&self, room: &RoomName, now: Timestamp) -> ModerationLevel {
        if !self.is_any_set.load(Ordering::Relaxed) {
            return ModerationLevel::Normal;
        }
        let set = self.lock();
        let running = |room: &Option<RoomName>| {
            let (level, until) = set.levels.get(room)?;
            until.is_none_or(|until| now < until).then_some(*level)
        };
        running(&Some(room.clone())).or_else(|| running(&None)).unwrap_or(ModerationLevel::Normal)
    }

    /// Returns the levels that have not ended: that of all rooms first, then by room name.
    #[must_use]
    pub fn list(&self, now: Timestamp) -> Vec<ActiveLevel> {
        let running = |level: &ActiveLevel| level.until.is_none_or(|until| now < until);
        self.all().into_iter().filter(running).collect()
    }

    /// Returns all levels, ended or not.
    pub(super) fn all(&self) -> Vec<ActiveLevel> {
        let set = self.lock();
        let mut all: Vec<ActiveLevel> = (set.levels.iter())
            .map(|(room, (level, until))| ActiveLevel { room: room.clone(), level: *level, until: *until })
            .collect();
        all.sort_by(|one, other| name(one).cmp(&name(other)));
        all
    }

    /// Removes levels that have ended. Call it periodically.
    pub fn prune(&self, now: Timestamp) {
        if self.all().iter().any(|level| level.until.is_some_and(|until| until <= now)) {
            self.write(|set| set.levels.retain(|_, (_, until)| until.is_none_or(|until| now < until)));
        }
    }

    /// Adds levels read from the store.
    pub(super) fn load(&self, kept: Vec<(u64, ActiveLevel)>) {
        self.write(|set| {
            set.levels.extend(kept.into_iter().map(|(_, ActiveLevel { room, level, until })| (room, (level, until))));
        });
    }
}

/// The key is the place in the list.
impl Record for ActiveLevel {
    const TABLE: &'static str = "levels";
    const NAME: &'static str = "level";
    const VERSION: u32 = 2;
}

/// There are few levels, so all are written when one has changed.
impl Persist for Levels {
    type Record = ActiveLevel;

    fn take_changes(&self) -> TableChanges<ActiveLevel> {
        let replaces_all = !self.lock().changes.take().is_empty();
        let all = if replaces_all { self.all() } else { Vec::new() };
        TableChanges { replaces_all, items: (0..).zip(all.into_iter().map(Some)).collect(), next_key: None }
    }

    fn restore_changes(&self, changes: &TableChanges<ActiveLevel>) {
        if changes.replaces_all {
            self.lock().changes.put_back([()], false);
        }
    }
}

fn name(level: &ActiveLevel) -> Option<&str> {
    level.room.as_ref().map(RoomName::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{at, room};

    #[test]
    fn the_level_of_a_room_overrides_that_of_all_rooms() {
        let levels = Levels::default();
        let of = |name: &str| levels.effective(&room(name), at(0));
        assert_eq!(of("a"), ModerationLevel::Normal);
        levels.set(None, ModerationLevel::All, None);
        levels.set(Some(room("a")), ModerationLevel::Normal, None);
        levels.set(Some(room("b")), ModerationLevel::Slow { seconds: 5 }, None);
        assert_eq!(
            [of("a"), of("b"), of("c")],
            [ModerationLevel::Normal, ModerationLevel::Slow { seconds: 5 }, ModerationLevel::All]
        );
        levels.clear(Some(&room("a")));
        assert_eq!(of("a"), ModerationLevel::All);
        levels.set(None, ModerationLevel::Normal, None);
        assert_eq!([of("a"), of("b")], [ModerationLevel::Normal, ModerationLevel::Slow { seconds: 5 }]);
    }

    #[test]
    fn a_level_ends_exactly_at_its_time() {
        let levels = Levels::default();
        levels.set(None, ModerationLevel::Newcomers, Some(at(20)));
        levels.set(Some(room("a")), ModerationLevel::All, Some(at(10)));
        let of = |second| levels.effective(&room("a"), at(second));
        assert_eq!(
            [9, 10, 19, 20].map(of),
            [ModerationLevel::All, ModerationLevel::Newcomers, ModerationLevel::Newcomers, ModerationLevel::Normal]
        );
        let listed = |second| levels.list(at(second)).into_iter().map(|set| set.room).collect::<Vec<_>>();
        assert_eq!([9, 10, 20].map(listed), [vec![None, Some(room("a"))], vec![None], vec![]]);
        levels.prune(at(10));
        assert_eq!(levels.all().len(), 1);
        levels.prune(at(20));
        assert!(!levels.is_any_set.load(Ordering::Relaxed), "readers skip the lock again");
    }
}
