//! What this relay is to its visitors: its rooms, its rules, its language.

use std::collections::HashSet;

use crate::model::RoomName;
use crate::settings::{Quotes, RefusedVariable, Section, Setting, Value, quote};

/// Most rooms that one relay has.
const MAX_ROOMS: usize = 1_000;
/// Longest text of the rules. Code points.
const MAX_RULES: usize = 10_000;
/// Longest name of an environment. Code points.
const MAX_ENVIRONMENT: usize = 64;

/// Variables of parts that do not exist yet: an operator who sets one must not believe that it works.
const REFUSED: [RefusedVariable; 2] = [
    RefusedVariable {
        name: "REDIS_URL",
        except: &[],
        why: "this version runs as a single node, without Redis; remove the variable",
    },
    RefusedVariable {
        name: "ROOM_GENERATION",
        except: &["auto", "v1"],
        why: "this version speaks generation v1 only; write auto or v1, or remove the variable",
    },
];

/// What this relay is to its visitors.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Its rooms, each once; at least one.
    pub rooms: Vec<RoomName>,
    /// What it asks of its visitors, in lines.
    pub rules: String,
    /// The language that is spoken most, as a language tag.
    pub main_lang: String,
    /// What this installation is: `production`, `staging`, …
    pub environment: String,
}

impl Config {
    /// Declares and reads the section.
    pub fn declare(section: &mut Section<'_>) -> Self {
        section.refuse_env(&REFUSED);
        Self {
            rooms: section.read(
                Setting::new("rooms", default_rooms())
                    .doc("The rooms: 1 to 1000 names of up to 64 characters, in the order in which they are listed.")
                    .env(&["ROOMS", "CHANNELS"])
                    .reloads()
                    .check(|rooms| check_rooms(rooms)),
            ),
            rules: section
                .read(
                    Setting::new("rules", HouseRules(DEFAULT_RULES.to_owned()))
                        .doc(
                            "What the relay asks of its visitors, up to 10 000 characters. In a variable, \\n stands \
                             for the end of a line.",
                        )
                        .env(&["RULES"])
                        .reloads()
                        .check(|rules| at_most(&rules.0, MAX_RULES)),
                )
                .0,
            main_lang: section.read(
                Setting::new("main_lang", "en".to_owned())
                    .doc("The language that is spoken most: a language tag such as \"en\" or \"pt-BR\".")
                    .env(&["MAIN_LANG", "MAIN_LANGUAGE"])
                    .quotes(Quotes::Never)
                    .reloads()
                    .check(|tag| check_language(tag)),
            ),
            environment: section.read(
                Setting::new("environment", "production".to_owned())
                    .doc("What this installation is, for those who ask for its status; up to 64 characters.")
                    .env(&["ENVIRONMENT"])
                    .reloads()
                    .check(|name| at_most(name, MAX_ENVIRONMENT)),
            ),
        }
    }
}

const DEFAULT_RULES: &str = "Be kind to each other\nStay on the subject of maps and GIS\nNo advertising";

fn default_rooms() -> Vec<RoomName> {
    ["QGIS", "QField"].into_iter().filter_map(|name| RoomName::parse(name).ok()).collect()
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
        Err(format!("{} is no language tag; it must be 2 to 16 of the letters A to Z, a to z and -", quote(tag)))
    }
}

fn at_most(text: &str, most: usize) -> Result<(), String> {
    let length = text.chars().count();
    if length <= most { Ok(()) } else { Err(format!("has {length} characters; the limit is {most}")) }
}

impl Value for RoomName {
    const EXPECTED: &'static str = "a room name";

    fn from_text(text: &str) -> Result<Self, String> {
        Self::parse(text).map_err(|fault| format!("is not a room name: {fault}"))
    }

    fn to_toml(&self) -> String {
        self.as_str().to_owned().to_toml()
    }
}

/// A text in which a variable, which can hardly hold a line feed, may write it as `\n`.
#[derive(Clone, Debug)]
struct HouseRules(String);

impl Value for HouseRules {
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
    use crate::settings::Source;

    fn read(source: Source) -> Result<Config, String> {
        let mut source = source;
        let config = Config::declare(&mut source.root().section("instance", ""));
        let faults: Vec<String> = source.finish().faults.iter().map(ToString::to_string).collect();
        if faults.is_empty() { Ok(config) } else { Err(faults.join("\n")) }
    }

    fn with(name: &str, value: &str) -> Result<Config, String> {
        read(Source::new().environment([(name.into(), value.into())]))
    }

    fn rooms(config: &Config) -> Vec<&str> {
        config.rooms.iter().map(RoomName::as_str).collect()
    }

    #[test]
    fn without_a_word_there_are_two_rooms_and_three_rules() {
        let config = read(Source::new()).expect("no fault");
        assert_eq!(rooms(&config), ["QGIS", "QField"]);
        assert_eq!(config.rules.lines().count(), 3);
        assert_eq!((config.main_lang.as_str(), config.environment.as_str()), ("en", "production"));
    }

    #[test]
    fn rooms_stand_between_commas_and_keep_their_inner_blanks() {
        for name in ["ROOMS", "CHANNELS"] {
            assert_eq!(rooms(&with(name, " Living room , Café,").expect("no fault")), ["Living room", "Café"]);
        }
        let file = read(Source::new().file("relay.toml", "[instance]\nrooms = ['a, b']\n"));
        assert_eq!(rooms(&file.expect("no fault")), ["a, b"]);
    }

    #[test]
    fn rooms_are_counted_and_each_is_another() {
        let many = |count: usize| (0..count).map(|n| n.to_string()).collect::<Vec<_>>().join(",");
        assert!(with("ROOMS", &many(1_000)).is_ok());
        for (rooms, fault) in [
            (many(1_001), "ROOMS: names 1001 rooms; there must be from 1 to 1000"),
            (", ,".into(), "ROOMS: names 0 rooms; there must be from 1 to 1000"),
            ("Caf\u{e9},x,Cafe\u{301}".into(), "ROOMS: names the room \"Cafe\\u{301}\" twice"),
            (
                "x,a\u{7}b".into(),
                r#"ROOMS: "x,a\u{7}b" holds an item, number 2, that is not a room name: a room name holds a control character"#,
            ),
        ] {
            assert_eq!(with("ROOMS", &rooms), Err(fault.to_owned()));
        }
    }

    #[test]
    fn a_variable_may_write_the_end_of_a_line_of_the_rules_as_two_characters() {
        for rules in ["Be kind\\nStay calm", "Be kind\nStay calm"] {
            assert_eq!(with("RULES", rules).map(|config| config.rules), Ok("Be kind\nStay calm".into()));
        }
        let file = read(Source::new().file("relay.toml", "[instance]\nrules = 'a\\nb'"));
        assert_eq!(file.map(|config| config.rules), Ok("a\\nb".into()));
    }

    #[test]
    fn texts_have_their_limits() {
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
    fn a_variable_of_a_part_that_does_not_exist_yet_is_refused() {
        for RefusedVariable { name, .. } in REFUSED {
            let fault = with(name, "1").expect_err(name);
            assert!(
                fault.starts_with(&format!("{name}: this version ")) && fault.ends_with("remove the variable"),
                "{fault}"
            );
            assert!(with(name, "").is_ok(), "{name}");
        }
    }

    #[test]
    fn the_generation_that_this_version_speaks_may_be_named() {
        for value in ["auto", "v1", "V1", "\"auto\""] {
            assert!(with("ROOM_GENERATION", value).is_ok(), "{value}");
        }
        assert!(with("ROOM_GENERATION", "v2").is_err());
    }
}
