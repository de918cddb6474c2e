//! How much of anything a plugin may use.

use std::time::Duration;

/// Longest reason that a plugin may give, in bytes.
pub(super) const MAX_REASON_BYTES: usize = 1_024;
/// Labels that one answer may have.
pub(super) const MAX_LABELS: usize = 16;
/// Longest label, in bytes.
pub(super) const MAX_LABEL_BYTES: usize = 64;
/// Longest key in the store, in bytes.
pub(super) const MAX_KEY_BYTES: usize = 256;
/// Names of a room that a plugin is shown at most.
pub(super) const MAX_NAMES: usize = 1_000;
/// Occurrences of an expression that are told of one text.
pub(super) const MAX_FOUND: usize = 1_000;
/// Patterns of one instance that live at a time.
pub(super) const MAX_PATTERNS: usize = 100;
/// Memory of all compiled expressions of one instance, in bytes.
pub(super) const PATTERNS_BYTES: usize = 32 * 1024 * 1024;
/// Kinds and hooks that a plugin may name, and how long each name may be, in bytes.
pub(super) const MAX_NAMED: usize = 16;
pub(super) const MAX_NAMED_BYTES: usize = 64;
/// A component above this size brings an interpreter along, as those of Python and JavaScript do.
pub(super) const INTERPRETER_BYTES: usize = 4 * 1024 * 1024;

/// Bounds of one plugin. Its manifest may set them, up to the operator's caps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How long a call may take, all in all: waiting for an instance and calls of the host included.
    pub deadline: Duration,
    /// How long describing itself and being configured may take.
    pub configure_deadline: Duration,
    /// Linear memory of an instance, in bytes.
    pub memory: usize,
    /// Elements of each of its tables.
    pub table_elements: usize,
    /// Instances at a time, and so messages that are checked at a time.
    pub instances: usize,
    /// What one crossing of the border may copy out of the sandbox, in bytes: an answer, or the arguments of a call.
    pub copied: usize,
    /// Calls of the host for one message.
    pub host_calls: u32,
    /// Lines in the log, a second.
    pub log_lines: u32,
    /// What the store may hold, keys and values, in bytes.
    pub store: usize,
}

/// What the operator says of all plugins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caps {
    /// What no manifest goes beyond.
    pub most: Limits,
    /// The deadline of a message where a manifest gives none.
    pub deadline: Duration,
}

impl Limits {
    /// The defaults for a component of that many bytes.
    #[must_use]
    pub fn of_component(bytes: usize) -> Self {
        let memory = if bytes > INTERPRETER_BYTES { 128 } else { 16 };
        Self {
            deadline: Duration::from_millis(20),
            configure_deadline: Duration::from_secs(2),
            memory: memory * 1024 * 1024,
            table_elements: 20_000,
            instances: 4,
            copied: 256 * 1024,
            host_calls: 1_000,
            log_lines: 10,
            store: 1024 * 1024,
        }
    }
}
