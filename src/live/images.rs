//! Images in messages: decoded and encoded again on threads of their own.

use std::borrow::Cow;
use std::sync::Arc;

use tokio::sync::oneshot;

use super::Live;
use crate::images::{ImageError, NormalImage, PoolFull};
use crate::model::{Address, Content, Image, Message, MessageKind, Notice, PngInfo, Reason, ReasonCode};
use crate::wire::Generation;

/// The image of a message, on its way through the image threads.
#[derive(Debug)]
pub(super) struct PendingImage {
    answer: oneshot::Receiver<Result<NormalImage, ImageError>>,
    generation: Generation,
}

/// The relay is shutting down.
#[derive(Debug, thiserror::Error)]
#[error("the image threads have ended")]
pub(super) struct ImageThreadsEnded;

impl Live {
    /// Returns a message with its image encoded again. Any other message is returned as it is.
    ///
    /// # Errors
    /// The [`Notice`] for the sender, in the words of `generation`.
    ///
    /// # Cancel safety
    /// Dropping the future drops the message.
    pub async fn with_image_encoded(
        &self,
        address: Address,
        generation: Generation,
        mut message: Message,
    ) -> Result<Message, Notice> {
        let Some(pending) = self.submit_image(address, generation, &mut message)? else { return Ok(message) };
        pending.finish(message).await.unwrap_or_else(|ImageThreadsEnded| Err(no_images()))
    }

    /// Takes the image out of a message and queues it, unless the message has no image, or one that the relay has
    /// encoded.
    ///
    /// # Errors
    /// The [`Notice`] for the sender if too many images wait.
    pub(super) fn submit_image(
        &self,
        address: Address,
        generation: Generation,
        message: &mut Message,
    ) -> Result<Option<PendingImage>, Notice> {
        if !has_new_image(message) {
            return Ok(None);
        }
        let MessageKind::Content { content, .. } = &mut message.kind else { return Ok(None) };
        let Content::Image(Image { data, .. }) = Arc::make_mut(content) else { return Ok(None) };
        let pool = self.images.as_ref().ok_or_else(no_images)?;
        let answer = pool.submit(address.site(), std::mem::take(data)).map_err(pool_full)?;
        Ok(Some(PendingImage { answer, generation }))
    }
}

/// Whether a message has an image that the relay has not encoded.
pub(super) fn has_new_image(message: &Message) -> bool {
    matches!(message.content(), Some(Content::Image(Image { png: None, .. })))
}

impl PendingImage {
    /// Waits for the image, and returns the message with it, or the [`Notice`] for its sender.
    pub(super) async fn finish(self, message: Message) -> Result<Result<Message, Notice>, ImageThreadsEnded> {
        let Self { answer, generation } = self;
        let answer = answer.await.map_err(|_| ImageThreadsEnded)?;
        Ok(answer.map(|image| with_image(message, image)).map_err(|error| refused(generation, &error)))
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
    if matches!(error, ImageError::Displaced) {
        return pool_full(PoolFull::Queue);
    }
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

fn no_images() -> Notice {
    refusal(ReasonCode::BadContent, "this relay accepts no images at the moment")
}

fn pool_full(full: PoolFull) -> Notice {
    let text = match full {
        PoolFull::Sender => "too many of your images wait; try again in a moment",
        PoolFull::Queue => "too many images wait at the moment; try again later",
    };
    refusal(ReasonCode::RateLimited, text)
}
