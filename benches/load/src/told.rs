//! What each member was last told about how many are in its room.
//!
//! Announcements may be any number and may be late: that the last one is right is what counts, and when it came.

use std::time::Instant;

/// Stands for a member who was told nothing.
const NOTHING: u32 = u32::MAX;

/// The last numbers told and those that are right in the end.
#[derive(Debug, Default)]
pub(crate) struct Told {
    last: Vec<u32>,
    due: Vec<u32>,
    right: usize,
    since: Option<Instant>,
}

impl Told {
    /// One more member, in whose room `due` are in the end.
    pub(crate) fn add(&mut self, due: usize) {
        self.last.push(NOTHING);
        self.due.push(u32::try_from(due).unwrap_or(NOTHING - 1));
        self.since = None;
    }

    /// `member` was told `number`.
    pub(crate) fn hear(&mut self, member: usize, number: u32) {
        let (last, due) = (&mut self.last[member], self.due[member]);
        self.right = self.right - usize::from(*last == due) + usize::from(number == due);
        *last = number;
        self.since = match self.since {
            _ if !self.everybody() => None,
            None => Some(Instant::now()),
            since => since,
        };
    }

    /// Members who do not know the right number.
    pub(crate) fn wrong(&self) -> usize {
        self.due.len() - self.right
    }

    /// Whether nobody is wrong.
    pub(crate) fn everybody(&self) -> bool {
        self.right == self.due.len()
    }

    /// When the last member was told the right number, if nobody was told another since.
    pub(crate) fn since(&self) -> Option<Instant> {
        self.since
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_last_number_counts() {
        let mut told = Told::default();
        told.add(2);
        told.add(2);
        assert_eq!(told.wrong(), 2);
        for (member, number, wrong) in [(0, 1, 2), (0, 2, 1), (0, 2, 1), (1, 2, 0), (0, 3, 1), (0, 2, 0)] {
            told.hear(member, number);
            assert_eq!((told.wrong(), told.since().is_some()), (wrong, wrong == 0), "{member} told {number}");
        }
    }

    #[test]
    fn what_is_repeated_does_not_make_it_later() {
        let mut told = Told::default();
        told.add(1);
        told.hear(0, 1);
        let since = told.since();
        told.hear(0, 1);
        assert_eq!(told.since(), since);
    }
}
