//! Settings of the brakes.

use std::time::Duration;

use crate::settings::{Section, Setting};

/// When a rule or plugin that was changed lately is taken out of force.
#[derive(Clone, Debug)]
pub struct Config {
    /// `false`: never.
    pub enabled: bool,
    /// Of how many of the last messages it may refuse as many as `share` says.
    pub messages: u64,
    /// How many of a hundred of these it may refuse.
    pub share: u64,
    /// How long a change counts as one of lately.
    pub within: Duration,
    /// With so many of these from trusted senders it is out of force, too.
    pub trusted_hits: usize,
}

impl Config {
    /// Reads the section.
    pub fn declare(section: &mut Section<'_>) -> Self {
        let enabled = section.read(
            Setting::new("enabled", true)
                .doc("`false`: a rule or plugin stays in force whatever it refuses, however new it is."),
        );
        let share = section.read(
            Setting::new("share_percent", 5_u32)
                .doc("How many of a hundred of the last messages a new rule or plugin may refuse.")
                .within(1..=100),
        );
        let messages = section
            .read(Setting::new("messages", 1_000_u32).doc("Which messages are the last ones.").within(100..=100_000));
        let hours = section
            .read(Setting::new("hours", 24_u32).doc("For how many hours after a change it is new.").within(1..=8_760));
        let trusted_hits = section.read(
            Setting::new("trusted_hits", 20_u32)
                .doc("How many of the last messages that it hits may be of trusted senders before it only observes.")
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

    /// The most messages of the last ones that it may refuse.
    pub(super) fn may_refuse(&self) -> usize {
        usize::try_from(self.messages.saturating_mul(self.share) / 100).unwrap_or(usize::MAX)
    }
}

/// What the settings are when nobody sets them.
impl Default for Config {
    fn default() -> Self {
        Self { enabled: true, messages: 1_000, share: 5, within: Duration::from_hours(24), trusted_hits: 20 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Source;

    #[test]
    fn what_nobody_sets_is_the_default() {
        let mut source = Source::new();
        let declared = Config::declare(&mut source.root().section("brakes", ""));
        assert!(source.finish().faults.is_empty());
        assert_eq!(format!("{declared:?}"), format!("{:?}", Config::default()));
        assert_eq!(declared.may_refuse(), 50);
    }
}
