//! Rooms as plain data: members, nicknames and pending output. No I/O: output is collected in rounds, which the caller
//! writes to the members ([`Room::end_round`]).

mod last;
mod members;
mod moderation;
mod nicknames;
mod output;
mod recent_ids;
mod recent_texts;
mod registration;
mod round;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use uuid::Uuid;

pub use last::LastLimits;
pub use moderation::MemberView;
pub use registration::{NicknameInUse, in_use_reason, kept_reason, reserved_reason};
pub use round::{Delivery, Share};

use self::last::LastMessages;
use self::members::{Member, Members};
use self::nicknames::Nicknames;
use self::recent_ids::RecentIds;
use self::recent_texts::RecentTexts;
use self::round::{DirectFrames, Round};
use crate::model::{Address, ConnectionId, GuardedNames, Message, RoomEvent, RoomName};
use crate::telemetry::RoomGauges;
use crate::wire::Generation;

/// The minimum interval between two user counts that are sent on their own. A count that is pending when another event is
/// broadcast precedes it, whatever the interval. Without the interval, a thousand simultaneous joins would cause a
/// million frames.
pub const ANNOUNCE_INTERVAL: Duration = Duration::from_millis(20);
/// The interval grows by one [`ANNOUNCE_INTERVAL`] per this many members, so that these user counts take at most 50 000
/// frames a second per room. Otherwise ten thousand simultaneous joins would occupy the shard.
const MEMBERS_PER_INTERVAL: usize = 1_000;

/// A room.
#[derive(Debug)]
pub struct Room {
    name: RoomName,
    members: Members,
    nicknames: Nicknames,
    guarded: Arc<GuardedNames>,
    /// The cached result of [`Room::nicknames`].
    sorted_nicknames: Option<Arc<[String]>>,
    round: Round,
    /// Members with direct frames in this round.
    direct_recipients: Vec<ConnectionId>,
    /// Whether the user count has changed since it was last sent.
    count_changed: bool,
    /// Whether the user count was sent in the current round.
    count_in_round: bool,
    /// When it was last sent.
    count_sent_at: Option<Instant>,
    /// Members by generation.
    members_by_generation: [usize; Generation::COUNT],
    /// The number of connections, shared with other threads.
    connection_count: Arc<AtomicUsize>,
    last: LastMessages,
    recent_ids: RecentIds,
    recent_texts: RecentTexts,
    /// Members that have joined since the last user count.
    uncounted: Vec<ConnectionId>,
    gauges: RoomGauges,
}

impl Room {
    /// Creates an empty room. Its number of connections is also stored in `connection_count`.
    #[must_use]
    pub fn new(name: RoomName, connection_count: Arc<AtomicUsize>, gauges: RoomGauges) -> Self {
        Self {
            name,
            members: Members::default(),
            nicknames: Nicknames::default(),
            guarded: Arc::default(),
            sorted_nicknames: None,
            round: Round::default(),
            direct_recipients: Vec::new(),
            count_changed: false,
            count_in_round: false,
            count_sent_at: None,
            members_by_generation: [0; Generation::COUNT],
            connection_count,
            last: LastMessages::default(),
            recent_ids: RecentIds::default(),
            recent_texts: RecentTexts::default(),
            uncounted: Vec::new(),
            gauges,
        }
    }

    /// Keeps the last messages within these limits.
    #[must_use]
    pub fn with_last_messages(self, limits: LastLimits) -> Self {
        Self { last: LastMessages::new(limits), ..self }
    }

    /// Guards these names.
    #[must_use]
    pub fn with_guarded_names(self, guarded: Arc<GuardedNames>) -> Self {
        Self { guarded, ..self }
    }

    /// Returns the name of the room.
    #[must_use]
    pub fn name(&self) -> &RoomName {
        &self.name
    }

    /// Returns the number of connections.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.members.len()
    }

    /// Adds a connection, and schedules a user count for everyone, the newcomer included. That is the first frame that the
    /// newcomer receives.
    ///
    /// `proven_nickname` is the nickname that it proved to own with a token.
    pub fn join(
        &mut self,
        id: ConnectionId,
        address: Address,
        generation: Generation,
        proven_nickname: Option<Arc<str>>,
        now: Instant,
    ) {
        let member = Member {
            generation,
            address,
            joined: now,
            accepted: 0,
            refused: 0,
            trusted: false,
            proven_nickname,
            nickname: None,
            last_author: None,
            knows_count: false,
            round_start: self.round.len(generation),
            direct: DirectFrames::default(),
        };
        self.members.insert(id, member);
        self.update_count(generation, 1);
        self.uncounted.push(id);
    }

    /// Changes the generation of a member that turns out to be of another one. It receives the user count and the last
    /// messages in the new one.
    pub fn change_generation(&mut self, id: ConnectionId, generation: Generation) {
        let Some(member) = self.members.get_mut(&id) else { return };
        let (before, share) = (member.generation, member.take_share(id));
        member.generation = generation;
        member.knows_count = true;
        self.uncounted.retain(|uncounted| *uncounted != id);
        member.round_start = self.round.len(generation);
        // Its share so far was encoded for the old generation.
        let unsent = self.round.pieces_so_far(share);
        for (of, change) in [(before, -1), (generation, 1)] {
            if let Some(members) = self.members_by_generation.get_mut(of.index()) {
                *members = members.saturating_add_signed(change);
            }
        }
        for piece in unsent {
            self.send_shared(id, piece);
        }
        self.send_event(id, RoomEvent::UserCount(self.members.len()));
        let last = self.last.frames(generation);
        self.send_shared(id, last);
    }

    /// Whether one of the latest or last messages has this ID.
    #[must_use]
    pub fn knows(&self, message: Uuid) -> bool {
        self.recent_ids.contains(message) || self.last.contains(message)
    }

    /// Notes the ID of a message that may be published later.
    pub fn remember_id(&mut self, message: Uuid) {
        self.recent_ids.add(message);
    }

    /// Returns the last messages, oldest first.
    #[must_use]
    pub fn last_messages(&self) -> Vec<Arc<Message>> {
        self.last.list()
    }

    /// Forgets one of the last messages, and tells members that understand it. Returns whether it was kept.
    pub fn retract(&mut self, message: Uuid) -> bool {
        let was_kept = self.last.remove(message);
        if was_kept {
            self.broadcast_to(RoomEvent::Retracted(message), |generation| generation == Generation::Relay);
        }
        was_kept
    }

    /// Removes a connection, and returns its unsent share of the current round; `None` if it is not a member. The
    /// remaining members will be notified.
    pub fn leave(&mut self, id: ConnectionId) -> Option<Vec<Bytes>> {
        // Send a pending user count before the exiter event; it still includes the leaver. Without an exiter event the
        // count is deferred, so that a thousand simultaneous leavers do not cause a thousand counts.
        if self.members.get(&id)?.nickname.is_some() {
            self.announce_count();
        }
        let mut member = self.members.swap_remove(&id)?;
        let unsent = self.round.pieces_so_far(member.take_share(id));
        self.update_count(member.generation, -1);
        if let Some(nickname) = member.nickname {
            self.nicknames.release(&nickname);
            self.sorted_nicknames = None;
            self.gauges.nicknames.dec();
            // The next user count keeps its own schedule.
            let count_changed = std::mem::take(&mut self.count_changed);
            self.broadcast(RoomEvent::Exiter(&nickname));
            self.count_changed = count_changed;
        }
        Some(unsent)
    }

    /// Removes all members without notifying them.
    pub fn clear(&mut self) {
        self.members.clear();
        self.nicknames = Nicknames::default();
        self.sorted_nicknames = None;
        self.members_by_generation = [0; Generation::COUNT];
        self.count_changed = false;
        self.uncounted.clear();
        self.connection_count.store(0, Ordering::Relaxed);
        self.gauges.connections.set(0);
        self.gauges.nicknames.set(0);
    }

    /// The current minimum interval between user counts.
    fn announce_interval(&self) -> Duration {
        let times = self.members.len().div_ceil(MEMBERS_PER_INTERVAL).max(1);
        ANNOUNCE_INTERVAL * u32::try_from(times).unwrap_or(u32::MAX)
    }

    fn update_count(&mut self, generation: Generation, change: isize) {
        if let Some(members_by_generation) = self.members_by_generation.get_mut(generation.index()) {
            *members_by_generation = members_by_generation.saturating_add_signed(change);
        }
        self.count_changed = true;
        self.connection_count.store(self.members.len(), Ordering::Relaxed);
        self.gauges.connections.set(i64::try_from(self.members.len()).unwrap_or(i64::MAX));
    }
}

#[cfg(test)]
mod tests;
