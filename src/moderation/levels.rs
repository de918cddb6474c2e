//! How much is held back or slowed down, for a room or everywhere.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;

use super::act::Level;
use super::store::Changes;
use crate::model::RoomName;

/// The levels that are set. Asked for each message, from many threads at once.
#[derive(Debug, Default)]
pub struct Levels {
    set: Mutex<Set>,
    /// Whether any is set. None is, usually: then nobody takes the lock.
    any: AtomicBool,
}

#[derive(Debug, Default)]
struct Set {
    /// `None` is everywhere.
    levels: HashMap<Option<RoomName>, (Level, Option<Timestamp>)>,
    changes: Changes<()>,
}

/// A level that is set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetLevel {
    /// Where; everywhere when `None`.
    pub room: Option<RoomName>,
    /// Which.
    pub level: Level,
    /// When it ends; `None`: when it is set again.
    pub until: Option<Timestamp>,
}

impl Levels {
    pub(super) fn with_changes(changes: Changes<()>) -> Self {
        Self { set: Mutex::new(Set { changes, ..Set::default() }), any: AtomicBool::new(false) }
    }

    fn lock(&self) -> MutexGuard<'_, Set> {
        self.set.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self, change: impl FnOnce(&mut Set)) {
        let mut set = self.lock();
        change(&mut set);
        self.any.store(!set.levels.is_empty(), Ordering::Relaxed);
        set.changes.note(());
    }

    /// Sets the level of a room, or of all rooms that have none of their own, until a time or until it is set again.
    ///
    /// `Normal` for a room holds against what is set for everywhere. There are as many as there are rooms: that there
    /// is such a room is for the caller to know.
    pub fn set(&self, room: Option<RoomName>, level: Level, until: Option<Timestamp>) {
        self.write(|set| {
            if room.is_none() && level == Level::Normal {
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
    pub fn of(&self, room: &RoomName, now: Timestamp) -> Level {
        if !self.any.load(Ordering::Relaxed) {
            return Level::Normal;
        }
        let set = self.lock();
        let running = |room: &Option<RoomName>| {
            let (level, until) = set.levels.get(room)?;
            until.is_none_or(|until| now < until).then_some(*level)
        };
        running(&Some(room.clone())).or_else(|| running(&None)).unwrap_or(Level::Normal)
    }

    /// What is set and has not ended: that for everywhere first, then by the names of rooms.
    #[must_use]
    pub fn list(&self, now: Timestamp) -> Vec<SetLevel> {
        let running = |level: &SetLevel| level.until.is_none_or(|until| now < until);
        self.all().into_iter().filter(running).collect()
    }

    /// What is set, ended or not.
    pub(super) fn all(&self) -> Vec<SetLevel> {
        let set = self.lock();
        let mut all: Vec<SetLevel> = (set.levels.iter())
            .map(|(room, (level, until))| SetLevel { room: room.clone(), level: *level, until: *until })
            .collect();
        all.sort_by(|one, other| name(one).cmp(&name(other)));
        all
    }

    /// Forgets what has ended. To be called now and then.
    pub fn prune(&self, now: Timestamp) {
        if self.all().iter().any(|level| level.until.is_some_and(|until| until <= now)) {
            self.write(|set| set.levels.retain(|_, (_, until)| until.is_none_or(|until| now < until)));
        }
    }

    /// All levels, if one has changed since this was asked last.
    pub(super) fn changed(&self) -> Option<Vec<SetLevel>> {
        let taken = self.lock().changes.take();
        (!taken.is_empty()).then(|| self.all())
    }

    /// Says that what was taken could not be written.
    pub(super) fn not_written(&self) {
        self.lock().changes.give_back([()], false);
    }

    /// Puts in what was kept.
    pub(super) fn load(&self, kept: Vec<SetLevel>) {
        self.write(|set| {
            set.levels.extend(kept.into_iter().map(|SetLevel { room, level, until }| (room, (level, until))));
        });
    }
}

fn name(level: &SetLevel) -> Option<&str> {
    level.room.as_ref().map(RoomName::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn room(name: &str) -> RoomName {
        RoomName::parse(name).unwrap()
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn a_room_has_its_own_level_before_that_of_everywhere() {
        let levels = Levels::default();
        let of = |name: &str| levels.of(&room(name), at(0));
        assert_eq!(of("a"), Level::Normal);
        levels.set(None, Level::All, None);
        levels.set(Some(room("a")), Level::Normal, None);
        levels.set(Some(room("b")), Level::Slow { seconds: 5 }, None);
        assert_eq!([of("a"), of("b"), of("c")], [Level::Normal, Level::Slow { seconds: 5 }, Level::All]);
        levels.clear(Some(&room("a")));
        assert_eq!(of("a"), Level::All);
        levels.set(None, Level::Normal, None);
        assert_eq!([of("a"), of("b")], [Level::Normal, Level::Slow { seconds: 5 }]);
    }

    #[test]
    fn a_level_ends_at_its_time_and_not_before() {
        let levels = Levels::default();
        levels.set(None, Level::Newcomers, Some(at(20)));
        levels.set(Some(room("a")), Level::All, Some(at(10)));
        let of = |second| levels.of(&room("a"), at(second));
        assert_eq!([9, 10, 19, 20].map(of), [Level::All, Level::Newcomers, Level::Newcomers, Level::Normal]);
        let listed = |second| levels.list(at(second)).into_iter().map(|set| set.room).collect::<Vec<_>>();
        assert_eq!([9, 10, 20].map(listed), [vec![None, Some(room("a"))], vec![None], vec![]]);
        levels.prune(at(10));
        assert_eq!(levels.all().len(), 1);
        levels.prune(at(20));
        assert!(!levels.any.load(Ordering::Relaxed), "nobody takes the lock any more");
    }
}
