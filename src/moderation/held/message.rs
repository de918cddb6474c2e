//! A held message.

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::model::{Actor, JudgedMessage, Reason};
use crate::store::Record;

/// A held message.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct HeldMessage {
    /// The message, its sender and the decision to hold it.
    #[serde(flatten)]
    pub recorded: Arc<JudgedMessage>,
    /// Why it is held, for its sender.
    pub reason: Reason,
    /// The rule or plugin that holds it; `None` for a level.
    #[serde(rename = "cause")]
    pub held_by: Option<Actor>,
    /// When it was held.
    pub held_at: Timestamp,
    /// When it expires.
    #[serde(rename = "expires")]
    pub expires_at: Timestamp,
}

impl Record for HeldMessage {
    const TABLE: &'static str = "held";
    const NAME: &'static str = "held message";
    const VERSION: u32 = 2;
}

impl HeldMessage {
    /// Returns the id of the message.
    #[must_use]
    pub fn id(&self) -> Uuid {
        self.recorded.decision.message.id
    }

    pub(super) fn bytes(&self) -> usize {
        self.recorded.decision.message.size()
    }
}
