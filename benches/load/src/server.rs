//! The server under load: started here for one run, or somebody else's.
//!
//! Owns the child process and its temporary directory; both are gone when the value is dropped.

use std::collections::VecDeque;
use std::fs;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, ChildStderr, Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::cpu::Meter;

const START_LIMIT: Duration = Duration::from_secs(30);
const COMPILE_LIMIT: Duration = Duration::from_mins(1);
const STOP_LIMIT: Duration = Duration::from_secs(5);
/// Log lines kept for a fault's explanation.
const TAIL: usize = 5;

/// What to start.
#[derive(Debug)]
pub(crate) struct Launch<'a> {
    /// The program, by its whole path.
    pub(crate) program: &'a Path,
    /// Its environment, beside what all servers get.
    pub(crate) settings: &'a [(String, String)],
    /// The name and the text of a file that it is to be given as its argument.
    pub(crate) script: Option<(&'a str, &'a str)>,
}

/// A server that listens.
#[derive(Debug)]
pub(crate) struct Server {
    /// Where it listens.
    pub(crate) address: SocketAddr,
    /// Whether it tells rooms how many they are.
    pub(crate) announces: bool,
    /// Its clocks.
    pub(crate) meter: Meter,
    own: Option<Own>,
}

/// What must be cleaned up. The directory goes after the process that works in it.
#[derive(Debug)]
struct Own {
    child: Child,
    log: Log,
    _directory: TempDir,
}

type Log = Arc<Mutex<Heard>>;

/// What a server has logged.
#[derive(Debug, Default)]
struct Heard {
    /// The last lines.
    tail: VecDeque<String>,
    /// Plugins that were loaded, and that could not be.
    loaded: usize,
    unfit: usize,
    /// Calls of plugins that have failed.
    failed: u64,
}

impl Heard {
    fn hear(&mut self, line: String) {
        self.loaded += usize::from(line.contains("a plugin is loaded"));
        self.unfit += usize::from(line.contains("a plugin could not be loaded"));
        self.failed += u64::from(line.contains("a plugin has failed"));
        if self.tail.len() == TAIL {
            self.tail.pop_front();
        }
        self.tail.push_back(line);
    }
}

impl Server {
    /// Starts a program with limits off, in an empty directory, and waits until it says where it listens.
    ///
    /// The environment is empty but for these settings, so that results do not depend on the caller's.
    ///
    /// # Errors
    /// If it does not start, ends, or names no address within 30 s.
    pub(crate) fn start(launch: &Launch<'_>, announces: bool) -> Result<Self> {
        let Launch { program, settings, script } = launch;
        let directory = tempfile::tempdir().context("temporary directory")?;
        if let Some((name, text)) = script {
            fs::write(directory.path().join(name), text).with_context(|| format!("cannot write {name}"))?;
        }
        let mut child = Command::new(program)
            .args(script.map(|(name, _)| name))
            .current_dir(directory.path())
            .env_clear()
            .envs(std::env::var_os("PATH").map(|path| ("PATH", path)))
            .envs([
                ("LISTEN", "127.0.0.1:0"),
                ("RATE_LIMITS", "off"),
                ("LOG_FORMAT", "json"),
                ("RELAY__SERVER__MAX_CONNECTIONS", "25000"),
                // A workload has the plugins that it names, and no others.
                ("RELAY__FILTER__PLUGINS__EMBEDDED", "false"),
            ])
            .envs(settings.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start {}", program.display()))?;
        let meter = Meter { pid: child.id() };
        let stderr = child.stderr.take().context("the server's stderr is not piped")?;
        let (found, address) = mpsc::channel();
        let own = Own { child, log: Log::default(), _directory: directory };
        let log = Arc::clone(&own.log);
        thread::spawn(move || drain(stderr, &log, &found));
        match address.recv_timeout(START_LIMIT) {
            Ok(address) => Ok(Self { address, announces, meter, own: Some(own) }),
            Err(RecvTimeoutError::Timeout) => {
                bail!("the server named no address within {START_LIMIT:?}{}", tail(&own.log))
            }
            Err(RecvTimeoutError::Disconnected) => {
                bail!("the server ended instead of listening{}", tail(&own.log))
            }
        }
    }

    /// A relay that runs already as process `pid`.
    pub(crate) fn attach(address: SocketAddr, pid: u32) -> Self {
        Self { address, announces: true, meter: Meter { pid }, own: None }
    }

    /// Waits until it has loaded so many plugins: a filter with an interpreter in it is compiled while it serves.
    ///
    /// # Errors
    /// If one cannot be loaded, and when it takes longer than a minute.
    pub(crate) fn wait_for_plugins(&self, plugins: usize) -> Result<()> {
        let asked = Instant::now();
        loop {
            let (loaded, unfit) = self.own.as_ref().map_or((plugins, 0), |own| {
                let heard = lock(&own.log);
                (heard.loaded, heard.unfit)
            });
            if unfit > 0 || asked.elapsed() > COMPILE_LIMIT {
                bail!("{loaded} of {plugins} plugins were loaded{}", self.last_words());
            }
            if loaded >= plugins {
                return Ok(());
            }
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// Waits until a call of a plugin has failed, and says whether one has within some seconds.
    pub(crate) fn has_a_failed_call(&self) -> bool {
        let asked = Instant::now();
        while self.failed_calls() == 0 && asked.elapsed() < STOP_LIMIT {
            thread::sleep(Duration::from_millis(10));
        }
        self.failed_calls() > 0
    }

    /// Calls of plugins that have failed so far.
    pub(crate) fn failed_calls(&self) -> u64 {
        self.own.as_ref().map_or(0, |own| lock(&own.log).failed)
    }

    /// The last lines of the log of a server started here.
    pub(crate) fn last_words(&self) -> String {
        self.own.as_ref().map(|own| tail(&own.log)).unwrap_or_default()
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        // Faults are of no interest here: the process may have ended by itself.
        if let Some(pid) = Pid::from_raw(self.child.id().cast_signed()) {
            kill_process(pid, Signal::TERM).ok();
        }
        let asked = Instant::now();
        while asked.elapsed() < STOP_LIMIT {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return;
            }
            thread::sleep(Duration::from_millis(10));
        }
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// Reads the log to its end: a full pipe would stop the server. Tells of the first address in it.
fn drain(stderr: ChildStderr, log: &Log, found: &mpsc::Sender<SocketAddr>) {
    let mut named = false;
    for line in BufReader::new(stderr).split(b'\n').map_while(Result::ok) {
        let line = String::from_utf8_lossy(&line).into_owned();
        if !named && let Some(address) = address(&line) {
            // Nobody waits any more after a time-out.
            named = found.send(address).is_ok();
        }
        lock(log).hear(line);
    }
}

fn lock(log: &Log) -> MutexGuard<'_, Heard> {
    log.lock().unwrap_or_else(PoisonError::into_inner)
}

fn tail(log: &Log) -> String {
    let log = lock(log);
    let lines = log.tail.iter().flat_map(|line| ["\n  server: ", line]);
    lines.collect()
}

fn address(line: &str) -> Option<SocketAddr> {
    let (_, rest) = line.split_once(r#""address":""#)?;
    rest.split_once('"')?.0.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_is_found_in_a_json_log_line() {
        let line = r#"{"level":"INFO","fields":{"message":"hi","address":"127.0.0.1:4711","x":1}}"#;
        assert_eq!(address(line), Some(SocketAddr::from(([127, 0, 0, 1], 4711))));
        assert_eq!(address(r#"{"address":"somewhere"}"#), None);
        assert_eq!(address("plain"), None);
    }

    #[test]
    fn a_server_that_ends_at_once_is_named_with_its_last_words() {
        let launch =
            Launch { program: Path::new("/bin/sh"), settings: &[], script: Some(("end", "echo no >&2; exit 1")) };
        let error = Server::start(&launch, true).expect_err("it does not listen");
        assert!(error.to_string().contains("ended instead of listening\n  server: no"), "{error}");
    }
}
