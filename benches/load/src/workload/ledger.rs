//! Checks that every member receives every message of its room once and in order.
//!
//! The messages of a sender are numbered from zero. In the good case a member receives the number that is due; only
//! numbers that arrive early are stored one by one.

use std::collections::{BTreeMap, BTreeSet};

use crate::layout::Layout;

/// An odd multiplier with many bits, so that different orders get different fingerprints.
const MULTIPLIER: u64 = 0x9e37_79b9_7f4a_7c15;

/// The deliveries of a run.
#[derive(Debug)]
pub(super) struct Ledger {
    layout: Layout,
    /// The next number due, by member and sender of its room.
    due: Vec<u32>,
    /// Received numbers above the one due, by the same index.
    early: BTreeMap<usize, BTreeSet<u32>>,
    /// A fingerprint of the sequence of messages, by member.
    orders: Vec<u64>,
    duplicates: u64,
    late: u64,
    unknown: u64,
}

impl Ledger {
    /// Creates an empty ledger.
    pub(super) fn new(layout: Layout) -> Self {
        Self {
            layout,
            due: vec![0; layout.members() * layout.senders()],
            early: BTreeMap::new(),
            orders: vec![0; layout.members()],
            duplicates: 0,
            late: 0,
            unknown: 0,
        }
    }

    /// Records that `member` received message `number` of `sender`.
    #[inline]
    pub(super) fn record(&mut self, member: usize, sender: usize, number: u32) {
        let order = &mut self.orders[member];
        *order = (*order ^ (u64::from(number) << 16 | sender as u64)).wrapping_mul(MULTIPLIER).rotate_left(23);
        let place = member * self.layout.senders() + sender;
        let due = &mut self.due[place];
        if number == *due && self.early.is_empty() {
            *due += 1;
        } else {
            self.record_out_of_order(place, number);
        }
    }

    #[cold]
    fn record_out_of_order(&mut self, place: usize, number: u32) {
        let due = &mut self.due[place];
        if number < *due {
            self.duplicates += 1;
            return;
        }
        let early = self.early.entry(place).or_default();
        if number > *due {
            self.duplicates += u64::from(early.contains(&number));
            // A message is late when one that was sent after it arrived before it.
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

    /// Records a message that no sender has sent.
    pub(super) fn record_unknown(&mut self) {
        self.unknown += 1;
    }

    /// Messages that did not arrive; `sent` is the number of messages of a sender by room and sender.
    pub(super) fn lost(&self, sent: impl Fn(usize, usize) -> usize) -> u64 {
        let mut lost = 0;
        for (place, due) in self.due.iter().enumerate() {
            let (member, sender) = (place / self.layout.senders(), place % self.layout.senders());
            let received = *due as usize + self.early.get(&place).map_or(0, BTreeSet::len);
            lost += sent(self.layout.room_of(member), sender).saturating_sub(received);
        }
        lost as u64
    }

    /// Returns descriptions of all problems. The order is compared only if each member received every message once.
    pub(super) fn problems(&self, lost: u64) -> Vec<String> {
        let diverging = if lost + self.duplicates + self.unknown == 0 { self.diverging_members() } else { 0 };
        let counts = [
            (lost, "deliveries lost"),
            (self.duplicates, "deliveries doubled"),
            (self.late, "deliveries out of order"),
            (self.unknown, "deliveries that nobody sent"),
            (diverging, "members heard their room in another order than its first one"),
        ];
        counts.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")).collect()
    }

    fn diverging_members(&self) -> u64 {
        let differs = |member: usize| self.orders[member] != self.orders[self.layout.room_of(member)];
        (0..self.layout.members()).filter(|member| differs(*member)).count() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ledger(received: &[(usize, u32)]) -> Ledger {
        let mut ledger = Ledger::new(Layout::new(2, 1, 2));
        for member in 0..2 {
            for &(sender, number) in received {
                ledger.record(member, sender, number);
            }
        }
        ledger
    }

    #[test]
    fn deliveries_in_order_have_no_problems() {
        let ledger = ledger(&[(0, 0), (1, 0), (0, 1), (1, 1)]);
        assert_eq!(ledger.lost(|_, _| 2), 0);
        assert!(ledger.problems(0).is_empty());
    }

    #[test]
    fn a_gap_is_lost_and_not_late() {
        let ledger = ledger(&[(0, 0), (0, 2), (0, 3), (1, 0)]);
        assert_eq!(ledger.lost(|_, sender| if sender == 0 { 5 } else { 1 }), 4);
        assert_eq!(ledger.problems(4), ["4 deliveries lost"]);
    }

    #[test]
    fn late_messages_are_not_lost_and_duplicates_are_counted() {
        for (received, late, duplicates) in [
            (vec![0, 2, 1], 1, 0),
            (vec![2, 1, 0], 2, 0),
            (vec![1, 2, 0], 1, 0),
            (vec![0, 1, 1, 2], 0, 1),
            (vec![2, 2, 0, 1], 2, 1),
            (vec![1, 0, 2, 0, 1], 1, 2),
        ] {
            let mut ledger = Ledger::new(Layout::new(1, 1, 1));
            for number in &received {
                ledger.record(0, 0, *number);
            }
            assert_eq!(ledger.lost(|_, _| 3), 0, "{received:?}");
            assert_eq!((ledger.late, ledger.duplicates), (late, duplicates), "{received:?}");
            assert!(ledger.early.is_empty());
        }
    }

    #[test]
    fn members_with_different_orders_are_found() {
        let mut ledger = Ledger::new(Layout::new(3, 1, 2));
        for (member, senders) in [(0, [0, 1]), (1, [1, 0]), (2, [0, 1])] {
            for sender in senders {
                ledger.record(member, sender, 0);
            }
        }
        assert_eq!(ledger.problems(0), ["1 members heard their room in another order than its first one"]);
    }

    #[test]
    fn rooms_do_not_share_an_order() {
        let mut ledger = Ledger::new(Layout::new(4, 2, 1));
        for (member, messages) in [(0, 1), (2, 1), (1, 2), (3, 2)] {
            (0..messages).for_each(|number| ledger.record(member, 0, number));
        }
        assert_eq!(ledger.lost(|room, _| room + 1), 0);
        assert!(ledger.problems(0).is_empty());
    }
}
