//! The state shared by all instances of a plugin: its store and its log limit.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::budget::{BudgetExhausted, MemoryBudget, Reservation};
use super::contract::log;
use super::limits::PluginLimits;
use super::store::PluginStore;

/// Longest line that a plugin may log, in bytes.
const MAX_LOG_BYTES: usize = 1_000;

/// The state shared by all instances of a plugin.
pub(super) struct PluginShared {
    name: String,
    pub(super) limits: PluginLimits,
    /// The memory of all plugins together.
    budget: Arc<MemoryBudget>,
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
    pub(super) fn new(name: &str, limits: PluginLimits, budget: Arc<MemoryBudget>) -> Self {
        let store = PluginStore::new(limits.store, Reservation::new_extra(Arc::clone(&budget)));
        Self {
            name: name.to_owned(),
            limits,
            budget,
            store: Mutex::new(store),
            log_window: Mutex::new(LogWindow { since: Instant::now(), written: 0, dropped: 0 }),
        }
    }

    pub(super) fn store(&self) -> MutexGuard<'_, PluginStore> {
        lock(&self.store)
    }

    /// Reserves memory for a call until it ends: for the copy of the message, of `request_bytes`, and for the data that
    /// the call may copy out of the sandbox.
    ///
    /// # Errors
    /// [`BudgetExhausted`].
    pub(super) fn reserve_call(&self, request_bytes: usize) -> Result<Reservation, BudgetExhausted> {
        let mut reservation = Reservation::new(Arc::clone(&self.budget));
        reservation.grow(request_bytes.saturating_add(self.limits.transfer_bytes))?;
        Ok(reservation)
    }

    /// An empty store for a trial.
    pub(super) fn new_trial_store(&self) -> PluginStore {
        PluginStore::new(self.limits.store, Reservation::new_extra(Arc::clone(&self.budget)))
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
