//! The coalescing floor: one write per member for all messages of a round.
#![allow(clippy::indexing_slicing, reason = "the indices are the program's own; a wrong one must stop it")]

use gischat_floor::{Fanout, Hub, serve};

/// The frames of the current round, by room.
#[derive(Debug, Default)]
struct Coalescing {
    rounds: Vec<Vec<u8>>,
    /// Rooms with messages in this round.
    active_rooms: Vec<usize>,
}

impl Fanout for Coalescing {
    fn message(&mut self, _hub: &mut Hub, room: usize, frame: &[u8]) {
        if self.rounds.len() <= room {
            self.rounds.resize_with(room + 1, Vec::new);
        }
        let round = &mut self.rounds[room];
        if round.is_empty() {
            self.active_rooms.push(room);
        }
        round.extend_from_slice(frame);
    }

    fn end_round(&mut self, hub: &mut Hub) {
        for room in self.active_rooms.drain(..) {
            hub.broadcast(room, &self.rounds[room]);
            self.rounds[room].clear();
        }
    }
}

fn main() -> std::io::Result<()> {
    serve(Coalescing::default())
}
