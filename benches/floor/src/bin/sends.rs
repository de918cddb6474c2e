//! The one-send floor: one `send` for each message and member, at once.

use gischat_floor::{Fanout, House, serve};

/// Keeps nothing.
#[derive(Debug)]
struct Sends;

impl Fanout for Sends {
    fn message(&mut self, house: &mut House, room: usize, frame: &[u8]) {
        house.tell(room, frame);
    }

    fn round_ends(&mut self, _house: &mut House) {}
}

fn main() -> std::io::Result<()> {
    serve(Sends)
}
