//! What every member has heard of every speaker: nothing lost, nothing twice, nothing out of order, to the last frame.
//!
//! A speaker's messages are numbered from zero. In the good case a member hears the number that is due, and that is all
//! there is to do; only what comes early is remembered one by one.

use std::collections::{BTreeMap, BTreeSet};

use crate::layout::Layout;

/// Any odd number with many bits: orders that differ get fingerprints that differ.
const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;

/// The books of a run.
#[derive(Debug)]
pub(super) struct Ledger {
    layout: Layout,
    /// The number due next, by member and speaker of its room.
    due: Vec<u32>,
    /// Numbers above the one due that have come, by the same places.
    early: BTreeMap<usize, BTreeSet<u32>>,
    /// A fingerprint of all that a member has heard, in its order.
    orders: Vec<u64>,
    doubled: u64,
    late: u64,
    foreign: u64,
}

impl Ledger {
    /// Nobody has heard anything.
    pub(super) fn new(layout: Layout) -> Self {
        Self {
            layout,
            due: vec![0; layout.members() * layout.speakers()],
            early: BTreeMap::new(),
            orders: vec![0; layout.members()],
            doubled: 0,
            late: 0,
            foreign: 0,
        }
    }

    /// `member` has heard message `number` of `speaker`.
    #[inline]
    pub(super) fn hear(&mut self, member: usize, speaker: usize, number: u32) {
        let order = &mut self.orders[member];
        *order = (*order ^ (u64::from(number) << 16 | speaker as u64)).wrapping_mul(SPREAD).rotate_left(23);
        let place = member * self.layout.speakers() + speaker;
        let due = &mut self.due[place];
        if number == *due && self.early.is_empty() {
            *due += 1;
        } else {
            self.out_of_line(place, number);
        }
    }

    #[cold]
    fn out_of_line(&mut self, place: usize, number: u32) {
        let due = &mut self.due[place];
        if number < *due {
            self.doubled += 1;
            return;
        }
        let early = self.early.entry(place).or_default();
        if number > *due {
            self.doubled += u64::from(early.contains(&number));
            // A message is late when one that was sent after it has come before it.
            self.late += u64::from(early.last().is_some_and(|last| number < *last) && !early.contains(&number));
            early.insert(number);
            return;
        }
        self.late += u64::from(!early.is_empty());
        *due += 1;
        while early.remove(due) {
            *due += 1;
        }
        if early.is_empty() {
            self.early.remove(&place);
        }
    }

    /// A member has heard what nobody has sent.
    pub(super) fn foreign(&mut self) {
        self.foreign += 1;
    }

    /// Messages that did not come, if each speaker of each room has sent so many.
    pub(super) fn lost(&self, sent: impl Fn(usize, usize) -> usize) -> u64 {
        let mut lost = 0;
        for (place, due) in self.due.iter().enumerate() {
            let (member, speaker) = (place / self.layout.speakers(), place % self.layout.speakers());
            let heard = *due as usize + self.early.get(&place).map_or(0, BTreeSet::len);
            lost += sent(self.layout.room_of(member), speaker).saturating_sub(heard);
        }
        lost as u64
    }

    /// What is wrong, in words. Members are only asked for a common order when each has heard everything once, since
    /// otherwise they cannot have one.
    pub(super) fn problems(&self, lost: u64) -> Vec<String> {
        let split = if lost + self.doubled + self.foreign == 0 { self.split() } else { 0 };
        let counts = [
            (lost, "deliveries lost"),
            (self.doubled, "deliveries doubled"),
            (self.late, "deliveries out of order"),
            (self.foreign, "deliveries that nobody sent"),
            (split, "members heard their room in another order than its first one"),
        ];
        counts.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")).collect()
    }

    fn split(&self) -> u64 {
        let differs = |member: usize| self.orders[member] != self.orders[self.layout.room_of(member)];
        (0..self.layout.members()).filter(|member| differs(*member)).count() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ledger(heard: &[(usize, u32)]) -> Ledger {
        let mut ledger = Ledger::new(Layout::new(2, 1, 2));
        for member in 0..2 {
            for &(speaker, number) in heard {
                ledger.hear(member, speaker, number);
            }
        }
        ledger
    }

    #[test]
    fn all_in_order_is_well() {
        let ledger = ledger(&[(0, 0), (1, 0), (0, 1), (1, 1)]);
        assert_eq!(ledger.lost(|_, _| 2), 0);
        assert!(ledger.problems(0).is_empty());
    }

    #[test]
    fn a_gap_is_lost_and_not_late() {
        let ledger = ledger(&[(0, 0), (0, 2), (0, 3), (1, 0)]);
        assert_eq!(ledger.lost(|_, speaker| if speaker == 0 { 5 } else { 1 }), 4);
        assert_eq!(ledger.problems(4), ["4 deliveries lost"]);
    }

    #[test]
    fn late_ones_are_no_longer_lost_and_copies_are_counted() {
        for (heard, late, doubled) in [
            (vec![0, 2, 1], 1, 0),
            (vec![2, 1, 0], 2, 0),
            (vec![1, 2, 0], 1, 0),
            (vec![0, 1, 1, 2], 0, 1),
            (vec![2, 2, 0, 1], 2, 1),
            (vec![1, 0, 2, 0, 1], 1, 2),
        ] {
            let mut ledger = Ledger::new(Layout::new(1, 1, 1));
            for number in &heard {
                ledger.hear(0, 0, *number);
            }
            assert_eq!(ledger.lost(|_, _| 3), 0, "{heard:?}");
            assert_eq!((ledger.late, ledger.doubled), (late, doubled), "{heard:?}");
            assert!(ledger.early.is_empty());
        }
    }

    #[test]
    fn members_who_hear_two_speakers_differently_are_found() {
        let mut ledger = Ledger::new(Layout::new(3, 1, 2));
        for (member, speakers) in [(0, [0, 1]), (1, [1, 0]), (2, [0, 1])] {
            for speaker in speakers {
                ledger.hear(member, speaker, 0);
            }
        }
        assert_eq!(ledger.problems(0), ["1 members heard their room in another order than its first one"]);
    }

    #[test]
    fn rooms_do_not_share_an_order() {
        let mut ledger = Ledger::new(Layout::new(4, 2, 1));
        for (member, messages) in [(0, 1), (2, 1), (1, 2), (3, 2)] {
            (0..messages).for_each(|number| ledger.hear(member, 0, number));
        }
        assert_eq!(ledger.lost(|room, _| room + 1), 0);
        assert!(ledger.problems(0).is_empty());
    }
}
