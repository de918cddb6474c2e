//! Where decisions come in and acts go out: keeps what happened, and lets sanctions and held messages follow from it.
//!
//! Everything here that a shard calls is quick and waits for nobody. What concerns open connections goes out as
//! [`Effect`]s, which somebody who knows the rooms carries out.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tokio::sync::mpsc;

use super::act::{Act, What};
use super::audit::Audit;
use super::feed::{Feed, Kind};
use super::full::Full;
use super::journal::{Happened, Journal};
use super::sanctions::Order;
use super::state::State;
use crate::model::{
    Cause, Code, Decision, Kind as MessageKind, Match, Mode, Nickname, Outcome, Reason, Recorded, Sanction, Target,
};

/// Effects that wait to be carried out. When that many do, open connections are not told of further sanctions, which
/// hold all the same.
const MAX_EFFECTS: usize = 4_096;
/// How often moderators are told at most that messages wait for them.
const HELD_NOTE_INTERVAL: Duration = Duration::from_mins(1);

/// Longest text, name or avatar of a refused message that is kept, in bytes.
const MAX_REFUSED: usize = 4_096;

/// The name under which the preset of the starter rules is kept.
pub const PRESET: &str = "preset";

/// The moderators' desk.
#[derive(Debug)]
pub struct Desk {
    state: Arc<State>,
    journal: Arc<Journal>,
    audit: Option<Arc<Audit>>,
    feed: Arc<Feed>,
    began: Instant,
    effects: mpsc::Sender<Effect>,
    /// When moderators were last told of held messages, in milliseconds since 1970.
    told_held: AtomicI64,
}

/// Something that open connections are to feel.
#[derive(Clone, Debug)]
pub enum Effect {
    /// A sanction began.
    Began(Sanction),
    /// A sanction was lifted.
    Lifted(Sanction),
}

impl Desk {
    /// A desk, and the effects of what happens there. Times count from `began`.
    #[must_use]
    pub fn new(
        state: Arc<State>,
        journal: Arc<Journal>,
        audit: Option<Arc<Audit>>,
        feed: Arc<Feed>,
        began: Instant,
    ) -> (Self, mpsc::Receiver<Effect>) {
        let (effects, carried_out) = mpsc::channel(MAX_EFFECTS);
        let told_held = AtomicI64::new(i64::MIN);
        (Self { state, journal, audit, feed, began, effects, told_held }, carried_out)
    }

    /// Sanctions, held messages and levels.
    #[must_use]
    pub fn state(&self) -> &Arc<State> {
        &self.state
    }

    /// What has happened lately.
    #[must_use]
    pub fn journal(&self) -> &Arc<Journal> {
        &self.journal
    }

    /// The audit log, when there is one.
    #[must_use]
    pub fn audit(&self) -> Option<&Arc<Audit>> {
        self.audit.as_ref()
    }

    /// What moderators should know.
    #[must_use]
    pub fn feed(&self) -> &Arc<Feed> {
        &self.feed
    }

    /// How long the relay has been running.
    #[must_use]
    pub fn since_start(&self) -> Duration {
        self.began.elapsed()
    }

    /// Takes a decision in: it is kept, and what rules and plugins ask for beside the verdict follows.
    pub fn decided(&self, mut recorded: Recorded) -> Arc<Recorded> {
        cut(&mut recorded.decision);
        let recorded = Arc::new(recorded);
        self.journal.add(Happened::Decision(Arc::clone(&recorded)));
        if let Some(audit) = &self.audit {
            audit.record(Arc::clone(&recorded));
        }
        for order in orders(&recorded) {
            self.punish(order, recorded.decision.message.at);
        }
        recorded
    }

    /// Keeps a message back until somebody has looked at it.
    ///
    /// # Errors
    /// The [`Reason`] for the sender when it cannot be kept.
    pub fn hold(&self, recorded: &Recorded) -> Result<(), Reason> {
        let decision = &recorded.decision;
        let reason = decision.reason.clone().unwrap_or_else(|| Reason::new(Code::Held, ""));
        let cause = decider(recorded, Outcome::Hold);
        let mut kept = recorded.clone();
        // Who else was there is of no use later, and would stand in the store with each message.
        kept.sender.facts.names = Arc::default();
        self.state.held().hold(kept, reason, cause, decision.message.at).map_err(|refused| {
            let text = match refused {
                Full::SameId { .. } => "a message of this id waits for a moderator already",
                _ => "a moderator should look at this message, and too many wait already",
            };
            Reason::new(Code::HoldUnavailable, text)
        })?;
        let (now, last) = (decision.message.at.as_millisecond(), self.told_held.load(Ordering::Relaxed));
        let interval = i64::try_from(HELD_NOTE_INTERVAL.as_millis()).unwrap_or(i64::MAX);
        if now.saturating_sub(last) >= interval
            && self.told_held.compare_exchange(last, now, Ordering::Relaxed, Ordering::Relaxed).is_ok()
        {
            let waiting = self.state.held().len();
            let text = format!("{waiting} held in all; the newest in {}", recorded.sender.room);
            self.note(Kind::MessageHeld, &text);
        }
        Ok(())
    }

    /// Notes something for moderators.
    pub fn note(&self, kind: Kind, text: &str) {
        self.feed.note(kind, text, None);
    }

    /// Writes down what is about to be done, in the audit log first of all. A log that cannot be written holds nobody
    /// up: that is counted and warned of there.
    ///
    /// # Cancel safety
    /// Dropping the future may leave the act in the audit log alone.
    pub async fn write_down(&self, by: Cause, what: What) {
        let act = self.act(by, what);
        if let Some(audit) = &self.audit {
            // The log itself has counted and said it.
            let _not_written = audit.act(&act).await;
        }
        self.journal.add(Happened::Act(Arc::new(act)));
    }

    /// As [`Desk::write_down`], for what a rule, a plugin or the relay itself does: nobody waits.
    pub fn write_down_soon(&self, by: Cause, what: What) {
        let act = self.act(by, what);
        if let Some(audit) = &self.audit {
            audit.act_soon(&act);
        }
        self.journal.add(Happened::Act(Arc::new(act)));
    }

    /// Has open connections feel something.
    pub fn send(&self, effect: Effect) {
        if self.effects.try_send(effect).is_err() {
            tracing::warn!("too many sanctions at once: members are not told of all of them, though they hold");
        }
    }

    fn act(&self, by: Cause, what: What) -> Act {
        Act { at: Timestamp::now(), since_start: self.since_start(), by, what }
    }

    fn punish(&self, order: Order, at: Timestamp) {
        let by = order.cause.clone();
        match self.state.sanctions().impose(order, at) {
            Ok(sanction) if sanction.at == at && sanction.cause == by => {
                self.write_down_soon(by, What::Sanctioned(sanction.clone()));
                self.send(Effect::Began(sanction));
            }
            // What is in force already is not imposed again.
            Ok(_) => {}
            Err(full) => tracing::warn!(%full, %by, "a sanction could not be imposed"),
        }
    }
}

/// The sanctions that rules and plugins ask for on the sender of a message, under the name that it was sent under, in its
/// room. Those that only observe, or do not act on this sender, ask for none.
#[must_use]
pub fn orders(recorded: &Recorded) -> Vec<Order> {
    let Recorded { decision, sender } = recorded;
    let matched = decision.trace.iter().filter_map(|step| step.matched.as_ref());
    let asking = matched.filter(|matched| acts(matched));
    let asked: Vec<_> = asking.filter_map(|matched| Some((matched.basis.penalty()?, matched.basis.cause()?))).collect();
    if asked.is_empty() {
        return Vec::new();
    }
    let Ok(nickname) = Nickname::parse(&decision.message.author) else { return Vec::new() };
    // The reason of the decision is that of the one who decided, and of nobody else.
    let decider = decider(recorded, decision.outcome);
    let order = |(penalty, cause)| Order {
        penalty,
        target: Target::Nickname(nickname.clone()),
        room: Some(sender.room.clone()),
        reason: decision
            .reason
            .as_ref()
            .filter(|_| decider.as_ref() == Some(&cause))
            .map(|reason| Arc::from(&*reason.text)),
        cause,
    };
    asked.into_iter().map(order).collect()
}

/// The rule or plugin whose doing an outcome is; `None` where it is that of another filter.
fn decider(recorded: &Recorded, outcome: Outcome) -> Option<Cause> {
    let steps = recorded.decision.trace.iter().filter_map(|step| step.matched.as_ref());
    let mut deciding = steps.filter(|matched| acts(matched) && matched.asked == outcome);
    deciding.next().and_then(|matched| matched.basis.cause())
}

/// Cuts what is kept of a refused message: what is far too long is refused before any rate counts it, and ten thousand
/// of them would be more than there is memory.
fn cut(decision: &mut Decision) {
    if decision.outcome != Outcome::Reject {
        return;
    }
    let message = &mut decision.message;
    shorten(&mut message.author);
    match &mut message.kind {
        MessageKind::Text { avatar, text } => {
            shorten(text);
            avatar.iter_mut().for_each(shorten);
        }
        MessageKind::Like { liked, text } => {
            shorten(text);
            shorten(liked);
        }
        MessageKind::Newcomer => {}
    }
    decision.original.iter_mut().for_each(shorten);
}

fn shorten(text: &mut String) {
    if text.len() > MAX_REFUSED {
        text.truncate(text.floor_char_boundary(MAX_REFUSED));
        text.shrink_to_fit();
    }
}

fn acts(matched: &Match) -> bool {
    matched.mode == Mode::Enforce && !matched.exempt
}
