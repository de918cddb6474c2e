//! Assigns members and senders to rooms, and generations to members.
//!
//! Members join the rooms in turn, since real users join in no order: the members of one room are not neighbours in the
//! server's tables.

use crate::generation::{Generation, Generations};

/// The rooms, members and senders of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Layout {
    members: usize,
    rooms: usize,
    senders: usize,
    generations: Generations,
}

impl Layout {
    /// Spreads `members` evenly over `rooms`, with `senders` in each. There are never more rooms than members, nor more
    /// senders than members of the smallest room. All are v1.
    pub(crate) fn new(members: usize, rooms: usize, senders: usize) -> Self {
        let members = members.max(1);
        let rooms = rooms.clamp(1, members);
        Self {
            members,
            rooms,
            senders: senders.clamp(1, members / rooms),
            generations: Generations::All(Generation::V1),
        }
    }

    /// The same with members of these generations. In a mixed room, three senders are one of each generation.
    pub(crate) fn with(self, generations: Generations) -> Self {
        Self { generations, ..self }
    }

    /// A room for each member.
    pub(crate) fn alone(members: usize) -> Self {
        Self::new(members, members, 1)
    }

    /// Members of all rooms together.
    pub(crate) fn members(self) -> usize {
        self.members
    }

    /// Rooms.
    pub(crate) fn rooms(self) -> usize {
        self.rooms
    }

    /// Senders in each room.
    pub(crate) fn senders(self) -> usize {
        self.senders
    }

    /// The room of `member`.
    #[inline]
    pub(crate) fn room_of(self, member: usize) -> usize {
        if self.rooms == 1 { 0 } else { member % self.rooms }
    }

    /// The generation of `member`.
    #[inline]
    pub(crate) fn generation_of(self, member: usize) -> Generation {
        match self.generations {
            Generations::All(generation) => generation,
            Generations::Mixed => Generation::ALL[member / self.rooms % Generation::ALL.len()],
        }
    }

    /// Members of `room`.
    pub(crate) fn size(self, room: usize) -> usize {
        self.members / self.rooms + usize::from(room < self.members % self.rooms)
    }

    /// The member that is sender number `sender` of `room`. Senders are spread evenly; a single one is in the middle, so
    /// neither first nor last in the order in which the server serves the room.
    pub(crate) fn sender(self, room: usize, sender: usize) -> usize {
        let size = self.size(room);
        let seat = (2 * sender + 1) * size / (2 * self.senders);
        let seat = match self.generations {
            Generations::All(_) => seat,
            Generations::Mixed => {
                let of_generation = seat - seat % Generation::ALL.len() + sender % Generation::ALL.len();
                if of_generation < size { of_generation } else { of_generation - Generation::ALL.len() }
            }
        };
        seat * self.rooms + room
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rooms_differ_by_one_member_at_most_and_hold_all_members() {
        for (members, rooms) in [(10, 1), (10, 3), (1_000, 30), (7, 7), (5, 9)] {
            let layout = Layout::new(members, rooms, 1);
            let mut sizes = vec![0; layout.rooms()];
            (0..members).for_each(|member| sizes[layout.room_of(member)] += 1);
            let expected: Vec<usize> = (0..layout.rooms()).map(|room| layout.size(room)).collect();
            assert_eq!(sizes, expected);
            assert!(sizes.iter().max().unwrap() - sizes.iter().min().unwrap() <= 1, "{sizes:?}");
        }
    }

    #[test]
    fn senders_are_different_members_of_their_room() {
        for (members, rooms, senders) in [(200, 1, 20), (1_000, 30, 1), (10, 1, 10), (11, 3, 99), (1, 1, 1)] {
            let layout = Layout::new(members, rooms, senders);
            for room in 0..layout.rooms() {
                let mut found: Vec<usize> = (0..layout.senders()).map(|at| layout.sender(room, at)).collect();
                assert!(found.iter().all(|&member| member < members && layout.room_of(member) == room), "{found:?}");
                found.dedup();
                assert_eq!(found.len(), layout.senders());
            }
        }
        assert_eq!(Layout::new(1_000, 1, 1).sender(0, 0), 500);
    }

    #[test]
    fn mixed_rooms_have_a_third_and_a_sender_of_each_generation() {
        for (members, rooms) in [(3, 1), (4, 1), (5, 1), (1_000, 1), (100, 7)] {
            let layout = Layout::new(members, rooms, 3).with(Generations::Mixed);
            for room in 0..rooms {
                let generations: Vec<Generation> =
                    (room..members).step_by(rooms).map(|member| layout.generation_of(member)).collect();
                let count = |wanted| generations.iter().filter(|generation| **generation == wanted).count();
                assert!(
                    Generation::ALL.iter().all(|generation| count(*generation).abs_diff(generations.len() / 3) <= 1)
                );
                let senders = [0, 1, 2].map(|at| layout.sender(room, at));
                assert!(senders.iter().all(|sender| *sender < members), "{senders:?}");
                assert_eq!(senders.map(|sender| layout.generation_of(sender)), Generation::ALL);
            }
        }
    }
}
