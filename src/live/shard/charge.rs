//! Charges what connections send to their budgets.

use std::time::Instant;

use super::budget::FrameCharge;
use super::closing::CloseReason;
use super::{Shard, micros};
use crate::model::{ConnectionId, Notice, Reason, ReasonCode};
use crate::wire::frame::{CloseCode, Incoming};

/// The reason for a connection whose frames are dropped.
const TOO_MANY_FRAMES: &str = "too many messages at once; they are dropped until you pause";
/// The close reason of a connection that goes on nevertheless.
const OVER_BUDGET: CloseReason = CloseReason::ByRelay(CloseCode::Policy, "too many messages");

impl Shard {
    /// Charges a frame to its connection. Returns `false` if the frame is dropped; the connection may be closed then.
    pub(super) fn pays_for(&mut self, id: ConnectionId, incoming: &Incoming, now: Instant) -> bool {
        let (Some(limits), Some(connection)) = (self.live.input_limits(), self.connections.get(id)) else {
            return true;
        };
        if matches!(incoming, Incoming::Close(_)) {
            return true;
        }
        match connection.budget.charge_frame(limits, micros(self.started, now)) {
            FrameCharge::Paid => true,
            FrameCharge::Dropped { is_first } => {
                let (room, is_member) = (connection.room, connection.is_member());
                if is_first && is_member {
                    let reason = Reason::new(ReasonCode::RateLimited, TOO_MANY_FRAMES);
                    self.notify(room, id, &Notice::Refused(reason), None);
                }
                false
            }
            FrameCharge::Exhausted => {
                self.close_connection(id, OVER_BUDGET, now);
                false
            }
        }
    }
}
