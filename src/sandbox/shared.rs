//! What all instances of a plugin share: its store, and how much it may log.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::contract::log;
use super::limits::Limits;
use super::store::Store;

/// Longest line that a plugin may log, in bytes.
const MAX_LOG_BYTES: usize = 1_000;

/// What all instances of a plugin share.
pub(super) struct Shared {
    name: String,
    pub(super) limits: Limits,
    store: Mutex<Store>,
    lines: Mutex<Lines>,
}

/// Lines of the log within a second.
#[derive(Debug)]
struct Lines {
    since: Instant,
    written: u32,
    dropped: u64,
}

impl Shared {
    /// Of a plugin that has not run yet.
    pub(super) fn new(name: &str, limits: Limits) -> Self {
        Self {
            name: name.to_owned(),
            limits,
            store: Mutex::new(Store::new(limits.store)),
            lines: Mutex::new(Lines { since: Instant::now(), written: 0, dropped: 0 }),
        }
    }

    pub(super) fn store(&self) -> MutexGuard<'_, Store> {
        lock(&self.store)
    }

    /// Writes a line to the relay's log, if the plugin has not written too many within this second.
    pub(super) fn log(&self, level: log::Level, text: &str) {
        let mut lines = lock(&self.lines);
        let now = Instant::now();
        if now.saturating_duration_since(lines.since) >= Duration::from_secs(1) {
            if lines.dropped > 0 {
                tracing::warn!(plugin = %self.name, lines = lines.dropped, "a plugin logs too much: lines were dropped");
            }
            *lines = Lines { since: now, written: 0, dropped: 0 };
        }
        if lines.written >= self.limits.log_lines {
            lines.dropped += 1;
            return;
        }
        lines.written += 1;
        drop(lines);
        let text = text.get(..text.floor_char_boundary(MAX_LOG_BYTES)).unwrap_or_default();
        let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        let plugin = &self.name;
        match level {
            log::Level::Debug => tracing::debug!(plugin, text, "a plugin says"),
            log::Level::Info => tracing::info!(plugin, text, "a plugin says"),
            log::Level::Warn => tracing::warn!(plugin, text, "a plugin says"),
            log::Level::Error => tracing::error!(plugin, text, "a plugin says"),
        }
    }
}

/// What a thread that panicked has left is whole: each of these is changed in one step.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
