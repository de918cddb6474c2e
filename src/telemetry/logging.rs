//! Log lines: readable on a terminal, JSON otherwise. They go to standard error.
//!
//! Message texts and whole addresses are never logged at level info or above.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

use crate::settings::{Choice, Section, Setting};

/// The form of a log line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Text on a terminal, JSON elsewhere.
    Auto,
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

impl Choice for Format {
    const NAMES: &'static [(&'static str, Self)] = &[("auto", Self::Auto), ("text", Self::Text), ("json", Self::Json)];
}

/// Settings of the log.
#[derive(Clone, Debug)]
pub struct Config {
    /// The form of a line.
    pub format: Format,
    /// What is logged, as a filter of `tracing`.
    pub level: String,
}

impl Config {
    /// Reads the section.
    pub fn declare(section: &mut Section<'_>) -> Self {
        Self {
            format: section.read(
                Setting::new("format", Format::Auto)
                    .doc("The form of log lines; auto is text on a terminal and JSON elsewhere.")
                    .env(&["LOG_FORMAT"]),
            ),
            level: section.read(
                Setting::new("level", "info".to_owned())
                    .doc(
                        "What is logged: error, warn, info, debug or trace, or a filter such as `gischat_relay=debug`.",
                    )
                    .env(&["LOG_LEVEL"])
                    .check(|level| level.parse::<EnvFilter>().map(|_| ()).map_err(|fault| fault.to_string())),
            ),
        }
    }
}

/// Starts logging. To be called once; a second call changes nothing.
pub fn start(config: &Config) {
    // The level was checked when it was read.
    let filter = config.level.parse::<EnvFilter>().unwrap_or_else(|_| EnvFilter::new("info"));
    // A line that cannot be written is lost. To complain of it on standard error would be a panic, the same being broken.
    let lines =
        tracing_subscriber::fmt().log_internal_errors(false).with_env_filter(filter).with_writer(std::io::stderr);
    let terminal = std::io::stderr().is_terminal();
    // A subscriber that is set already is that of an embedding program, which knows better.
    let _already_set = match config.format {
        Format::Json => lines.json().flatten_event(true).try_init(),
        Format::Auto if !terminal => lines.json().flatten_event(true).try_init(),
        Format::Auto | Format::Text => lines.with_ansi(terminal).with_target(false).try_init(),
    };
}
