//! The parts of decisions that are kept in memory.

use std::sync::Arc;

use crate::model::{Decision, Message, MessageKind, Outcome};

/// Longest text, author or avatar kept of a rejected message, in bytes.
const MAX_REFUSED: usize = 4_096;

/// Whether a message was refused before its rate was charged, so that its sender could go on for nothing.
pub(super) fn is_free(decision: &Decision) -> bool {
    let is_before_rate = matches!(decision.decided_by, Some("identity" | "sanction" | "shape" | "rate"));
    decision.outcome == Outcome::Reject && is_before_rate
}

/// Drops what may be megabytes: the journal could not keep ten thousand images in memory.
pub(super) fn drop_payload(message: &mut Message) {
    if let MessageKind::Content { content, .. } = &mut message.kind
        && let Some(record) = content.without_payload()
    {
        *content = Arc::new(record);
    }
}

/// Truncates a rejected message. Oversized messages are rejected before any rate limit counts them, and the journal
/// could not keep ten thousand of them in memory.
pub(super) fn truncate_refused(decision: &mut Decision) {
    if decision.outcome != Outcome::Reject {
        return;
    }
    let message = &mut decision.message;
    truncate(&mut message.author);
    match &mut message.kind {
        MessageKind::Text { avatar, text } => {
            truncate(text);
            avatar.iter_mut().for_each(truncate);
        }
        MessageKind::Like { liked, text } => {
            truncate(text);
            truncate(liked);
        }
        MessageKind::Newcomer => {}
        MessageKind::Content { avatar, content } => {
            Arc::make_mut(content).texts_mut(&mut truncate);
            avatar.iter_mut().for_each(truncate);
        }
    }
    decision.original.iter_mut().for_each(truncate);
}

fn truncate(text: &mut String) {
    if text.len() > MAX_REFUSED {
        text.truncate(text.floor_char_boundary(MAX_REFUSED));
        text.shrink_to_fit();
    }
}
