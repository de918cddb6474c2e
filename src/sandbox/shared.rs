//! The state shared by all instances of a plugin: its store and its log limit.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::contract::log;
use super::limits::PluginLimits;
use super::store::PluginStore;

/// Longest line that a plugin may log, in bytes.
const MAX_LOG_BYTES: usize = 1_000;

/// The state shared by all instances of a plugin.
pub(super) struct PluginShared {
    name: String,
    pub(super) limits: PluginLimits,
    store: Mutex<PluginStore>,
    log_window: Mutex<LogWindow>,
}

/// The log lines of the current second.
#[derive(Debug)]
struct LogWindow {
    since: Instant,
    written: u32,
    dropped: u64,
}

impl PluginShared {
    /// The state of a new plugin.
    pub(super) fn new(name: &str, limits: PluginLimits) -> Self {
        Self {
            name: name.to_owned(),
            limits,
            store: Mutex::new(PluginStore::new(limits.store)),
            log_window: Mutex::new(LogWindow { since: Instant::now(), written: 0, dropped: 0 }),
        }
    }

    pub(super) fn store(&self) -> MutexGuard<'_, PluginStore> {
        lock(&self.store)
    }

    /// Writes a line to the relay's log, unless the plugin has written too many in this second.
    pub(super) fn log(&self, level: log::Level, text: &str) {
        let mut window = lock(&self.log_window);
        let now = Instant::now();
        if now.saturating_duration_since(window.since) >= Duration::from_secs(1) {
            if window.dropped > 0 {
                tracing::warn!(plugin = %self.name, lines = window.dropped, "plugin log lines dropped");
            }
            *window = LogWindow { since: now, written: 0, dropped: 0 };
        }
        if window.written >= self.limits.log_lines {
            window.dropped += 1;
            return;
        }
        window.written += 1;
        drop(window);
        let text = text.get(..text.floor_char_boundary(MAX_LOG_BYTES)).unwrap_or_default();
        let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        let plugin = &self.name;
        match level {
            log::Level::Debug => tracing::debug!(plugin, text, "plugin log"),
            log::Level::Info => tracing::info!(plugin, text, "plugin log"),
            log::Level::Warn => tracing::warn!(plugin, text, "plugin log"),
            log::Level::Error => tracing::error!(plugin, text, "plugin log"),
        }
    }
}

/// Locks a mutex even if it is poisoned: all values in this module change in one step, so they are always consistent.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
