//! Timeouts of a connection: pings, incomplete messages, closing.

use std::time::Instant;

use super::{Connection, State};
use crate::live::Config;
use crate::live::shard::closing::CloseReason;
use crate::live::shard::generation::GRACE;
use crate::wire::frame;

impl Connection {
    /// Handles timeouts, and returns when to check next.
    pub(in crate::live::shard) fn on_timer(&mut self, now: Instant, config: &Config) -> Result<Instant, CloseReason> {
        if let State::Closing(closing) = &self.state {
            if now >= closing.deadline {
                self.reset();
                return Err(CloseReason::Disconnected);
            }
            return Ok(closing.deadline);
        }
        // A pong that waits to be read is no sign of a dead connection.
        if self.queued || (self.is_waiting() && self.reads_paused()) {
            self.last_received = now;
        }
        if self.awaiting_pong && now >= self.last_pinged + config.pong_timeout {
            if self.last_received < self.last_pinged {
                return Err(CloseReason::PongTimeout);
            }
            self.awaiting_pong = false;
        }
        if !self.awaiting_pong && now >= self.last_pinged + config.ping_interval {
            self.send_ping(now, config)?;
        }
        let turn = if self.awaiting_pong { config.pong_timeout } else { config.ping_interval };
        let next = self.last_pinged + turn;
        match self.message_deadline(config) {
            Some(deadline) if now >= deadline => Err(CloseReason::MessageTimeout),
            deadline => {
                // A grace period that is over waits for what is not read yet.
                let grace = self.undecided_until().map(|until| if until > now { until } else { now + GRACE });
                Ok([deadline, grace].into_iter().flatten().fold(next, Instant::min))
            }
        }
    }

    fn send_ping(&mut self, now: Instant, config: &Config) -> Result<(), CloseReason> {
        self.last_pinged = now;
        self.awaiting_pong = true;
        self.send(frame::ping(), config.outbox_bytes)
    }
}
