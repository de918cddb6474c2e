//! The one-send floor: one `send` for each message and member, immediately.

use gischat_floor::{Fanout, Hub, serve};

/// Has no state.
#[derive(Debug)]
struct Sends;

impl Fanout for Sends {
    fn message(&mut self, hub: &mut Hub, room: usize, frame: &[u8]) {
        hub.broadcast(room, frame);
    }

    fn end_round(&mut self, _hub: &mut Hub) {}
}

fn main() -> std::io::Result<()> {
    serve(Sends)
}
