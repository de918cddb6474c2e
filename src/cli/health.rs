//! `health`: checks the relay on this machine. For containers that have no other HTTP client.

use std::io;
use std::process::ExitCode;
use std::time::Duration;

use super::client::{call, local_address};
use super::print_to;
use crate::api::Config;

const TIMEOUT: Duration = Duration::from_secs(3);

/// Prints the result of the health check. Exits with 0 if the relay is healthy and 1 otherwise.
pub(super) fn run(config: &Config) -> ExitCode {
    let address = local_address(config.listen);
    let problem = match call(address, &config.host_for(address), "GET", "/healthz", None, TIMEOUT) {
        Ok(answer) if answer.status == 200 => {
            print_to(io::stdout(), &format!("{address}: ok\n"));
            return ExitCode::SUCCESS;
        }
        Ok(answer) => format!("answered with status {}", answer.status),
        Err(error) => error.to_string(),
    };
    print_to(io::stderr(), &format!("{address}: {problem}\n"));
    ExitCode::FAILURE
}
