//! Decoding of long messages, beside the shards.

use std::sync::Arc;
use std::thread;

use tokio::sync::Semaphore;

use crate::model::{Message, Notice};
use crate::wire::frame::{LongText, Violation};
use crate::wire::{self, Generation};

/// The priority of the threads that decode, below that of shards.
const NICENESS: i32 = 10;

/// Decodes long messages on threads of low priority, as many at once as there are processors; others wait in their order.
#[derive(Debug)]
pub(super) struct LongDecoding(Arc<Semaphore>);

impl Default for LongDecoding {
    fn default() -> Self {
        let at_once = thread::available_parallelism().map_or(1, usize::from);
        Self(Arc::new(Semaphore::new(at_once)))
    }
}

/// A message, or the notice for its sender; an error if it was not text.
pub(super) type Decoded = Result<Result<Option<Message>, Notice>, Violation>;

/// Decoding a message panicked.
#[derive(Debug)]
pub(super) struct DecodingPanicked;

impl LongDecoding {
    /// Decodes a message. The result is that of [`wire::decode_message`], or the [`Violation`] that ends the connection.
    ///
    /// # Errors
    /// [`DecodingPanicked`], which is logged.
    pub(super) fn decode(
        &self,
        generation: Generation,
        text: LongText,
    ) -> impl Future<Output = Result<Decoded, DecodingPanicked>> + Send + use<> {
        let turns = Arc::clone(&self.0);
        async move {
            // The semaphore is never closed.
            let turn = turns.acquire_owned().await;
            let decoding = tokio::task::spawn_blocking(move || {
                let _turn = turn;
                lower_priority();
                let text = text.into_text().map_err(|_| Violation::Utf8)?;
                Ok(wire::decode_message(generation, &text))
            });
            decoding.await.map_err(|error| {
                tracing::error!(%error, "decoding a message panicked");
                DecodingPanicked
            })
        }
    }
}

/// Lowers the priority of the calling thread, if that is possible. Later blocking work on the thread, such as rules on long texts
/// and reloads, has a low priority as well.
#[cfg(target_os = "linux")]
fn lower_priority() {
    // On Linux, priorities belong to threads, and `None` stands for the calling thread. If the system forbids it, messages
    // are decoded at normal priority.
    let _ignored = rustix::process::setpriority_process(None, NICENESS);
}

#[cfg(not(target_os = "linux"))]
fn lower_priority() {}
