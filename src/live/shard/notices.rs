//! Notices to single connections about their messages.

use std::time::Instant;

use uuid::Uuid;

use super::Shard;
use super::inbox::ShardCommand;
use super::moderation::ModerationCommand;
use super::rooms::RoomKey;
use crate::model::{ConnectionId, JudgedMessage, Notice, SenderNotice};

impl Shard {
    /// Notifies the sender of a decision, if it is still connected.
    pub(super) fn notify_sender(&mut self, room: RoomKey, id: ConnectionId, judged: &JudgedMessage, now: Instant) {
        let message = Some(judged.decision.message.id);
        match judged.decision.sender_notice() {
            Ok(SenderNotice::Accepted) => {}
            Ok(SenderNotice::Rejected(reason)) => self.notify(room, id, &Notice::Refused(reason.clone()), message),
            Ok(SenderNotice::Held(reason)) => self.notify_held(room, id, Notice::Held(reason.clone()), message),
            Err(error) => self.fail_connection(id, error.into(), now),
        }
    }

    /// Notifies the sender of a held message, once the message is on disk if there is a store, and if
    /// it is still held then.
    fn notify_held(&mut self, room: RoomKey, id: ConnectionId, notice: Notice, message: Option<Uuid>) {
        let on_disk = message.and_then(|message| self.live.intake.held_on_disk(message));
        let Some(on_disk) = on_disk else { return self.notify(room, id, &notice, message) };
        let inbox = self.self_inbox.clone();
        self.runtime.spawn(async move {
            // Its sender has been told of anything else that has become of it.
            if !on_disk.await {
                return;
            }
            let command = ModerationCommand::Notify { id, notice, message };
            // A shard that has exited has closed the connection.
            let _exited = inbox.post(ShardCommand::Moderate(Box::new(command))).await;
        });
    }

    pub(super) fn notify(&mut self, room: RoomKey, id: ConnectionId, notice: &Notice, message: Option<Uuid>) {
        if let Some(room) = self.rooms.get_mut(room) {
            room.notify(id, notice, message, &self.live.wire);
        }
    }
}
