//! Limits of plugins.

use std::time::Duration;

/// Longest reason in an answer, in bytes.
pub(super) const MAX_REASON_BYTES: usize = 1_024;
/// Most labels in an answer.
pub(super) const MAX_LABELS: usize = 16;
/// Longest label, in bytes.
pub(super) const MAX_LABEL_BYTES: usize = 64;
/// Longest key in the store, in bytes.
pub(super) const MAX_KEY_BYTES: usize = 256;
/// Most nicknames of a room that a plugin sees.
pub(super) const MAX_NAMES: usize = 1_000;
/// Most matches of an expression in one text.
pub(super) const MAX_MATCHES: usize = 1_000;
/// Most patterns of one instance at a time.
pub(super) const MAX_PATTERNS: usize = 100;
/// Most memory of all compiled expressions of one instance, in bytes.
pub(super) const PATTERNS_BYTES: usize = 32 * 1024 * 1024;
/// Most kinds, and most hooks, in a plugin's description.
pub(super) const MAX_DESCRIBED: usize = 16;
/// Longest name of a kind or hook, in bytes.
pub(super) const MAX_DESCRIBED_BYTES: usize = 64;
/// Most plugins, embedded ones included.
pub(super) const MAX_PLUGINS: u32 = 64;
/// Largest file with a plugin's code, in bytes. Those of Python filters have about 20 MB.
pub(super) const MAX_CODE_BYTES: u64 = 64 * 1024 * 1024;
/// Largest artifact, in bytes. Those of Python filters have about 50 MB.
pub(super) const MAX_ARTIFACT_BYTES: u64 = 512 * 1024 * 1024;
/// Most linear memory of any instance, in bytes.
pub(super) const MAX_MEMORY: usize = 512 * 1024 * 1024;
/// Most elements of any table.
pub(super) const MAX_TABLE_ELEMENTS: usize = 100_000;
/// Size above which a component contains an interpreter, in bytes, as those of Python and JavaScript do.
pub(super) const INTERPRETER_BYTES: usize = 4 * 1024 * 1024;

/// Limits of one plugin. Its manifest may set them, up to the operator's limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PluginLimits {
    /// Longest duration of a call, including the wait for an instance and host calls.
    pub deadline: Duration,
    /// Longest duration of `describe` and of `configure`.
    pub configure_deadline: Duration,
    /// Linear memory of an instance, in bytes.
    pub memory: usize,
    /// Elements of each table.
    pub table_elements: usize,
    /// Concurrent instances, and thus messages checked concurrently.
    pub instances: usize,
    /// Bytes that one call may copy out of the sandbox: an answer, or the arguments of a host call.
    pub transfer_bytes: usize,
    /// Host calls per message.
    pub host_calls: u32,
    /// Log lines per second.
    pub log_lines: u32,
    /// Size of the store, keys and values, in bytes.
    pub store: usize,
}

/// The operator's limits for all plugins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OperatorLimits {
    /// The most that a manifest may set.
    pub max: PluginLimits,
    /// The deadline of calls if a manifest does not set one.
    pub default_deadline: Duration,
}

impl PluginLimits {
    /// Returns the defaults for a component of this size.
    #[must_use]
    pub fn for_component_size(bytes: usize) -> Self {
        let memory = if bytes > INTERPRETER_BYTES { 64 } else { 16 };
        Self {
            deadline: Duration::from_millis(20),
            configure_deadline: Duration::from_secs(2),
            memory: memory * 1024 * 1024,
            table_elements: 20_000,
            instances: 4,
            transfer_bytes: 256 * 1024,
            host_calls: 1_000,
            log_lines: 10,
            store: 1024 * 1024,
        }
    }
}
