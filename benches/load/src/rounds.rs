//! Members that are served by turns.
//!
//! Owns whose turn it is and how many are due.

use std::time::{Duration, Instant};

/// The members and the state of the round.
#[derive(Debug)]
pub(crate) struct Rounds {
    members: Vec<usize>,
    /// For each to have its turn once.
    period: Duration,
    /// When turns were last dealt.
    dealt: Instant,
    /// Whose turn it is, as an index of `members`.
    next: usize,
    /// How often everybody has had a turn.
    laps: u64,
}

impl Rounds {
    /// Turns come at least this often, so that a round is spread over its period.
    pub(crate) const NAP: Duration = Duration::from_millis(1);

    /// Turns dealt at once at most, for the sake of those who are served as soon as they are ready.
    const MOST: usize = 256;

    /// All members have just had their turn.
    pub(crate) fn new(members: Vec<usize>, period: Duration) -> Self {
        Self { members, period, dealt: Instant::now(), next: 0, laps: 0 }
    }

    /// How often everybody has had a turn.
    pub(crate) fn laps(&self) -> u64 {
        self.laps
    }

    /// How many turns are due now. A tool that is late drops turns instead of serving nobody else.
    pub(crate) fn deal(&mut self) -> usize {
        let passed = self.dealt.elapsed().as_secs_f64() / self.period.as_secs_f64();
        let due = (passed * self.members.len() as f64) as usize;
        if due > 0 {
            self.dealt = Instant::now();
        }
        due.min(Self::MOST)
    }

    /// The next member.
    ///
    /// # Panics
    /// If there are no members; but then no turn is dealt either.
    pub(crate) fn next(&mut self) -> usize {
        self.next = (self.next + 1) % self.members.len();
        self.laps += u64::from(self.next == 0);
        self.members[self.next]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rounds(members: Vec<usize>, overdue: Duration) -> Rounds {
        let dealt = Instant::now().checked_sub(overdue).expect("the machine is up for longer");
        Rounds { members, period: Duration::from_millis(20), dealt, next: 0, laps: 0 }
    }

    #[test]
    fn everybody_has_a_turn_in_a_period() {
        let mut rounds = rounds(vec![3, 5, 9], Duration::from_millis(21));
        assert!(rounds.deal() >= 3, "a slow machine may owe more");
        let mut turns = [rounds.next(), rounds.next(), rounds.next()];
        turns.sort_unstable();
        assert_eq!((turns, rounds.laps()), ([3, 5, 9], 1));
    }

    #[test]
    fn turns_missed_are_dropped_and_nobody_has_none() {
        assert_eq!(rounds((0..1_000).collect(), Duration::from_secs(1)).deal(), Rounds::MOST);
        assert_eq!(rounds(Vec::new(), Duration::from_secs(1)).deal(), 0);
    }
}
