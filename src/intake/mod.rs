//! The path of one message, from a WebSocket or a `PUT`: check the author's name, run the chain, deliver the message.
//!
//! No I/O and no waiting: pending work is returned to the caller, which comes back with the result.

mod claim;

use std::sync::Arc;

use jiff::Timestamp;
use uuid::Uuid;

pub use claim::NicknameClaim;

use self::claim::Registration;
use crate::filter::breakers::{Breakers, TrippedBreaker};
use crate::filter::{Chain, ClockReading, FilterStats, Judgement, PendingJudgement, Purpose};
use crate::model::{
    ActKind, Actor, Address, ConnectionId, Decision, JudgedMessage, Message, MessageKind, Outcome, Reason, ReasonCode,
    RoomName, Sender, SenderContext,
};
use crate::moderation::{Moderation, Origin};
use crate::room::{Room, in_use_reason};
use crate::settings::Swap;
use crate::telemetry::Metrics;

/// The single path for all messages.
#[derive(Debug)]
pub struct Intake {
    /// The chain that shards copy when they start. They judge with their own copies, so choosing the chain takes no lock.
    chain: Swap<Chain>,
    breakers: Option<Arc<Breakers>>,
    moderation: Arc<Moderation>,
    metrics: Arc<Metrics>,
}

/// The result of submitting a message.
#[derive(Debug)]
pub enum Submission {
    /// Decided, and delivered to its audience. Notifying the sender is left to the caller.
    Ready(Arc<JudgedMessage>),
    /// A filter answers later. Await [`PendingJudgement::finish`], then call [`Intake::deliver`].
    Pending(Box<PendingJudgement>),
    /// The message registers a nickname that belongs to another connection. Probe the owner, or close it if the nickname
    /// is proven, then call [`Intake::resolve_claim`].
    Claimed(Box<NicknameClaim>),
}

impl Intake {
    /// Creates an intake. `chain` is the chain that shards copy when they start.
    #[must_use]
    pub fn new(chain: Chain, moderation: Arc<Moderation>, metrics: Arc<Metrics>) -> Self {
        Self { chain: Swap::new(chain), breakers: None, moderation, metrics }
    }

    /// Adds circuit breakers for recent changes.
    #[must_use]
    pub fn with_breakers(self, breakers: Arc<Breakers>) -> Self {
        Self { breakers: Some(breakers), ..self }
    }

    /// Returns the chain that shards copy when they start.
    #[must_use]
    pub fn chain(&self) -> Chain {
        (*self.chain.get()).clone()
    }

    /// Replaces the chain that shards copy when they start. Running shards must be given the new one as well.
    pub fn set_chain(&self, chain: Chain) {
        self.chain.set(chain);
    }

    /// Judges a message with `chain`, and delivers it unless something is pending. Sets the [`SenderContext`] of `sender`.
    pub fn submit(&self, chain: &Chain, room: &mut Room, sender: &mut Sender, mut message: Message) -> Submission {
        // Clients of v3 choose the ID, but each is used once.
        if room.knows(message.id) {
            message.id = Uuid::new_v4();
        }
        sender.context = self.sender_context(chain, room, sender, &message);
        if let Err(reason) = claim::check_author(room, sender, &message) {
            return Submission::Ready(self.finish(room, sender, rejection(message, reason)));
        }
        match chain.judge(message, sender, Purpose::Judge) {
            Judgement::Ready(decision) => self.deliver(room, sender, *decision),
            Judgement::Pending(pending) => Submission::Pending(pending),
        }
    }

    /// Whether a message of this connection is refused whatever it holds: its author's name belongs to somebody else, or it
    /// is muted or banned. Asked before work is done for the message.
    pub fn refuses_sender(&self, room: &mut Room, id: ConnectionId, address: Address, author: &str) -> bool {
        if room.check_author(Some(id), author).is_err() {
            return true;
        }
        let is_trusted = room.sender_context(Some(id), author, false).trusted;
        let sanctions = self.moderation.state().sanctions();
        let origin = Origin { address, connection: Some(id) };
        !is_trusted && sanctions.strongest(room.name(), author, origin, self.moderation.now()).is_some()
    }

    /// Judges a message without side effects: it is not delivered, nothing is counted, and nickname ownership is not
    /// checked. Sets the [`SenderContext`] of `sender`.
    pub fn try_out(&self, chain: &Chain, room: &mut Room, sender: &mut Sender, message: Message) -> Judgement {
        sender.context = self.sender_context(chain, room, sender, &message);
        chain.judge(message, sender, Purpose::Try)
    }

    /// Returns the statistics of each filter; see [`Chain::stats`].
    #[must_use]
    pub fn stats(&self) -> Vec<FilterStats> {
        self.chain.get().stats()
    }

    /// See [`Moderation::held_on_disk`].
    pub fn held_on_disk(&self, message: Uuid) -> Option<impl Future<Output = bool> + Send + 'static> {
        self.moderation.held_on_disk(message)
    }

    /// Whether this address is banned from this room.
    #[must_use]
    pub fn is_banned(&self, room: &RoomName, address: Address) -> bool {
        self.moderation.state().sanctions().address_ban(room, address, self.moderation.now()).is_some()
    }

    /// Delivers the message to its audience, as the chain decided.
    pub fn deliver(&self, room: &mut Room, sender: &Sender, decision: Decision) -> Submission {
        if let Some(breakers) = &self.breakers {
            for TrippedBreaker { actor: cause, reason: why } in breakers.record(&decision, sender) {
                let act = ActKind::BreakerTripped { actor: cause, reason: why };
                self.moderation.record_detached(Actor::Relay, None, act);
            }
        }
        let message = &decision.message;
        let published = match (decision.outcome, &message.kind, sender.connection) {
            (Outcome::Reject, ..) => Ok(()),
            (Outcome::Hold, MessageKind::Newcomer, _) => Err(Reason::new(
                ReasonCode::HoldUnavailable,
                "this nickname would need a moderator's approval, which is not possible for nicknames; choose another one",
            )),
            (Outcome::Hold, MessageKind::Text { .. } | MessageKind::Like { .. } | MessageKind::Content { .. }, _) => {
                room.remember_id(message.id);
                self.moderation.hold(&JudgedMessage::new(decision.clone(), sender.clone()))
            }
            (Outcome::Shadow, kind, connection) => {
                // The sender sees its message come back; nobody else does.
                if let (MessageKind::Text { .. } | MessageKind::Content { .. }, Some(id)) = (kind, connection) {
                    room.echo(id, message);
                }
                Ok(())
            }
            (_, MessageKind::Newcomer, Some(id)) => match claim::register(room, id, sender, &message.author) {
                Ok(Registration::Registered) => Ok(()),
                Ok(Registration::OwnedBy { owner, nickname, is_proven }) => {
                    let sender = sender.clone();
                    let claim = NicknameClaim { claimant: id, owner, is_proven, nickname, sender, decision };
                    return Submission::Claimed(Box::new(claim));
                }
                Err(reason) => Err(reason),
            },
            (_, MessageKind::Newcomer, None) => {
                Err(Reason::new(ReasonCode::Malformed, "only a connection can register a nickname"))
            }
            (_, MessageKind::Text { .. } | MessageKind::Like { .. } | MessageKind::Content { .. }, connection) => {
                if claim::has_proven(sender) {
                    room.publish_proven(message);
                    Ok(())
                } else {
                    room.publish(connection, message)
                }
            }
        };
        let decision = match published {
            Ok(()) => decision,
            // The filter remains the one that decided.
            Err(reason) if decision.outcome == Outcome::Hold => {
                Decision { outcome: Outcome::Reject, reason: Some(reason), ..decision }
            }
            Err(reason) => rejected(decision, reason),
        };
        Submission::Ready(self.finish(room, sender, decision))
    }

    /// Resolves a claim after the owner was probed: registers the nickname if it is free by now. An owner that did not
    /// respond must have left the room before.
    pub fn resolve_claim(&self, room: &mut Room, claim: NicknameClaim) -> Arc<JudgedMessage> {
        let NicknameClaim { claimant, nickname, sender, decision, .. } = claim;
        // The names that are kept may have changed while the owner was probed.
        let registered = match room.check_registration(Some(claimant), nickname.as_str()) {
            Ok(()) => room.register(claimant, &nickname).map_err(|_in_use| in_use_reason()),
            Err(reason) => Err(reason),
        };
        let decision = match registered {
            Ok(()) => decision,
            Err(reason) => rejected(decision, reason),
        };
        self.finish(room, &sender, decision)
    }

    /// Drops filter state of inactive senders; see [`Chain::prune`].
    pub fn prune(&self) {
        let now = ClockReading { at: Timestamp::now(), since_start: self.moderation.since_start() };
        self.chain.get().prune(now);
        if let Some(breakers) = &self.breakers {
            breakers.prune(now.at);
        }
    }

    /// Returns the context of a message.
    fn sender_context(&self, chain: &Chain, room: &mut Room, sender: &Sender, message: &Message) -> SenderContext {
        let context = room.sender_context(sender.connection, &message.author, chain.reads_nicknames());
        let quotes = room.quotes_recent(message);
        // A sender without a connection shows its token with each message.
        let trusted = context.trusted || sender.context.trusted;
        SenderContext { since_start: self.moderation.since_start(), trusted, quotes, ..context }
    }

    fn finish(&self, room: &mut Room, sender: &Sender, decision: Decision) -> Arc<JudgedMessage> {
        self.metrics.count_message(decision.outcome, decision.decided_by);
        let was_accepted = matches!(decision.outcome, Outcome::Pass | Outcome::Replace);
        // A registration is not counted as a message.
        if !(was_accepted && matches!(decision.message.kind, MessageKind::Newcomer)) {
            room.count_message(sender.connection, was_accepted);
        }
        if let Some(Reason { code, .. }) = &decision.reason {
            let (outcome, filter, reason) = (decision.outcome.as_str(), decision.decided_by, code.as_str());
            tracing::debug!(room = %room.name(), outcome, filter, reason, "message not accepted");
        }
        self.moderation.on_decision(JudgedMessage::new(decision, sender.clone()))
    }
}

/// Rejects a message that passed the chain.
fn rejected(decision: Decision, reason: Reason) -> Decision {
    let Decision { message, original, trace, .. } = decision;
    Decision { original, trace, ..rejection(message, reason) }
}

/// Rejects a message before the chain.
fn rejection(message: Message, reason: Reason) -> Decision {
    Decision {
        message,
        original: None,
        outcome: Outcome::Reject,
        reason: Some(reason),
        decided_by: Some(claim::FILTER_NAME),
        trace: Vec::new(),
    }
}

#[cfg(test)]
mod tests;
