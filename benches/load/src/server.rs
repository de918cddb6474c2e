//! The server under load: started here for one run, or already running.
//!
//! Owns the child process and its temporary directory; dropping the server removes both.

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
/// Log lines that are kept to explain an error.
const TAIL: usize = 5;

/// How to start a server.
#[derive(Debug)]
pub(crate) struct Launch<'a> {
    /// The absolute path of the program.
    pub(crate) program: &'a Path,
    /// Environment variables in addition to those of all servers.
    pub(crate) settings: &'a [(String, String)],
    /// The name and the text of a script that is passed as argument.
    pub(crate) script: Option<(&'a str, &'a str)>,
}

/// A listening server.
#[derive(Debug)]
pub(crate) struct Server {
    /// The address on which it listens.
    pub(crate) address: SocketAddr,
    /// Whether it announces user counts.
    pub(crate) announces: bool,
    /// Reads its CPU time.
    pub(crate) meter: Meter,
    owned: Option<OwnedServer>,
}

/// A child process and its directory, which is dropped after the process.
#[derive(Debug)]
struct OwnedServer {
    child: Child,
    log: Log,
    _directory: TempDir,
}

type Log = Arc<Mutex<LogState>>;

/// The state of a server's log.
#[derive(Debug, Default)]
struct LogState {
    /// The last lines.
    tail: VecDeque<String>,
    /// Plugins that were loaded, and that were rejected.
    loaded: usize,
    rejected: usize,
    /// Failed plugin calls.
    failed: u64,
}

impl LogState {
    fn add_line(&mut self, line: String) {
        self.loaded += usize::from(line.contains("plugin loaded"));
        self.rejected += usize::from(line.contains("plugin could not be loaded"));
        self.failed += u64::from(line.contains("plugin failed"));
        if self.tail.len() == TAIL {
            self.tail.pop_front();
        }
        self.tail.push_back(line);
    }
}

impl Server {
    /// Starts a program without rate limits in an empty directory, and waits for its address.
    ///
    /// The environment has only these settings, so that results do not depend on the caller's.
    ///
    /// # Errors
    /// If it does not start, exits, or logs no address within 30 s.
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
                // A workload has only the plugins that it names.
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
        let owned = OwnedServer { child, log: Log::default(), _directory: directory };
        let log = Arc::clone(&owned.log);
        thread::spawn(move || read_log(stderr, &log, &found));
        match address.recv_timeout(START_LIMIT) {
            Ok(address) => Ok(Self { address, announces, meter, owned: Some(owned) }),
            Err(RecvTimeoutError::Timeout) => {
                bail!("the server logged no address within {START_LIMIT:?}{}", tail(&owned.log))
            }
            Err(RecvTimeoutError::Disconnected) => {
                bail!("the server exited instead of listening{}", tail(&owned.log))
            }
        }
    }

    /// Attaches to a running relay with process id `pid`.
    pub(crate) fn attach(address: SocketAddr, pid: u32) -> Self {
        Self { address, announces: true, meter: Meter { pid }, owned: None }
    }

    /// Waits until `plugins` plugins are loaded. A filter that contains an interpreter is compiled in the background.
    ///
    /// # Errors
    /// If one cannot be loaded, or after one minute.
    pub(crate) fn wait_for_plugins(&self, plugins: usize) -> Result<()> {
        let started = Instant::now();
        loop {
            let (loaded, rejected) = self.owned.as_ref().map_or((plugins, 0), |owned| {
                let log = lock(&owned.log);
                (log.loaded, log.rejected)
            });
            if rejected > 0 || started.elapsed() > COMPILE_LIMIT {
                bail!("{loaded} of {plugins} plugins were loaded{}", self.log_tail());
            }
            if loaded >= plugins {
                return Ok(());
            }
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// Waits for a failed plugin call for a few seconds. Returns whether there is one.
    pub(crate) fn wait_for_failed_call(&self) -> bool {
        let started = Instant::now();
        while self.failed_calls() == 0 && started.elapsed() < STOP_LIMIT {
            thread::sleep(Duration::from_millis(10));
        }
        self.failed_calls() > 0
    }

    /// Failed plugin calls so far.
    pub(crate) fn failed_calls(&self) -> u64 {
        self.owned.as_ref().map_or(0, |owned| lock(&owned.log).failed)
    }

    /// The last log lines of a server that was started here.
    pub(crate) fn log_tail(&self) -> String {
        self.owned.as_ref().map(|owned| tail(&owned.log)).unwrap_or_default()
    }
}

impl Drop for OwnedServer {
    fn drop(&mut self) {
        // Errors are ignored: the process may have exited.
        if let Some(pid) = Pid::from_raw(self.child.id().cast_signed()) {
            kill_process(pid, Signal::TERM).ok();
        }
        let started = Instant::now();
        while started.elapsed() < STOP_LIMIT {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return;
            }
            thread::sleep(Duration::from_millis(10));
        }
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// Reads the log to its end, since a full pipe would block the server. Sends the first address in it to `found`.
fn read_log(stderr: ChildStderr, log: &Log, found: &mpsc::Sender<SocketAddr>) {
    let mut has_address = false;
    for line in BufReader::new(stderr).split(b'\n').map_while(Result::ok) {
        let line = String::from_utf8_lossy(&line).into_owned();
        if !has_address && let Some(address) = address(&line) {
            // The receiver is gone after a timeout.
            has_address = found.send(address).is_ok();
        }
        lock(log).add_line(line);
    }
}

fn lock(log: &Log) -> MutexGuard<'_, LogState> {
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
    fn the_error_for_a_server_that_exits_has_its_log() {
        let launch =
            Launch { program: Path::new("/bin/sh"), settings: &[], script: Some(("end", "echo no >&2; exit 1")) };
        let error = Server::start(&launch, true).expect_err("it does not listen");
        assert!(error.to_string().contains("exited instead of listening\n  server: no"), "{error}");
    }
}
