//! The coalescing floor: what a round of messages brings to a room leaves in one write a member.
#![allow(clippy::indexing_slicing, reason = "the indices are the program's own; a wrong one must stop it")]

use gischat_floor::{Fanout, House, serve};

/// The frames that this round has brought, by room.
#[derive(Debug, Default)]
struct Coalescing {
    rounds: Vec<Vec<u8>>,
    /// Rooms in which something was said.
    spoken: Vec<usize>,
}

impl Fanout for Coalescing {
    fn message(&mut self, _house: &mut House, room: usize, frame: &[u8]) {
        if self.rounds.len() <= room {
            self.rounds.resize_with(room + 1, Vec::new);
        }
        let round = &mut self.rounds[room];
        if round.is_empty() {
            self.spoken.push(room);
        }
        round.extend_from_slice(frame);
    }

    fn round_ends(&mut self, house: &mut House) {
        for room in self.spoken.drain(..) {
            house.tell(room, &self.rounds[room]);
            self.rounds[room].clear();
        }
    }
}

fn main() -> std::io::Result<()> {
    serve(Coalescing::default())
}
