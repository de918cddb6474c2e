//! The memory that senders can make the relay use.

use super::Config;
use crate::{audit, moderation};

impl Config {
    /// Returns the limits of memory that grows with what senders do, in bytes. Plugins have a limit of their own, and so
    /// have connections, each of which takes some hundred bytes.
    #[must_use]
    pub fn memory_limits(&self) -> [(&'static str, usize); 8] {
        // A decoder takes up to twice its limit: its pixels, and those of the shrunk image.
        let decoding = usize::try_from(self.images.max_decoder_bytes).unwrap_or(usize::MAX);
        let decoding = decoding.saturating_mul(2).saturating_mul(self.images.threads.get());
        let last = &self.live.last_messages;
        [
            ("incomplete messages", self.live.max_partial_bytes),
            ("outboxes", self.live.max_outbox_bytes),
            ("images that wait", self.images.max_queue_bytes),
            ("decoding of images", decoding),
            ("held messages", self.moderation.held.max_bytes),
            ("last messages", if last.messages > 0 { last.bytes } else { 0 }),
            ("decisions in memory", moderation::MAX_DECISION_BYTES),
            ("queue of the audit log", audit::MAX_QUEUED_BYTES),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::SettingsSource;

    #[test]
    fn by_default_senders_can_make_the_relay_use_at_most_512_mib() {
        let config = Config::declare(&mut SettingsSource::new());
        let limits = config.memory_limits();
        let sum: usize = limits.iter().map(|(_, bytes)| bytes).sum();
        assert!(sum <= 512 << 20, "{} MiB: {limits:?}", sum >> 20);
    }
}
