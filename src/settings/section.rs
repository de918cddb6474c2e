//! A section of the settings, where a part declares its own.

use super::listing::DeclaredSetting;
use super::source::{Raw, Source, join};
use super::{Setting, Value};

/// A section of the settings.
#[derive(Debug)]
pub struct Section<'a> {
    source: &'a mut Source,
    path: String,
}

impl<'a> Section<'a> {
    pub(super) fn new(source: &'a mut Source, path: String, doc: &'static str) -> Self {
        source.declare_section(&path, doc);
        Self { source, path }
    }

    /// A section of this one, with the line that explains it.
    pub fn section(&mut self, name: &'static str, doc: &'static str) -> Section<'_> {
        let path = join(&self.path, name);
        Section::new(self.source, path, doc)
    }

    /// Declares a setting and reads it.
    ///
    /// When what was given is wrong, that is noted as a fault, and the default comes back.
    pub fn read<T: Value>(&mut self, setting: Setting<T>) -> T {
        debug_assert_eq!(setting.keep(&setting.default), Ok(()), "the default of {} is not allowed", setting.key);
        let key = join(&self.path, setting.key);
        let names = setting.names(&key);
        let found = self.source.find(&key, &names, T::EXPECTED, setting.quotes);
        self.source.declare_setting(&self.path, DeclaredSetting::new(&setting, names));
        let (secret, reloads) = (setting.secret, setting.reloads);
        // What a secret is written as does not say all of it.
        let given = found.as_ref().filter(|_| secret).map(Raw::text);
        let value = match found.map(|raw| setting.accept(&raw)) {
            Some(Ok(value)) => value,
            Some(Err(text)) => {
                self.source.fault_of(&key, &text);
                setting.default
            }
            None => setting.default,
        };
        let written = given.unwrap_or_else(|| if value.is_absent() { String::new() } else { value.to_toml() });
        self.source.values.add(key, &written, reloads);
        value
    }

    /// Notes what is wrong with a setting of this section beside others. The fault stands where its value comes from.
    pub fn fault(&mut self, key: &str, text: impl AsRef<str>) {
        self.source.fault_of(&join(&self.path, key), text.as_ref());
    }

    /// Refuses variables of parts that do not exist yet, so that they do not seem to work.
    pub fn refuse_env(&mut self, refused: &[RefusedVariable]) {
        for variable in refused {
            self.source.refuse(variable);
        }
    }

    /// Warns once of all variables that have no effect: those whose name `is_one` says. Their values are never looked
    /// at.
    pub fn ignore_env(&mut self, is_one: impl Fn(&str) -> bool, why: &str) {
        self.source.ignore(is_one, why);
    }
}

/// A variable of a part that does not exist yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RefusedVariable {
    /// Its name.
    pub name: &'static str,
    /// Values that mean what happens without the part; they are not refused.
    pub except: &'static [&'static str],
    /// The reason, and what to do.
    pub why: &'static str,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::{Fault, Findings};

    fn env(variables: &[(&str, &str)]) -> Vec<(std::ffi::OsString, std::ffi::OsString)> {
        variables.iter().map(|(name, value)| (name.into(), value.into())).collect()
    }

    fn least(section: &mut Section<'_>) -> u32 {
        section.read(Setting::new("least", 3_u32).env(&["LEAST", "MINIMUM"]).within(1..=255))
    }

    fn shown(faults: &[Fault]) -> Vec<String> {
        faults.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn the_environment_wins_over_dotenv_and_that_over_the_file() {
        let file = "[a]\nleast = 4\n";
        let dotenv = "MINIMUM=5\n";
        for (dotenv, environment, expected) in
            [("", "", 4), (dotenv, "", 5), (dotenv, " ", 5), (dotenv, "6", 6), ("", "6", 6), ("LEAST=", "", 4)]
        {
            let mut source = Source::new().file("relay.toml", file).dotenv(".env", dotenv);
            source = source.environment(env(&[("LEAST", environment)]));
            assert_eq!(least(&mut source.root().section("a", "")), expected);
            assert_eq!(source.finish(), Findings::default());
        }
        assert_eq!(least(&mut Source::new().root().section("a", "")), 3);
    }

    #[test]
    fn a_fault_names_where_the_value_comes_from_and_the_default_stands_in() {
        let why = "0 is too small; it must be from 1 to 255";
        for (source, expected) in [
            (Source::new().file("relay.toml", "[a]\nleast = 0"), format!("relay.toml:2: a.least: {why}")),
            (Source::new().dotenv(".env", "\nLEAST=0"), format!(".env:2: LEAST: {why}")),
            (Source::new().environment(env(&[("MINIMUM", "0")])), format!("MINIMUM: {why}")),
        ] {
            let mut source = source;
            assert_eq!(least(&mut source.root().section("a", "")), 3);
            assert_eq!(shown(&source.finish().faults), [expected]);
        }
    }

    #[test]
    fn a_fault_between_settings_stands_where_the_value_comes_from() {
        for (source, expected) in [
            (Source::new(), "default: a.least: must not be above most"),
            (Source::new().file("relay.toml", "a.least = 9"), "relay.toml:1: a.least: must not be above most"),
            (Source::new().environment(env(&[("LEAST", "9")])), "LEAST: must not be above most"),
        ] {
            let mut source = source;
            let mut root = source.root();
            let mut section = root.section("a", "");
            least(&mut section);
            section.fault("least", "must not be above most");
            assert_eq!(shown(&source.finish().faults), [expected]);
        }
    }

    #[test]
    fn a_variable_and_its_alias_must_agree() {
        for (value, faults) in [("4", 0), ("5", 1)] {
            let mut source = Source::new().environment(env(&[("MINIMUM", value), ("LEAST", "4")]));
            assert_eq!(least(&mut source.root().section("a", "")), 4);
            let found = source.finish().faults;
            assert_eq!(found.len(), faults, "{found:?}");
            assert!(found.iter().all(|f| f.to_string().starts_with("MINIMUM: is another name of LEAST")), "{found:?}");
        }
    }

    #[test]
    fn a_section_that_is_no_table_is_a_fault_and_so_is_a_setting_that_is_one() {
        for (file, expected) in [
            ("a = 1", "relay.toml:1: a: is a section, not a value; write [a] and its settings below it"),
            ("[[a]]\nleast = 1", "relay.toml:1: a: there is only one such section; write [a] once, not [[a]]"),
            ("[a.least]\nx = 1", "relay.toml:1: a.least: is not a section; it must be a whole number"),
        ] {
            let mut source = Source::new().file("relay.toml", file);
            assert_eq!(least(&mut source.root().section("a", "")), 3);
            assert_eq!(shown(&source.finish().faults), [expected]);
        }
    }

    #[test]
    fn a_refused_variable_is_a_fault_only_when_it_is_set() {
        let mut source = Source::new().dotenv(".env", "REDIS_URL=redis://x\nREDIS_PORT=\nMODE=\"Single\"\n");
        let refused = ["REDIS_URL", "REDIS_PORT", "MODE"].map(|name| RefusedVariable {
            name,
            except: &["single"],
            why: "there is no bus yet",
        });
        source.root().refuse_env(&refused);
        assert_eq!(shown(&source.finish().faults), [".env:1: REDIS_URL: there is no bus yet"]);
    }

    #[test]
    fn ignored_variables_are_named_together_without_their_values_and_taken_for_no_slip() {
        let dotenv = "BOT_TOKEN=hush\nLEASE=\nLEASTS=x\n";
        let mut source = Source::new().dotenv(".env", dotenv);
        source = source.environment(env(&[("LEAST_BOT", "hush"), ("BOT_TOKEN", "other"), ("BOT_ID", "")]));
        let mut root = source.root();
        least(&mut root);
        root.ignore_env(|name| name.starts_with("BOT_") || matches!(name, "LEASTS" | "LEAST_BOT"), "no effect");
        let findings = source.finish();
        assert_eq!(findings.faults, []);
        let warnings: Vec<String> = findings.warnings.iter().map(ToString::to_string).collect();
        assert_eq!(warnings, ["BOT_TOKEN, LEASTS, LEAST_BOT: no effect"]);
    }

    #[test]
    fn quotes_left_around_a_value_of_the_environment_are_removed_with_a_warning() {
        let removed = "the quotes around the value are not part of it and were removed";
        let mut source = Source::new().environment(env(&[("MINIMUM", "'5'")]));
        assert_eq!(least(&mut source.root()), 5);
        let Findings { faults, warnings } = source.finish();
        assert_eq!(faults, []);
        assert_eq!(warnings.iter().map(ToString::to_string).collect::<Vec<_>>(), [format!("MINIMUM: {removed}")]);
    }

    #[test]
    fn a_quote_at_one_end_is_an_error_that_does_not_repeat_the_value() {
        let mut source = Source::new().environment(env(&[("LEAST", "\"5")]));
        assert_eq!(least(&mut source.root()), 3);
        let why = "has a quote at one end that does not belong there; write the value without quotes";
        assert_eq!(shown(&source.finish().faults), [format!("LEAST: {why}")]);
    }

    #[test]
    fn quotes_that_a_dotenv_file_keeps_were_written_on_purpose_except_around_lists() {
        let mut source = Source::new().dotenv(".env", "TEXT='\"a\"'\nLIST='\"a, b\"'\n");
        let mut root = source.root();
        assert_eq!(root.read(Setting::new("text", String::new()).env(&["TEXT"])), "\"a\"");
        assert_eq!(root.read(Setting::new("list", Vec::<String>::new()).env(&["LIST"])), ["a", "b"]);
        let warnings = source.finish().warnings;
        assert!(warnings.iter().all(|warning| warning.to_string().starts_with(".env:2: LIST: the quotes")));
        assert_eq!(warnings.len(), 1);
    }
}
