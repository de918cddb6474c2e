//! `plugin`: commands for authors and operators of plugins.

mod build;
pub(super) mod compile;
mod kit;
mod language;
mod list;
mod new;
mod test;

use std::path::PathBuf;
use std::process::ExitCode;

use self::language::Language;
use super::{print_to, report_bad_configuration, table, terminal};
use crate::config::Config;
use crate::settings::ConfigError;

#[derive(Debug, clap::Subcommand)]
pub(super) enum PluginCommand {
    /// Run the cases of plugins (`cases/*.toml`) in the sandbox, within the limits of their manifests.
    Test {
        /// Folders of built plugins.
        #[arg(required = true, value_name = "DIR")]
        folders: Vec<PathBuf>,
    },
    /// List the plugins of the configured folder and the embedded ones, and whether they can be loaded.
    List,
    /// Compile a plugin for the parent process.
    #[command(hide = true)]
    Compile,
    /// Create a plugin: a folder with a working filter, its cases and the kit.
    New {
        /// Name of the plugin: lower-case letters, digits and single dashes.
        #[arg(value_name = "NAME", value_parser = new::parse_name)]
        name: String,
        /// Language of the plugin.
        #[arg(long = "lang", value_enum, value_name = "LANGUAGE")]
        language: Language,
        /// Folder to create the plugin's folder in.
        #[arg(long, value_name = "DIR", default_value = crate::sandbox::Config::DEFAULT_DIR)]
        into: PathBuf,
    },
    /// Build the filter.wasm of plugins.
    Build {
        /// Install missing tools with pip or npm.
        #[arg(long)]
        install: bool,
        /// Folders of plugins.
        #[arg(required = true, value_name = "DIR")]
        folders: Vec<PathBuf>,
    },
}

/// Runs one of the commands. Errors in the configuration only affect commands that use it.
pub(super) fn run(command: &PluginCommand, config: &Config, errors: &[ConfigError]) -> ExitCode {
    match command {
        PluginCommand::Test { .. } | PluginCommand::List if !errors.is_empty() => report_bad_configuration(errors),
        PluginCommand::Test { folders } => test::run(folders, config),
        PluginCommand::List => list::run(config),
        PluginCommand::Compile => compile::run(),
        PluginCommand::New { name, language, into } => new::run(name, *language, into),
        PluginCommand::Build { install, folders } => build::run(folders, *install),
    }
}

/// Prints the reason why a command failed.
fn fail(reason: impl std::fmt::Display) -> ExitCode {
    print_to(std::io::stderr(), &format!("gischat-relay: {reason}\n"));
    ExitCode::FAILURE
}
