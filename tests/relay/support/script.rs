//! Runs `examples/chat.py` interactively.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Instant;

use super::TIMEOUT;

/// Debian's Python, which finds the package python3-websockets.
pub(crate) const PYTHON: &str = "/usr/bin/python3";

/// The running example script; killed on drop.
#[derive(Debug)]
pub(crate) struct Script {
    child: Child,
    stdin: Option<ChildStdin>,
    /// Lines of its output; those of the standard error are prefixed with `stderr: `.
    lines: Receiver<String>,
    output: Vec<String>,
}

/// Starts a Python program. Returns its standard input and the lines that it prints; those on standard error begin with
/// `stderr: `.
pub(crate) fn spawn_piped(command: &mut Command) -> (Child, ChildStdin, Receiver<String>) {
    let spawned = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut child =
        spawned.unwrap_or_else(|error| panic!("{PYTHON}: {error}; `make test` installs what the tests need"));
    let (send, lines) = channel();
    let (stdout, stderr) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
    let errors = send.clone();
    std::thread::spawn(move || {
        BufReader::new(stdout).lines().map_while(Result::ok).all(|line| send.send(line).is_ok())
    });
    std::thread::spawn(move || {
        let lines = BufReader::new(stderr).lines().map_while(Result::ok);
        lines.map(|line| format!("stderr: {line}")).all(|line| errors.send(line).is_ok())
    });
    let stdin = child.stdin.take().unwrap();
    (child, stdin, lines)
}

impl Script {
    /// Starts the script with the relay at `url`.
    pub(crate) fn start(url: &str, arguments: &[&str], environment: &[(&str, &Path)]) -> Self {
        let mut command = Command::new(PYTHON);
        command
            .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/chat.py"))
            .args(["--url", url])
            .args(arguments)
            .env_clear()
            .env("LC_ALL", "C.UTF-8")
            .envs(environment.iter().copied());
        let (child, stdin, lines) = spawn_piped(&mut command);
        let stdin = Some(stdin);
        Self { child, stdin, lines, output: Vec::new() }
    }

    /// Types a line.
    pub(crate) fn type_line(&mut self, text: &str) {
        writeln!(self.stdin.as_mut().expect("the input has not ended"), "{text}").unwrap();
    }

    /// Closes its standard input.
    pub(crate) fn end_input(&mut self) {
        self.stdin = None;
    }

    /// Waits until it prints this line, and returns the lines before it.
    pub(crate) fn wait_for(&mut self, line: &str) -> Vec<String> {
        let until = Instant::now() + TIMEOUT;
        let mut before = Vec::new();
        loop {
            match self.lines.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok(next) if next == line => {
                    self.output.push(next);
                    return before;
                }
                Ok(other) => {
                    self.output.push(other.clone());
                    before.push(other);
                }
                Err(error) => panic!("{line:?} is not printed ({error}); output: {:#?}{}", self.output, self.hint()),
            }
        }
    }

    /// Waits for it to exit, and returns its exit status and the lines printed since the last [`Script::wait_for`].
    pub(crate) fn wait(mut self) -> (Option<i32>, Vec<String>) {
        let until = Instant::now() + TIMEOUT;
        let mut rest = Vec::new();
        loop {
            match self.lines.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok(line) => rest.push(line),
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => {
                    panic!("the script does not exit; output: {:#?} {rest:#?}", self.output)
                }
            }
        }
        (self.child.wait().unwrap().code(), rest)
    }

    fn hint(&self) -> &'static str {
        if self.output.iter().any(|line| line.contains("No module named 'websockets'")) {
            "\n`make test` installs python3-websockets"
        } else {
            ""
        }
    }
}

impl Drop for Script {
    fn drop(&mut self) {
        // It may have exited already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
