//! Log lines: readable on a terminal, JSON otherwise. They go to standard error.
//!
//! Message texts and whole addresses are never logged at level info or above.

use std::fmt;
use std::io::{self, IsTerminal, Write};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use tracing_subscriber::{EnvFilter, reload};

use crate::settings::{Choice, Section, Setting, quote};

/// Lines that may wait for whoever reads the log. Further ones are lost: nobody in a chat waits for a log.
const WAITING: usize = 4_096;
/// How long the last lines have at the end of the program.
const LAST_LINES: Duration = Duration::from_secs(1);

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
                    .reloads()
                    .check(|level| check_level(level)),
            ),
        }
    }
}

/// A bare word would be taken for the name of a module, and `warning` would silence the log.
fn check_level(level: &str) -> Result<(), String> {
    const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];
    let is_level = |word: &str| LEVELS.iter().any(|level| level.eq_ignore_ascii_case(word));
    let bare = |directive: &&str| !directive.contains(['=', '[']) && !is_level(directive);
    if let Some(word) = level.split(',').map(str::trim).find(bare) {
        let levels = LEVELS.join(", ");
        return Err(format!("{} is not one of {levels}; a module's own level is written module=level", quote(word)));
    }
    let wrong = |_| format!("{} is no filter of log lines, such as info,gischat_relay=debug", quote(level));
    level.parse::<EnvFilter>().map(|_| ()).map_err(wrong)
}

/// The way to the thread that writes the lines.
#[derive(Clone, Debug)]
struct Lines(SyncSender<Line>);

#[derive(Debug)]
enum Line {
    Text(Vec<u8>),
    /// All before it is written.
    Last(SyncSender<()>),
}

impl Write for Lines {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let _lost = self.0.try_send(Line::Text(line.to_vec()));
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Writes what still waits when it is dropped, unless nobody reads it.
#[derive(Debug)]
#[must_use]
pub struct Log {
    lines: Lines,
    level: Level,
    /// Whether people read it as it is written.
    on_terminal: bool,
}

impl Log {
    /// The terminal that the log is written to; `None` when it goes elsewhere, or is JSON.
    #[must_use]
    pub fn console(&self) -> Option<Console> {
        self.on_terminal.then(|| Console(self.lines.clone()))
    }

    /// Sets what is logged.
    #[must_use]
    pub fn level(&self) -> Level {
        self.level.clone()
    }
}

/// The terminal that the log is written to, for texts that are no log lines.
#[derive(Debug)]
pub struct Console(Lines);

impl Console {
    /// Writes a text between the lines of the log, in the order in which both were given.
    pub fn tell(&self, text: &str) {
        let _lost = self.0.0.try_send(Line::Text(text.as_bytes().to_vec()));
    }
}

/// Sets what is logged while the program runs.
#[derive(Clone)]
pub struct Level(Arc<dyn Fn(EnvFilter) + Send + Sync>);

impl Level {
    /// Logs by this filter from now on. One that cannot be read changes nothing; the settings check it.
    pub fn set(&self, level: &str) {
        match level.parse() {
            Ok(filter) => (self.0)(filter),
            Err(error) => tracing::error!(%error, level, "the log level stays as it was"),
        }
    }
}

impl Default for Level {
    /// For a program that has not started the log: nothing is set.
    fn default() -> Self {
        Self(Arc::new(|_| {}))
    }
}

impl fmt::Debug for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Level").finish_non_exhaustive()
    }
}

impl<S: 'static> From<reload::Handle<EnvFilter, S>> for Level {
    fn from(handle: reload::Handle<EnvFilter, S>) -> Self {
        Self(Arc::new(move |filter| {
            if let Err(error) = handle.reload(filter) {
                tracing::error!(%error, "the log level could not be changed");
            }
        }))
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        let until = Instant::now() + LAST_LINES;
        let (written, all) = sync_channel(1);
        let mut last = Line::Last(written);
        while let Err(TrySendError::Full(unsent)) = self.lines.0.try_send(last) {
            if Instant::now() >= until {
                return;
            }
            last = unsent;
            thread::sleep(Duration::from_millis(10));
        }
        let _nobody_reads = all.recv_timeout(until.saturating_duration_since(Instant::now()));
    }
}

fn write_lines(lines: &Receiver<Line>) {
    for line in lines {
        match line {
            // A line that cannot be written is lost.
            Line::Text(text) => drop(io::stderr().write_all(&text)),
            Line::Last(written) => drop(written.send(())),
        }
    }
}

/// Starts logging. To be called once; a second call changes nothing.
///
/// # Errors
/// When the system gives no thread.
pub fn start(config: &Config) -> io::Result<Log> {
    // The level was checked when it was read.
    let filter = config.level.parse::<EnvFilter>().unwrap_or_else(|_| EnvFilter::new("info"));
    let (sender, receiver) = sync_channel(WAITING);
    let log = Lines(sender);
    thread::Builder::new().name("log".to_owned()).spawn(move || write_lines(&receiver))?;
    // A line that cannot be written is lost. To complain of it on standard error would be a panic, the same being broken.
    let lines = tracing_subscriber::fmt().log_internal_errors(false).with_env_filter(filter).with_writer({
        let log = log.clone();
        move || log.clone()
    });
    let terminal = std::io::stderr().is_terminal();
    // A subscriber that is set already is that of an embedding program, which knows better.
    let as_json = match config.format {
        Format::Json => true,
        Format::Text => false,
        Format::Auto => !terminal,
    };
    let (level, _already_set) = if as_json {
        let lines = lines.json().flatten_event(true).with_filter_reloading();
        (lines.reload_handle().into(), lines.try_init())
    } else {
        let lines = lines.with_ansi(terminal).with_target(false).with_filter_reloading();
        (lines.reload_handle().into(), lines.try_init())
    };
    Ok(Log { lines: log, level, on_terminal: terminal && !as_json })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_and_filters_are_taken() {
        for level in ["info", "WARN", "off", "info,gischat_relay=debug", "gischat_relay::live=trace"] {
            assert_eq!(check_level(level), Ok(()), "{level}");
        }
    }

    #[test]
    fn a_word_that_would_silence_the_log_is_a_fault() {
        for level in ["warning", "loud", "", "info,hyper", "gischat_relay=loud"] {
            assert!(check_level(level).is_err(), "{level}");
        }
    }
}
