//! What a member still has to get.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tokio::sync::{Notify, oneshot};

use crate::room::Mailbox;
use crate::wire::frame::{self, CloseCode};

/// What a queued frame takes beside its bytes. Who asks for a million pongs of two bytes must not get the memory of a
/// million frames.
const FRAME_COST: usize = 64;

/// How a connection is to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Closing {
    pub(super) code: CloseCode,
    pub(super) reason: &'static str,
}

/// A bounded queue of frames for one connection.
///
/// Full means that more than the limit waits when another frame comes: the member reads too slowly. It then gets
/// nothing more of what is queued, and its connection ends with 1013; nobody else waits for it. One frame of any size
/// always fits.
#[derive(Debug)]
pub(super) struct Outbox {
    queue: Mutex<Queue>,
    /// Bytes queued or being written, and [`FRAME_COST`] for each frame.
    waiting: AtomicUsize,
    limit: usize,
    /// Wakes the one task that writes.
    wake: Notify,
    /// Whether somebody waits for a sign of life, so that reading need not look into the queue for it.
    probed: AtomicBool,
}

#[derive(Debug, Default)]
struct Queue {
    frames: VecDeque<Bytes>,
    closing: Option<Closing>,
    probes: Vec<oneshot::Sender<()>>,
}

impl Outbox {
    /// An empty queue in which `limit` bytes may wait.
    pub(super) fn new(limit: usize) -> Self {
        Self {
            queue: Mutex::default(),
            waiting: AtomicUsize::new(0),
            limit,
            wake: Notify::new(),
            probed: AtomicBool::new(false),
        }
    }

    /// Moves all that is queued to `batch`, or says how the connection is to end.
    ///
    /// When it ends because the member is too slow, what was queued is gone.
    pub(super) fn take(&self, batch: &mut VecDeque<Bytes>) -> Result<(), Closing> {
        let mut queue = self.lock();
        if batch.is_empty() {
            std::mem::swap(&mut queue.frames, batch);
        } else {
            batch.append(&mut queue.frames);
        }
        queue.closing.map_or(Ok(()), Err)
    }

    /// Notes that `bytes` of what was taken have been written, which ended `frames` frames.
    pub(super) fn written(&self, bytes: usize, frames: usize) {
        self.waiting.fetch_sub(bytes + frames * FRAME_COST, Ordering::Relaxed);
    }

    /// Waits until there may be something new to take. For one task at a time.
    ///
    /// # Cancel safety
    /// Safe: a wake-up that came before the call is not lost.
    pub(super) async fn changed(&self) {
        self.wake.notified().await;
    }

    /// Notes that the client gave a sign of life.
    pub(super) fn heard(&self) {
        if self.probed.swap(false, Ordering::Relaxed) {
            for probe in self.lock().probes.drain(..) {
                // Who asked may have lost interest.
                let _gone = probe.send(());
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Mailbox for Outbox {
    fn deliver(&self, frame: Bytes) -> bool {
        let mut queue = self.lock();
        if queue.closing.is_some() {
            return false;
        }
        if self.waiting.load(Ordering::Relaxed) > self.limit {
            queue.frames = VecDeque::new();
            queue.closing = Some(Closing { code: CloseCode::TryAgainLater, reason: "too slow" });
        } else {
            self.waiting.fetch_add(frame.len() + FRAME_COST, Ordering::Relaxed);
            queue.frames.push_back(frame);
        }
        let taken = queue.closing.is_none();
        drop(queue);
        self.wake.notify_one();
        taken
    }

    fn close(&self, code: CloseCode, reason: &'static str) {
        let mut queue = self.lock();
        queue.closing.get_or_insert(Closing { code, reason });
        drop(queue);
        self.wake.notify_one();
    }

    fn probe(&self) -> oneshot::Receiver<()> {
        let (answer, receiver) = oneshot::channel();
        let mut queue = self.lock();
        if queue.closing.is_none() {
            queue.probes.push(answer);
        }
        drop(queue);
        self.probed.store(true, Ordering::Relaxed);
        self.deliver(frame::ping());
        receiver
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SLOW: Closing = Closing { code: CloseCode::TryAgainLater, reason: "too slow" };

    fn frame(bytes: usize) -> Bytes {
        vec![0; bytes].into()
    }

    fn take(outbox: &Outbox) -> (Vec<usize>, Result<(), Closing>) {
        let mut batch = VecDeque::new();
        let taken = outbox.take(&mut batch);
        (batch.iter().map(Bytes::len).collect(), taken)
    }

    #[test]
    fn frames_come_out_in_their_order_and_once() {
        let outbox = Outbox::new(100);
        assert!(outbox.deliver(frame(1)) && outbox.deliver(frame(2)));
        assert_eq!(take(&outbox), (vec![1, 2], Ok(())));
        assert_eq!(take(&outbox), (vec![], Ok(())));
    }

    #[test]
    fn more_than_the_limit_waiting_ends_the_connection_and_drops_the_queue() {
        let outbox = Outbox::new(100);
        assert!(outbox.deliver(frame(100 - FRAME_COST)));
        assert!(outbox.deliver(frame(1)));
        assert!(!outbox.deliver(frame(1)));
        assert_eq!(take(&outbox), (vec![], Err(SLOW)));
        assert!(!outbox.deliver(frame(1)));
    }

    #[test]
    fn what_is_being_written_still_waits() {
        let outbox = Outbox::new(100);
        assert!(outbox.deliver(frame(101)));
        assert_eq!(take(&outbox).1, Ok(()));
        assert!(!outbox.deliver(frame(1)));
    }

    #[test]
    fn what_is_written_makes_room() {
        let outbox = Outbox::new(100);
        assert!(outbox.deliver(frame(101)));
        assert_eq!(take(&outbox).1, Ok(()));
        outbox.written(101, 1);
        assert!(outbox.deliver(frame(101)));
    }

    #[test]
    fn one_frame_of_any_size_fits() {
        assert!(Outbox::new(100).deliver(frame(1_000_000)));
    }

    #[test]
    fn a_close_comes_after_what_is_queued_and_the_first_one_counts() {
        let outbox = Outbox::new(100);
        assert!(outbox.deliver(frame(1)));
        outbox.close(CloseCode::GoingAway, "shutdown");
        outbox.close(CloseCode::Policy, "kicked");
        assert!(!outbox.deliver(frame(2)));
        assert_eq!(take(&outbox), (vec![1], Err(Closing { code: CloseCode::GoingAway, reason: "shutdown" })));
    }

    #[tokio::test]
    async fn a_probe_pings_and_is_answered_by_any_sign_of_life() {
        let outbox = Outbox::new(100);
        let answer = outbox.probe();
        assert_eq!(take(&outbox).0, [2]);
        outbox.heard();
        assert_eq!(answer.await, Ok(()));
    }

    #[tokio::test]
    async fn a_probe_of_a_connection_that_ends_is_answered_by_an_error() {
        let outbox = Outbox::new(100);
        let answer = outbox.probe();
        drop(outbox);
        assert!(answer.await.is_err());
        let closing = Outbox::new(100);
        closing.close(CloseCode::Policy, "kicked");
        assert!(closing.probe().await.is_err());
    }
}
