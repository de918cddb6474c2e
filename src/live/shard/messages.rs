//! Messages from connections and HTTP calls: decoding, the intake, and the reply to the sender.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Instant;

use futures_util::FutureExt as _;
use tokio::sync::oneshot;

use super::Shard;
use super::closing::CloseReason;
use super::inbox::{MessageOrigin, ShardCommand};
use super::rooms::RoomKey;
use crate::filter::Judgement;
use crate::intake::Submission;
use crate::model::{ConnectionId, Decision, JudgedMessage, Message, Notice, Outcome, Sender, SenderContext};
use crate::wire;
use crate::wire::frame::{self, Incoming};

/// Longer messages are decoded on a blocking thread.
const INLINE_DECODE_LIMIT: usize = 64 * 1024;

impl Shard {
    /// Processes the bytes received from a connection, message by message.
    pub(super) fn process_bytes(&mut self, id: ConnectionId, mut bytes: &[u8], now: Instant) {
        let live = Arc::clone(&self.live);
        loop {
            let Some(connection) = self.connection(id) else { return };
            if connection.is_closing() {
                // Discard input while closing. It is read only so that the socket shuts down without a reset.
                return;
            }
            if let Some(backlog) = &mut connection.backlog {
                backlog.bytes.extend_from_slice(bytes);
                return;
            }
            let result = match connection.decode(&mut bytes, live.config.max_frame_bytes, now) {
                Ok(Some(incoming)) => self.on_incoming(id, incoming, now),
                Ok(None) => {
                    let accounted = connection.account_partial(&live);
                    let deadline = connection.message_deadline(&live.config);
                    if let Some(deadline) = deadline.filter(|deadline| *deadline < connection.next_check) {
                        self.schedule_check(id, deadline, now);
                    }
                    match accounted {
                        Ok(()) => return,
                        Err(reason) => Err(reason),
                    }
                }
                Err(reason) => Err(reason),
            };
            if let Err(reason) = result {
                return self.close_connection(id, reason, now);
            }
        }
    }

    fn on_incoming(&mut self, id: ConnectionId, incoming: Incoming, now: Instant) -> Result<(), CloseReason> {
        match incoming {
            Incoming::Text(text) => {
                self.on_text(id, text, now);
                Ok(())
            }
            Incoming::Ping(payload) => {
                self.on_ping(id, &payload);
                Ok(())
            }
            Incoming::Pong => Ok(()),
            Incoming::Close(code) => Err(CloseReason::ByPeer(code)),
        }
    }

    /// The pong is queued behind the room's output: a client that receives it has received all of that.
    fn on_ping(&mut self, id: ConnectionId, payload: &[u8]) {
        let Some(room) = self.connection(id).map(|connection| connection.room) else { return };
        if let Some(local) = self.rooms.get_mut(&room) {
            local.room.send_to(id, &frame::pong(payload));
            self.mark_dirty(room);
        }
    }

    fn on_text(&mut self, id: ConnectionId, text: String, now: Instant) {
        let Some(connection) = self.connection(id) else { return };
        let generation = connection.generation;
        if text.len() <= INLINE_DECODE_LIMIT {
            return self.on_decoded(id, wire::decode(generation, &text), now);
        }
        connection.backlog = Some(Box::default());
        let inbox = self.self_inbox.clone();
        self.runtime.spawn(async move {
            let decoding = tokio::task::spawn_blocking(move || wire::decode(generation, &text));
            let command = match decoding.await {
                Ok(decoded) => ShardCommand::Decoded { id, decoded: Box::new(decoded) },
                Err(error) => {
                    tracing::error!(%error, "decoding a message panicked");
                    ShardCommand::Failed { id }
                }
            };
            // A shard that has exited does not need the result.
            let _exited = inbox.post(command).await;
        });
    }

    pub(super) fn on_decoded_elsewhere(&mut self, id: ConnectionId, decoded: Result<Message, Notice>, now: Instant) {
        self.on_decoded(id, decoded, now);
        self.resume_if_ready(id, now);
    }

    fn on_decoded(&mut self, id: ConnectionId, decoded: Result<Message, Notice>, now: Instant) {
        // Ignore messages from a connection that has already left the room.
        let Some(connection) = self.connection(id).filter(|connection| !connection.is_closing()) else { return };
        let (room, address) = (connection.room, connection.address);
        match decoded {
            Ok(message) => {
                let Some(local) = self.rooms.get_mut(&room) else { return };
                let room_name = local.room.name().clone();
                let mut sender =
                    Sender { connection: Some(id), address, room: room_name, context: SenderContext::default() };
                let submission = self.live.intake.submit(&self.chain, &mut local.room, &mut sender, message);
                self.on_submission(room, MessageOrigin::Connection(sender, id), submission, now);
            }
            Err(notice) => self.notify(room, id, &notice),
        }
    }

    /// Handles a message sent without a connection.
    pub(super) fn on_submit(
        &mut self,
        room: RoomKey,
        mut sender: Sender,
        message: Message,
        reply: oneshot::Sender<Arc<JudgedMessage>>,
        now: Instant,
    ) {
        let Some(local) = self.rooms.get_mut(&room) else { return };
        let submission = self.live.intake.submit(&self.chain, &mut local.room, &mut sender, message);
        self.on_submission(room, MessageOrigin::Call(sender, reply), submission, now);
    }

    /// Judges a message without side effects.
    pub(super) fn on_try(
        &mut self,
        room: RoomKey,
        mut sender: Sender,
        message: Message,
        reply: oneshot::Sender<Decision>,
    ) {
        let Some(local) = self.rooms.get_mut(&room) else { return };
        // The caller may have timed out.
        match self.live.intake.try_out(&self.chain, &mut local.room, &mut sender, message) {
            Judgement::Ready(decision) => drop(reply.send(*decision)),
            Judgement::Pending(waiting) => {
                self.filter_runtime.spawn(async move { reply.send(waiting.finish(&sender).await) });
            }
        }
    }

    /// Handles a message that was judged elsewhere.
    pub(super) fn on_judged(&mut self, room: RoomKey, origin: MessageOrigin, decision: Decision, now: Instant) {
        let Some(local) = self.rooms.get_mut(&room) else { return };
        let submission = self.live.intake.deliver(&mut local.room, origin.sender(), decision);
        let connection = match &origin {
            MessageOrigin::Connection(_, id) => Some(*id),
            MessageOrigin::Call(..) => None,
        };
        if let Some(connection) = connection.and_then(|id| self.connection(id)) {
            connection.mark_decided();
        }
        self.on_submission(room, origin, submission, now);
        if let Some(id) = connection {
            self.resume_if_ready(id, now);
        }
    }

    /// Handles the result of submitting a message.
    pub(super) fn on_submission(&mut self, room: RoomKey, origin: MessageOrigin, submission: Submission, now: Instant) {
        self.mark_dirty(room);
        match submission {
            Submission::Ready(judged) => self.reply(room, origin, judged),
            Submission::Pending(waiting) => {
                self.suspend(&origin);
                let inbox = self.self_inbox.clone();
                self.filter_runtime.spawn(async move {
                    let judging = AssertUnwindSafe(waiting.finish(origin.sender())).catch_unwind().await;
                    let command = match (judging, &origin) {
                        (Ok(decision), _) => ShardCommand::Judged { room, origin, decision: Box::new(decision) },
                        // A filter panicked. The connection must not wait for it forever.
                        (Err(_), MessageOrigin::Connection(_, id)) => ShardCommand::Failed { id: *id },
                        (Err(_), MessageOrigin::Call(..)) => return,
                    };
                    // A shard that has exited does not need the result.
                    let _exited = inbox.post(command).await;
                });
            }
            Submission::Claimed(claim) => {
                self.suspend(&origin);
                self.probe_holder(room, origin, *claim, now);
            }
        }
    }

    /// Notifies the sender of a decision.
    fn reply(&mut self, room: RoomKey, origin: MessageOrigin, judged: Arc<JudgedMessage>) {
        match origin {
            MessageOrigin::Connection(_, id) => {
                let Decision { outcome, reason: Some(reason), .. } = &judged.decision else { return };
                match outcome {
                    Outcome::Reject => self.notify(room, id, &Notice::Refused(reason.clone())),
                    Outcome::Hold => self.notify(room, id, &Notice::Held(reason.clone())),
                    Outcome::Pass | Outcome::Replace | Outcome::Shadow => {}
                }
            }
            // The caller may have timed out.
            MessageOrigin::Call(_, reply) => drop(reply.send(judged)),
        }
    }

    pub(super) fn notify(&mut self, room: RoomKey, id: ConnectionId, notice: &Notice) {
        if let Some(local) = self.rooms.get_mut(&room) {
            local.room.notify(id, notice, &self.live.wire);
            self.mark_dirty(room);
        }
    }

    /// Buffers further input of a connection while its message is judged.
    fn suspend(&mut self, origin: &MessageOrigin) {
        if let MessageOrigin::Connection(_, id) = origin
            && let Some(connection) = self.connection(*id)
        {
            connection.backlog.get_or_insert_default().awaiting_decision = true;
        }
    }

    /// Resumes a connection unless its message is still being judged.
    pub(super) fn resume_if_ready(&mut self, id: ConnectionId, now: Instant) {
        let Some(connection) = self.connection(id) else { return };
        let Some(backlog) = connection.backlog.take_if(|backlog| !backlog.awaiting_decision) else { return };
        self.process_bytes(id, &backlog.bytes, now);
        self.queue_read(id);
    }
}
