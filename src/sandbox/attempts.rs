//! When the watcher of the plugin folder loads it again.

use std::time::{Duration, Instant};

use super::location::PluginStamp;

/// Delay before unchanged files are loaded again after a load that left plugins deferred or failed. Each retry doubles
/// it.
const FIRST_RETRY_DELAY: Duration = Duration::from_secs(1);
/// Longest delay before a retry.
const MAX_RETRY_DELAY: Duration = Duration::from_mins(1);

/// The loads that the watcher has started.
#[derive(Debug, Default)]
pub(super) struct LoadAttempts(Option<LastAttempt>);

#[derive(Debug)]
struct LastAttempt {
    stamps: Vec<PluginStamp>,
    delay: Duration,
    retry_at: Instant,
}

impl LoadAttempts {
    /// Whether the last load was of files with other stamps.
    pub(super) fn is_changed(&self, stamps: &[PluginStamp]) -> bool {
        self.0.as_ref().is_none_or(|last| last.stamps != stamps)
    }

    /// Whether files with these stamps may be loaded now: changed files immediately, unchanged ones after a delay.
    pub(super) fn is_due(&self, stamps: &[PluginStamp], now: Instant) -> bool {
        self.is_changed(stamps) || self.0.as_ref().is_none_or(|last| now >= last.retry_at)
    }

    /// Records that a load of files with these stamps ended.
    pub(super) fn record(&mut self, stamps: Vec<PluginStamp>, now: Instant) {
        let doubled = self.0.take().filter(|last| last.stamps == stamps).map(|last| last.delay * 2);
        let delay = doubled.map_or(FIRST_RETRY_DELAY, |delay| delay.min(MAX_RETRY_DELAY));
        self.0 = Some(LastAttempt { stamps, delay, retry_at: now + delay });
    }

    /// Forgets the attempts: the next load is due immediately.
    pub(super) fn reset(&mut self) {
        self.0 = None;
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::sandbox::embedded::Embedded;
    use crate::sandbox::location::PluginLocation;

    /// The stamps of one plugin, in the program or in a file.
    fn stamps(is_embedded: bool) -> Vec<PluginStamp> {
        static PLUGIN: Embedded = Embedded { name: "a", manifest: "", code: b"" };
        let file = PluginLocation::File(PathBuf::from("/nonexistent/a.wasm"));
        vec![if is_embedded { PluginLocation::Embedded(&PLUGIN).stamp() } else { file.stamp() }]
    }

    #[test]
    fn each_retry_of_unchanged_files_waits_twice_as_long_up_to_a_minute() {
        let (mut attempts, mut now) = (LoadAttempts::default(), Instant::now());
        assert!(attempts.is_due(&stamps(false), now));
        for seconds in [1, 2, 4, 8, 16, 32, 60, 60] {
            attempts.record(stamps(false), now);
            let delay = Duration::from_secs(seconds);
            assert!(!attempts.is_due(&stamps(false), now + delay.mul_f64(0.999)), "{seconds}");
            now += delay;
            assert!(attempts.is_due(&stamps(false), now), "{seconds}");
        }
    }

    #[test]
    fn changed_files_are_loaded_without_delay_and_start_over() {
        let (mut attempts, now) = (LoadAttempts::default(), Instant::now());
        attempts.record(stamps(false), now);
        attempts.record(stamps(false), now);
        assert!(attempts.is_changed(&stamps(true)) && attempts.is_due(&stamps(true), now));
        attempts.record(stamps(true), now);
        assert!(!attempts.is_changed(&stamps(true)) && !attempts.is_due(&stamps(true), now));
        assert!(attempts.is_due(&stamps(true), now + FIRST_RETRY_DELAY));
    }
}
