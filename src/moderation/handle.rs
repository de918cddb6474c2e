//! Records decisions and acts, imposes the sanctions that rules and plugins request, and holds messages.
//!
//! The functions that shards call never block. Sanctions that concern open connections are sent as [`SanctionEvent`]s to
//! the owner of the rooms.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use tokio::sync::mpsc;

use super::feed::Feed;
use super::journal::{Journal, JournalEvent};
use super::note::NoteKind;
use super::record::{drop_payload, is_free, truncate_refused};
use super::sanctions::PenaltyRequest;
use super::state::State;
use super::throttle::RefusalThrottle;
use crate::audit::Audit;
use crate::model::{Act, ActKind, Actor, ConnectionId, JudgedMessage, Nickname, Reason, RoomName, Sanction, Target};

/// Events that may be pending. Beyond that, further acts take effect but open connections are not notified.
const MAX_PENDING_EVENTS: usize = 4_096;

/// The key of the stored setting that holds the starter preset.
pub const PRESET_KEY: &str = "preset";

/// Moderation state, journal, audit log and feed behind one interface.
#[derive(Debug)]
pub struct Moderation {
    state: Arc<State>,
    journal: Arc<Journal>,
    audit: Option<Arc<Audit>>,
    feed: Arc<Feed>,
    started: Instant,
    events: mpsc::Sender<ModerationEvent>,
    /// When the last note about held messages was added, in milliseconds since the start, plus 1; 0 before the first.
    pub(super) last_held_note: AtomicU64,
    throttle: RefusalThrottle,
}

/// An event that open connections learn of.
#[derive(Clone, Debug)]
pub enum ModerationEvent {
    /// A sanction has changed.
    Sanction(SanctionEvent),
    /// A held message of this connection was refused.
    Refused(ConnectionId, Reason),
}

/// A change of a sanction that open connections learn of.
#[derive(Clone, Debug)]
pub enum SanctionEvent {
    /// A sanction was imposed.
    Imposed(Sanction),
    /// A sanction was lifted.
    Lifted(Sanction),
}

impl Moderation {
    /// Returns the service and the receiver of its sanction events. `started` is when the relay started.
    #[must_use]
    pub fn new(
        state: Arc<State>,
        journal: Arc<Journal>,
        audit: Option<Arc<Audit>>,
        feed: Arc<Feed>,
        started: Instant,
    ) -> (Self, mpsc::Receiver<ModerationEvent>) {
        let (events, receiver) = mpsc::channel(MAX_PENDING_EVENTS);
        let (last_held_note, throttle) = (AtomicU64::new(0), RefusalThrottle::default());
        (Self { state, journal, audit, feed, started, events, last_held_note, throttle }, receiver)
    }

    /// Sanctions, held messages and levels.
    #[must_use]
    pub fn state(&self) -> &Arc<State> {
        &self.state
    }

    /// Recent decisions, acts and notes.
    #[must_use]
    pub fn journal(&self) -> &Arc<Journal> {
        &self.journal
    }

    /// The audit log, if enabled.
    #[must_use]
    pub fn audit(&self) -> Option<&Arc<Audit>> {
        self.audit.as_ref()
    }

    /// Notes for moderators.
    #[must_use]
    pub fn feed(&self) -> &Arc<Feed> {
        &self.feed
    }

    /// How long the relay has been running.
    #[must_use]
    pub fn since_start(&self) -> Duration {
        self.started.elapsed()
    }

    /// Returns the time by which sanctions, levels and held messages end, see [`State::time_at`].
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.state.time_at(self.since_start())
    }

    /// Returns the time of [`Moderation::now`] at a time of the wall clock.
    #[must_use]
    pub fn unshifted(&self, until: Timestamp) -> Timestamp {
        let (now, wall) = (self.now(), Timestamp::now());
        let shift = now.duration_since(wall);
        // The clocks differ by microseconds as long as the wall clock is not set.
        if shift.abs() < SignedDuration::from_secs(1) { until } else { until.saturating_add(shift).unwrap_or(until) }
    }

    /// Records a decision and imposes the sanctions that rules and plugins request. Of the messages that were refused before
    /// their rate was charged, only the first of each source are recorded; the rest is counted.
    pub fn on_decision(&self, mut judged: JudgedMessage) -> Arc<JudgedMessage> {
        drop_payload(&mut judged.decision.message);
        truncate_refused(&mut judged.decision);
        // A room may have thousands.
        judged.sender.context.nicknames = Arc::default();
        let judged = Arc::new(judged);
        if is_free(&judged.decision) && !self.throttle.admits(judged.sender.address, judged.sender.context.since_start)
        {
            self.journal.count(&judged.decision);
            return judged;
        }
        self.journal.push(JournalEvent::Decision(Arc::clone(&judged)));
        if let Some(audit) = &self.audit {
            audit.record(Arc::clone(&judged));
        }
        for request in penalty_requests(&judged) {
            self.impose_requested(request, &judged);
        }
        judged
    }

    /// Records how many refused messages were only counted since the last call, if any.
    pub fn record_omitted_refusals(&self) {
        let count = self.throttle.take_omitted();
        if count > 0 {
            self.record_detached(Actor::Relay, None, ActKind::RefusalsOmitted { count });
        }
    }

    /// Adds a note for moderators.
    pub fn note(&self, kind: NoteKind, text: &str) {
        self.feed.note(kind, text, None);
    }

    /// Like [`Moderation::record`], for several acts. Waits for the audit log once.
    ///
    /// # Cancel safety
    /// As that of [`Moderation::record`].
    pub async fn record_all(&self, actor: &Actor, acts: impl IntoIterator<Item = (RoomName, ActKind)>) {
        let mut acts: Vec<_> = acts.into_iter().collect();
        let last = acts.pop();
        for (room, kind) in acts {
            self.record_detached(actor.clone(), Some(room), kind);
        }
        // The log is written in order, so the others are in it by then.
        if let Some((room, kind)) = last {
            self.record(actor.clone(), Some(room), kind).await;
        }
    }

    /// Records an act in a room, or in all rooms, before it takes effect, in the audit log first. An audit log that cannot be written delays
    /// nothing: it counts the lost line and logs a warning.
    ///
    /// # Cancel safety
    /// If the future is dropped, the act may be in the audit log but not in the journal.
    pub async fn record(&self, actor: Actor, room: Option<RoomName>, kind: ActKind) {
        let act = self.act(actor, room, kind);
        if let Some(audit) = &self.audit {
            // The audit log has counted and logged the error.
            let _not_written = audit.record_act(&act).await;
        }
        self.journal.push(JournalEvent::Act(Arc::new(act)));
    }

    /// Like [`Moderation::record`], without waiting for the audit log. For acts of rules, plugins and the relay.
    pub fn record_detached(&self, actor: Actor, room: Option<RoomName>, kind: ActKind) {
        let act = self.act(actor, room, kind);
        if let Some(audit) = &self.audit {
            audit.record_act_detached(&act);
        }
        self.journal.push(JournalEvent::Act(Arc::new(act)));
    }

    /// Sends an event to open connections. Drops it if too many are pending.
    pub(super) fn send_event(&self, event: ModerationEvent) {
        if self.events.try_send(event).is_err() {
            tracing::warn!("too many acts of moderation at once; not all connections were notified");
        }
    }

    fn act(&self, actor: Actor, room: Option<RoomName>, kind: ActKind) -> Act {
        Act { at: Timestamp::now(), since_start: self.since_start(), actor, room, kind }
    }

    fn impose_requested(&self, request: PenaltyRequest, judged: &JudgedMessage) {
        let (at, actor) = (self.state.time_at(judged.sender.context.since_start), request.actor.clone());
        match self.state.sanctions().impose_on_sender(request, &judged.sender, at) {
            Ok(sanction) if sanction.at == at && sanction.actor == actor => {
                let act = ActKind::Sanctioned { sanction: sanction.clone() };
                self.record_detached(actor, sanction.room.clone(), act);
                self.send_event(ModerationEvent::Sanction(SanctionEvent::Imposed(sanction.clone())));
                // A rule may hold a message and sanction its sender: a moderator still decides on that message.
                self.refuse_held_of(&sanction, Some(judged.decision.message.id));
            }
            // A sanction in force absorbed the request.
            Ok(_) => {}
            Err(error) => tracing::warn!(%error, %actor, "sanction not imposed"),
        }
    }
}

/// Returns the penalties that rules and plugins request against the sender of a message, in its room. Rules and plugins
/// that only observe, or exempt this sender, request none.
///
/// A penalty is on the nickname together with the address, even of a connection that has registered the nickname: it may
/// belong to somebody else who is absent.
#[must_use]
pub fn penalty_requests(judged: &JudgedMessage) -> Vec<PenaltyRequest> {
    let JudgedMessage { decision, sender, .. } = judged;
    let matched = decision.trace.iter().filter_map(|step| step.matched.as_ref());
    let enforced = matched.filter(|matched| matched.is_enforced());
    let requested: Vec<_> =
        enforced.filter_map(|matched| Some((matched.basis.penalty()?, matched.basis.actor()?))).collect();
    if requested.is_empty() {
        return Vec::new();
    }
    let Ok(nickname) = decision.message.author.parse::<Nickname>() else { return Vec::new() };
    // The reason of the decision belongs to the rule or plugin that decided, not to the others.
    let decider = decision.deciding_match().and_then(|matched| matched.basis.actor());
    let request = |(penalty, actor)| PenaltyRequest {
        penalty,
        target: Target::Sender { nickname: nickname.clone(), address: sender.address },
        room: Some(sender.room.clone()),
        reason: decision
            .reason
            .as_ref()
            .filter(|_| decider.as_ref() == Some(&actor))
            .map(|reason| Arc::from(&*reason.text)),
        actor,
    };
    requested.into_iter().map(request).collect()
}
