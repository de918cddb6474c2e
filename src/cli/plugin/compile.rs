//! `plugin compile`: what the relay starts to have a plugin compiled. Not for people.

use std::io;
use std::process::ExitCode;

use super::tell;
use crate::sandbox::{self, Compiler};

/// The names of the command.
const ARGUMENTS: [&str; 2] = ["plugin", "compile"];
/// This program, also when another file has taken its place since it was started.
const PROGRAM: &str = "/proc/self/exe";

/// Has plugins compiled by this command.
#[must_use]
pub(in crate::cli) fn compiler() -> Compiler {
    Compiler::Child { program: PROGRAM.into(), arguments: ARGUMENTS.map(str::to_owned).into() }
}

/// Compiles what comes in; what is wrong with it is told, with 1.
pub(super) fn run() -> ExitCode {
    match sandbox::compile_for_parent(io::stdin().lock(), io::stdout().lock()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(text) => {
            // Whoever reads it wants a line.
            tell(io::stderr(), &text.chars().take(1_000).collect::<String>());
            ExitCode::from(sandbox::REFUSED)
        }
    }
}
