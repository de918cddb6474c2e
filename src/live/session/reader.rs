//! What arrives: bytes to messages, with their share of the memory and their deadline.

use std::collections::VecDeque;

use tokio::time::Instant;

use crate::live::Live;
use crate::wire::frame::{Decoder, Incoming, Violation};

/// The decoder of a session, its share of the memory for unfinished messages, and their deadline.
pub(super) struct Reader<'a> {
    live: &'a Live,
    decoder: Decoder,
    accounted: usize,
    /// When the message under way must have arrived.
    pub(super) deadline: Option<Instant>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(live: &'a Live) -> Self {
        Self { live, decoder: Decoder::new(live.config.max_frame_bytes), accounted: 0, deadline: None }
    }

    /// Adds what `bytes` complete to `arrived`, up to the first violation.
    pub(super) fn feed(&mut self, mut bytes: &[u8], arrived: &mut VecDeque<Incoming>) -> Result<(), Violation> {
        let mut finished = false;
        while let Some(incoming) = self.decoder.next(&mut bytes)? {
            finished |= matches!(incoming, Incoming::Text(_));
            arrived.push_back(incoming);
        }
        match (self.decoder.is_midway(), self.deadline) {
            (false, _) => self.deadline = None,
            (true, Some(_)) if !finished => {}
            (true, _) => self.deadline = Some(Instant::now() + self.live.config.frame_timeout),
        }
        Ok(())
    }

    /// Accounts for what the decoder holds; `false` when that is more than there is.
    pub(super) fn account(&mut self) -> bool {
        let now = self.decoder.buffered();
        let before = std::mem::replace(&mut self.accounted, now);
        before == now || self.live.account_partial(before, now)
    }
}

impl Drop for Reader<'_> {
    fn drop(&mut self) {
        self.live.account_partial(self.accounted, 0);
    }
}
