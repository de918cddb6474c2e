//! What stands in the file, record by record, as JSON.
//!
//! Names that programs may rely on stand for what they name; anything else is no record. Whatever changes here so that
//! older versions could not read it, or read it as something else, needs another format number.

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
use crate::model::{Address, Cause, Nickname, RoomName, Target};
use crate::moderation::{Level, SetLevel};

/// That a record is not what it should be.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NoRecord(pub(super) String);

impl fmt::Display for NoRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A record as bytes.
pub(super) fn write<T: Serialize>(record: &T) -> Result<Vec<u8>, NoRecord> {
    serde_json::to_vec(record).map_err(|fault| NoRecord(fault.to_string()))
}

/// A record from its bytes.
pub(super) fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, NoRecord> {
    // Where in the record it is wrong is told, and nothing of the record itself.
    serde_json::from_slice(bytes).map_err(|fault| {
        NoRecord(format!("is no record of this version, at column {} ({:?})", fault.column(), fault.classify()))
    })
}

/// A value from its text.
fn parse<T: FromStr>(what: &'static str, text: &str) -> Result<T, NoRecord> {
    text.parse().map_err(|_| NoRecord(format!("has no good {what}")))
}

fn no_good(what: &'static str) -> NoRecord {
    NoRecord(format!("has no good {what}"))
}

fn room(text: &str) -> Result<RoomName, NoRecord> {
    RoomName::parse(text).map_err(|_| no_good("room"))
}

fn address(text: &str) -> Result<Address, NoRecord> {
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
    fn read(self) -> Result<Target, NoRecord> {
        match self {
            Self::Nickname(name) => Nickname::parse(&name).map(Target::Nickname).map_err(|_| no_good("nickname")),
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

impl From<&Cause> for CauseRecord {
    fn from(cause: &Cause) -> Self {
        let name = cause.name().to_owned();
        match cause {
            Cause::Moderator(_) => Self::Moderator(name),
            Cause::Rule(_) => Self::Rule(name),
            Cause::Plugin(_) => Self::Plugin(name),
            Cause::Relay => Self::Relay,
        }
    }
}

impl From<CauseRecord> for Cause {
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

impl From<&SetLevel> for LevelRecord {
    fn from(set: &SetLevel) -> Self {
        let seconds = if let Level::Slow { seconds } = set.level { Some(seconds) } else { None };
        Self {
            room: set.room.as_ref().map(|room| room.as_str().to_owned()),
            level: set.level.as_str().to_owned(),
            seconds,
            until: set.until.map(|until| until.to_string()),
        }
    }
}

impl LevelRecord {
    pub(super) fn read(self) -> Result<SetLevel, NoRecord> {
        let level = match (self.level.as_str(), self.seconds) {
            ("normal", None) => Level::Normal,
            ("newcomers", None) => Level::Newcomers,
            ("slow", Some(seconds)) => Level::Slow { seconds },
            ("all", None) => Level::All,
            _ => return Err(no_good("level")),
        };
        let room = self.room.map(|name| room(&name)).transpose()?;
        let until = self.until.map(|until| parse("time", &until)).transpose()?;
        Ok(SetLevel { room, level, until })
    }
}

#[cfg(test)]
pub(in crate::moderation) mod tests;
