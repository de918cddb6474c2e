//! Logging to standard error: text on a terminal, JSON otherwise.
//!
//! Message texts and full addresses are never logged at level info or above.

use std::fmt;
use std::io::{self, IsTerminal, Write};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use tracing_subscriber::{EnvFilter, reload};

use crate::names::named;
use crate::settings::{Section, Setting, quote};

/// Lines that may wait to be written. Further ones are dropped, so that a slow log never blocks the relay.
const QUEUE_CAPACITY: usize = 4_096;
/// Time to write the remaining lines at exit.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(1);

named! {
    /// The format of log lines.
    pub enum Format {
        /// Text on a terminal, JSON elsewhere.
        Auto = "auto",
        /// Human-readable text.
        Text = "text",
        /// One JSON object per line.
        Json = "json",
    }
}

/// Settings of the log.
#[derive(Clone, Debug)]
pub struct Config {
    /// The log format.
    pub format: Format,
    /// The log level, as a `tracing` filter.
    pub level: String,
}

impl Config {
    /// Declares and reads the section.
    pub fn declare(section: &mut Section<'_>) -> Self {
        Self {
            format: section.read(
                Setting::new("format", Format::Auto)
                    .doc("Log format: text, json, or auto, which is text on a terminal and JSON elsewhere.")
                    .env(&["LOG_FORMAT"]),
            ),
            level: section.read(
                Setting::new("level", "info".to_owned())
                    .doc("Log level: error, warn, info, debug or trace; or a filter such as `gischat_relay=debug`.")
                    .env(&["LOG_LEVEL"])
                    .reloads()
                    .check(|level| check_level(level)),
            ),
        }
    }
}

/// Rejects bare words that are not levels: `tracing` takes them as module names, so `warning` would silence the log.
fn check_level(level: &str) -> Result<(), String> {
    const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];
    let is_level = |word: &str| LEVELS.iter().any(|level| level.eq_ignore_ascii_case(word));
    let bare = |directive: &&str| !directive.contains(['=', '[']) && !is_level(directive);
    if let Some(word) = level.split(',').map(str::trim).find(bare) {
        let levels = LEVELS.join(", ");
        return Err(format!(
            "{} is not one of {levels}; to set the level of a module, write module=level",
            quote(word)
        ));
    }
    let invalid = |_| format!("{} is not a log filter such as info,gischat_relay=debug", quote(level));
    level.parse::<EnvFilter>().map(|_| ()).map_err(invalid)
}

/// Sends lines to the log thread.
#[derive(Clone, Debug)]
struct LogWriter(SyncSender<LogMessage>);

#[derive(Debug)]
enum LogMessage {
    Text(Vec<u8>),
    /// Answered once all earlier lines are written.
    Flush(SyncSender<()>),
}

impl Write for LogWriter {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let _lost = self.0.try_send(LogMessage::Text(line.to_vec()));
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Flushes the remaining lines when it is dropped, for at most `FLUSH_TIMEOUT`.
#[derive(Debug)]
#[must_use]
pub struct LogGuard {
    lines: LogWriter,
    level: LevelHandle,
    /// Whether the log is text on a terminal.
    on_terminal: bool,
}

impl LogGuard {
    /// Returns the terminal that the log is written to; `None` if it is not a terminal or the format is JSON.
    #[must_use]
    pub fn console(&self) -> Option<Console> {
        self.on_terminal.then(|| Console(self.lines.clone()))
    }

    /// Returns a handle that changes the log level.
    #[must_use]
    pub fn level(&self) -> LevelHandle {
        self.level.clone()
    }
}

/// The terminal that the log is written to, for output other than log lines.
#[derive(Debug)]
pub struct Console(LogWriter);

impl Console {
    /// Writes a text in order with the log lines.
    pub fn print(&self, text: &str) {
        let _lost = self.0.0.try_send(LogMessage::Text(text.as_bytes().to_vec()));
    }
}

/// Changes the log level while the program runs.
#[derive(Clone)]
pub struct LevelHandle(Arc<dyn Fn(EnvFilter) + Send + Sync>);

impl LevelHandle {
    /// Sets the log filter. An invalid filter changes nothing; the settings reject it earlier.
    pub fn set(&self, level: &str) {
        match level.parse() {
            Ok(filter) => (self.0)(filter),
            Err(error) => tracing::error!(%error, level, "invalid log level; the level is unchanged"),
        }
    }
}

impl Default for LevelHandle {
    /// Returns a handle without effect, for programs that have not started the log.
    fn default() -> Self {
        Self(Arc::new(|_| {}))
    }
}

impl fmt::Debug for LevelHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Level").finish_non_exhaustive()
    }
}

impl<S: 'static> From<reload::Handle<EnvFilter, S>> for LevelHandle {
    fn from(handle: reload::Handle<EnvFilter, S>) -> Self {
        Self(Arc::new(move |filter| {
            if let Err(error) = handle.reload(filter) {
                tracing::error!(%error, "changing the log level failed");
            }
        }))
    }
}

impl Drop for LogGuard {
    fn drop(&mut self) {
        let until = Instant::now() + FLUSH_TIMEOUT;
        let (written, all) = sync_channel(1);
        let mut last = LogMessage::Flush(written);
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

fn write_lines(lines: &Receiver<LogMessage>) {
    for line in lines {
        match line {
            // A line that cannot be written is dropped.
            LogMessage::Text(text) => drop(io::stderr().write_all(&text)),
            LogMessage::Flush(written) => drop(written.send(())),
        }
    }
}

/// Starts logging. Call it once; further calls have no effect.
///
/// # Errors
/// If the log thread cannot be started.
pub fn start(config: &Config) -> io::Result<LogGuard> {
    // The settings have validated the level.
    let filter = config.level.parse::<EnvFilter>().unwrap_or_else(|_| EnvFilter::new("info"));
    let (sender, receiver) = sync_channel(QUEUE_CAPACITY);
    let log = LogWriter(sender);
    thread::Builder::new().name("log".to_owned()).spawn(move || write_lines(&receiver))?;
    // Do not report write errors: they would go to standard error, which is what failed, and panic.
    let lines = tracing_subscriber::fmt().log_internal_errors(false).with_env_filter(filter).with_writer({
        let log = log.clone();
        move || log.clone()
    });
    let terminal = std::io::stderr().is_terminal();
    // If an embedding program has already set a subscriber, keep it.
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
    Ok(LogGuard { lines: log, level, on_terminal: terminal && !as_json })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_and_filters_are_valid() {
        for level in ["info", "WARN", "off", "info,gischat_relay=debug", "gischat_relay::live=trace"] {
            assert_eq!(check_level(level), Ok(()), "{level}");
        }
    }

    #[test]
    fn a_word_that_would_silence_the_log_is_an_error() {
        for level in ["warning", "loud", "", "info,hyper", "gischat_relay=loud"] {
            assert!(check_level(level).is_err(), "{level}");
        }
    }
}
