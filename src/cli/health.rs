//! `health`: asks the relay on this machine for a sign of life, for containers that have no other program to ask with.

use std::io;
use std::process::ExitCode;
use std::time::Duration;

use super::client::{call, reachable};
use super::tell;
use crate::api::Config;

const PATIENCE: Duration = Duration::from_secs(3);

/// Prints what the relay says and exits with 0 when it is well, with 1 otherwise.
pub(super) fn ask(config: &Config) -> ExitCode {
    let address = reachable(config.listen);
    let complaint = match call(address, "GET", "/healthz", None, PATIENCE) {
        Ok(answer) if answer.status == 200 => {
            tell(io::stdout(), &format!("{address}: ok\n"));
            return ExitCode::SUCCESS;
        }
        Ok(answer) => format!("answered with status {}", answer.status),
        Err(fault) => fault.to_string(),
    };
    tell(io::stderr(), &format!("{address}: {complaint}\n"));
    ExitCode::FAILURE
}
