//! Nicknames that are wanted back: the holder is asked for a sign of life, and loses the name when it gives none.

use std::time::Instant;

use super::Shard;
use super::ending::End;
use super::inbox::Origin;
use super::rooms::RoomKey;
use crate::intake::Claim;
use crate::model::SenderId;
use crate::wire::frame::{self, CloseCode};

/// Claims that wait for a sign of life, the oldest first.
#[derive(Debug, Default)]
pub(super) struct Claims {
    waiting: Vec<Waiting>,
}

#[derive(Debug)]
struct Waiting {
    deadline: Instant,
    room: RoomKey,
    origin: Origin,
    claim: Claim,
}

impl Claims {
    /// When the next holder has had its time.
    pub(super) fn next(&self) -> Option<Instant> {
        self.waiting.first().map(|waiting| waiting.deadline)
    }

    fn take(&mut self, concerned: impl Fn(&Claim) -> bool) -> Vec<Waiting> {
        self.waiting.extract_if(.., |waiting| concerned(&waiting.claim)).collect()
    }
}

impl Shard {
    /// Asks the holder of a wanted nickname for a sign of life.
    pub(super) fn claim(&mut self, room: RoomKey, origin: Origin, claim: Claim, now: Instant) {
        let limit = self.live.config.outbox_bytes;
        let holder = claim.holder;
        let deadline = now + self.live.config.reclaim_timeout;
        self.claims.waiting.push(Waiting { deadline, room, origin, claim });
        let Some(connection) = self.connection(holder) else { return };
        connection.probed = true;
        if let Err(end) = connection.send(frame::ping(), limit) {
            self.end(holder, end, now);
        }
    }

    /// Notes a sign of life.
    pub(super) fn heard(&mut self, id: SenderId, now: Instant) {
        let probed = self.connection(id).is_some_and(|connection| std::mem::take(&mut connection.probed));
        if probed {
            for waiting in self.claims.take(|claim| claim.holder == id) {
                self.settle(waiting, now);
            }
        }
    }

    /// Settles what a connection that has left its room held or wanted.
    pub(super) fn settle_of(&mut self, id: SenderId, now: Instant) {
        for waiting in self.claims.take(|claim| claim.holder == id || claim.claimant == id) {
            if waiting.claim.claimant != id {
                self.settle(waiting, now);
            }
        }
    }

    /// Takes the names of holders that have given no sign of life.
    pub(super) fn settle_overdue(&mut self, now: Instant) {
        while let Some(Waiting { deadline, claim, .. }) = self.claims.waiting.first() {
            if now < *deadline {
                return;
            }
            let holder = claim.holder;
            // Its end settles the claims on it. Meanwhile it may go by another name.
            if self.still_holds(holder) {
                self.end(
                    holder,
                    End::Told(
                        CloseCode::Policy,
                        "your nickname was taken back by a newer connection from your address",
                    ),
                    now,
                );
            }
            // A holder that was gone already has left its claims behind.
            for waiting in self.claims.take(|claim| claim.holder == holder) {
                self.settle(waiting, now);
            }
        }
    }

    /// Whether the holder of the oldest claim still holds what is claimed.
    fn still_holds(&self, holder: SenderId) -> bool {
        let Some(Waiting { room, claim, .. }) = self.claims.waiting.first() else { return false };
        self.rooms.get(room).is_some_and(|local| claim.is_held_by(holder, &local.room))
    }

    fn settle(&mut self, Waiting { room, origin, claim, .. }: Waiting, now: Instant) {
        let claimant = claim.claimant;
        let Some(local) = self.rooms.get_mut(&room) else { return };
        let taken = self.live.intake.settle(&mut local.room, origin.sender(), claim);
        if let Some(connection) = self.connection(claimant) {
            connection.note_answer();
        }
        self.on_taken(room, origin, taken, now);
        self.resume_unless_waiting(claimant, now);
    }
}
