//! The command line. Exit codes of all commands:
//!
//! | code | meaning |
//! |---|---|
//! | 0 | success |
//! | 1 | a check failed, the relay would run degraded (`check`), part of a reload failed (`reload`), nothing could be replayed (`replay`), or the command failed |
//! | 2 | invalid arguments |
//! | 78 | invalid configuration: settings, rules or tokens |

mod check;
mod client;
mod descriptors;
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

use crate::app::{self, StartupContext};
use crate::auth::AccessTokens;
use crate::config::{self, LoadedConfig};
use crate::filter::rules::RuleSet;
use crate::settings::{ConfigError, ConfigWarning};
use crate::telemetry::logging::LevelHandle;

/// `EX_CONFIG` of sysexits.h: the configuration is invalid, and a restart would not help.
const BAD_CONFIGURATION: u8 = 78;
/// The exit code for invalid arguments, as in clap.
const BAD_ARGUMENTS: u8 = 2;

/// A moderated chat relay for people who work with maps: QGIS, QField and the web, over WebSockets.
#[derive(Debug, Parser)]
#[command(version, about)]
struct Cli {
    /// The settings file [default: the value of `RELAY_CONFIG`, or `relay.toml` if it exists]
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the relay (default)
    Serve,
    /// Check settings, tokens, rules, plugins and write access, and report every problem. Exit code 78 if the relay
    /// would not start, 1 if it would run degraded. Safe to use while a relay is running.
    Check(check::CheckArgs),
    /// Check that the relay with this configuration is running.
    Health,
    /// Show how a message would be judged, without a running relay and without any effect.
    Try(try_out::TryArgs),
    /// Replay an audit log with changed rules or plugins, and show which decisions would change.
    Replay(replay::ReplayArgs),
    /// Show statistics of the filters, rules and plugins of the running relay.
    Filters(moderate::ClientArgs),
    /// Reload settings, tokens, rules and plugins of the running relay. Exit code 1 if a part has errors and was not
    /// reloaded.
    Reload(moderate::ClientArgs),
    /// Generate a token for a moderator or a trusted nickname, and its entry for the tokens file.
    Token(token::TokenArgs),
    /// Create, build, test and list plugins.
    Plugin {
        #[command(subcommand)]
        command: plugin::PluginCommand,
    },
}

/// Runs the command given on the command line.
#[must_use]
pub fn main() -> ExitCode {
    let Cli { config: settings_file, command } = Cli::parse();
    let options = config::Options { file: settings_file };
    let LoadedConfig { mut config, mut errors, warnings, snapshot, files } =
        config::load(&options, std::env::vars_os());
    config.filter.plugins.compiler = plugin::compile::compiler();
    let command = command.unwrap_or(Command::Serve);
    if let Command::Check(arguments) = &command
        && let Some(exit_code) = arguments.run_standalone()
    {
        return exit_code;
    }
    if let Command::Token(arguments) = &command {
        return token::make(arguments);
    }
    if let Command::Plugin { command } = &command {
        return plugin::run(command, &config, &errors);
    }
    if let Command::Replay(arguments) = &command {
        print_warnings(&warnings);
        return replay::run(arguments, &config, errors);
    }
    if let (Command::Health, true) = (&command, errors.is_empty()) {
        return health::run(&config.server);
    }
    match &command {
        Command::Filters(arguments) if errors.is_empty() => return moderate::filters(arguments, &config.server),
        Command::Reload(arguments) if errors.is_empty() => return moderate::reload(arguments, &config.server),
        _ => {}
    }
    let settings_are_valid = errors.is_empty();
    // Read rules and tokens even if the settings have errors, to report all errors together.
    let rules = app::rules_source(&config).load_stable().rules.unwrap_or_else(|more| {
        errors.extend(more);
        RuleSet::default()
    });
    errors.extend(AccessTokens::read(&config.auth, &config.instance.rooms).err().into_iter().flatten());
    // Without errors, `serve` logs the warnings instead.
    match command {
        Command::Check(_) | Command::Try(_) => print_warnings(&warnings),
        Command::Serve if !errors.is_empty() => print_warnings(&warnings),
        _ => {}
    }
    match command {
        // Probe subsystems only if the settings are valid; errors in rules and tokens do not affect the probes.
        Command::Check(arguments) if !errors.is_empty() && settings_are_valid => {
            check::print_problems(&arguments, &config);
            report_bad_configuration(&errors)
        }
        _ if !errors.is_empty() => report_bad_configuration(&errors),
        Command::Check(arguments) => check::run(&arguments, &config, &rules),
        Command::Try(arguments) => try_out::run(arguments, config, rules),
        Command::Serve => {
            let existing_files = files.into_iter().filter(|file| file.exists()).collect();
            serve::run(
                config,
                rules,
                &warnings,
                StartupContext { options, snapshot, present: existing_files, level: LevelHandle::default() },
            )
        }
        // Unreachable: handled above, or by the arm for configuration errors.
        Command::Health
        | Command::Filters(_)
        | Command::Reload(_)
        | Command::Replay(_)
        | Command::Token(_)
        | Command::Plugin { .. } => ExitCode::FAILURE,
    }
}

fn print_warnings(warnings: &[ConfigWarning]) {
    for warning in warnings {
        print_to(io::stderr(), &format!("warning: {warning}\n"));
    }
}

fn report_bad_configuration(errors: &[ConfigError]) -> ExitCode {
    for error in errors {
        print_to(io::stderr(), &format!("{error}\n"));
    }
    let plural = if errors.len() == 1 { "" } else { "s" };
    print_to(io::stderr(), &format!("gischat-relay: {} error{plural} in the configuration\n", errors.len()));
    ExitCode::from(BAD_CONFIGURATION)
}

/// Writes a text and ignores errors, such as a closed pipe. `println!` would panic.
fn print_to(mut to: impl io::Write, text: &str) {
    let _ignored = to.write_all(text.as_bytes());
}
