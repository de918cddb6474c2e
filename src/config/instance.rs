//! The public face of this relay: rooms, house rules and language.

use std::collections::HashSet;

use crate::model::{RoomName, RoomNameError};
use crate::settings::{Quotes, Section, Setting, SettingValue, UnsupportedVariable, quote};

/// Most rooms of one relay.
const MAX_ROOMS: usize = 1_000;
/// Longest text of the house rules, in code points.
const MAX_RULES: usize = 10_000;
/// Longest environment name, in code points.
const MAX_ENVIRONMENT: usize = 64;

/// Variables for features that this version does not have. Setting one is an error, so that operators do not rely on
/// it.
const UNSUPPORTED: [UnsupportedVariable; 1] = [UnsupportedVariable {
    name: "REDIS_URL",
    except: &[],
    why: "this version runs as a single node, without Redis; remove the variable",
}];

/// The public face of this relay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// The rooms, without duplicates; at least one.
    pub rooms: Vec<RoomName>,
    /// The house rules, one per line.
    pub rules: String,
    /// The main language, as a language tag.
    pub main_lang: String,
    /// The name of the environment: `production`, `staging`, …
    pub environment: String,
}

impl Config {
    /// Declares and reads the section.
    pub fn declare(section: &mut Section<'_>) -> Self {
        section.reject_env(&UNSUPPORTED);
        Self {
            rooms: section.read(
                Setting::new("rooms", default_rooms())
                    .doc("Room names, in the order in which they are listed. 1 to 1000 names of up to 64 characters.")
                    .env(&["ROOMS", "CHANNELS"])
                    .reloads()
                    .check(|rooms| check_rooms(rooms)),
            ),
            rules: section
                .read(
                    Setting::new("rules", HouseRules(DEFAULT_RULES.to_owned()))
                        .doc(
                            "House rules that clients show to users, up to 10 000 characters. In a variable, \\n is a \
                             line break.",
                        )
                        .env(&["RULES"])
                        .reloads()
                        .check(|rules| at_most(&rules.0, MAX_RULES)),
                )
                .0,
            main_lang: section.read(
                Setting::new("main_lang", "en".to_owned())
                    .doc("Main language: a language tag such as \"en\" or \"pt-BR\".")
                    .env(&["MAIN_LANG", "MAIN_LANGUAGE"])
                    .quotes(Quotes::Never)
                    .reloads()
                    .check(|tag| check_language(tag)),
            ),
            environment: section.read(
                Setting::new("environment", "production".to_owned())
                    .doc("Name of the environment, shown in the status and in metrics. Up to 64 characters.")
                    .env(&["ENVIRONMENT"])
                    .reloads()
                    .check(|name| at_most(name, MAX_ENVIRONMENT)),
            ),
        }
    }
}

const DEFAULT_RULES: &str = "Be kind to each other\nStay on the subject of maps and GIS\nNo advertising";

fn default_rooms() -> Vec<RoomName> {
    ["QGIS", "QField"].into_iter().filter_map(|name| name.parse().ok()).collect()
}

fn check_rooms(rooms: &[RoomName]) -> Result<(), String> {
    if rooms.is_empty() || rooms.len() > MAX_ROOMS {
        return Err(format!("names {} rooms; there must be from 1 to {MAX_ROOMS}", rooms.len()));
    }
    let mut seen = HashSet::new();
    match rooms.iter().find(|room| !seen.insert(*room)) {
        Some(room) => Err(format!("names the room {} twice", quote(room.as_str()))),
        None => Ok(()),
    }
}

fn check_language(tag: &str) -> Result<(), String> {
    let letters = tag.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b'-');
    if letters && (2..=16).contains(&tag.len()) {
        Ok(())
    } else {
        Err(format!("{} is not a language tag; it must be 2 to 16 of the characters A to Z, a to z and -", quote(tag)))
    }
}

fn at_most(text: &str, most: usize) -> Result<(), String> {
    let length = text.chars().count();
    if length <= most { Ok(()) } else { Err(format!("has {length} characters; the limit is {most}")) }
}

impl SettingValue for RoomName {
    const EXPECTED: &'static str = "a room name";

    fn from_text(text: &str) -> Result<Self, String> {
        text.parse().map_err(|error: RoomNameError| format!("is not a room name: {error}"))
    }

    fn to_toml(&self) -> String {
        self.as_str().to_owned().to_toml()
    }
}

/// The house rules. In a variable, `\n` stands for a line break, which is hard to write there.
#[derive(Clone, Debug)]
struct HouseRules(String);

impl SettingValue for HouseRules {
    const EXPECTED: &'static str = String::EXPECTED;
    const QUOTES: Quotes = String::QUOTES;

    fn from_text(text: &str) -> Result<Self, String> {
        Ok(Self(text.replace("\\n", "\n")))
    }

    fn from_toml(value: &toml::Value) -> Result<Self, String> {
        String::from_toml(value).map(Self)
    }

    fn to_toml(&self) -> String {
        self.0.to_toml()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::SettingsSource;

    fn read(source: SettingsSource) -> Result<Config, String> {
        let mut source = source;
        let config = Config::declare(&mut source.root().section("instance", ""));
        let errors: Vec<String> = source.finish().errors.iter().map(ToString::to_string).collect();
        if errors.is_empty() { Ok(config) } else { Err(errors.join("\n")) }
    }

    fn with(name: &str, value: &str) -> Result<Config, String> {
        read(SettingsSource::new().environment([(name.into(), value.into())]))
    }

    fn rooms(config: &Config) -> Vec<&str> {
        config.rooms.iter().map(RoomName::as_str).collect()
    }

    #[test]
    fn the_default_is_two_rooms_and_three_house_rules() {
        let config = read(SettingsSource::new()).expect("no error");
        assert_eq!(rooms(&config), ["QGIS", "QField"]);
        assert_eq!(config.rules.lines().count(), 3);
        assert_eq!((config.main_lang.as_str(), config.environment.as_str()), ("en", "production"));
    }

    #[test]
    fn rooms_are_separated_by_commas_and_keep_inner_spaces() {
        for name in ["ROOMS", "CHANNELS"] {
            assert_eq!(rooms(&with(name, " Living room , Café,").expect("no error")), ["Living room", "Café"]);
        }
        let file = read(SettingsSource::new().file("relay.toml", "[instance]\nrooms = ['a, b']\n"));
        assert_eq!(rooms(&file.expect("no error")), ["a, b"]);
    }

    #[test]
    fn too_many_missing_and_duplicate_rooms_are_errors() {
        let many = |count: usize| (0..count).map(|n| n.to_string()).collect::<Vec<_>>().join(",");
        assert!(with("ROOMS", &many(1_000)).is_ok());
        for (rooms, error) in [
            (many(1_001), "ROOMS: names 1001 rooms; there must be from 1 to 1000"),
            (", ,".into(), "ROOMS: names 0 rooms; there must be from 1 to 1000"),
            ("Caf\u{e9},x,Cafe\u{301}".into(), "ROOMS: names the room \"Cafe\\u{301}\" twice"),
            (
                "x,a\u{7}b".into(),
                r#"ROOMS: "x,a\u{7}b" holds an item, number 2, that is not a room name: a room name holds a control character"#,
            ),
        ] {
            assert_eq!(with("ROOMS", &rooms), Err(error.to_owned()));
        }
    }

    #[test]
    fn a_variable_may_write_a_line_break_as_backslash_n() {
        for rules in ["Be kind\\nStay calm", "Be kind\nStay calm"] {
            assert_eq!(with("RULES", rules).map(|config| config.rules), Ok("Be kind\nStay calm".into()));
        }
        let file = read(SettingsSource::new().file("relay.toml", "[instance]\nrules = 'a\\nb'"));
        assert_eq!(file.map(|config| config.rules), Ok("a\\nb".into()));
    }

    #[test]
    fn texts_over_their_limits_are_errors() {
        assert!(with("RULES", &"é".repeat(10_000)).is_ok());
        assert!(with("RULES", &"é".repeat(10_001)).is_err());
        assert!(with("ENVIRONMENT", &"é".repeat(64)).is_ok());
        assert!(with("ENVIRONMENT", &"é".repeat(65)).is_err());
        for (tag, good) in [
            ("en", true),
            ("pt-BR", true),
            (&"a".repeat(16), true),
            (&"a".repeat(17), false),
            ("e", false),
            ("e_", false),
        ] {
            assert_eq!(with("MAIN_LANG", tag).is_ok(), good, "{tag}");
        }
    }

    #[test]
    fn an_unsupported_variable_is_an_error() {
        for UnsupportedVariable { name, .. } in UNSUPPORTED {
            let error = with(name, "1").expect_err(name);
            assert!(
                error.starts_with(&format!("{name}: this version ")) && error.ends_with("remove the variable"),
                "{error}"
            );
            assert!(with(name, "").is_ok(), "{name}");
        }
    }
}
