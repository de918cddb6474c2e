//! Members that are served by turns.

use std::time::{Duration, Instant};

/// The members and the state of the current lap.
#[derive(Debug)]
pub(crate) struct RoundRobin {
    members: Vec<usize>,
    /// The duration of a lap, in which each member has one turn.
    period: Duration,
    /// When turns were last handed out.
    last_turns: Instant,
    /// The member whose turn it is, as an index of `members`.
    next: usize,
    /// Completed laps.
    laps: u64,
}

impl RoundRobin {
    /// The longest wait between turns, so that a lap is spread over its period.
    pub(crate) const MAX_WAIT: Duration = Duration::from_millis(1);

    /// Most turns at a time, so that members that are served when ready need not wait.
    const MAX_TURNS: usize = 256;

    /// Starts a lap now.
    pub(crate) fn new(members: Vec<usize>, period: Duration) -> Self {
        Self { members, period, last_turns: Instant::now(), next: 0, laps: 0 }
    }

    /// Completed laps.
    pub(crate) fn laps(&self) -> u64 {
        self.laps
    }

    /// Returns how many turns are due now. A late tool drops turns, since it must serve other members as well.
    pub(crate) fn due_turns(&mut self) -> usize {
        let passed = self.last_turns.elapsed().as_secs_f64() / self.period.as_secs_f64();
        let due = (passed * self.members.len() as f64) as usize;
        if due > 0 {
            self.last_turns = Instant::now();
        }
        due.min(Self::MAX_TURNS)
    }

    /// The next member.
    ///
    /// # Panics
    /// If there are no members. No turn is due then.
    pub(crate) fn next(&mut self) -> usize {
        self.next = (self.next + 1) % self.members.len();
        self.laps += u64::from(self.next == 0);
        self.members[self.next]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round_robin(members: Vec<usize>, overdue: Duration) -> RoundRobin {
        let last_turns = Instant::now().checked_sub(overdue).expect("the machine is up for longer");
        RoundRobin { members, period: Duration::from_millis(20), last_turns, next: 0, laps: 0 }
    }

    #[test]
    fn every_member_has_a_turn_in_a_period() {
        let mut round_robin = round_robin(vec![3, 5, 9], Duration::from_millis(21));
        assert!(round_robin.due_turns() >= 3, "more are due on a slow machine");
        let mut turns = [round_robin.next(), round_robin.next(), round_robin.next()];
        turns.sort_unstable();
        assert_eq!((turns, round_robin.laps()), ([3, 5, 9], 1));
    }

    #[test]
    fn missed_turns_are_dropped_and_without_members_none_is_due() {
        assert_eq!(round_robin((0..1_000).collect(), Duration::from_secs(1)).due_turns(), RoundRobin::MAX_TURNS);
        assert_eq!(round_robin(Vec::new(), Duration::from_secs(1)).due_turns(), 0);
    }
}
