//! The relay under test: the real binary, in an empty directory, with no environment but what a test gives it.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use super::program::{NO_EMBEDDED_PLUGINS, Output, output};
use super::{Client, PATIENCE, Response, request};

/// Most lines of a log that a failed test shows.
const SHOWN_LINES: usize = 200;

/// A running relay; ended when dropped.
#[derive(Debug)]
pub(crate) struct Relay {
    child: Child,
    address: SocketAddr,
    log: Arc<Mutex<Vec<String>>>,
    printed: Arc<Mutex<Vec<String>>>,
    /// Ends when the relay has closed its log.
    closed: Receiver<()>,
    directory: tempfile::TempDir,
}

/// What a relay is started with.
#[derive(Debug)]
pub(crate) struct RelayBuilder {
    environment: Vec<(String, String)>,
    /// A command, with arguments, that runs the relay's program.
    runner: Vec<String>,
    directory: tempfile::TempDir,
}

impl RelayBuilder {
    /// Sets a variable of the environment.
    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Writes a file into the directory that the relay runs in.
    pub(crate) fn file(self, name: &str, text: &str) -> Self {
        self.file_of(name, text.as_bytes())
    }

    /// As [`RelayBuilder::file`], of bytes.
    pub(crate) fn file_of(self, name: &str, bytes: &[u8]) -> Self {
        let path = self.directory.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
        self
    }

    /// Gives a file of that directory this date.
    pub(crate) fn aged(self, name: &str, modified: std::time::SystemTime) -> Self {
        let file = std::fs::File::options().write(true).open(self.directory.path().join(name)).unwrap();
        file.set_modified(modified).unwrap();
        self
    }

    /// Puts a plugin into the default folder.
    pub(crate) fn plugin(self, name: &str, manifest: &str, component: &[u8]) -> Self {
        self.file(&format!("plugins/{name}/plugin.toml"), manifest)
            .file_of(&format!("plugins/{name}/filter.wasm"), component)
    }

    /// Has the relay's program run by this command.
    pub(crate) fn run_by(mut self, runner: &[&str]) -> Self {
        self.runner = runner.iter().map(ToString::to_string).collect();
        self
    }

    /// The directory that it will run in.
    pub(crate) fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// What `check` says of the same configuration.
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
                    // Nobody listens any more once the relay serves.
                    let _ = lines.send(line);
                }
                drop(open);
            }
        });
        let until = Instant::now() + PATIENCE;
        let address = loop {
            match arriving.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok(line) => {
                    if let Some(address) = address(&line) {
                        break address;
                    }
                }
                Err(fault) => panic!("the relay does not serve ({fault}); its log: {:#?}", log.lock().unwrap()),
            }
        };
        Relay { child, address, log, printed, closed, directory: self.directory }
    }
}

/// The address that a line of the log, JSON or text, says is served.
fn address(line: &str) -> Option<SocketAddr> {
    let address = match serde_json::from_str::<serde_json::Value>(line) {
        Ok(line) if line["message"] == "serving" => line["address"].as_str()?.to_owned(),
        Ok(_) => return None,
        Err(_) => line.split_once(" serving address=")?.1.split(' ').next()?.to_owned(),
    };
    Some(address.parse().unwrap())
}

impl Relay {
    /// What a relay may be started with beyond its defaults.
    pub(crate) fn with() -> RelayBuilder {
        RelayBuilder { environment: Vec::new(), runner: Vec::new(), directory: tempfile::tempdir().unwrap() }
    }

    /// A relay with its defaults: rooms QGIS and QField.
    pub(crate) async fn start() -> Self {
        Self::with().start().await
    }

    /// Where it serves.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// The directory it runs in.
    pub(crate) fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// Its process.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What it has logged so far.
    pub(crate) fn log(&self) -> Vec<String> {
        self.log.lock().unwrap().clone()
    }

    /// What it has printed for its operator so far.
    pub(crate) fn printed(&self) -> Vec<String> {
        self.printed.lock().unwrap().clone()
    }

    /// A client in this room, named as it stands in a path: percent-encoded.
    pub(crate) async fn join(&self, room: &str) -> Client {
        Client::connect(self.address, &format!("/room/{room}/ws")).await
    }

    /// A client in this room that has registered this nickname, when it has heard all that joining tells.
    pub(crate) async fn join_as(&self, room: &str, nickname: &str) -> Client {
        let mut client = self.join(room).await;
        client.send(super::newcomer(nickname)).await;
        client.skip_until(super::newcomer(nickname)).await;
        client
    }

    /// The answer to `GET path`.
    pub(crate) async fn get(&self, path: &str) -> Response {
        request(self.address, "GET", path, &[], "").await
    }

    /// The answer to `PUT path`.
    pub(crate) async fn put(&self, path: &str, body: &str) -> Response {
        request(self.address, "PUT", path, &[], body).await
    }

    /// The answer to a message that is sent by `PUT` with further headers.
    pub(crate) async fn put_line(&self, room: &str, author: &str, text: &str, headers: &[(&str, &str)]) -> Response {
        let body = super::line(author, text).to_string();
        request(self.address, "PUT", &format!("/room/{room}/message"), headers, &body).await
    }

    /// The registered nicknames of a room.
    pub(crate) async fn users(&self, room: &str) -> serde_json::Value {
        self.get(&format!("/room/{room}/users")).await.json()
    }

    /// The value of a line of `/metrics`, 0 when it is not there.
    pub(crate) async fn metric(&self, name: &str) -> f64 {
        let text = self.get("/metrics").await.body;
        let line = text.lines().find_map(|line| line.strip_prefix(name).and_then(|rest| rest.strip_prefix(' ')));
        line.map_or(0.0, |value| value.parse().unwrap())
    }

    /// As [`Relay::metric`], of what is counted in whole numbers.
    pub(crate) async fn count(&self, name: &str) -> u64 {
        let value = self.metric(name).await;
        format!("{value}").parse().unwrap_or_else(|_| panic!("{name} is {value}"))
    }

    /// Sends a signal, such as `TERM`.
    pub(crate) fn signal(&self, name: &str) {
        let status = Command::new("kill").arg(format!("-{name}")).arg(self.pid().to_string()).status().unwrap();
        assert!(status.success());
    }

    /// Waits for the relay to end by itself, and gives its status and its whole log.
    pub(crate) fn wait(mut self) -> (ExitStatus, Vec<String>) {
        match self.closed.recv_timeout(PATIENCE) {
            Err(RecvTimeoutError::Disconnected) => {}
            other => panic!("the relay does not end ({other:?})"),
        }
        (self.child.wait().unwrap(), self.log())
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            let log = self.log();
            // A flood makes hundreds of thousands of lines, of which the end tells most.
            let before = log.len().saturating_sub(SHOWN_LINES);
            eprintln!("the relay's log after its first {before} lines:\n{}", log[before..].join("\n"));
        }
    }
}
