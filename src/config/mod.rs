//! The one typed tree of all settings: defaults, then the file, then `.env`, then the environment.
//!
//! Owns where settings come from and the section that each part has. What the settings are, each part says itself and
//! takes its own `Config`, never the tree; how they are read is the work of [`settings`](crate::settings).

mod former;
pub mod instance;

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::settings::{Fault, Findings, Place, Source, Values, Warning, read_text};
use crate::{api, filter, live, moderation, telemetry, wire};

/// The settings file that is read when none is named, if it exists.
const FILE: &str = "relay.toml";
/// The variable that names another.
const FILE_VARIABLE: &str = "RELAY_CONFIG";
/// The file of variables that is read if it exists.
const DOTENV: &str = ".env";

/// All settings.
#[derive(Clone, Debug)]
pub struct Config {
    /// What this relay is to its visitors.
    pub instance: instance::Config,
    /// What it logs.
    pub log: telemetry::Config,
    /// Its HTTP side.
    pub server: api::Config,
    /// Its WebSocket connections.
    pub live: live::Config,
    /// The generations of the protocol.
    pub wire: wire::Config,
    /// The chain of filters.
    pub filter: filter::Config,
    /// Who may moderate.
    pub moderation: moderation::Config,
}

/// What the command line says of the settings.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The settings file, `--config FILE`. Else the variable `RELAY_CONFIG` names it; else it is `relay.toml`, if that
    /// exists. A path counts from the working directory.
    pub file: Option<PathBuf>,
}

impl Config {
    /// Declares and reads the settings of every part. Faults stay in the source.
    pub fn declare(source: &mut Source) -> Self {
        let mut root = source.root();
        former::ignore(&mut root);
        Self {
            instance: instance::Config::declare(
                &mut root.section("instance", "What this relay is to its visitors: rooms, rules, language."),
            ),
            log: telemetry::Config::declare(&mut root.section("log", "What the relay logs.")),
            server: api::Config::declare(&mut root.section("server", "The HTTP side: addresses, proxies, origins.")),
            live: live::Config::declare(&mut root.section("live", "WebSocket connections and their limits.")),
            wire: wire::Config::declare(&mut root.section("wire", "The generations of the protocol.")),
            filter: filter::Config::declare(&mut root.section("filter", "The chain of filters that judges messages.")),
            moderation: moderation::Config::declare(&mut root.section("moderation", "Who may moderate.")),
        }
    }
}

impl Config {
    /// These settings, with those that take effect while the relay runs as they are in `new`.
    #[must_use]
    pub fn with_reloadable(&self, new: &Self) -> Self {
        let mut config = Self { instance: new.instance.clone(), ..self.clone() };
        config.log.level.clone_from(&new.log.level);
        config.live.max_per_address = new.live.max_per_address;
        config.live.joins = new.live.joins;
        config.filter.rules_file.clone_from(&new.filter.rules_file);
        config.filter.preset = new.filter.preset;
        config.filter.shape = new.filter.shape.clone();
        config.filter.rate = new.filter.rate.clone();
        config.filter.level = new.filter.level.clone();
        config.moderation.moderators.clone_from(&new.moderation.moderators);
        config.moderation.tokens_file.clone_from(&new.moderation.tokens_file);
        config
    }
}

/// The settings as they were read, and what the operator should know about them.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The settings. Where there is a fault, they hold the default.
    pub config: Config,
    /// Errors of all places, ordered by place.
    pub faults: Vec<Fault>,
    /// Values of all places that were repaired or have no effect, ordered by place.
    pub warnings: Vec<Warning>,
    /// What each setting is, for comparison with what it is when it is read again.
    pub values: Values,
    /// The files that were looked for: `.env` and the settings file, whether or not they are there.
    pub files: [PathBuf; 2],
}

/// Reads all settings; `environment` is [`std::env::vars_os`] outside of tests.
#[must_use]
pub fn load(options: &Options, environment: impl IntoIterator<Item = (OsString, OsString)>) -> Loaded {
    load_in(Path::new(""), options, environment)
}

/// As [`load`], with another directory in place of the working directory.
fn load_in(directory: &Path, options: &Options, environment: impl IntoIterator<Item = (OsString, OsString)>) -> Loaded {
    let mut source = Source::new().environment(environment);
    let dotenv = dotenv_path(directory);
    match read_text(&dotenv) {
        Ok(Some(text)) => source = source.dotenv(dotenv, &text),
        Ok(None) => {}
        Err(fault) => source.fault(fault),
    }
    let by_option = options.file.clone().map(|file| (file, "--config"));
    let named = by_option.or_else(|| source.variable(FILE_VARIABLE).map(|file| (file.into(), FILE_VARIABLE)));
    let path = directory.join(named.as_ref().map_or(Path::new(FILE), |(file, _)| file.as_path()));
    let files = [dotenv_path(directory), path.clone()];
    match (read_text(&path), named) {
        (Ok(Some(text)), _) => source = source.file(path, &text),
        (Ok(None), Some((_, by))) => {
            source.fault(Fault::new(Place::File(path), format!("does not exist, though {by} names it")));
        }
        (Ok(None), None) => {}
        (Err(fault), _) => source.fault(fault),
    }
    let config = Config::declare(&mut source);
    let values = source.values();
    let Findings { faults, warnings } = source.finish();
    Loaded { config, faults, warnings, values, files }
}

fn dotenv_path(directory: &Path) -> PathBuf {
    directory.join(DOTENV)
}

/// A settings file with every setting at its default, explained: `examples/relay.toml`.
#[must_use]
pub fn example() -> String {
    let mut source = Source::new();
    Config::declare(&mut source);
    format!(
        "# Every setting of gischat-relay, at its default. A file needs only what differs from that.\n\
         # It is read from ./relay.toml, or from where --config or RELAY_CONFIG says. A variable (Env) wins over it, and\n\
         # variables may stand in ./.env too; an empty one counts as not set. In a variable, a list is written as a,b or as\n\
         # [\"a\", \"b, c\"].\n\n{}",
        source.listing()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_settings_that_say_so_are_those_that_a_reload_takes_over() {
        let mut source = Source::new();
        Config::declare(&mut source);
        // Each of them has its line in `Config::with_reloadable`.
        let expected = [
            "filter.level.newcomer_messages",
            "filter.preset",
            "filter.rate.address.burst",
            "filter.rate.address.per_second",
            "filter.rate.connection.burst",
            "filter.rate.connection.per_second",
            "filter.rate.enabled",
            "filter.rate.nickname.burst",
            "filter.rate.nickname.per_second",
            "filter.rate.room.burst",
            "filter.rate.room.per_second",
            "filter.rules_file",
            "filter.shape.max_author_length",
            "filter.shape.max_avatar_length",
            "filter.shape.max_message_length",
            "filter.shape.min_author_length",
            "instance.environment",
            "instance.main_lang",
            "instance.rooms",
            "instance.rules",
            "live.joins.burst",
            "live.joins.per_second",
            "live.max_per_address",
            "log.level",
            "moderation.moderators",
            "moderation.tokens_file",
        ];
        assert_eq!(source.values().reloadable().collect::<Vec<_>>(), expected);
    }

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
        let Loaded { config, faults, .. } = load_in(directory.path(), &options, env(variables));
        if faults.is_empty() { Ok(config) } else { Err(faults) }
            .map(|config| config.instance.main_lang)
            .map_err(|faults| faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
    }

    #[test]
    fn nothing_given_is_a_good_configuration() {
        assert_eq!(main_lang(&directory(&[]), None, &[]), Ok("en".into()));
    }

    #[test]
    fn the_command_line_names_the_file_before_the_variable_and_that_before_the_default() {
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
    fn a_file_that_is_named_must_exist() {
        let files = directory(&[("relay.toml", "")]);
        for (file, variables, by) in
            [(Some("no.toml"), vec![], "--config"), (None, vec![("RELAY_CONFIG", "no.toml")], "RELAY_CONFIG")]
        {
            let fault = main_lang(&files, file, &variables).expect_err("a fault");
            assert!(fault.ends_with(&format!("no.toml: does not exist, though {by} names it")), "{fault}");
        }
    }

    #[test]
    fn dotenv_wins_over_the_file_and_may_name_it() {
        let files = directory(&[("b.toml", "[instance]\nmain_lang = 'pt'"), (".env", "RELAY_CONFIG=b.toml\n")]);
        assert_eq!(main_lang(&files, None, &[]), Ok("pt".into()));
        let files = directory(&[("relay.toml", "[instance]\nmain_lang = 'fr'"), (".env", "MAIN_LANG=it\n")]);
        assert_eq!(main_lang(&files, None, &[]), Ok("it".into()));
    }

    #[test]
    fn a_file_that_cannot_be_read_and_other_faults_are_told_together() {
        let files = directory(&[(".env", "oh no\n")]);
        std::fs::create_dir(files.path().join("relay.toml")).expect("a directory");
        let faults = main_lang(&files, None, &[("MAIN_LANG", "?")]).expect_err("faults");
        assert_eq!(faults.lines().count(), 3, "{faults}");
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
        assert_eq!((loaded.faults, loaded.warnings), (vec![], vec![]));
    }

    #[test]
    fn the_example_has_every_setting_at_its_default() {
        let (mut listed, mut empty) = (Source::new().file("relay.toml", &example()), Source::new());
        let (listed_config, empty_config) = (Config::declare(&mut listed), Config::declare(&mut empty));
        assert_eq!(format!("{listed_config:?}"), format!("{empty_config:?}"));
        assert_eq!(listed.finish(), Findings::default());
        assert!(example().lines().all(|line| line.chars().count() <= 120), "a line is too long");
    }

    /// Renews `examples/relay.toml` when `UPDATE_EXAMPLES` is set.
    #[test]
    fn the_example_file_is_the_listing_of_all_settings() {
        if std::env::var_os("UPDATE_EXAMPLES").is_some() {
            let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/relay.toml");
            std::fs::write(path, example()).expect("examples/relay.toml is written");
            return;
        }
        assert!(
            include_str!("../../examples/relay.toml") == example(),
            "examples/relay.toml is not what the settings say; renew it with\n\
             UPDATE_EXAMPLES=1 cargo test --lib the_example_file_is_the_listing_of_all_settings"
        );
    }
}
