//! Settings of the breakers.

use std::time::Duration;

use crate::settings::{Section, Setting};

/// When the breaker of a recently changed rule or plugin trips.
#[derive(Clone, Debug)]
pub struct Config {
    /// Whether breakers can trip.
    pub enabled: bool,
    /// Number of recent messages that are considered.
    pub messages: u64,
    /// Number of addresses, in percent of `messages`, whose recent messages may be refused.
    pub share: u64,
    /// How long a changed rule or plugin counts as new.
    pub within: Duration,
    /// Number of hits on trusted senders among these at which the breaker trips.
    pub trusted_hits: usize,
}

impl Config {
    /// Reads the section.
    pub fn declare(section: &mut Section<'_>) -> Self {
        let enabled = section.read(Setting::new("enabled", true).doc("`false` disables the breakers."));
        let share = section.read(
            Setting::new("share_percent", 5_u32)
                .doc(
                    "Number of addresses, in percent of `messages`, from which a new rule or plugin may refuse recent \
                     messages before its breaker trips.",
                )
                .within(1..=100),
        );
        let messages = section.read(
            Setting::new("messages", 1_000_u32)
                .doc("Number of recent messages that are considered.")
                .within(100..=100_000),
        );
        let hours = section.read(
            Setting::new("hours", 24_u32)
                .doc(
                    "Hours after a change during which a rule or plugin counts as \
                                                     new.",
                )
                .within(1..=8_760),
        );
        let trusted_hits = section.read(
            Setting::new("trusted_hits", 20_u32)
                .doc("Number of hits on recent messages of trusted senders before the breaker trips.")
                .within(1..=1_000),
        );
        Self {
            enabled,
            messages: u64::from(messages),
            share: u64::from(share),
            within: Duration::from_hours(u64::from(hours)),
            trusted_hits: usize::try_from(trusted_hits).unwrap_or(usize::MAX),
        }
    }

    /// Returns the maximum number of addresses from which recent messages may be refused.
    pub(super) fn max_refusals(&self) -> usize {
        usize::try_from(self.messages.saturating_mul(self.share) / 100).unwrap_or(usize::MAX)
    }
}

impl Default for Config {
    fn default() -> Self {
        Self { enabled: true, messages: 1_000, share: 5, within: Duration::from_hours(24), trusted_hits: 20 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::SettingsSource;

    #[test]
    fn defaults_agree_with_the_declaration() {
        let mut source = SettingsSource::new();
        let declared = Config::declare(&mut source.root().section("breakers", ""));
        assert!(source.finish().errors.is_empty());
        assert_eq!(format!("{declared:?}"), format!("{:?}", Config::default()));
        assert_eq!(declared.max_refusals(), 50);
    }
}
