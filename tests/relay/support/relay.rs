//! The relay under test: the real binary in an empty directory, with only the environment that a test sets.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use super::program::{NO_EMBEDDED_PLUGINS, Output, output};
use super::{Client, Response, TIMEOUT, request};

/// Maximum number of log lines that a failed test shows.
const SHOWN_LINES: usize = 200;

/// A running relay; killed on drop.
#[derive(Debug)]
pub(crate) struct Relay {
    child: Child,
    address: SocketAddr,
    log: Arc<Mutex<Vec<String>>>,
    printed: Arc<Mutex<Vec<String>>>,
    /// Disconnects when the relay has closed its log.
    closed: Receiver<()>,
    directory: tempfile::TempDir,
}

/// Configures and starts a relay.
#[derive(Debug)]
pub(crate) struct RelayBuilder {
    environment: Vec<(String, String)>,
    /// A command, with arguments, that runs the relay's binary.
    runner: Vec<String>,
    directory: tempfile::TempDir,
}

impl RelayBuilder {
    /// Sets an environment variable.
    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Writes a file into the relay's working directory.
    pub(crate) fn file(self, name: &str, text: &str) -> Self {
        self.file_bytes(name, text.as_bytes())
    }

    /// As [`RelayBuilder::file`], with bytes.
    pub(crate) fn file_bytes(self, name: &str, bytes: &[u8]) -> Self {
        let path = self.directory.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
        self
    }

    /// Sets the modification time of a file in that directory.
    pub(crate) fn file_modified(self, name: &str, modified: std::time::SystemTime) -> Self {
        let file = std::fs::File::options().write(true).open(self.directory.path().join(name)).unwrap();
        file.set_modified(modified).unwrap();
        self
    }

    /// Adds a plugin to the default folder.
    pub(crate) fn plugin(self, name: &str, manifest: &str, component: &[u8]) -> Self {
        self.file(&format!("plugins/{name}/plugin.toml"), manifest)
            .file_bytes(&format!("plugins/{name}/filter.wasm"), component)
    }

    /// Runs the relay's binary by this command.
    pub(crate) fn runner(mut self, runner: &[&str]) -> Self {
        self.runner = runner.iter().map(ToString::to_string).collect();
        self
    }

    /// The working directory.
    pub(crate) fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// Runs `check` with the same configuration.
    pub(crate) fn check(&self) -> Output {
        output(self.command().arg("check"))
    }

    fn command(&self) -> Command {
        let program = env!("CARGO_BIN_EXE_gischat-relay");
        let mut command = match self.runner.split_first() {
            Some((runner, arguments)) => {
                let mut command = Command::new(runner);
                command.args(arguments).arg(program);
                command
            }
            None => Command::new(program),
        };
        let environment = self.environment.iter().map(|(name, value)| (name, value));
        command
            .current_dir(self.directory.path())
            .env_clear()
            .env("LISTEN", "127.0.0.1:0")
            .env("LOG_FORMAT", "json")
            .env("LOG_LEVEL", "gischat_relay=debug")
            .envs([NO_EMBEDDED_PLUGINS])
            // A client that sends nothing would join only after the grace period.
            .env("ROOM_GENERATION", "v1")
            .envs(environment);
        command
    }

    /// Starts the relay and waits until it serves.
    pub(crate) async fn start(self) -> Relay {
        tokio::task::spawn_blocking(move || self.start_blocking()).await.unwrap()
    }

    fn start_blocking(self) -> Relay {
        let mut command = self.command();
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let (log, printed) = (Arc::new(Mutex::new(Vec::new())), Arc::new(Mutex::new(Vec::new())));
        std::thread::spawn({
            let printed = Arc::clone(&printed);
            move || stdout.lines().map_while(Result::ok).for_each(|line| printed.lock().unwrap().push(line))
        });
        let (lines, arriving) = channel();
        let (open, closed) = channel::<()>();
        std::thread::spawn({
            let log = Arc::clone(&log);
            move || {
                for line in stderr.lines().map_while(Result::ok) {
                    log.lock().unwrap().push(line.clone());
                    // Fails once the relay serves, as the receiver is then dropped.
                    let _ = lines.send(line);
                }
                drop(open);
            }
        });
        let until = Instant::now() + TIMEOUT;
        let address = loop {
            match arriving.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok(line) => {
                    if let Some(address) = address(&line) {
                        break address;
                    }
                }
                Err(error) => panic!("the relay does not serve ({error}); its log: {:#?}", log.lock().unwrap()),
            }
        };
        Relay { child, address, log, printed, closed, directory: self.directory }
    }
}

/// The address in a `serving` line of the log, JSON or text.
fn address(line: &str) -> Option<SocketAddr> {
    let address = match serde_json::from_str::<serde_json::Value>(line) {
        Ok(line) if line["message"] == "serving" => line["address"].as_str()?.to_owned(),
        Ok(_) => return None,
        Err(_) => line.split_once(" serving address=")?.1.split(' ').next()?.to_owned(),
    };
    Some(address.parse().unwrap())
}

impl Relay {
    /// Returns a builder.
    pub(crate) fn builder() -> RelayBuilder {
        RelayBuilder { environment: Vec::new(), runner: Vec::new(), directory: tempfile::tempdir().unwrap() }
    }

    /// Starts a relay with the defaults: rooms QGIS and QField.
    pub(crate) async fn start() -> Self {
        Self::builder().start().await
    }

    /// The address of the main port.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// The working directory.
    pub(crate) fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// The process id.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The log so far.
    pub(crate) fn log(&self) -> Vec<String> {
        self.log.lock().unwrap().clone()
    }

    /// The standard output so far.
    pub(crate) fn printed(&self) -> Vec<String> {
        self.printed.lock().unwrap().clone()
    }

    /// Joins a room. The name must be percent-encoded.
    pub(crate) async fn join(&self, room: &str) -> Client {
        Client::connect(self.address, &format!("/room/{room}/ws")).await
    }

    /// Joins a room under a nickname, and reads up to its own newcomer frame.
    pub(crate) async fn join_as(&self, room: &str, nickname: &str) -> Client {
        let mut client = self.join(room).await;
        client.send(super::newcomer(nickname)).await;
        client.skip_until(super::newcomer(nickname)).await;
        client
    }

    /// Sends `GET path`.
    pub(crate) async fn get(&self, path: &str) -> Response {
        request(self.address, "GET", path, &[], "").await
    }

    /// Sends `PUT path`.
    pub(crate) async fn put(&self, path: &str, body: &str) -> Response {
        request(self.address, "PUT", path, &[], body).await
    }

    /// Sends a chat message by `PUT` with extra headers.
    pub(crate) async fn put_line(&self, room: &str, author: &str, text: &str, headers: &[(&str, &str)]) -> Response {
        let body = super::line(author, text).to_string();
        request(self.address, "PUT", &format!("/room/{room}/message"), headers, &body).await
    }

    /// The registered nicknames of a room.
    pub(crate) async fn users(&self, room: &str) -> serde_json::Value {
        self.get(&format!("/room/{room}/users")).await.json()
    }

    /// The value of a metric, or 0 if it is absent.
    pub(crate) async fn metric(&self, name: &str) -> f64 {
        let text = self.get("/metrics").await.body;
        let line = text.lines().find_map(|line| line.strip_prefix(name).and_then(|rest| rest.strip_prefix(' ')));
        line.map_or(0.0, |value| value.parse().unwrap())
    }

    /// As [`Relay::metric`], as an integer.
    pub(crate) async fn count(&self, name: &str) -> u64 {
        let value = self.metric(name).await;
        format!("{value}").parse().unwrap_or_else(|_| panic!("{name} is {value}"))
    }

    /// Sends a signal, such as `TERM`.
    pub(crate) fn signal(&self, name: &str) {
        let status = Command::new("kill").arg(format!("-{name}")).arg(self.pid().to_string()).status().unwrap();
        assert!(status.success());
    }

    /// Waits for the relay to exit, and returns its status and its whole log.
    pub(crate) fn wait(mut self) -> (ExitStatus, Vec<String>) {
        match self.closed.recv_timeout(TIMEOUT) {
            Err(RecvTimeoutError::Disconnected) => {}
            other => panic!("the relay does not exit ({other:?})"),
        }
        (self.child.wait().unwrap(), self.log())
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        // It may have exited already.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            let log = self.log();
            // A flood logs hundreds of thousands of lines; the last ones are the most useful.
            let before = log.len().saturating_sub(SHOWN_LINES);
            eprintln!("the relay's log after its first {before} lines:\n{}", log[before..].join("\n"));
        }
    }
}
