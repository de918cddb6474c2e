//! Receives the messages of a connection: decodes them, keeps an incomplete one, and accounts for its memory.

use std::sync::Arc;
use std::time::Instant;

use super::closing::CloseReason;
use crate::live::{Config, Live};
use crate::model::Address;
use crate::wire::frame::{Decoder, Incoming};

/// Size up to which an incomplete message is not accounted for, so that long messages cannot use up the memory for a
/// chat line that arrives in two packets.
const UNACCOUNTED_BYTES: usize = 4 * 1024;

/// An incomplete message or frame, or a complete one that is still accounted for. Takes no memory while there is none.
#[derive(Debug, Default)]
pub(super) struct PartialMessage(Option<Box<Partial>>);

#[derive(Debug)]
struct Partial {
    decoder: Decoder,
    /// When the current message began.
    since: Instant,
    accounted: AccountedBytes,
}

/// The memory accounted for a message; released on drop.
#[derive(Debug)]
pub(super) struct AccountedBytes {
    live: Arc<Live>,
    address: Address,
    bytes: usize,
}

impl AccountedBytes {
    /// Accounts for another size; `false` when the limit of all connections is exceeded.
    fn set(&mut self, bytes: usize) -> bool {
        let before = std::mem::replace(&mut self.bytes, bytes);
        before == bytes || self.live.partial.change(self.address, before, bytes)
    }
}

impl Drop for AccountedBytes {
    fn drop(&mut self) {
        self.set(0);
    }
}

impl PartialMessage {
    /// Decodes the next message from the front of `bytes`; `None` once they are used up. Accounts for the bytes kept.
    pub(super) fn decode(
        &mut self,
        bytes: &mut &[u8],
        (live, address): (&Arc<Live>, Address),
        now: Instant,
    ) -> Result<Option<Incoming>, CloseReason> {
        let incoming = if let Some(partial) = &mut self.0 {
            if !partial.decoder.has_partial() {
                partial.since = now;
            }
            partial.decoder.decode(bytes)
        } else {
            let mut decoder = Decoder::new(live.config.max_frame_bytes);
            let incoming = decoder.decode(bytes);
            if decoder.has_partial() {
                let accounted = AccountedBytes { live: Arc::clone(live), address, bytes: 0 };
                self.0 = Some(Box::new(Partial { decoder, since: now, accounted }));
            }
            incoming
        };
        let incoming = incoming.map_err(CloseReason::Protocol)?;
        if incoming.is_none() {
            self.account()?;
        }
        Ok(incoming)
    }

    /// Returns when the message must be complete; `None` if there is none.
    pub(super) fn deadline(&self, config: &Config) -> Option<Instant> {
        let partial = self.0.as_ref().filter(|partial| partial.decoder.has_partial())?;
        Some(partial.since + config.frame_timeout)
    }

    /// Returns the memory accounted for a complete message.
    pub(super) fn into_accounted(self) -> Option<AccountedBytes> {
        self.0.map(|partial| partial.accounted)
    }

    fn account(&mut self) -> Result<(), CloseReason> {
        let Some(partial) = &mut self.0 else { return Ok(()) };
        let bytes = partial.decoder.buffered_bytes().saturating_sub(UNACCOUNTED_BYTES);
        let within_limit = partial.accounted.set(bytes);
        if !partial.decoder.has_partial() {
            self.0 = None;
        }
        if within_limit { Ok(()) } else { Err(CloseReason::PartialMessagesLimit) }
    }
}
