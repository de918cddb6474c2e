//! A held message in the file, whole.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::decision::{DecisionRecord, ReasonRecord};
use super::{CauseRecord, NoRecord, address, parse, room};
use crate::model::{Facts, Recorded, Sender, SenderId};
use crate::moderation::HeldMessage;

/// A held message.
#[derive(Serialize, Deserialize)]
pub(in crate::moderation::store) struct HeldRecord {
    decision: DecisionRecord,
    sender: SenderRecord,
    reason: ReasonRecord,
    cause: Option<CauseRecord>,
    held_at: String,
    expires: String,
}

#[derive(Serialize, Deserialize)]
struct SenderRecord {
    connection: Option<u64>,
    address: String,
    room: String,
    registered: bool,
    connected: Duration,
    accepted: u64,
    refused: u64,
    trusted: bool,
    since_start: Duration,
    members: usize,
    names: Vec<String>,
}

impl From<&Sender> for SenderRecord {
    fn from(sender: &Sender) -> Self {
        let Facts { registered, connected, accepted, refused, trusted, since_start, members, names } = &sender.facts;
        Self {
            connection: sender.connection.map(|connection| connection.0),
            address: sender.address.ip().to_string(),
            room: sender.room.as_str().to_owned(),
            registered: *registered,
            connected: *connected,
            accepted: *accepted,
            refused: *refused,
            trusted: *trusted,
            since_start: *since_start,
            members: *members,
            names: names.to_vec(),
        }
    }
}

impl SenderRecord {
    fn read(self) -> Result<Sender, NoRecord> {
        let facts = Facts {
            registered: self.registered,
            connected: self.connected,
            accepted: self.accepted,
            refused: self.refused,
            trusted: self.trusted,
            since_start: self.since_start,
            members: self.members,
            names: self.names.into(),
        };
        let connection = self.connection.map(SenderId);
        Ok(Sender { connection, address: address(&self.address)?, room: room(&self.room)?, facts })
    }
}

impl From<&HeldMessage> for HeldRecord {
    fn from(held: &HeldMessage) -> Self {
        Self {
            decision: (&held.recorded.decision).into(),
            sender: (&held.recorded.sender).into(),
            reason: (&held.reason).into(),
            cause: held.cause.as_ref().map(Into::into),
            held_at: held.held_at.to_string(),
            expires: held.expires.to_string(),
        }
    }
}

impl HeldRecord {
    pub(in crate::moderation::store) fn read(self) -> Result<HeldMessage, NoRecord> {
        let recorded = Recorded { decision: self.decision.read()?, sender: self.sender.read()? };
        Ok(HeldMessage {
            recorded: Arc::new(recorded),
            reason: self.reason.read(),
            cause: self.cause.map(Into::into),
            held_at: parse("time", &self.held_at)?,
            expires: parse("time", &self.expires)?,
        })
    }
}
