//! The command line. Exit codes, of all commands:
//!
//! | code | when |
//! |---|---|
//! | 0 | done |
//! | 1 | what was checked does not hold, for `check` also: the relay would run degraded; or serving is impossible or has failed |
//! | 2 | bad arguments |
//! | 78 | bad configuration: settings, rules or tokens |

mod check;
mod client;
mod health;
mod moderate;
mod plugin;
mod replay;
mod serve;
mod summary;
mod table;
mod terminal;
mod token;
mod try_out;

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::app::{self, Started};
use crate::config::{self, Loaded};
use crate::filter::rules::Rules;
use crate::moderation::Tokens;
use crate::settings::{Fault, Warning};
use crate::telemetry::logging::Level;

/// `EX_CONFIG` of sysexits.h: the configuration is wrong, and another start would not help.
const BAD_CONFIGURATION: u8 = 78;
/// The code of bad arguments, as clap has it.
const BAD_ARGUMENTS: u8 = 2;

/// A moderated chat relay for people who work with maps: QGIS, QField and the web, over WebSockets.
#[derive(Debug, Parser)]
#[command(version, about)]
struct Arguments {
    /// The configuration file. Otherwise that of `RELAY_CONFIG`, or `relay.toml` where there is one.
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve until told to stop (the default).
    Serve,
    /// Check the configuration, the rules, the plugins and all that is written to, and name every problem: 78 when a start
    /// would fail, 1 when the relay would run degraded. Safe beside a running relay.
    Check(check::Arguments),
    /// Ask the relay that runs with this configuration for a sign of life.
    Health,
    /// See what would become of a text: it is judged once, without a relay, and nothing of it is kept.
    Try(try_out::Arguments),
    /// Run an audit log through changed rules or plugins, and see which messages would become others.
    Replay(replay::Arguments),
    /// Show what the filters, rules and plugins of the relay that runs with this configuration have done.
    Filters(moderate::Arguments),
    /// Have the relay that runs with this configuration read its settings, tokens, rules and plugins again. Exit code 1 when
    /// a part of that has an error and so stays as it was.
    Reload(moderate::Arguments),
    /// Make a token for a moderator or a trusted sender, and what the file of tokens holds of it: its hash.
    Token(token::Arguments),
    /// Begin, build, test and list plugins.
    Plugin {
        #[command(subcommand)]
        command: plugin::Command,
    },
}

/// Runs the command that the arguments ask for.
#[must_use]
pub fn main() -> ExitCode {
    let Arguments { config, command } = Arguments::parse();
    let options = config::Options { file: config };
    let Loaded { mut config, mut faults, warnings, values, files } = config::load(&options, std::env::vars_os());
    config.filter.plugins.compiler = plugin::compile::compiler();
    let command = command.unwrap_or(Command::Serve);
    if let Command::Check(arguments) = &command
        && let Some(done) = arguments.run_alone()
    {
        return done;
    }
    if let Command::Token(arguments) = &command {
        return token::make(arguments);
    }
    if let Command::Plugin { command } = &command {
        return plugin::run(command, &config, &faults);
    }
    if let Command::Replay(arguments) = &command {
        return replay::run(arguments, &config, faults);
    }
    if let (Command::Health, true) = (&command, faults.is_empty()) {
        return health::ask(&config.server);
    }
    match &command {
        Command::Filters(arguments) if faults.is_empty() => return moderate::filters(arguments, &config.server),
        Command::Reload(arguments) if faults.is_empty() => return moderate::reload(arguments, &config.server),
        _ => {}
    }
    let settings_are_good = faults.is_empty();
    // Rules and tokens are read whatever the settings are like, so that all faults are named at once.
    let rules = app::rules_source(&config).read().rules.unwrap_or_else(|more| {
        faults.extend(more);
        Rules::default()
    });
    faults.extend(Tokens::read(&config.moderation, &config.instance.rooms).err().into_iter().flatten());
    // Without a fault, `serve` tells its warnings in the log.
    match command {
        Command::Check(_) => tell_warnings(&warnings),
        Command::Serve if !faults.is_empty() => tell_warnings(&warnings),
        _ => {}
    }
    match command {
        // What settings at fault would lead to is not known; the rest of the configuration changes nothing of it.
        Command::Check(arguments) if !faults.is_empty() && settings_are_good => {
            check::name_problems(&arguments, &config);
            bad_configuration(&faults)
        }
        _ if !faults.is_empty() => bad_configuration(&faults),
        Command::Check(arguments) => check::run(&arguments, &config, &rules),
        Command::Try(arguments) => try_out::run(arguments, config, rules),
        Command::Serve => {
            let present = files.into_iter().filter(|file| file.exists()).collect();
            serve::run(config, rules, &warnings, Started { options, values, present, level: Level::default() })
        }
        // Done with above, unless the configuration is at fault.
        Command::Health
        | Command::Filters(_)
        | Command::Reload(_)
        | Command::Replay(_)
        | Command::Token(_)
        | Command::Plugin { .. } => ExitCode::FAILURE,
    }
}

fn tell_warnings(warnings: &[Warning]) {
    for warning in warnings {
        tell(io::stderr(), &format!("warning: {warning}\n"));
    }
}

fn bad_configuration(faults: &[Fault]) -> ExitCode {
    for fault in faults {
        tell(io::stderr(), &format!("{fault}\n"));
    }
    let plural = if faults.len() == 1 { "" } else { "s" };
    tell(io::stderr(), &format!("gischat-relay: {} fault{plural} in the configuration\n", faults.len()));
    ExitCode::from(BAD_CONFIGURATION)
}

/// Writes to somebody who may have stopped reading, which changes no exit code; `println!` would panic.
fn tell(mut to: impl io::Write, text: &str) {
    let _nobody_reads = to.write_all(text.as_bytes());
}
