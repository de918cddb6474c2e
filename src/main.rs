//! The program `gischat-relay`; see [`gischat_relay::cli`].

use std::process::ExitCode;

fn main() -> ExitCode {
    gischat_relay::cli::main()
}
