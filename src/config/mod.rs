//! The typed tree of all settings: defaults, then the file, then `.env`, then the environment.
//!
//! This module defines the sources of settings and the section of each part. Each part declares its own settings and
//! receives its own `Config`, never the whole tree. [`settings`](crate::settings) does the reading.

pub mod instance;
mod legacy;
mod memory;
mod reloadable;

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::settings::{ConfigError, ConfigWarning, Diagnostics, SettingsSnapshot, SettingsSource, read_text};
use crate::{alerts, api, audit, auth, filter, images, live, moderation, store, telemetry, wire};

/// The settings file that is read by default, if it exists.
const FILE: &str = "relay.toml";
/// The variable that names the settings file.
const FILE_VARIABLE: &str = "RELAY_CONFIG";
/// The file of variables, read if it exists.
const DOTENV: &str = ".env";

/// All settings.
#[derive(Clone, Debug)]
pub struct Config {
    /// The public face of this relay.
    pub instance: instance::Config,
    /// Logging.
    pub log: telemetry::Config,
    /// The HTTP server.
    pub server: api::Config,
    /// WebSocket connections.
    pub live: live::Config,
    /// Protocol generations.
    pub wire: wire::Config,
    /// Images in messages.
    pub images: images::Config,
    /// The filter chain.
    pub filter: filter::Config,
    /// Tokens of moderators.
    pub auth: auth::Config,
    /// The webhook for urgent events.
    pub alerts: alerts::Config,
    /// The file in which moderation survives a restart.
    pub store: store::Config,
    /// Sanctions and held messages.
    pub moderation: moderation::Config,
    /// The audit log.
    pub audit: audit::Config,
}

/// Options of the command line that affect the settings.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The settings file, `--config FILE`. If `None`, the variable `RELAY_CONFIG` names it; the default is `relay.toml`
    /// if it exists. Paths are relative to the working directory.
    pub file: Option<PathBuf>,
}

impl Config {
    /// Declares and reads the settings of every part. Errors are recorded in the source.
    pub fn declare(source: &mut SettingsSource) -> Self {
        let mut root = source.root();
        legacy::ignore_variables(&mut root);
        // The settings are listed in this order.
        let instance = instance::Config::declare(&mut root.section("instance", "Rooms, house rules and language."));
        let log = telemetry::Config::declare(&mut root.section("log", "Logging."));
        let server = api::Config::declare(&mut root.section("server", "HTTP server: addresses, proxies, origins."));
        let live = live::Config::declare(&mut root.section("live", "WebSocket connections and their limits."));
        let wire = wire::Config::declare(&mut root.section("wire", "Protocol generations."));
        let images = images::Config::declare(&mut root.section("images", "Images in messages."));
        let filter =
            filter::Config::declare(&mut root.section("filter", "The filter chain that checks every message."));
        let mut section = root.section("moderation", "Moderators, sanctions and records.");
        let auth = auth::Config::declare(&mut section);
        let alerts = alerts::Config::declare(&mut section.section("alerts", "Signed webhook for urgent events."));
        let store = store::Config::declare(&mut section);
        let moderation = moderation::Config::declare(&mut section);
        let audit = audit::Config::declare(
            &mut section.section("audit", "Audit log: decisions and moderator actions as JSON lines."),
        );
        Self { instance, log, server, live, wire, images, filter, auth, alerts, store, moderation, audit }
    }
}

/// The settings with their errors and warnings.
#[derive(Clone, Debug)]
pub struct LoadedConfig {
    /// The settings. A setting with an error has its default.
    pub config: Config,
    /// All errors, ordered by location.
    pub errors: Vec<ConfigError>,
    /// Values that were repaired or have no effect, ordered by location.
    pub warnings: Vec<ConfigWarning>,
    /// A snapshot of all settings, to find out what a reload changes.
    pub snapshot: SettingsSnapshot,
    /// The files that were looked for: `.env` and the settings file, whether or not they exist.
    pub files: [PathBuf; 2],
}

/// Reads all settings. `environment` is [`std::env::vars_os`] except in tests.
#[must_use]
pub fn load(options: &Options, environment: impl IntoIterator<Item = (OsString, OsString)>) -> LoadedConfig {
    load_in(Path::new(""), options, environment)
}

/// Like [`load`], with `directory` in place of the working directory.
fn load_in(
    directory: &Path,
    options: &Options,
    environment: impl IntoIterator<Item = (OsString, OsString)>,
) -> LoadedConfig {
    let mut source = SettingsSource::new().environment(environment);
    let dotenv = dotenv_path(directory);
    match read_text(&dotenv) {
        Ok(Some(text)) => source = source.dotenv(dotenv, &text),
        Ok(None) => {}
        Err(error) => source.error(error),
    }
    let by_option = options.file.clone().map(|file| (file, "--config"));
    let named = by_option.or_else(|| source.variable(FILE_VARIABLE).map(|file| (file.into(), FILE_VARIABLE)));
    let path = directory.join(named.as_ref().map_or(Path::new(FILE), |(file, _)| file.as_path()));
    let files = [dotenv_path(directory), path.clone()];
    match (read_text(&path), named) {
        (Ok(Some(text)), _) => source = source.file(path, &text),
        (Ok(None), Some((_, by))) => {
            source.error(ConfigError::in_file(path, format!("does not exist, though {by} names it")));
        }
        (Ok(None), None) => {}
        (Err(error), _) => source.error(error),
    }
    let config = Config::declare(&mut source);
    let snapshot = source.snapshot();
    let Diagnostics { errors, warnings } = source.finish();
    LoadedConfig { config, errors, warnings, snapshot, files }
}

fn dotenv_path(directory: &Path) -> PathBuf {
    directory.join(DOTENV)
}

/// Returns a settings file with every setting at its default, documented: `examples/relay.toml`.
#[must_use]
pub fn example() -> String {
    let mut source = SettingsSource::new();
    Config::declare(&mut source);
    format!(
        "# Every setting of gischat-relay with its default. A file needs only the settings that differ.\n\
         # The relay reads ./relay.toml, or the file named by --config or RELAY_CONFIG. Environment variables (Env)\n\
         # override it. Variables may also be set in ./.env. An empty variable counts as not set. In a variable, write\n\
         # a list as a,b or [\"a\", \"b, c\"].\n\n{}",
        source.listing()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn env(variables: &[(&str, &str)]) -> Vec<(OsString, OsString)> {
        variables.iter().map(|(name, value)| (name.into(), value.into())).collect()
    }

    fn directory(files: &[(&str, &str)]) -> tempfile::TempDir {
        let directory = tempfile::tempdir().expect("a directory");
        for (name, text) in files {
            std::fs::write(directory.path().join(name), text).expect("written");
        }
        directory
    }

    fn main_lang(
        directory: &tempfile::TempDir,
        file: Option<&str>,
        variables: &[(&str, &str)],
    ) -> Result<String, String> {
        let options = Options { file: file.map(PathBuf::from) };
        let LoadedConfig { config, errors, .. } = load_in(directory.path(), &options, env(variables));
        if errors.is_empty() { Ok(config) } else { Err(errors) }
            .map(|config| config.instance.main_lang)
            .map_err(|errors| errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
    }

    #[test]
    fn an_empty_configuration_is_valid() {
        assert_eq!(main_lang(&directory(&[]), None, &[]), Ok("en".into()));
    }

    #[test]
    fn the_command_line_overrides_the_variable_and_the_variable_overrides_the_default_file() {
        let files = directory(&[
            ("relay.toml", "[instance]\nmain_lang = 'fr'"),
            ("b.toml", "[instance]\nmain_lang = 'pt'"),
            ("c.toml", "[instance]\nmain_lang = 'it'"),
        ]);
        assert_eq!(main_lang(&files, None, &[]), Ok("fr".into()));
        assert_eq!(main_lang(&files, None, &[("RELAY_CONFIG", "b.toml")]), Ok("pt".into()));
        assert_eq!(main_lang(&files, Some("c.toml"), &[("RELAY_CONFIG", "b.toml")]), Ok("it".into()));
    }

    #[test]
    fn a_named_file_must_exist() {
        let files = directory(&[("relay.toml", "")]);
        for (file, variables, by) in
            [(Some("no.toml"), vec![], "--config"), (None, vec![("RELAY_CONFIG", "no.toml")], "RELAY_CONFIG")]
        {
            let error = main_lang(&files, file, &variables).expect_err("an error");
            assert!(error.ends_with(&format!("no.toml: does not exist, though {by} names it")), "{error}");
        }
    }

    #[test]
    fn dotenv_overrides_the_file_and_may_name_it() {
        let files = directory(&[("b.toml", "[instance]\nmain_lang = 'pt'"), (".env", "RELAY_CONFIG=b.toml\n")]);
        assert_eq!(main_lang(&files, None, &[]), Ok("pt".into()));
        let files = directory(&[("relay.toml", "[instance]\nmain_lang = 'fr'"), (".env", "MAIN_LANG=it\n")]);
        assert_eq!(main_lang(&files, None, &[]), Ok("it".into()));
    }

    #[test]
    fn an_unreadable_file_and_other_errors_are_reported_together() {
        let files = directory(&[(".env", "oh no\n")]);
        std::fs::create_dir(files.path().join("relay.toml")).expect("a directory");
        let errors = main_lang(&files, None, &[("MAIN_LANG", "?")]).expect_err("errors");
        assert_eq!(errors.lines().count(), 3, "{errors}");
    }

    #[test]
    fn an_ordinary_environment_gives_no_warning() {
        let names: Vec<&str> = include_str!("../../tests/cases/ordinary-variables.txt")
            .lines()
            .filter(|line| !line.is_empty() && !line.starts_with('#'))
            .collect();
        assert!(names.len() >= 150, "{} names", names.len());
        let variables: Vec<(&str, &str)> = names.iter().map(|name| (*name, "x")).collect();
        let loaded = load_in(directory(&[]).path(), &Options::default(), env(&variables));
        assert_eq!((loaded.errors, loaded.warnings), (vec![], vec![]));
    }

    #[test]
    fn the_example_has_every_setting_at_its_default() {
        let (mut listed, mut empty) = (SettingsSource::new().file("relay.toml", &example()), SettingsSource::new());
        let (listed_config, empty_config) = (Config::declare(&mut listed), Config::declare(&mut empty));
        assert_eq!(format!("{listed_config:?}"), format!("{empty_config:?}"));
        assert_eq!(listed.finish(), Diagnostics::default());
        assert!(example().lines().all(|line| line.chars().count() <= 120), "a line is too long");
    }

    /// Regenerates `examples/relay.toml` if `UPDATE_EXAMPLES` is set.
    #[test]
    fn the_example_file_is_the_listing_of_all_settings() {
        if std::env::var_os("UPDATE_EXAMPLES").is_some() {
            let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/relay.toml");
            std::fs::write(path, example()).expect("examples/relay.toml is written");
            return;
        }
        assert!(
            include_str!("../../examples/relay.toml") == example(),
            "examples/relay.toml is out of date; regenerate it with\n\
             UPDATE_EXAMPLES=1 cargo test --lib the_example_file_is_the_listing_of_all_settings"
        );
    }
}
