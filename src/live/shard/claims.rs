//! Claims on nicknames: the holder is probed, and loses the nickname if it does not respond.

use std::time::Instant;

use super::Shard;
use super::closing::CloseReason;
use super::inbox::MessageOrigin;
use super::rooms::RoomKey;
use crate::intake::NicknameClaim;
use crate::model::ConnectionId;
use crate::wire::frame::{self, CloseCode};

/// Claims that wait for a response of the holder, oldest first.
#[derive(Debug, Default)]
pub(super) struct PendingClaims {
    pending: Vec<PendingClaim>,
}

#[derive(Debug)]
struct PendingClaim {
    deadline: Instant,
    room: RoomKey,
    origin: MessageOrigin,
    claim: NicknameClaim,
}

impl PendingClaims {
    /// Returns the next deadline of a holder.
    pub(super) fn next_deadline(&self) -> Option<Instant> {
        self.pending.first().map(|pending| pending.deadline)
    }

    fn take(&mut self, concerned: impl Fn(&NicknameClaim) -> bool) -> Vec<PendingClaim> {
        self.pending.extract_if(.., |pending| concerned(&pending.claim)).collect()
    }
}

impl Shard {
    /// Pings the holder of a claimed nickname.
    pub(super) fn probe_holder(&mut self, room: RoomKey, origin: MessageOrigin, claim: NicknameClaim, now: Instant) {
        let limit = self.live.config.outbox_bytes;
        let holder = claim.holder;
        let deadline = now + self.live.config.reclaim_timeout;
        self.claims.pending.push(PendingClaim { deadline, room, origin, claim });
        let Some(connection) = self.connection(holder) else { return };
        connection.awaiting_reclaim = true;
        if let Err(reason) = connection.send(frame::ping(), limit) {
            self.close_connection(holder, reason, now);
        }
    }

    /// Handles activity of a connection, which resolves claims on its nickname.
    pub(super) fn on_activity(&mut self, id: ConnectionId, now: Instant) {
        let awaiting_reclaim =
            self.connection(id).is_some_and(|connection| std::mem::take(&mut connection.awaiting_reclaim));
        if awaiting_reclaim {
            for pending in self.claims.take(|claim| claim.holder == id) {
                self.resolve_claim(pending, now);
            }
        }
    }

    /// Resolves the claims on and by a connection that has left its room.
    pub(super) fn resolve_claims_of(&mut self, id: ConnectionId, now: Instant) {
        for pending in self.claims.take(|claim| claim.holder == id || claim.claimant == id) {
            if pending.claim.claimant != id {
                self.resolve_claim(pending, now);
            }
        }
    }

    /// Closes holders that have not responded in time.
    pub(super) fn expire_claims(&mut self, now: Instant) {
        while let Some(PendingClaim { deadline, claim, .. }) = self.claims.pending.first() {
            if now < *deadline {
                return;
            }
            let holder = claim.holder;
            // Closing the holder resolves the claims on it. It may have changed its nickname in the meantime.
            if self.still_holds(holder) {
                self.close_connection(
                    holder,
                    CloseReason::ByServer(
                        CloseCode::Policy,
                        "your nickname was taken back by a newer connection from your address",
                    ),
                    now,
                );
            }
            // A holder that was closed earlier leaves its claims behind.
            for pending in self.claims.take(|claim| claim.holder == holder) {
                self.resolve_claim(pending, now);
            }
        }
    }

    /// Whether the holder of the oldest claim still holds the claimed nickname.
    fn still_holds(&self, holder: ConnectionId) -> bool {
        let Some(PendingClaim { room, claim, .. }) = self.claims.pending.first() else { return false };
        self.rooms.get(room).is_some_and(|local| claim.is_held_by(holder, &local.room))
    }

    fn resolve_claim(&mut self, PendingClaim { room, origin, claim, .. }: PendingClaim, now: Instant) {
        let claimant = claim.claimant;
        let Some(local) = self.rooms.get_mut(&room) else { return };
        let submission = self.live.intake.resolve_claim(&mut local.room, origin.sender(), claim);
        if let Some(connection) = self.connection(claimant) {
            connection.mark_decided();
        }
        self.on_submission(room, origin, submission, now);
        self.resume_if_ready(claimant, now);
    }
}
