//! The generation of a connection. v1 and v2 share a path and a handshake, so that the first frame decides.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::Shard;
use super::closing::ShardError;
use super::receive::PartialMessage;
use super::{BANNED, REMOVED};
use crate::model::ConnectionId;
use crate::wire::{self, Generation};

/// How long a connection may send nothing before it is treated as v1. Most clients register at once.
pub(super) const GRACE: Duration = Duration::from_millis(250);

/// The generation of a connection, as far as it is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientGeneration {
    /// The first frame decides. The connection joins its room then, or after a short grace period.
    Undecided,
    /// It has sent nothing so far and is treated as v1, until it sends a frame of v2.
    AssumedV1,
    /// Decided.
    Known(Generation),
}

impl ClientGeneration {
    /// The generation to decode frames with.
    pub(super) fn current(self) -> Generation {
        match self {
            Self::Undecided | Self::AssumedV1 => Generation::V1,
            Self::Known(generation) => generation,
        }
    }
}

impl Shard {
    /// Decides the generation of a connection by its first frame, and lets it join its room if it has not. Does nothing if it
    /// is decided. `text` is `None` for a long text, which has a `type`: v1 has nothing that long.
    pub(super) fn decide_generation(&mut self, id: ConnectionId, text: Option<&str>, now: Instant) {
        let Some(connection) = self.connections.get(id) else { return };
        let before = connection.generation;
        if matches!(before, ClientGeneration::Known(_)) {
            return;
        }
        let is_typed = text.is_none_or(wire::is_typed);
        match (before, is_typed) {
            (ClientGeneration::Undecided, true) => self.join(id, ClientGeneration::Known(Generation::V2), now),
            (ClientGeneration::Undecided, false) => self.join(id, ClientGeneration::Known(Generation::V1), now),
            (_, true) => {
                connection.generation = ClientGeneration::Known(Generation::V2);
                let room = connection.room;
                match self.rooms.get_mut(room) {
                    Some(room) => room.change_generation(id, Generation::V2),
                    None => self.fail_connection(id, ShardError::NoRoom, now),
                }
            }
            (_, false) => {}
        }
    }

    /// Lets a connection join that has sent nothing within the grace period.
    pub(super) fn end_grace(&mut self, id: ConnectionId, now: Instant) {
        let Some(connection) = self.connections.get(id) else { return };
        // Its first frame may wait to be read.
        if !connection.queued && connection.undecided_until().is_some_and(|until| until <= now) {
            self.join(id, ClientGeneration::AssumedV1, now);
        }
    }

    /// Makes a connection a member of its room. Closes it if the room was removed, or the address banned, since its
    /// handshake.
    pub(super) fn join(&mut self, id: ConnectionId, generation: ClientGeneration, now: Instant) {
        let Some(connection) = self.connections.get(id) else { return };
        let (key, address) = (connection.room, connection.address);
        let reason = match self.rooms.get_mut(key) {
            None => REMOVED,
            Some(room) if self.live.intake.is_banned(room.name(), address) => BANNED,
            Some(room) => {
                let proven = connection.become_member(generation);
                return room.join(id, address, generation.current(), proven, now);
            }
        };
        self.begin_close(id, reason, Vec::new(), now);
    }
}

/// A connection that is not yet a member.
#[derive(Debug)]
pub(super) struct PendingJoin {
    /// When it joins at the latest; `None` if it joins at once.
    pub(super) undecided_until: Option<Instant>,
    /// The nickname that it proved to own with a token.
    pub(super) proven_nickname: Option<Arc<str>>,
    /// Its first message, as far as it has arrived.
    pub(super) partial: PartialMessage,
}
