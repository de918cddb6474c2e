//! `plugin compile`: the child process in which the relay compiles a plugin. Not meant for users.

use std::io;
use std::process::ExitCode;

use super::print_to;
use crate::sandbox::{self, PluginCompiler};

/// The arguments that select this command.
const ARGUMENTS: [&str; 2] = ["plugin", "compile"];
/// This program, even if its file was replaced since it was started.
const PROGRAM: &str = "/proc/self/exe";

/// Returns the compiler that runs this command.
#[must_use]
pub(in crate::cli) fn compiler() -> PluginCompiler {
    PluginCompiler::ChildProcess { program: PROGRAM.into(), arguments: ARGUMENTS.map(str::to_owned).into() }
}

/// Compiles the plugin on standard input. Prints the reason and exits with 1 if it is invalid.
pub(super) fn run() -> ExitCode {
    match sandbox::compile_for_parent(io::stdin().lock(), io::stdout().lock()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(text) => {
            // The relay expects one line.
            print_to(io::stderr(), &text.chars().take(1_000).collect::<String>());
            ExitCode::from(sandbox::EXIT_INVALID_PLUGIN)
        }
    }
}
