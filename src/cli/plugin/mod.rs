//! `plugin`: what those who write and run plugins do with them, from a template to a filter that holds its cases.

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
use super::{bad_configuration, table, tell, terminal};
use crate::config::Config;
use crate::settings::Fault;

#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Run the cases of plugins (`cases/*.toml`) in the sandbox, within the limits of their manifests.
    Test {
        /// Folders of plugins that are built.
        #[arg(required = true, value_name = "DIR")]
        folders: Vec<PathBuf>,
    },
    /// List the plugins, those of the configured folder and those of the program, and whether they can be loaded.
    List,
    /// Compile a plugin for the relay that has started this.
    #[command(hide = true)]
    Compile,
    /// Begin a plugin: a folder with a filter that works, its cases and the kit.
    New {
        /// Its name: small letters and digits, with dashes between them.
        #[arg(value_name = "NAME", value_parser = new::name)]
        name: String,
        /// The language that it is written in.
        #[arg(long = "lang", value_enum, value_name = "LANGUAGE")]
        language: Language,
        /// The folder that the plugin's folder is made in.
        #[arg(long, value_name = "DIR", default_value = crate::sandbox::Config::DEFAULT_DIR)]
        into: PathBuf,
    },
    /// Build plugins: each gets its filter.wasm.
    Build {
        /// Install the tools that are missing, where that takes no more than pip or npm.
        #[arg(long)]
        install: bool,
        /// Folders of plugins.
        #[arg(required = true, value_name = "DIR")]
        folders: Vec<PathBuf>,
    },
}

/// Runs one of the commands. Faults of the configuration matter to those alone that read it.
pub(super) fn run(command: &Command, config: &Config, faults: &[Fault]) -> ExitCode {
    match command {
        Command::Test { .. } | Command::List if !faults.is_empty() => bad_configuration(faults),
        Command::Test { folders } => test::run(folders, config),
        Command::List => list::run(config),
        Command::Compile => compile::run(),
        Command::New { name, language, into } => new::run(name, *language, into),
        Command::Build { install, folders } => build::run(folders, *install),
    }
}

/// Says why a command came to nothing.
fn failed(why: impl std::fmt::Display) -> ExitCode {
    tell(std::io::stderr(), &format!("gischat-relay: {why}\n"));
    ExitCode::FAILURE
}
