//! The path of one message, whatever its entrance: is the name the sender's own, what does the chain say, who hears it.
//!
//! No I/O and no waiting: where something takes time, the caller is told so and comes back with the answer.

mod claim;

use std::sync::Arc;

use jiff::Timestamp;

pub use claim::Claim;

use crate::filter::brakes::{Brakes, Pulled};
use crate::filter::{Chain, FilterFigures, Judgement, Now, Purpose, Waiting};
use crate::model::{Address, Cause, Code, Decision, Facts, Kind, Message, Outcome, Reason, Recorded, RoomName, Sender};
use crate::moderation::{Desk, What};
use crate::room::Room;
use crate::settings::Swap;
use crate::telemetry::Metrics;

/// The one place that every message goes through.
#[derive(Debug)]
pub struct Intake {
    /// The chain for messages to come. Each shard has a copy of its own, so that judging takes no lock.
    chain: Swap<Chain>,
    brakes: Option<Brakes>,
    desk: Arc<Desk>,
    metrics: Arc<Metrics>,
}

/// What became of a message.
#[derive(Debug)]
pub enum Taken {
    /// It is decided, and heard by those who are to hear it. Telling the sender is left to the caller, who knows the
    /// entrance it came by.
    Decided(Arc<Recorded>),
    /// A filter answers later: see [`Waiting::finish`], then [`Intake::publish`].
    Waiting(Box<Waiting>),
    /// The nickname that it registers belongs to a connection of the same address: that one is to be asked for a sign
    /// of life, then see [`Intake::settle`].
    Claimed(Box<Claim>),
}

impl Intake {
    /// An intake that judges with `chain` and brings what was decided to `desk`.
    #[must_use]
    pub fn new(chain: Chain, desk: Arc<Desk>, metrics: Arc<Metrics>) -> Self {
        Self { chain: Swap::new(chain), brakes: None, desk, metrics }
    }

    /// The same, with brakes for what is new in the chain.
    #[must_use]
    pub fn with_brakes(self, brakes: Brakes) -> Self {
        Self { brakes: Some(brakes), ..self }
    }

    /// The chain for messages to come.
    #[must_use]
    pub fn chain(&self) -> Chain {
        (*self.chain.get()).clone()
    }

    /// Puts another chain in the place of that one. The shards need to be given it, too.
    pub fn set_chain(&self, chain: Chain) {
        self.chain.set(chain);
    }

    /// Judges a message by `chain` and, if it may be, lets the room hear it.
    ///
    /// The room's [`Facts`] of the sender are put into `sender`.
    pub fn accept(&self, chain: &Chain, room: &mut Room, sender: &mut Sender, message: Message) -> Taken {
        sender.facts = self.facts(chain, room, sender, &message.author);
        if let Err(reason) = claim::check(room, sender, &message) {
            return self.decided(room, sender, refused(message, reason));
        }
        match chain.judge(message, sender, Purpose::Judge) {
            Judgement::Decided(decision) => self.publish(room, sender, *decision),
            Judgement::Waiting(waiting) => Taken::Waiting(waiting),
        }
    }

    /// Judges a message without any effect: nobody hears it, nothing is counted, and whose name it is sent under is not
    /// asked. The room's [`Facts`] of the sender are put into `sender`.
    pub fn try_out(&self, chain: &Chain, room: &mut Room, sender: &mut Sender, message: Message) -> Judgement {
        sender.facts = self.facts(chain, room, sender, &message.author);
        chain.judge(message, sender, Purpose::Try)
    }

    /// What each filter has done so far; see [`Chain::figures`].
    #[must_use]
    pub fn figures(&self) -> Vec<FilterFigures> {
        self.chain.get().figures()
    }

    /// Whether this address may not come into this room.
    #[must_use]
    pub fn bans(&self, room: &RoomName, address: Address) -> bool {
        self.desk.state().sanctions().bans(room, address, Timestamp::now()).is_some()
    }

    /// Lets those hear a message who are to hear it, by what the chain has decided.
    pub fn publish(&self, room: &mut Room, sender: &Sender, decision: Decision) -> Taken {
        if let Some(brakes) = &self.brakes {
            for Pulled { cause, why } in brakes.note(&decision, sender) {
                self.desk.write_down_soon(Cause::Relay, What::Braked { cause, why });
            }
        }
        let message = &decision.message;
        let heard = match (decision.outcome, &message.kind, sender.connection) {
            (Outcome::Reject, ..) => Ok(()),
            (Outcome::Hold, Kind::Newcomer, _) => {
                Err(Reason::new(Code::HoldUnavailable, "a moderator would have to look at this name, and none can now"))
            }
            (Outcome::Hold, Kind::Text { .. } | Kind::Like { .. }, _) => {
                self.desk.hold(&Recorded { decision: decision.clone(), sender: sender.clone() })
            }
            (Outcome::Shadow, kind, connection) => {
                // The sender sees the message come back; nobody else sees it.
                if let (Kind::Text { .. }, Some(id)) = (kind, connection) {
                    room.whisper(id, message);
                }
                Ok(())
            }
            (_, Kind::Newcomer, Some(id)) => match claim::register(room, id, sender, &message.author) {
                Ok(None) => Ok(()),
                Ok(Some(holder)) => return Taken::Claimed(Box::new(Claim { claimant: id, holder, decision })),
                Err(reason) => Err(reason),
            },
            (_, Kind::Newcomer, None) => Err(Reason::new(Code::Malformed, "only a connection can register a nickname")),
            (_, Kind::Text { .. } | Kind::Like { .. }, connection) => room.publish(connection, message),
        };
        let decision = match heard {
            Ok(()) => decision,
            // It is still the filter's doing.
            Err(reason) if decision.outcome == Outcome::Hold => {
                Decision { outcome: Outcome::Reject, reason: Some(reason), ..decision }
            }
            Err(reason) => Decision { trace: decision.trace, ..refused(decision.message, reason) },
        };
        self.decided(room, sender, decision)
    }

    /// Settles a claim once the holder has given a sign of life, or has not. A holder that has not must have left the
    /// room by then.
    pub fn settle(&self, room: &mut Room, sender: &Sender, claim: Claim) -> Taken {
        let Claim { claimant, decision, .. } = claim;
        let decision = match claim::settle(room, claimant, &decision.message.author) {
            Ok(()) => decision,
            Err(reason) => Decision { trace: decision.trace, ..refused(decision.message, reason) },
        };
        self.decided(room, sender, decision)
    }

    /// Forgets what filters keep of senders that have gone quiet; see [`Chain::prune`].
    pub fn prune(&self) {
        let now = Now { at: Timestamp::now(), since_start: self.desk.since_start() };
        self.chain.get().prune(now);
        if let Some(brakes) = &self.brakes {
            brakes.prune(now.at);
        }
    }

    /// What is known of who sends a message as `author`.
    fn facts(&self, chain: &Chain, room: &mut Room, sender: &Sender, author: &str) -> Facts {
        let facts = room.facts(sender.connection, author, chain.wants_names());
        // Who has no connection has shown a token with this very message.
        let trusted = facts.trusted || sender.facts.trusted;
        Facts { since_start: self.desk.since_start(), trusted, ..facts }
    }

    fn decided(&self, room: &mut Room, sender: &Sender, decision: Decision) -> Taken {
        self.metrics.count_message(decision.outcome, decision.by);
        let was_let_through = matches!(decision.outcome, Outcome::Pass | Outcome::Replace);
        // Who registers has not said anything yet.
        if !(was_let_through && matches!(decision.message.kind, Kind::Newcomer)) {
            room.count(sender.connection, was_let_through);
        }
        if let Some(Reason { code, .. }) = &decision.reason {
            let (outcome, filter, reason) = (decision.outcome.as_str(), decision.by, code.as_str());
            tracing::debug!(room = %room.name(), outcome, filter, reason, "a message was not let through");
        }
        Taken::Decided(self.desk.decided(Recorded { decision, sender: sender.clone() }))
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
