//! The definition of a newcomer.

use std::time::Duration;

use crate::model::SenderContext;
use crate::settings::{Section, Setting};

/// When a sender is a newcomer. The default is that of the settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NewcomerDefinition {
    /// A sender that has been connected for a shorter time is a newcomer.
    pub connected: Duration,
    /// A sender with fewer accepted messages on its connection is a newcomer.
    pub accepted: u64,
}

impl Default for NewcomerDefinition {
    fn default() -> Self {
        Self { connected: Duration::from_mins(1), accepted: 3 }
    }
}

impl NewcomerDefinition {
    /// Reads the section of the filter chain.
    pub fn declare(chain: &mut Section<'_>) -> Self {
        let Self { connected, accepted } = Self::default();
        let mut section = chain.section(
            "newcomer",
            "The definition of a newcomer, for the moderation level `newcomers` and for rules with `sender = { newcomer = \
             true }`: a sender that is not trusted, and either has been connected for a short time or has had few \
             messages accepted. The sender of a `PUT` is a newcomer unless it is trusted.",
        );
        Self {
            connected: Duration::from_secs(
                section.read(
                    Setting::new("connected_seconds", connected.as_secs())
                        .doc("A sender that has been connected for less time is a newcomer.")
                        .within(0..=86_400)
                        .reloads(),
                ),
            ),
            accepted: section.read(
                Setting::new("accepted_messages", accepted)
                    .doc("A sender with fewer accepted messages on its connection is a newcomer.")
                    .within(0..=1_000)
                    .reloads(),
            ),
        }
    }

    /// Whether a sender is a newcomer.
    #[must_use]
    pub fn covers(&self, context: &SenderContext) -> bool {
        let SenderContext { trusted, connected, accepted, .. } = context;
        !trusted && (*connected < self.connected || *accepted < self.accepted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_newcomer_is_new_or_quiet_and_not_trusted() {
        let definition = NewcomerDefinition { connected: Duration::from_mins(1), accepted: 3 };
        for (seconds, accepted, trusted, is_newcomer) in [
            (0, 0, false, true),
            (59, 100, false, true),
            (3_600, 2, false, true),
            (60, 3, false, false),
            (0, 0, true, false),
        ] {
            let connected = Duration::from_secs(seconds);
            let context = SenderContext { connected, accepted, trusted, ..SenderContext::default() };
            assert_eq!(definition.covers(&context), is_newcomer, "{context:?}");
        }
    }
}
