//! Messages sent and received in the rooms of a session.

use std::time::Instant;

use super::latency::LatencySampler;
use super::ledger::Ledger;
use crate::chat::ChatFrame;
use crate::frames::Text;
use crate::layout::Layout;
use crate::sizes::Sizes;

/// The senders, and what all members received.
#[derive(Debug)]
pub(super) struct Traffic {
    pub(super) layout: Layout,
    /// The senders of all rooms, room by room.
    pub(super) senders: Vec<Sender>,
    pub(super) latencies: LatencySampler,
    /// Messages sent and not yet echoed.
    pub(super) in_flight: usize,
    ledger: Ledger,
}

/// A member that sends.
#[derive(Debug)]
pub(super) struct Sender {
    pub(super) member: usize,
    pub(super) frame: ChatFrame,
    /// The send time of each message.
    pub(super) sent: Vec<Instant>,
    /// Echoes received.
    pub(super) echoed: usize,
}

impl Traffic {
    /// Creates the senders of `layout`.
    pub(super) fn new(layout: Layout, sizes: &Sizes) -> Self {
        let sender = |room, at| {
            let member = layout.sender(room, at);
            let frame = ChatFrame::new(layout.generation_of(member), sizes.size, at);
            Sender { member, frame, sent: Vec::new(), echoed: 0 }
        };
        let rooms = 0..layout.rooms();
        let senders = rooms.flat_map(|room| (0..layout.senders()).map(move |at| sender(room, at))).collect();
        let latencies = LatencySampler::new(layout, sizes.sample);
        Self { layout, senders, latencies, in_flight: 0, ledger: Ledger::new(layout) }
    }

    /// Records that `member` received the message `text`. Its number identifies the sender: of two senders, one has the
    /// even numbers.
    #[inline]
    pub(super) fn record(&mut self, member: usize, text: Text<'_>) {
        let count = self.layout.senders();
        let sequence = self.layout.generation_of(member).sequence(text.head);
        let Some(sequence) = sequence else { return self.ledger.record_unknown() };
        let (number, at) = (sequence / count, sequence % count);
        let sender = &mut self.senders[self.layout.room_of(member) * count + at];
        let Some(sent) = sender.sent.get(number) else { return self.ledger.record_unknown() };
        if self.latencies.samples(member) {
            self.latencies.record(member, *sent);
        }
        if sender.member == member {
            sender.echoed += 1;
            self.in_flight = self.in_flight.saturating_sub(1);
        }
        self.ledger.record(member, at, number as u32);
    }

    /// Messages sent.
    pub(super) fn sent(&self) -> usize {
        self.senders.iter().map(|sender| sender.sent.len()).sum()
    }

    /// Deliveries due for all messages sent.
    pub(super) fn due(&self) -> u64 {
        let due = |(at, sender): (usize, &Sender)| sender.sent.len() * self.layout.size(at / self.layout.senders());
        self.senders.iter().enumerate().map(due).sum::<usize>() as u64
    }

    /// Messages that did not arrive.
    pub(super) fn lost(&self) -> u64 {
        let count = self.layout.senders();
        self.ledger.lost(|room, sender| self.senders[room * count + sender].sent.len())
    }

    /// Returns descriptions of all problems, of which `lost` messages are one.
    pub(super) fn problems(&self, lost: u64) -> Vec<String> {
        self.ledger.problems(lost)
    }

    /// Bytes of the longest message.
    pub(super) fn message_bytes(&self) -> usize {
        self.senders.iter().map(|sender| sender.frame.size()).max().unwrap_or_default()
    }

    /// Whether each member is read as soon as data arrives: sampled members and senders.
    pub(super) fn read_immediately(&self) -> Vec<bool> {
        let mut immediate: Vec<bool> =
            (0..self.layout.members()).map(|member| self.latencies.samples(member)).collect();
        self.senders.iter().for_each(|sender| immediate[sender.member] = true);
        immediate
    }
}
