//! Claims on nicknames: the owner is probed, and loses the nickname if it does not respond.

use std::time::Instant;

use super::Shard;
use super::closing::{CloseReason, ShardError};
use super::rooms::RoomKey;
use crate::intake::NicknameClaim;
use crate::model::ConnectionId;
use crate::wire::frame::{self, CloseCode};

/// The close reason for an owner that did not respond.
const RECLAIMED: CloseReason =
    CloseReason::ByRelay(CloseCode::Policy, "your nickname was taken back by a newer connection from your address");

/// The close reason for a connection whose nickname another one has proven.
const PROVEN_ELSEWHERE: CloseReason =
    CloseReason::ByRelay(CloseCode::Policy, "your nickname was taken over by a connection that proves it with a token");

/// Most connections that a nickname and its look-alikes belong to: one for each skeleton.
const MAX_HOLDERS: usize = 2;

/// A claim that waits for a response of the owner, which was pinged.
#[derive(Debug)]
struct PendingClaim {
    deadline: Instant,
    room: RoomKey,
    claim: NicknameClaim,
}

/// An event that may decide a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ClaimEvent {
    /// Data arrived from this connection.
    Activity(ConnectionId),
    /// This connection left its room.
    Left(ConnectionId),
    /// Time has passed.
    Time(Instant),
}

/// The end of a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ClaimOutcome {
    /// The owner has responded or left. The claimant registers the nickname if that is free by now.
    Resolved,
    /// The owner has not responded in time. It is closed if the nickname still belongs to it.
    Expired,
    /// The claimant has left.
    Abandoned,
}

impl ClaimEvent {
    /// Returns the outcome for a claim; `None` if it keeps waiting.
    fn outcome(self, claimant: ConnectionId, owner: ConnectionId, deadline: Instant) -> Option<ClaimOutcome> {
        match self {
            Self::Left(id) if id == claimant => Some(ClaimOutcome::Abandoned),
            Self::Activity(id) | Self::Left(id) if id == owner => Some(ClaimOutcome::Resolved),
            Self::Time(now) if now >= deadline => Some(ClaimOutcome::Expired),
            Self::Activity(_) | Self::Left(_) | Self::Time(_) => None,
        }
    }
}

/// The claims that wait, oldest first.
#[derive(Debug, Default)]
pub(super) struct PendingClaims(Vec<PendingClaim>);

impl PendingClaims {
    /// Returns the next deadline of an owner.
    pub(super) fn next_deadline(&self) -> Option<Instant> {
        self.0.first().map(|pending| pending.deadline)
    }

    /// Drops the claims in rooms that have lost all their members at once.
    pub(super) fn forget(&mut self, is_empty: impl Fn(RoomKey) -> bool) {
        self.0.retain(|pending| !is_empty(pending.room));
    }

    /// Removes the claims that an event decides.
    fn take_decided(&mut self, event: ClaimEvent) -> Vec<(ClaimOutcome, PendingClaim)> {
        let outcome = |pending: &PendingClaim| {
            let PendingClaim { deadline, claim, .. } = pending;
            event.outcome(claim.claimant, claim.owner, *deadline)
        };
        let decided = self.0.extract_if(.., |pending| outcome(pending).is_some());
        decided.filter_map(|pending| Some((outcome(&pending)?, pending))).collect()
    }
}

impl Shard {
    /// Pings the owner of a claimed nickname.
    pub(super) fn probe_owner(&mut self, room: RoomKey, claim: NicknameClaim, now: Instant) {
        let (claimant, owner) = (claim.claimant, claim.owner);
        let deadline = now + self.live.config.reclaim_timeout;
        self.claims.0.push(PendingClaim { deadline, room, claim });
        let Some(connection) = self.connections.member(owner) else {
            return self.fail_connection(claimant, ShardError::NotConnected, now);
        };
        connection.awaiting_reclaim = true;
        if let Err(reason) = connection.send(frame::ping(), self.live.config.outbox_bytes) {
            self.close_connection(owner, reason, now);
        }
    }

    /// Gives a nickname to a connection that has proven it, and closes those that it or a look-alike belongs to.
    pub(super) fn hand_over(&mut self, key: RoomKey, claim: NicknameClaim, now: Instant) {
        let mut closed = Vec::new();
        for _ in 0..MAX_HOLDERS {
            let Some(holder) = self.rooms.get(key).and_then(|room| claim.holder(room)) else { break };
            self.leave_and_close(holder, PROVEN_ELSEWHERE, now);
            closed.push(holder);
        }
        let claimant = claim.claimant;
        match self.rooms.get_mut(key) {
            Some(room) => {
                let judged = self.live.intake.resolve_claim(room, claim);
                self.notify_sender(key, claimant, &judged, now);
            }
            None => self.fail_connection(claimant, ShardError::NoRoom, now),
        }
        // Only now, so that nobody else gets the nickname.
        for id in closed {
            self.resolve_claims_of(id, now);
        }
    }

    /// Resolves the claims on the nickname of a connection from which data arrived.
    pub(super) fn resolve_claims_on(&mut self, id: ConnectionId, now: Instant) {
        self.on_claim_event(ClaimEvent::Activity(id), now);
    }

    /// Resolves the claims on and by a connection that has left its room.
    pub(super) fn resolve_claims_of(&mut self, id: ConnectionId, now: Instant) {
        self.on_claim_event(ClaimEvent::Left(id), now);
    }

    /// Closes owners that have not responded in time.
    pub(super) fn expire_claims(&mut self, now: Instant) {
        self.on_claim_event(ClaimEvent::Time(now), now);
    }

    fn on_claim_event(&mut self, event: ClaimEvent, now: Instant) {
        let mut closed = Vec::new();
        for (outcome, PendingClaim { room, claim, .. }) in self.claims.take_decided(event) {
            match outcome {
                ClaimOutcome::Abandoned => {}
                ClaimOutcome::Resolved => self.resolve_claim(room, claim, now),
                ClaimOutcome::Expired => {
                    // The owner may have changed its nickname in the meantime. One that is not read to the end may have
                    // answered.
                    let is_busy = self.connections.member(claim.owner).is_some_and(|owner| owner.may_have_unread());
                    if !is_busy && self.rooms.get(room).is_some_and(|room| claim.is_owned(room)) {
                        self.leave_and_close(claim.owner, RECLAIMED, now);
                        closed.push(claim.owner);
                    }
                    self.resolve_claim(room, claim, now);
                }
            }
        }
        // Only now, so that the claims that waited longest are resolved first.
        for id in closed {
            self.resolve_claims_of(id, now);
        }
    }

    fn resolve_claim(&mut self, key: RoomKey, claim: NicknameClaim, now: Instant) {
        let claimant = claim.claimant;
        let Some(room) = self.rooms.get_mut(key) else {
            return self.fail_connection(claimant, ShardError::NoRoom, now);
        };
        let judged = self.live.intake.resolve_claim(room, claim);
        self.notify_sender(key, claimant, &judged, now);
        self.resume(claimant, now);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn every_event_leads_to_the_outcome_in_the_table() {
        let (claimant, owner, other) = (ConnectionId(1), ConnectionId(2), ConnectionId(3));
        let deadline = Instant::now() + Duration::from_secs(2);
        let early = deadline.checked_sub(Duration::from_nanos(1)).unwrap();
        for (event, outcome) in [
            (ClaimEvent::Activity(owner), Some(ClaimOutcome::Resolved)),
            (ClaimEvent::Activity(claimant), None),
            (ClaimEvent::Activity(other), None),
            (ClaimEvent::Left(owner), Some(ClaimOutcome::Resolved)),
            (ClaimEvent::Left(claimant), Some(ClaimOutcome::Abandoned)),
            (ClaimEvent::Left(other), None),
            (ClaimEvent::Time(early), None),
            (ClaimEvent::Time(deadline), Some(ClaimOutcome::Expired)),
        ] {
            assert_eq!(event.outcome(claimant, owner, deadline), outcome, "{event:?}");
        }
    }
}
