//! The relay's program as a command that ends by itself.

use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use super::PATIENCE;

/// What keeps the plugins that are embedded in the program out of a test that is not about them.
pub(crate) const NO_EMBEDDED_PLUGINS: (&str, &str) = ("RELAY__FILTER__PLUGINS__EMBEDDED", "false");

/// How a command ended and what it printed.
#[derive(Debug)]
pub(crate) struct Output {
    /// Its exit status; `None` when a signal ended it.
    pub(crate) status: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// Runs the relay's program in a directory, with these arguments and no environment but this one, and without embedded
/// plugins unless that says otherwise.
pub(crate) fn relay(directory: &Path, arguments: &[&str], environment: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gischat-relay"));
    command.args(arguments).current_dir(directory).env_clear().envs([NO_EMBEDDED_PLUGINS]);
    command.envs(environment.iter().copied());
    output(&mut command)
}

/// Runs any command to its end, which must come soon.
pub(crate) fn output(command: &mut Command) -> Output {
    output_within(command, PATIENCE)
}

/// Runs a command that takes long: a build, or a plugin with an interpreter in it.
pub(crate) fn output_within(command: &mut Command, patience: Duration) -> Output {
    let spawned = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut child = spawned.unwrap_or_else(|fault| panic!("{}: {fault}", command.get_program().display()));
    let (stdout, stderr) = (read_off(child.stdout.take().unwrap()), read_off(child.stderr.take().unwrap()));
    let until = Instant::now() + patience;
    let mut texts = [stdout, stderr].into_iter().map(|text| {
        text.recv_timeout(until.saturating_duration_since(Instant::now())).unwrap_or_else(|_| {
            let _ = child.kill();
            panic!("{command:?} does not end")
        })
    });
    let (stdout, stderr) = (texts.next().unwrap(), texts.next().unwrap());
    drop(texts);
    Output { status: child.wait().unwrap().code(), stdout, stderr }
}

fn read_off(mut pipe: impl Read + Send + 'static) -> std::sync::mpsc::Receiver<String> {
    let (send, receive) = channel();
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = pipe.read_to_end(&mut bytes);
        let _ = send.send(String::from_utf8_lossy(&bytes).into_owned());
    });
    receive
}
