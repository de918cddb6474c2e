//! Images of connections, which wait for the image threads.

use super::Shard;
use super::closing::CloseReason;
use super::inbox::ShardCommand;
use super::rooms::RoomKey;
use crate::live::images::has_new_image;
use crate::model::{Address, ConnectionId, Message, Notice};
use crate::room::Room;
use crate::wire::Generation;

impl Shard {
    /// Has the image of a message encoded again, which continues as [`ShardCommand::Decoded`]. Returns the message if it
    /// has no image, or one that the relay has encoded.
    ///
    /// # Errors
    /// The [`Notice`] for the sender when too many images wait.
    pub(super) fn take_image(
        &mut self,
        key: RoomKey,
        id: ConnectionId,
        address: Address,
        generation: Generation,
        mut message: Message,
    ) -> Result<Option<Message>, Notice> {
        let refuses = |room: &mut Room| self.live.intake.refuses_sender(room, id, address, &message.author);
        // A message that is refused anyway is not worth the work.
        if !has_new_image(&message) || self.rooms.get_mut(key).is_some_and(refuses) {
            return Ok(Some(message));
        }
        let Some(pending) = self.live.submit_image(address, generation, &mut message)? else {
            return Ok(Some(message));
        };
        if let Some(connection) = self.connections.member(id) {
            connection.wait();
        }
        let inbox = self.self_inbox.clone();
        self.runtime.spawn(async move {
            let command = match pending.finish(message).await {
                Ok(decoded) => ShardCommand::Decoded { id, decoded: Box::new(decoded.map(Some)) },
                // The relay is shutting down.
                Err(_) => ShardCommand::Failed { id, reason: CloseReason::INTERNAL },
            };
            // A shard that has exited does not need the result.
            let _exited = inbox.post(command).await;
        });
        Ok(None)
    }
}
