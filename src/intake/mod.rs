//! The path of one message, whatever its entrance: is the name the sender's own, what does the chain say, who hears it.

mod claim;

use std::sync::Arc;
use std::time::Duration;

use crate::filter::Chain;
use crate::model::{Code, Decision, Kind, Message, Outcome, Reason, Sender};
use crate::room::SharedRoom;
use crate::telemetry::Metrics;

/// The one place that every message goes through.
#[derive(Debug)]
pub struct Intake {
    chain: Chain,
    metrics: Arc<Metrics>,
    /// How long the holder of a nickname has to answer when its own address wants the name back.
    reclaim_timeout: Duration,
}

impl Intake {
    /// An intake that judges with `chain`.
    #[must_use]
    pub fn new(chain: Chain, metrics: Arc<Metrics>, reclaim_timeout: Duration) -> Self {
        Self { chain, metrics, reclaim_timeout }
    }

    /// Judges a message and, if it may be, lets the room hear it. Telling the sender is left to the caller, who knows
    /// the entrance it came by.
    ///
    /// # Cancel safety
    /// Dropping the future drops the message, unless the room has heard it already; half of the room never has.
    pub async fn accept(&self, room: &SharedRoom, sender: &Sender, message: Message) -> Decision {
        let mut decision = match claim::check(room, sender, &message) {
            Ok(()) => self.chain.judge(message, sender).await,
            Err(reason) => refused(message, reason),
        };
        let heard = match decision.outcome {
            Outcome::Pass | Outcome::Replace => self.publish(room, sender, &decision.message).await,
            Outcome::Shadow => {
                whisper(room, sender, &decision.message);
                Ok(())
            }
            Outcome::Hold | Outcome::Reject => Ok(()),
        };
        if let Err(reason) = heard {
            decision = Decision { trace: decision.trace, ..refused(decision.message, reason) };
        }
        self.metrics.count_message(decision.outcome, decision.by);
        if let Some(Reason { code, .. }) = &decision.reason {
            let (outcome, filter, reason) = (decision.outcome.as_str(), decision.by, code.as_str());
            tracing::debug!(room = %room.name(), outcome, filter, reason, "a message was not let through");
        }
        decision
    }

    /// Forgets what filters keep of senders that have gone quiet; see [`Chain::prune`].
    pub fn prune(&self) {
        self.chain.prune();
    }

    async fn publish(&self, room: &SharedRoom, sender: &Sender, message: &Message) -> Result<(), Reason> {
        match (&message.kind, sender.connection) {
            (Kind::Newcomer, Some(id)) => {
                claim::register(room, id, sender, &message.author, self.reclaim_timeout).await
            }
            (Kind::Newcomer, None) => Err(Reason::new(Code::Malformed, "only a connection can register a nickname")),
            (Kind::Text { .. } | Kind::Like { .. }, connection) => room.lock().publish(connection, message),
        }
    }
}

/// The sender sees the message come back; nobody else sees it.
fn whisper(room: &SharedRoom, sender: &Sender, message: &Message) {
    if let (Some(id), Kind::Text { .. }) = (sender.connection, &message.kind) {
        room.lock().whisper(id, message);
    }
}

fn refused(message: Message, reason: Reason) -> Decision {
    Decision {
        message,
        original: None,
        outcome: Outcome::Reject,
        reason: Some(reason),
        by: Some(claim::NAME),
        trace: Vec::new(),
    }
}
