//! Messages from connections and HTTP calls: decoding, the intake, and the reply to the sender.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Instant;

use futures_util::FutureExt as _;
use tokio::sync::oneshot;

use super::Shard;
use super::closing::{CloseReason, ShardError};
use super::inbox::{Judged, JudgingPanicked, MessageOrigin, ShardCommand};
use super::receive::AccountedBytes;
use super::rooms::RoomKey;
use crate::filter::{Judgement, PendingJudgement};
use crate::intake::Submission;
use crate::live::long_decoding::DecodingPanicked;
use crate::model::{ConnectionId, Decision, JudgedMessage, Message, Notice, Sender, SenderContext};
use crate::wire::frame::{self, Incoming, LongText};
use crate::wire::{self, Generation};

/// Whether a message is finished, or is decoded or judged elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Progress {
    Finished,
    Elsewhere,
}

impl Shard {
    /// Processes the bytes received from a connection, message by message.
    pub(super) fn process_bytes(&mut self, id: ConnectionId, mut bytes: &[u8], now: Instant) {
        loop {
            let Some(connection) = self.connections.get(id) else { return };
            let received = connection.receive(&mut bytes, &self.live, now);
            if let Ok(Some(incoming)) = &received
                && !self.pays_for(id, incoming, now)
            {
                continue;
            }
            match received {
                Ok(Some(Incoming::Text(text))) => self.on_text(id, &text, now),
                Ok(Some(Incoming::LongText(text))) => self.on_long_text(id, text, now),
                Ok(Some(Incoming::Ping(payload))) => self.on_ping(id, &payload, now),
                Ok(Some(Incoming::Pong)) => {}
                Ok(Some(Incoming::Close(code))) => return self.close_connection(id, CloseReason::ByClient(code), now),
                Ok(None) => {
                    let Some(connection) = self.connections.get(id) else { return };
                    let deadline = connection.message_deadline(&self.live.config);
                    if let Some(deadline) = deadline.filter(|deadline| *deadline < connection.next_check) {
                        self.schedule_check(id, deadline, now);
                    }
                    return;
                }
                Err(reason) => return self.close_connection(id, reason, now),
            }
        }
    }

    fn on_text(&mut self, id: ConnectionId, text: &str, now: Instant) {
        self.decide_generation(id, Some(text), now);
        // It may have been refused instead of joining.
        let Some(connection) = self.connections.member(id) else { return };
        let decoded = wire::decode_message(connection.generation.current(), text);
        self.on_decoded(id, decoded, now);
    }

    fn on_long_text(&mut self, id: ConnectionId, text: LongText, now: Instant) {
        self.decide_generation(id, None, now);
        // It may have been refused instead of joining.
        let Some(connection) = self.connections.member(id) else { return };
        let (generation, accounted) = (connection.generation.current(), connection.wait());
        self.decode_elsewhere(id, generation, text, accounted);
    }

    /// The pong is queued behind the room's output: a client that receives it has received all of that.
    pub(super) fn on_ping(&mut self, id: ConnectionId, payload: &[u8], now: Instant) {
        let Some(connection) = self.connections.get(id) else { return };
        if connection.postpone_pong(payload) {
            return;
        }
        let pong = frame::pong(payload);
        if !connection.is_member() {
            if let Err(reason) = connection.send(pong, self.live.config.outbox_bytes) {
                self.close_connection(id, reason, now);
            }
            return;
        }
        let room = connection.room;
        match self.rooms.get_mut(room) {
            Some(room) => room.send_to(id, &pong),
            None => self.fail_connection(id, ShardError::NoRoom, now),
        }
    }

    /// Decodes a long message on another thread. Its memory is accounted for until then, also when the connection has ended.
    fn decode_elsewhere(
        &self,
        id: ConnectionId,
        generation: Generation,
        text: LongText,
        accounted: Option<Arc<AccountedBytes>>,
    ) {
        let inbox = self.self_inbox.clone();
        let decoding = self.live.decoding.decode(generation, text);
        self.runtime.spawn(async move {
            let command = match decoding.await {
                Ok(Ok(decoded)) => ShardCommand::Decoded { id, decoded: Box::new(decoded) },
                Ok(Err(violation)) => ShardCommand::Failed { id, reason: CloseReason::Protocol(violation) },
                Err(DecodingPanicked) => ShardCommand::Failed { id, reason: CloseReason::INTERNAL },
            };
            drop(accounted);
            // A shard that has exited does not need the result.
            let _exited = inbox.post(command).await;
        });
    }

    pub(super) fn on_decoded_elsewhere(
        &mut self,
        id: ConnectionId,
        decoded: Result<Option<Message>, Notice>,
        now: Instant,
    ) {
        if self.on_decoded(id, decoded, now) == Progress::Finished {
            self.resume(id, now);
        }
    }

    fn on_decoded(&mut self, id: ConnectionId, decoded: Result<Option<Message>, Notice>, now: Instant) -> Progress {
        let Some(connection) = self.connections.member(id) else { return Progress::Finished };
        let (key, address, generation) = (connection.room, connection.address, connection.generation.current());
        let decoded = match decoded {
            Ok(Some(message)) => match self.take_image(key, id, address, generation, message) {
                Ok(None) => return Progress::Elsewhere,
                with_image => with_image,
            },
            decoded => decoded,
        };
        let Some(room) = self.rooms.get_mut(key) else {
            self.fail_connection(id, ShardError::NoRoom, now);
            return Progress::Finished;
        };
        match decoded {
            Ok(Some(message)) => {
                let name = room.name().clone();
                let mut sender =
                    Sender { connection: Some(id), address, room: name, context: SenderContext::default() };
                let submission = self.live.intake.submit(&self.chain, room, &mut sender, message);
                self.on_submission(key, MessageOrigin::Connection(sender, id), submission, now)
            }
            Ok(None) => Progress::Finished,
            Err(notice) => {
                room.notify(id, &notice, None, &self.live.wire);
                Progress::Finished
            }
        }
    }

    /// Handles a message sent without a connection.
    pub(super) fn on_submit(
        &mut self,
        key: RoomKey,
        mut sender: Sender,
        message: Message,
        reply: oneshot::Sender<Judged<Arc<JudgedMessage>>>,
        now: Instant,
    ) {
        let Some(room) = self.rooms.get_mut(key) else { return };
        let submission = self.live.intake.submit(&self.chain, room, &mut sender, message);
        self.on_submission(key, MessageOrigin::Call(sender, reply), submission, now);
    }

    /// Judges a message without side effects.
    pub(super) fn on_try(
        &mut self,
        key: RoomKey,
        mut sender: Sender,
        message: Message,
        reply: oneshot::Sender<Judged<Decision>>,
    ) {
        let Some(room) = self.rooms.get_mut(key) else { return };
        // The caller may have timed out.
        match self.live.intake.try_out(&self.chain, room, &mut sender, message) {
            Judgement::Ready(decision) => drop(reply.send(Ok(*decision))),
            Judgement::Pending(waiting) => {
                self.filter_runtime.spawn(async move { reply.send(finish(waiting, &sender).await) });
            }
        }
    }

    /// Handles a message that was judged elsewhere.
    pub(super) fn on_judged(&mut self, key: RoomKey, origin: MessageOrigin, decision: Decision, now: Instant) {
        let Some(room) = self.rooms.get_mut(key) else { return };
        let connection = origin.sender().connection;
        let submission = self.live.intake.deliver(room, origin.sender(), decision);
        let progress = self.on_submission(key, origin, submission, now);
        if let (Progress::Finished, Some(id)) = (progress, connection) {
            self.resume(id, now);
        }
    }

    /// Handles the result of submitting a message.
    fn on_submission(
        &mut self,
        room: RoomKey,
        origin: MessageOrigin,
        submission: Submission,
        now: Instant,
    ) -> Progress {
        match (submission, origin) {
            (Submission::Ready(judged), MessageOrigin::Connection(_, id)) => {
                self.notify_sender(room, id, &judged, now);
                Progress::Finished
            }
            (Submission::Ready(judged), MessageOrigin::Call(_, reply)) => {
                // The caller may have timed out.
                drop(reply.send(Ok(judged)));
                Progress::Finished
            }
            (Submission::Pending(waiting), origin) => {
                if let MessageOrigin::Connection(_, id) = origin
                    && let Some(connection) = self.connections.member(id)
                {
                    connection.wait();
                }
                let inbox = self.self_inbox.clone();
                self.filter_runtime.spawn(async move {
                    let command = match (finish(waiting, origin.sender()).await, origin) {
                        (Ok(decision), origin) => ShardCommand::Judged { room, origin, decision: Box::new(decision) },
                        // The connection must not wait forever.
                        (Err(JudgingPanicked), MessageOrigin::Connection(_, id)) => {
                            ShardCommand::Failed { id, reason: CloseReason::INTERNAL }
                        }
                        // The caller may have timed out.
                        (Err(panicked), MessageOrigin::Call(_, reply)) => return drop(reply.send(Err(panicked))),
                    };
                    // A shard that has exited does not need the result.
                    let _exited = inbox.post(command).await;
                });
                Progress::Elsewhere
            }
            (Submission::Claimed(claim), _) if claim.is_proven => {
                self.hand_over(room, *claim, now);
                Progress::Finished
            }
            (Submission::Claimed(claim), _) => {
                // The claimant may have left while its message was judged. Its claim ends with it.
                if let Some(connection) = self.connections.member(claim.claimant) {
                    connection.wait();
                    self.probe_owner(room, *claim, now);
                }
                Progress::Elsewhere
            }
        }
    }

    /// Continues with the bytes that a connection sent while its message was decoded or judged elsewhere.
    pub(super) fn resume(&mut self, id: ConnectionId, now: Instant) {
        let Some(connection) = self.connections.member(id) else { return };
        match connection.resume() {
            Some(backlog) => {
                self.process_bytes(id, &backlog, now);
                self.queue_read(id);
            }
            None => self.fail_connection(id, ShardError::NotWaiting, now),
        }
    }
}

/// Waits for the filters that answer later. Logs a panic.
async fn finish(pending: Box<PendingJudgement>, sender: &Sender) -> Judged<Decision> {
    AssertUnwindSafe(pending.finish(sender)).catch_unwind().await.map_err(|_| {
        tracing::error!(room = %sender.room, "judging a message panicked");
        JudgingPanicked
    })
}
