//! A held message in the file, whole.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::decision::{DecisionRecord, ReasonRecord};
use super::{CauseRecord, RecordError, address, parse, room};
use crate::model::{ConnectionId, JudgedMessage, Sender, SenderContext};
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
        let SenderContext {
            registered,
            connected,
            accepted,
            refused,
            trusted,
            since_start,
            member_count: members,
            nicknames: names,
        } = &sender.context;
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
    fn read(self) -> Result<Sender, RecordError> {
        let facts = SenderContext {
            registered: self.registered,
            connected: self.connected,
            accepted: self.accepted,
            refused: self.refused,
            trusted: self.trusted,
            since_start: self.since_start,
            member_count: self.members,
            nicknames: self.names.into(),
        };
        let connection = self.connection.map(ConnectionId);
        Ok(Sender { connection, address: address(&self.address)?, room: room(&self.room)?, context: facts })
    }
}

impl From<&HeldMessage> for HeldRecord {
    fn from(held: &HeldMessage) -> Self {
        Self {
            decision: (&held.recorded.decision).into(),
            sender: (&held.recorded.sender).into(),
            reason: (&held.reason).into(),
            cause: held.held_by.as_ref().map(Into::into),
            held_at: held.held_at.to_string(),
            expires: held.expires_at.to_string(),
        }
    }
}

impl HeldRecord {
    pub(in crate::moderation::store) fn read(self) -> Result<HeldMessage, RecordError> {
        let recorded = JudgedMessage { decision: self.decision.read()?, sender: self.sender.read()? };
        Ok(HeldMessage {
            recorded: Arc::new(recorded),
            reason: self.reason.read(),
            held_by: self.cause.map(Into::into),
            held_at: parse("time", &self.held_at)?,
            expires_at: parse("time", &self.expires)?,
        })
    }
}
