//! What connections and calls say: from bytes to the intake, and the answer back to who said it.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Instant;

use futures_util::FutureExt as _;
use tokio::sync::oneshot;

use super::Shard;
use super::ending::End;
use super::inbox::{Command, Origin};
use super::rooms::RoomKey;
use crate::filter::Judgement;
use crate::intake::Taken;
use crate::model::{Decision, Facts, Message, Notice, Outcome, Recorded, Sender, SenderId};
use crate::wire;
use crate::wire::frame::{self, Incoming};

/// Messages above this size are decoded on a thread where that may take its time.
const LONG_MESSAGE: usize = 64 * 1024;

impl Shard {
    /// Takes in what a connection has sent, message by message.
    pub(super) fn take_bytes(&mut self, id: SenderId, mut bytes: &[u8], now: Instant) {
        let live = Arc::clone(&self.live);
        loop {
            let Some(connection) = self.connection(id) else { return };
            if connection.is_leaving() {
                // What a client says once it is taking its leave is read, so that it can be gone in peace.
                return;
            }
            if let Some(waiting) = &mut connection.pending {
                waiting.bytes.extend_from_slice(bytes);
                return;
            }
            let taken = match connection.decode(&mut bytes, live.config.max_frame_bytes, now) {
                Ok(Some(incoming)) => self.on_incoming(id, incoming, now),
                Ok(None) => {
                    let accounted = connection.account(&live);
                    let deadline = connection.midway_deadline(&live.config);
                    if let Some(deadline) = deadline.filter(|deadline| *deadline < connection.look_at) {
                        self.look_at(id, deadline, now);
                    }
                    match accounted {
                        Ok(()) => return,
                        Err(end) => Err(end),
                    }
                }
                Err(end) => Err(end),
            };
            if let Err(end) = taken {
                return self.end(id, end, now);
            }
        }
    }

    fn on_incoming(&mut self, id: SenderId, incoming: Incoming, now: Instant) -> Result<(), End> {
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
            Incoming::Close(code) => Err(End::Asked(code)),
        }
    }

    /// The answer takes its turn behind what the room has said: a client that has its pong has heard all of that.
    fn on_ping(&mut self, id: SenderId, payload: &[u8]) {
        let Some(room) = self.connection(id).map(|connection| connection.room) else { return };
        if let Some(local) = self.rooms.get_mut(&room) {
            local.room.address(id, &frame::pong(payload));
            self.stir(room);
        }
    }

    fn on_text(&mut self, id: SenderId, text: String, now: Instant) {
        let Some(connection) = self.connection(id) else { return };
        let generation = connection.generation;
        if text.len() <= LONG_MESSAGE {
            return self.on_decoded(id, wire::decode(generation, &text), now);
        }
        connection.pending = Some(Box::default());
        let me = self.me.clone();
        self.runtime.spawn(async move {
            let decoding = tokio::task::spawn_blocking(move || wire::decode(generation, &text));
            let command = match decoding.await {
                Ok(decoded) => Command::Decoded { id, decoded: Box::new(decoded) },
                Err(fault) => {
                    tracing::error!(%fault, "a message could not be decoded");
                    Command::Lost { id }
                }
            };
            // A shard that has ended has no use for it.
            let _ended = me.post(command).await;
        });
    }

    pub(super) fn on_decoded_elsewhere(&mut self, id: SenderId, decoded: Result<Message, Notice>, now: Instant) {
        self.on_decoded(id, decoded, now);
        self.resume_unless_waiting(id, now);
    }

    fn on_decoded(&mut self, id: SenderId, decoded: Result<Message, Notice>, now: Instant) {
        // Who has left its room meanwhile says nothing there any more.
        let Some(connection) = self.connection(id).filter(|connection| !connection.is_leaving()) else { return };
        let (room, address) = (connection.room, connection.address);
        match decoded {
            Ok(message) => {
                let Some(local) = self.rooms.get_mut(&room) else { return };
                let room_name = local.room.name().clone();
                let mut sender = Sender { connection: Some(id), address, room: room_name, facts: Facts::default() };
                let taken = self.live.intake.accept(&self.chain, &mut local.room, &mut sender, message);
                self.on_taken(room, Origin::Connection(sender, id), taken, now);
            }
            Err(notice) => self.notify(room, id, &notice),
        }
    }

    /// A message that came without a connection.
    pub(super) fn on_call(
        &mut self,
        room: RoomKey,
        mut sender: Sender,
        message: Message,
        reply: oneshot::Sender<Arc<Recorded>>,
        now: Instant,
    ) {
        let Some(local) = self.rooms.get_mut(&room) else { return };
        let taken = self.live.intake.accept(&self.chain, &mut local.room, &mut sender, message);
        self.on_taken(room, Origin::Call(sender, reply), taken, now);
    }

    /// A message that is only to be judged.
    pub(super) fn on_trial(
        &mut self,
        room: RoomKey,
        mut sender: Sender,
        message: Message,
        reply: oneshot::Sender<Decision>,
    ) {
        let Some(local) = self.rooms.get_mut(&room) else { return };
        // Who asked may have lost patience.
        match self.live.intake.try_out(&self.chain, &mut local.room, &mut sender, message) {
            Judgement::Decided(decision) => drop(reply.send(*decision)),
            Judgement::Waiting(waiting) => {
                self.judging.spawn(async move { reply.send(waiting.finish(&sender).await) });
            }
        }
    }

    /// A message that a filter has answered elsewhere.
    pub(super) fn on_judged(&mut self, room: RoomKey, origin: Origin, decision: Decision, now: Instant) {
        let Some(local) = self.rooms.get_mut(&room) else { return };
        let taken = self.live.intake.publish(&mut local.room, origin.sender(), decision);
        let connection = match &origin {
            Origin::Connection(_, id) => Some(*id),
            Origin::Call(..) => None,
        };
        if let Some(connection) = connection.and_then(|id| self.connection(id)) {
            connection.note_answer();
        }
        self.on_taken(room, origin, taken, now);
        if let Some(id) = connection {
            self.resume_unless_waiting(id, now);
        }
    }

    /// Goes on with what the intake made of a message.
    pub(super) fn on_taken(&mut self, room: RoomKey, origin: Origin, taken: Taken, now: Instant) {
        self.stir(room);
        match taken {
            Taken::Decided(recorded) => self.answer(room, origin, recorded),
            Taken::Waiting(waiting) => {
                self.suspend(&origin);
                let me = self.me.clone();
                self.judging.spawn(async move {
                    let judging = AssertUnwindSafe(waiting.finish(origin.sender())).catch_unwind().await;
                    let command = match (judging, &origin) {
                        (Ok(decision), _) => Command::Judged { room, origin, decision: Box::new(decision) },
                        // A filter has panicked. Who waits for it must not wait for ever.
                        (Err(_), Origin::Connection(_, id)) => Command::Lost { id: *id },
                        (Err(_), Origin::Call(..)) => return,
                    };
                    // A shard that has ended has no use for it.
                    let _ended = me.post(command).await;
                });
            }
            Taken::Claimed(claim) => {
                self.suspend(&origin);
                self.claim(room, origin, *claim, now);
            }
        }
    }

    /// Tells the one who said something what became of it.
    fn answer(&mut self, room: RoomKey, origin: Origin, recorded: Arc<Recorded>) {
        match origin {
            Origin::Connection(_, id) => {
                let Decision { outcome, reason: Some(reason), .. } = &recorded.decision else { return };
                match outcome {
                    Outcome::Reject => self.notify(room, id, &Notice::Refused(reason.clone())),
                    Outcome::Hold => self.notify(room, id, &Notice::Held(reason.clone())),
                    Outcome::Pass | Outcome::Replace | Outcome::Shadow => {}
                }
            }
            // Who called may have lost patience.
            Origin::Call(_, reply) => drop(reply.send(recorded)),
        }
    }

    pub(super) fn notify(&mut self, room: RoomKey, id: SenderId, notice: &Notice) {
        if let Some(local) = self.rooms.get_mut(&room) {
            local.room.notify(id, notice, &self.live.wire);
            self.stir(room);
        }
    }

    /// Keeps what a connection says next until its message has come back.
    fn suspend(&mut self, origin: &Origin) {
        if let Origin::Connection(_, id) = origin
            && let Some(connection) = self.connection(*id)
        {
            connection.pending.get_or_insert_default().judging = true;
        }
    }

    /// Goes on with a connection whose message has come back.
    pub(super) fn resume_unless_waiting(&mut self, id: SenderId, now: Instant) {
        let Some(connection) = self.connection(id) else { return };
        let Some(waiting) = connection.pending.take_if(|waiting| !waiting.judging) else { return };
        self.take_bytes(id, &waiting.bytes, now);
        self.queue(id);
    }
}
