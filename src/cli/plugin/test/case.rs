//! The files of cases: what is said to a plugin, by whom, and what it must answer.

use std::fs;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Deserializer};
use toml::Spanned;

use super::super::language::line_of;
use crate::model::{Outcome, RoomName};
use crate::settings::{Fault, Place};

/// One case.
#[derive(Debug)]
pub(super) struct Case {
    /// Where it is written.
    pub(super) place: Place,
    pub(super) name: String,
    /// Keys that replace those of the manifest.
    pub(super) settings: toml::Table,
    /// What is said before.
    pub(super) before: Vec<Before>,
    pub(super) asked: Asked,
    pub(super) sender: Person,
    pub(super) room: Surroundings,
    pub(super) expect: Expected,
}

/// What the plugin is asked about.
#[derive(Debug)]
pub(super) enum Asked {
    Message(Said),
    Nickname(String),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default, rename = "case")]
    cases: Vec<Written>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    name: Spanned<String>,
    #[serde(default)]
    settings: toml::Table,
    #[serde(default)]
    before: Vec<Before>,
    message: Option<Said>,
    nickname: Option<String>,
    #[serde(default)]
    sender: Person,
    #[serde(default)]
    room: Surroundings,
    expect: Expected,
}

/// A message.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Said {
    pub(super) text: String,
    #[serde(default = "jane")]
    pub(super) author: String,
    #[serde(default = "qgis", deserialize_with = "room")]
    pub(super) room: RoomName,
    #[serde(default)]
    pub(super) kind: Kind,
    /// When it comes; when not said, with the message before it.
    #[serde(default, deserialize_with = "time")]
    pub(super) at: Option<Timestamp>,
}

/// A message that comes before.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Before {
    text: String,
    #[serde(default = "jane")]
    author: String,
    #[serde(default = "qgis", deserialize_with = "room")]
    room: RoomName,
    #[serde(default)]
    kind: Kind,
    #[serde(default, deserialize_with = "time")]
    at: Option<Timestamp>,
    /// What is different from the sender of the case.
    #[serde(default)]
    pub(super) sender: Person,
}

impl Before {
    pub(super) fn said(&self) -> Said {
        let Self { text, author, room, kind, at, sender: _ } = self.clone();
        Said { text, author, room, kind, at }
    }
}

/// The kinds that a message of a case may be of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Kind {
    #[default]
    Text,
    Like,
}

/// Who sends: what is not said has its default.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Person {
    pub(super) connection: Option<u64>,
    pub(super) address: Option<String>,
    pub(super) registered: Option<bool>,
    pub(super) seconds_connected: Option<u64>,
    pub(super) accepted: Option<u64>,
    pub(super) refused: Option<u64>,
    pub(super) trusted: Option<bool>,
}

impl Person {
    /// This one, with what it does not say taken from another.
    pub(super) fn or(self, other: &Self) -> Self {
        let other = other.clone();
        Self {
            connection: self.connection.or(other.connection),
            address: self.address.or(other.address),
            registered: self.registered.or(other.registered),
            seconds_connected: self.seconds_connected.or(other.seconds_connected),
            accepted: self.accepted.or(other.accepted),
            refused: self.refused.or(other.refused),
            trusted: self.trusted.or(other.trusted),
        }
    }
}

/// The room.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Surroundings {
    pub(super) members: usize,
    pub(super) names: Vec<String>,
}

impl Default for Surroundings {
    fn default() -> Self {
        Self { members: 1, names: Vec::new() }
    }
}

/// What must be answered. What is not said may be anything.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Expected {
    pub(super) action: Outcome,
    pub(super) reason: Option<String>,
    pub(super) text: Option<String>,
    pub(super) labels: Option<Vec<String>>,
    pub(super) sanction: Option<Sanction>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Sanction {
    pub(super) kind: String,
    pub(super) seconds: u64,
}

fn jane() -> String {
    "jane".to_owned()
}

#[expect(clippy::expect_used, reason = "the name is this one")]
pub(super) fn qgis() -> RoomName {
    RoomName::parse("QGIS").expect("it is a name")
}

fn room<'de, D: Deserializer<'de>>(from: D) -> Result<RoomName, D::Error> {
    RoomName::parse(&String::deserialize(from)?).map_err(serde::de::Error::custom)
}

fn time<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Timestamp>, D::Error> {
    let written = toml::value::Datetime::deserialize(from)?.to_string();
    let wrong = |_| serde::de::Error::custom("a time has a date and an offset, as in 2026-11-23T22:00:00Z");
    written.parse().map(Some).map_err(wrong)
}

/// The cases of a plugin's folder, file by file in the order of their names.
pub(super) fn read(folder: &Path) -> Result<Vec<Case>, Vec<Fault>> {
    let folder = folder.join("cases");
    let fault = |path: &Path, text: String| Fault::new(Place::File(path.to_owned()), text);
    let mut files: Vec<PathBuf> = match fs::read_dir(&folder) {
        Ok(entries) => entries.filter_map(|entry| Some(entry.ok()?.path())).collect(),
        Err(missing) if missing.kind() == std::io::ErrorKind::NotFound => Vec::new(),
        Err(cause) => return Err(vec![fault(&folder, format!("cannot be read: {cause}"))]),
    };
    files.retain(|path| path.extension().is_some_and(|end| end == "toml"));
    files.sort();
    let (mut cases, mut faults) = (Vec::new(), Vec::new());
    for file in files {
        match fs::read_to_string(&file) {
            Ok(text) => match parse(&file, &text) {
                Ok(more) => cases.extend(more),
                Err(fault) => faults.push(fault),
            },
            Err(cause) => faults.push(fault(&file, format!("cannot be read: {cause}"))),
        }
    }
    if faults.is_empty() { Ok(cases) } else { Err(faults) }
}

fn parse(path: &Path, text: &str) -> Result<Vec<Case>, Fault> {
    let at = |start: usize| Place::line(path, line_of(text, start));
    let file: File = toml::from_str(text)
        .map_err(|fault| Fault::new(at(fault.span().map_or(0, |span| span.start)), fault.message()))?;
    file.cases.into_iter().map(|case| checked(at(case.name.span().start), case)).collect()
}

fn checked(place: Place, case: Written) -> Result<Case, Fault> {
    let Written { name, settings, before, message, nickname, sender, room, expect } = case;
    let asked = match (message, nickname) {
        (Some(message), None) => Asked::Message(message),
        (None, Some(nickname)) => Asked::Nickname(nickname),
        _ => return Err(Fault::new(place, "a case has either `message` or `nickname`")),
    };
    if expect.text.is_some() && expect.action != Outcome::Replace {
        return Err(Fault::new(place, "only `replace` has a `text`"));
    }
    Ok(Case { place, name: name.into_inner(), settings, before, asked, sender, room, expect })
}

#[cfg(test)]
mod tests;
