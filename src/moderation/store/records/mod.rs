//! The JSON records of the store.
//!
//! A change that older versions cannot read, or would misread, needs a new format number.

mod decision;
mod held;
mod names;
mod offence;

use std::fmt;
use std::str::FromStr;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

pub(super) use self::held::HeldRecord;
pub(super) use self::names::intern;
pub(super) use self::offence::OffenceRecord;
use crate::model::{ActiveLevel, Actor, Address, ModerationLevel, Nickname, RoomName, Target};

/// A record is invalid.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct RecordError(pub(super) String);

impl fmt::Display for RecordError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A record as bytes.
pub(super) fn write<T: Serialize>(record: &T) -> Result<Vec<u8>, RecordError> {
    serde_json::to_vec(record).map_err(|error| RecordError(error.to_string()))
}

/// A record from its bytes.
pub(super) fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, RecordError> {
    // Report the position of the error, but no contents.
    serde_json::from_slice(bytes).map_err(|error| {
        RecordError(format!("is not a record of this version, at column {} ({:?})", error.column(), error.classify()))
    })
}

/// A value from its text.
fn parse<T: FromStr>(what: &'static str, text: &str) -> Result<T, RecordError> {
    text.parse().map_err(|_| RecordError(format!("has an invalid {what}")))
}

fn invalid(what: &'static str) -> RecordError {
    RecordError(format!("has an invalid {what}"))
}

fn room(text: &str) -> Result<RoomName, RecordError> {
    RoomName::parse(text).map_err(|_| invalid("room"))
}

fn address(text: &str) -> Result<Address, RecordError> {
    parse("address", text).map(|ip: std::net::IpAddr| Address::from(ip))
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum TargetRecord {
    Nickname(String),
    Address(String),
}

impl From<&Target> for TargetRecord {
    fn from(target: &Target) -> Self {
        match target {
            Target::Nickname(nickname) => Self::Nickname(nickname.as_str().to_owned()),
            Target::Address(address) => Self::Address(address.ip().to_string()),
        }
    }
}

impl TargetRecord {
    fn read(self) -> Result<Target, RecordError> {
        match self {
            Self::Nickname(name) => Nickname::parse(&name).map(Target::Nickname).map_err(|_| invalid("nickname")),
            Self::Address(text) => address(&text).map(Target::Address),
        }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum CauseRecord {
    Moderator(String),
    Rule(String),
    Plugin(String),
    Relay,
}

impl From<&Actor> for CauseRecord {
    fn from(cause: &Actor) -> Self {
        let name = cause.name().to_owned();
        match cause {
            Actor::Moderator(_) => Self::Moderator(name),
            Actor::Rule(_) => Self::Rule(name),
            Actor::Plugin(_) => Self::Plugin(name),
            Actor::Relay => Self::Relay,
        }
    }
}

impl From<CauseRecord> for Actor {
    fn from(record: CauseRecord) -> Self {
        match record {
            CauseRecord::Moderator(name) => Self::Moderator(name.into()),
            CauseRecord::Rule(name) => Self::Rule(name.into()),
            CauseRecord::Plugin(name) => Self::Plugin(name.into()),
            CauseRecord::Relay => Self::Relay,
        }
    }
}

/// A level that is set.
#[derive(Serialize, Deserialize)]
pub(super) struct LevelRecord {
    room: Option<String>,
    level: String,
    seconds: Option<u32>,
    until: Option<String>,
}

impl From<&ActiveLevel> for LevelRecord {
    fn from(set: &ActiveLevel) -> Self {
        let seconds = if let ModerationLevel::Slow { seconds } = set.level { Some(seconds) } else { None };
        Self {
            room: set.room.as_ref().map(|room| room.as_str().to_owned()),
            level: set.level.as_str().to_owned(),
            seconds,
            until: set.until.map(|until| until.to_string()),
        }
    }
}

impl LevelRecord {
    pub(super) fn read(self) -> Result<ActiveLevel, RecordError> {
        let level = match (self.level.as_str(), self.seconds) {
            ("normal", None) => ModerationLevel::Normal,
            ("newcomers", None) => ModerationLevel::Newcomers,
            ("slow", Some(seconds)) => ModerationLevel::Slow { seconds },
            ("all", None) => ModerationLevel::All,
            _ => return Err(invalid("level")),
        };
        let room = self.room.map(|name| room(&name)).transpose()?;
        let until = self.until.map(|until| parse("time", &until)).transpose()?;
        Ok(ActiveLevel { room, level, until })
    }
}

#[cfg(test)]
pub(in crate::moderation) mod tests;
