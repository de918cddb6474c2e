//! A decision with the context needed to explain or replay it.

use serde::{Deserialize, Serialize};

use super::{Decision, Sender};

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
}
