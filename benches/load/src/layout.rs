//! Who is in which room, and who speaks there.
//!
//! Members are dealt to the rooms in turn, as people come and go in no order: members of one room are not neighbours in
//! the server's tables.

/// The members of a run, by number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Layout {
    members: usize,
    rooms: usize,
    speakers: usize,
}

impl Layout {
    /// `members` spread evenly over `rooms`, in each of which `speakers` speak. There are never more rooms than
    /// members, nor more speakers than members of the smallest room.
    pub(crate) fn new(members: usize, rooms: usize, speakers: usize) -> Self {
        let members = members.max(1);
        let rooms = rooms.clamp(1, members);
        Self { members, rooms, speakers: speakers.clamp(1, members / rooms) }
    }

    /// Everybody in a room alone.
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

    /// Speakers in each room.
    pub(crate) fn speakers(self) -> usize {
        self.speakers
    }

    /// The room of `member`.
    #[inline]
    pub(crate) fn room_of(self, member: usize) -> usize {
        if self.rooms == 1 { 0 } else { member % self.rooms }
    }

    /// Members of `room`.
    pub(crate) fn size(self, room: usize) -> usize {
        self.members / self.rooms + usize::from(room < self.members % self.rooms)
    }

    /// The member who is this room's speaker number `speaker`. Speakers are spread evenly, a lone one is in the middle:
    /// neither first nor last in whatever order the server goes through the room.
    pub(crate) fn speaker(self, room: usize, speaker: usize) -> usize {
        let seat = (2 * speaker + 1) * self.size(room) / (2 * self.speakers);
        seat * self.rooms + room
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rooms_differ_by_one_member_at_most_and_hold_everybody() {
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
    fn speakers_are_different_members_of_their_room() {
        for (members, rooms, speakers) in [(200, 1, 20), (1_000, 30, 1), (10, 1, 10), (11, 3, 99), (1, 1, 1)] {
            let layout = Layout::new(members, rooms, speakers);
            for room in 0..layout.rooms() {
                let mut found: Vec<usize> = (0..layout.speakers()).map(|at| layout.speaker(room, at)).collect();
                assert!(found.iter().all(|&member| member < members && layout.room_of(member) == room), "{found:?}");
                found.dedup();
                assert_eq!(found.len(), layout.speakers());
            }
        }
        assert_eq!(Layout::new(1_000, 1, 1).speaker(0, 0), 500);
    }
}
