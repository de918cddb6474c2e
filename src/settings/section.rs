//! A section of the settings, where a part declares its own.

use super::listing::DeclaredSetting;
use super::source::{Source, join};
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
        let found = self.source.find(&key, &names, T::EXPECTED);
        self.source.declare_setting(&self.path, DeclaredSetting::new(&setting, names));
        let Some(raw) = found else { return setting.default };
        setting.accept(&raw).unwrap_or_else(|text| {
            self.source.fault_of(&key, &text);
            setting.default
        })
    }

    /// Notes what is wrong with a setting of this section beside others. The fault stands where its value comes from.
    pub fn fault(&mut self, key: &str, text: impl AsRef<str>) {
        self.source.fault_of(&join(&self.path, key), text.as_ref());
    }

    /// Refuses variables, each with the reason: those of parts that do not exist yet must not seem to work.
    pub fn refuse_env(&mut self, refused: &[(&str, &str)]) {
        for (name, why) in refused {
            self.source.refuse(name, why);
        }
    }
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
        let mut source = Source::new().dotenv(".env", "REDIS_URL=redis://x\nREDIS_PORT=\n");
        source.root().refuse_env(&[("REDIS_URL", "there is no bus yet"), ("REDIS_PORT", "there is no bus yet")]);
        assert_eq!(shown(&source.finish().faults), [".env:1: REDIS_URL: there is no bus yet"]);
    }
}
