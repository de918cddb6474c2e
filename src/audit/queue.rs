//! The entries of the queue. Each one that is dropped before its line is added is counted as lost.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use tokio::sync::oneshot;

use super::ActLogError;
use super::shared::AuditShared;
use crate::model::{Act, JudgedMessage};

/// An entry of the queue.
#[derive(Debug)]
pub(super) enum QueueEntry {
    /// A decision.
    Decision(QueuedDecision),
    /// An act.
    Act(QueuedAct),
    /// The end of the queue.
    Close,
}

/// A line that is counted as lost when it is dropped before it is added.
#[derive(Debug)]
struct CountedLine {
    shared: Arc<AuditShared>,
    is_added: bool,
}

impl CountedLine {
    fn new(shared: &Arc<AuditShared>) -> Self {
        Self { shared: Arc::clone(shared), is_added: false }
    }
}

impl Drop for CountedLine {
    fn drop(&mut self) {
        if !self.is_added {
            self.shared.add_lost(1);
        }
    }
}

/// A decision in the queue.
#[derive(Debug)]
pub(super) struct QueuedDecision {
    judged: Arc<JudgedMessage>,
    /// Its estimated size, in bytes.
    bytes: usize,
    line: CountedLine,
}

impl QueuedDecision {
    /// Creates an entry of `bytes`, which count as queued until it is dropped.
    pub(super) fn new(judged: Arc<JudgedMessage>, bytes: usize, shared: &Arc<AuditShared>) -> Self {
        Self { judged, bytes, line: CountedLine::new(shared) }
    }

    /// Takes the decision, to add it to the log.
    pub(super) fn take(mut self) -> Arc<JudgedMessage> {
        self.line.is_added = true;
        Arc::clone(&self.judged)
    }
}

impl Drop for QueuedDecision {
    fn drop(&mut self) {
        self.line.shared.remove_queued(self.bytes);
    }
}

/// An act in the queue.
#[derive(Debug)]
pub(super) struct QueuedAct {
    act: Box<Act>,
    line: CountedLine,
    reply: ActReply,
}

impl QueuedAct {
    pub(super) fn new(act: &Act, reply: ActReply, shared: &Arc<AuditShared>) -> Self {
        Self { act: Box::new(act.clone()), line: CountedLine::new(shared), reply }
    }

    /// Takes the act, to add it to the log.
    pub(super) fn take(mut self) -> (Act, ActReply) {
        self.line.is_added = true;
        (*self.act, self.reply)
    }

    /// Drops it for this reason.
    pub(super) fn fail(mut self, error: ActLogError) {
        self.reply.fail(error);
    }
}

/// Who learns whether an act is on disk. An act whose reply is dropped may be missing from the log.
#[derive(Debug)]
pub(super) enum ActReply {
    /// A caller waits.
    Awaited(Option<oneshot::Sender<Result<(), ActLogError>>>),
    /// Nobody waits. An act that may be missing is counted and logged here.
    Detached(Option<Arc<AuditShared>>),
}

impl ActReply {
    /// The act is on disk.
    pub(super) fn confirm(mut self) {
        match &mut self {
            Self::Awaited(sender) => {
                if let Some(sender) = sender.take() {
                    // The caller may have timed out.
                    let _timed_out = sender.send(Ok(()));
                }
            }
            Self::Detached(shared) => *shared = None,
        }
    }

    fn fail(&mut self, error: ActLogError) {
        match self {
            Self::Awaited(sender) => {
                if let Some(sender) = sender.take() {
                    // The caller may have timed out.
                    let _timed_out = sender.send(Err(error));
                }
            }
            Self::Detached(shared) => {
                if let Some(shared) = shared.take() {
                    report_unlogged_act(&shared, error);
                }
            }
        }
    }
}

impl Drop for ActReply {
    fn drop(&mut self) {
        self.fail(ActLogError::NotWritten);
    }
}

/// Counts and logs an act that may be missing from the log.
pub(super) fn report_unlogged_act(shared: &AuditShared, error: ActLogError) {
    shared.stats.unlogged_acts.fetch_add(1, Relaxed);
    tracing::warn!("audit log: an act of moderation may be missing: {error}");
}
