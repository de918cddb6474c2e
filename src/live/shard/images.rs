//! Images of connections: decoded and encoded again on threads of their own.

use std::borrow::Cow;
use std::sync::Arc;

use super::Shard;
use super::inbox::ShardCommand;
use super::rooms::RoomKey;
use crate::images::{ImageError, NormalImage, PoolFull};
use crate::model::{Address, ConnectionId, Content, Image, Message, MessageKind, Notice, PngInfo, Reason, ReasonCode};
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
        let is_new = matches!(message.content(), Some(Content::Image(Image { png: None, .. })));
        let refuses = |room: &mut Room| self.live.intake.refuses_sender(room, id, address, &message.author);
        // A message that is refused anyway is not worth the work.
        if !is_new || self.rooms.get_mut(key).is_some_and(refuses) {
            return Ok(Some(message));
        }
        let MessageKind::Content { content, .. } = &mut message.kind else { return Ok(Some(message)) };
        let Content::Image(Image { data, .. }) = Arc::make_mut(content) else { return Ok(Some(message)) };
        let Some(pool) = &self.live.images else {
            return Err(refusal(ReasonCode::BadContent, "this relay accepts no images at the moment"));
        };
        let answer = pool.submit(address, std::mem::take(data)).map_err(pool_full)?;
        if let Some(connection) = self.connections.member(id) {
            connection.wait();
        }
        let inbox = self.self_inbox.clone();
        self.runtime.spawn(async move {
            let command = match answer.await {
                Ok(Ok(image)) => ShardCommand::Decoded { id, decoded: Box::new(Ok(Some(with_image(message, image)))) },
                Ok(Err(error)) => ShardCommand::Decoded { id, decoded: Box::new(Err(refused(generation, &error))) },
                // The relay is shutting down.
                Err(_) => ShardCommand::Failed { id },
            };
            // A shard that has exited does not need the result.
            let _exited = inbox.post(command).await;
        });
        Ok(None)
    }
}

fn with_image(mut message: Message, image: NormalImage) -> Message {
    let NormalImage { data, width, height, digest } = image;
    if let MessageKind::Content { content, .. } = &mut message.kind {
        // Base64 has four characters for three bytes, and a `=` for each byte that is missing at the end.
        let bytes = data.len() / 4 * 3 - data.bytes().rev().take_while(|byte| *byte == b'=').count();
        let png = Some(PngInfo { width, height, bytes, digest });
        *content = Arc::new(Content::Image(Image { data, png }));
    }
    message
}

fn refused(generation: Generation, error: &ImageError) -> Notice {
    match generation {
        // The words of the former backend, which clients' tests compare.
        Generation::V3 => refusal(ReasonCode::BadContent, "Invalid or oversized image data."),
        Generation::V1 | Generation::V2 | Generation::Relay => {
            refusal(ReasonCode::BadContent, format!("`image_data`: {error}"))
        }
    }
}

fn refusal(code: ReasonCode, text: impl Into<Cow<'static, str>>) -> Notice {
    Notice::Refused(Reason::new(code, text))
}

fn pool_full(full: PoolFull) -> Notice {
    let text = match full {
        PoolFull::Sender => "too many of your images wait; try again in a moment",
        PoolFull::Queue => "too many images wait at the moment; try again later",
    };
    refusal(ReasonCode::RateLimited, text)
}
