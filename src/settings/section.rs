//! A section of the settings. Each part of the relay declares its settings in its own section.

use super::declared::DeclaredSetting;
use super::raw_value::RawValue;
use super::source::{SettingsSource, join_key};
use super::{Setting, SettingValue, UnsupportedVariable};

/// A section of the settings.
#[derive(Debug)]
pub struct Section<'a> {
    source: &'a mut SettingsSource,
    path: String,
}

impl SettingsSource {
    /// Returns the root section.
    pub fn root(&mut self) -> Section<'_> {
        Section::new(self, String::new(), "")
    }
}

impl<'a> Section<'a> {
    pub(super) fn new(source: &'a mut SettingsSource, path: String, doc: &'static str) -> Self {
        source.declare_section(&path, doc);
        Self { source, path }
    }

    /// Opens a subsection. `doc` is its documentation.
    pub fn section(&mut self, name: &'static str, doc: &'static str) -> Section<'_> {
        let path = join_key(&self.path, name);
        Section::new(self.source, path, doc)
    }

    /// Declares a setting and reads it.
    ///
    /// If the given value is invalid, records an error and returns the default.
    pub fn read<T: SettingValue>(&mut self, setting: Setting<T>) -> T {
        debug_assert_eq!(setting.validate(&setting.default), Ok(()), "the default of {} is not allowed", setting.key);
        let key = join_key(&self.path, setting.key);
        let names = setting.env_names(&key);
        let found = self.source.find(&key, &names, T::EXPECTED, setting.quotes);
        self.source.declare_setting(&self.path, DeclaredSetting::new(&setting, names));
        let (secret, reloads) = (setting.secret, setting.reloads);
        // `to_toml` of a secret may be masked, so compare the raw text.
        let given = found.as_ref().filter(|_| secret).map(RawValue::text);
        let value = match found.map(|raw| setting.parse(&raw)) {
            Some(Ok(value)) => value,
            Some(Err(text)) => {
                self.source.error_at(&key, &text);
                setting.default
            }
            None => setting.default,
        };
        let written = given.unwrap_or_else(|| if value.is_absent() { String::new() } else { value.to_toml() });
        self.source.snapshot.add(key, &written, reloads);
        value
    }

    /// Records an error for a setting of this section, located where its value comes from. For checks that involve
    /// several settings.
    pub fn error(&mut self, key: &str, text: impl AsRef<str>) {
        self.source.error_at(&join_key(&self.path, key), text.as_ref());
    }

    /// Records an error for each variable that is set but not supported by this version.
    pub fn reject_env(&mut self, variables: &[UnsupportedVariable]) {
        for variable in variables {
            self.source.reject(variable);
        }
    }

    /// Records one warning that names all set variables for which `matches` returns true. Their values are not read.
    pub fn ignore_env(&mut self, matches: impl Fn(&str) -> bool, why: &str) {
        self.source.ignore(matches, why);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::{ConfigError, Diagnostics};

    fn env(variables: &[(&str, &str)]) -> Vec<(std::ffi::OsString, std::ffi::OsString)> {
        variables.iter().map(|(name, value)| (name.into(), value.into())).collect()
    }

    fn least(section: &mut Section<'_>) -> u32 {
        section.read(Setting::new("least", 3_u32).env(&["LEAST", "MINIMUM"]).within(1..=255))
    }

    fn shown(errors: &[ConfigError]) -> Vec<String> {
        errors.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn the_environment_overrides_dotenv_and_dotenv_overrides_the_file() {
        let file = "[a]\nleast = 4\n";
        let dotenv = "MINIMUM=5\n";
        for (dotenv, environment, expected) in
            [("", "", 4), (dotenv, "", 5), (dotenv, " ", 5), (dotenv, "6", 6), ("", "6", 6), ("LEAST=", "", 4)]
        {
            let mut source = SettingsSource::new().file("relay.toml", file).dotenv(".env", dotenv);
            source = source.environment(env(&[("LEAST", environment)]));
            assert_eq!(least(&mut source.root().section("a", "")), expected);
            assert_eq!(source.finish(), Diagnostics::default());
        }
        assert_eq!(least(&mut SettingsSource::new().root().section("a", "")), 3);
    }

    #[test]
    fn an_error_names_the_source_of_the_value_and_the_default_is_used() {
        let why = "0 is too small; it must be from 1 to 255";
        for (source, expected) in [
            (SettingsSource::new().file("relay.toml", "[a]\nleast = 0"), format!("relay.toml:2: a.least: {why}")),
            (SettingsSource::new().dotenv(".env", "\nLEAST=0"), format!(".env:2: LEAST: {why}")),
            (SettingsSource::new().environment(env(&[("MINIMUM", "0")])), format!("MINIMUM: {why}")),
        ] {
            let mut source = source;
            assert_eq!(least(&mut source.root().section("a", "")), 3);
            assert_eq!(shown(&source.finish().errors), [expected]);
        }
    }

    #[test]
    fn an_error_about_several_settings_names_the_source_of_the_value() {
        for (source, expected) in [
            (SettingsSource::new(), "default: a.least: must not be above most"),
            (SettingsSource::new().file("relay.toml", "a.least = 9"), "relay.toml:1: a.least: must not be above most"),
            (SettingsSource::new().environment(env(&[("LEAST", "9")])), "LEAST: must not be above most"),
        ] {
            let mut source = source;
            let mut root = source.root();
            let mut section = root.section("a", "");
            least(&mut section);
            section.error("least", "must not be above most");
            assert_eq!(shown(&source.finish().errors), [expected]);
        }
    }

    #[test]
    fn a_variable_and_its_alias_must_agree() {
        for (value, errors) in [("4", 0), ("5", 1)] {
            let mut source = SettingsSource::new().environment(env(&[("MINIMUM", value), ("LEAST", "4")]));
            assert_eq!(least(&mut source.root().section("a", "")), 4);
            let found = source.finish().errors;
            assert_eq!(found.len(), errors, "{found:?}");
            assert!(found.iter().all(|f| f.to_string().starts_with("MINIMUM: is another name of LEAST")), "{found:?}");
        }
    }

    #[test]
    fn a_value_in_place_of_a_section_and_a_section_in_place_of_a_value_are_errors() {
        for (file, expected) in [
            ("a = 1", "relay.toml:1: a: is a section, not a value; write [a] and its settings below it"),
            ("[[a]]\nleast = 1", "relay.toml:1: a: there is only one such section; write [a] once, not [[a]]"),
            ("[a.least]\nx = 1", "relay.toml:1: a.least: is not a section; it must be a whole number"),
        ] {
            let mut source = SettingsSource::new().file("relay.toml", file);
            assert_eq!(least(&mut source.root().section("a", "")), 3);
            assert_eq!(shown(&source.finish().errors), [expected]);
        }
    }

    #[test]
    fn an_unsupported_variable_is_an_error_only_when_it_is_set() {
        let mut source = SettingsSource::new().dotenv(".env", "REDIS_URL=redis://x\nREDIS_PORT=\nMODE=\"Single\"\n");
        let refused = ["REDIS_URL", "REDIS_PORT", "MODE"].map(|name| UnsupportedVariable {
            name,
            except: &["single"],
            why: "there is no bus yet",
        });
        source.root().reject_env(&refused);
        assert_eq!(shown(&source.finish().errors), [".env:1: REDIS_URL: there is no bus yet"]);
    }

    #[test]
    fn ignored_variables_share_one_warning_without_their_values_and_are_not_suggestions() {
        let dotenv = "BOT_TOKEN=hush\nLEASE=\nLEASTS=x\n";
        let mut source = SettingsSource::new().dotenv(".env", dotenv);
        source = source.environment(env(&[("LEAST_BOT", "hush"), ("BOT_TOKEN", "other"), ("BOT_ID", "")]));
        let mut root = source.root();
        least(&mut root);
        root.ignore_env(|name| name.starts_with("BOT_") || matches!(name, "LEASTS" | "LEAST_BOT"), "no effect");
        let findings = source.finish();
        assert_eq!(findings.errors, []);
        let warnings: Vec<String> = findings.warnings.iter().map(ToString::to_string).collect();
        assert_eq!(warnings, ["BOT_TOKEN, LEASTS, LEAST_BOT: no effect"]);
    }

    #[test]
    fn quotes_around_an_environment_value_are_removed_with_a_warning() {
        let removed = "the quotes around the value are not part of it and were removed";
        let mut source = SettingsSource::new().environment(env(&[("MINIMUM", "'5'")]));
        assert_eq!(least(&mut source.root()), 5);
        let Diagnostics { errors, warnings } = source.finish();
        assert_eq!(errors, []);
        assert_eq!(warnings.iter().map(ToString::to_string).collect::<Vec<_>>(), [format!("MINIMUM: {removed}")]);
    }

    #[test]
    fn a_quote_at_one_end_is_an_error_that_does_not_repeat_the_value() {
        let mut source = SettingsSource::new().environment(env(&[("LEAST", "\"5")]));
        assert_eq!(least(&mut source.root()), 3);
        let why = "has a quote at one end that does not belong there; write the value without quotes";
        assert_eq!(shown(&source.finish().errors), [format!("LEAST: {why}")]);
    }

    #[test]
    fn nested_quotes_in_dotenv_are_kept_except_around_lists() {
        let mut source = SettingsSource::new().dotenv(".env", "TEXT='\"a\"'\nLIST='\"a, b\"'\n");
        let mut root = source.root();
        assert_eq!(root.read(Setting::new("text", String::new()).env(&["TEXT"])), "\"a\"");
        assert_eq!(root.read(Setting::new("list", Vec::<String>::new()).env(&["LIST"])), ["a", "b"]);
        let warnings = source.finish().warnings;
        assert!(warnings.iter().all(|warning| warning.to_string().starts_with(".env:2: LIST: the quotes")));
        assert_eq!(warnings.len(), 1);
    }
}
