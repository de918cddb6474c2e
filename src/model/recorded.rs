//! A decision, with what it takes to explain it later and to come to it again.

use super::{Decision, Sender};

/// A [`Decision`] and the sender as it was when the message came.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// What the chain made of the message.
    pub decision: Decision,
    /// Who sent it, with what the room knew of it then.
    pub sender: Sender,
}
