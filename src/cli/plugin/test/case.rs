//! The case files: messages, their senders, and the answers that a plugin must give.

mod message;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Deserializer};
use toml::Spanned;

use self::message::RawMessage;
use crate::model::{MessageKind, Outcome, RoomName};
use crate::settings::{ConfigError, LineIndex, Location, from_toml};

/// One case.
#[derive(Debug)]
pub(super) struct PluginCase {
    /// Its location in the file.
    pub(super) location: Location,
    pub(super) name: String,
    /// Settings that replace those of the manifest.
    pub(super) settings: toml::Table,
    /// Messages sent before.
    pub(super) before: Vec<EarlierMessage>,
    pub(super) input: CaseInput,
    pub(super) sender: CaseSender,
    pub(super) room: CaseRoom,
    pub(super) expect: ExpectedAnswer,
}

/// The message or nickname to check.
#[derive(Debug)]
pub(super) enum CaseInput {
    Message(CaseMessage),
    Nickname(String),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct CaseFile {
    #[serde(default, rename = "case")]
    cases: Vec<RawCase>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawCase {
    name: Spanned<String>,
    #[serde(default)]
    settings: toml::Table,
    #[serde(default)]
    before: Vec<RawMessage>,
    message: Option<RawMessage>,
    nickname: Option<String>,
    #[serde(default)]
    sender: CaseSender,
    #[serde(default)]
    room: CaseRoom,
    expect: ExpectedAnswer,
}

/// A message.
#[derive(Debug)]
pub(super) struct CaseMessage {
    /// The kind and its content.
    pub(super) kind: MessageKind,
    pub(super) author: String,
    pub(super) room: RoomName,
    /// The time of arrival; by default, that of the message before it.
    pub(super) at: Option<Timestamp>,
}

/// A message sent before the one of the case.
#[derive(Debug)]
pub(super) struct EarlierMessage {
    pub(super) message: CaseMessage,
    /// Differences from the sender of the case.
    pub(super) sender: CaseSender,
}

/// The sender of a message. Missing fields have defaults.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CaseSender {
    pub(super) connection: Option<u64>,
    pub(super) address: Option<String>,
    pub(super) registered: Option<bool>,
    pub(super) seconds_connected: Option<u64>,
    pub(super) accepted: Option<u64>,
    pub(super) refused: Option<u64>,
    pub(super) trusted: Option<bool>,
}

impl CaseSender {
    /// Returns this sender with missing fields taken from another.
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

/// The room of a case.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct CaseRoom {
    pub(super) members: usize,
    pub(super) names: Vec<String>,
}

impl Default for CaseRoom {
    fn default() -> Self {
        Self { members: 1, names: Vec::new() }
    }
}

/// The expected answer. Missing fields may have any value.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ExpectedAnswer {
    pub(super) action: Outcome,
    pub(super) reason: Option<String>,
    pub(super) text: Option<String>,
    pub(super) labels: Option<Vec<String>>,
    pub(super) sanction: Option<ExpectedSanction>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ExpectedSanction {
    pub(super) kind: String,
    pub(super) seconds: u64,
}

#[expect(clippy::expect_used, reason = "the name is valid")]
pub(super) fn qgis() -> RoomName {
    "QGIS".parse().expect("a valid name")
}

pub(super) fn parse_time<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Timestamp>, D::Error> {
    let written = toml::value::Datetime::deserialize(from)?.to_string();
    let invalid = |_| serde::de::Error::custom("a time must have a date and an offset, as in 2026-11-23T22:00:00Z");
    written.parse().map(Some).map_err(invalid)
}

/// Reads the cases of a plugin's folder, from all files in the order of their names.
pub(super) fn read(folder: &Path) -> Result<Vec<PluginCase>, Vec<ConfigError>> {
    let folder = folder.join("cases");
    let cannot_read = |path: &Path, error: &io::Error| ConfigError::in_file(path, format!("cannot be read: {error}"));
    let mut files: Vec<PathBuf> = match fs::read_dir(&folder) {
        Ok(entries) => entries.filter_map(|entry| Some(entry.ok()?.path())).collect(),
        Err(missing) if missing.kind() == io::ErrorKind::NotFound => Vec::new(),
        Err(error) => return Err(vec![cannot_read(&folder, &error)]),
    };
    files.retain(|path| path.extension().is_some_and(|end| end == "toml"));
    files.sort();
    let (mut cases, mut errors) = (Vec::new(), Vec::new());
    for file in files {
        match fs::read_to_string(&file) {
            Ok(text) => match parse(&file, &text) {
                Ok(more) => cases.extend(more),
                Err(more) => errors.extend(more),
            },
            Err(error) => errors.push(cannot_read(&file, &error)),
        }
    }
    if errors.is_empty() { Ok(cases) } else { Err(errors) }
}

fn parse(path: &Path, text: &str) -> Result<Vec<PluginCase>, Vec<ConfigError>> {
    let lines = LineIndex::new(text);
    let location = |case: &RawCase| Location::line(path, lines.line(case.name.span().start));
    let file: CaseFile = from_toml(path, text)?;
    let cases: Result<Vec<PluginCase>, ConfigError> =
        file.cases.into_iter().map(|case| validate(location(&case), case)).collect();
    cases.map_err(|error| vec![error])
}

fn validate(location: Location, case: RawCase) -> Result<PluginCase, ConfigError> {
    let RawCase { name, settings, before, message, nickname, sender, room, expect } = case;
    let invalid = |text: String| ConfigError::new(location.clone(), text);
    let earlier = |message: RawMessage| {
        let (message, sender) = message.read()?;
        Ok(EarlierMessage { message, sender: sender.unwrap_or_default() })
    };
    let before = before.into_iter().map(earlier).collect::<Result<_, String>>().map_err(invalid)?;
    let input = match (message, nickname) {
        (Some(message), None) => match message.read().map_err(invalid)? {
            (message, None) => CaseInput::Message(message),
            (_, Some(_)) => return Err(invalid("`sender` belongs to the case, not to its `message`".to_owned())),
        },
        (None, Some(nickname)) => CaseInput::Nickname(nickname),
        _ => return Err(ConfigError::new(location, "a case must have either `message` or `nickname`")),
    };
    if expect.text.is_some() && expect.action != Outcome::Replace {
        return Err(ConfigError::new(location, "`text` is only allowed with the action `replace`"));
    }
    Ok(PluginCase { location, name: name.into_inner(), settings, before, input, sender, room, expect })
}

#[cfg(test)]
mod tests;
