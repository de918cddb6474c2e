//! A decision with the context needed to explain or replay it.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{Decision, Sender, TraceStep};

/// A [`Decision`] and its sender as known when the message arrived.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct JudgedMessage {
    /// The decision of the chain.
    pub decision: Decision,
    /// The sender, with the context at that time.
    pub sender: Sender,
    /// Size of what the client wrote, in bytes. 0 in files of version 0.1.
    #[serde(default)]
    pub size: usize,
}

impl JudgedMessage {
    /// Creates a record of a decision.
    #[must_use]
    pub fn new(decision: Decision, sender: Sender) -> Self {
        Self { size: decision.message.size(), decision, sender }
    }

    /// Memory that it takes, in bytes, without what it shares with others. An estimate.
    #[must_use]
    pub fn memory_bytes(&self) -> usize {
        let Decision { message, original, trace, .. } = &self.decision;
        let matches = trace.iter().filter_map(|step| step.matched.as_ref());
        let labels: usize = matches.map(|matched| matched.labels.len() * size_of::<Arc<str>>()).sum();
        size_of::<Self>()
            + message.size()
            + original.as_ref().map_or(0, String::len)
            + trace.len() * size_of::<TraceStep>()
            + labels
    }
}
