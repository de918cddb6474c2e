//! Runs commands of the relay's binary to completion.

use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use super::TIMEOUT;

/// Disables embedded plugins in tests that are not about them.
pub(crate) const NO_EMBEDDED_PLUGINS: (&str, &str) = ("RELAY__FILTER__PLUGINS__EMBEDDED", "false");

/// The exit status and output of a command.
#[derive(Debug)]
pub(crate) struct Output {
    /// The exit status; `None` if a signal ended the command.
    pub(crate) status: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// Runs the relay's binary in a directory with these arguments and only this environment. Embedded plugins are disabled
/// unless the environment enables them.
pub(crate) fn relay(directory: &Path, arguments: &[&str], environment: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gischat-relay"));
    command.args(arguments).current_dir(directory).env_clear().envs([NO_EMBEDDED_PLUGINS]);
    command.envs(environment.iter().copied());
    output(&mut command)
}

/// Runs a command to completion within [`TIMEOUT`].
pub(crate) fn output(command: &mut Command) -> Output {
    output_within(command, TIMEOUT)
}

/// Runs a command with another time limit, for builds and for plugins that contain an interpreter.
pub(crate) fn output_within(command: &mut Command, timeout: Duration) -> Output {
    let spawned = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut child = spawned.unwrap_or_else(|error| panic!("{}: {error}", command.get_program().display()));
    let (stdout, stderr) =
        (read_in_background(child.stdout.take().unwrap()), read_in_background(child.stderr.take().unwrap()));
    let until = Instant::now() + timeout;
    let mut texts = [stdout, stderr].into_iter().map(|text| {
        text.recv_timeout(until.saturating_duration_since(Instant::now())).unwrap_or_else(|_| {
            let _ = child.kill();
            panic!("{command:?} timed out")
        })
    });
    let (stdout, stderr) = (texts.next().unwrap(), texts.next().unwrap());
    drop(texts);
    Output { status: child.wait().unwrap().code(), stdout, stderr }
}

fn read_in_background(mut pipe: impl Read + Send + 'static) -> std::sync::mpsc::Receiver<String> {
    let (send, receive) = channel();
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = pipe.read_to_end(&mut bytes);
        let _ = send.send(String::from_utf8_lossy(&bytes).into_owned());
    });
    receive
}
