//! Threads that normalize images.

use std::hash::Hash;
use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::{fmt, io, mem, thread};

use tokio::sync::oneshot;

use super::queue::{FairQueue, PoolFull};
use super::{ImageError, Limits, NormalImage, normalize};

/// The priority of the threads: below that of the threads which pass on texts.
#[cfg(target_os = "linux")]
const NICENESS: i32 = 19;

/// The number of threads, and the bounds of their queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolConfig {
    /// Threads, and thus images decoded at the same time. Each may need twice [`Limits::max_memory`]. Default 1.
    pub threads: NonZeroUsize,
    /// Most bytes of all waiting texts. One sender may hold a quarter, or one text that is longer. Default 32 MiB.
    pub max_waiting_bytes: usize,
    /// Most waiting images of all senders. One sender may have 8. Default 128.
    pub max_waiting_jobs: usize,
}

impl Default for PoolConfig {
    fn default() -> Self {
        Self { threads: NonZeroUsize::MIN, max_waiting_bytes: 32 * 1024 * 1024, max_waiting_jobs: 128 }
    }
}

/// The images that wait for a thread; those being decoded are not counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Waiting {
    /// Number of images.
    pub jobs: usize,
    /// Length of their texts, in bytes.
    pub bytes: usize,
}

/// Normalizes images on threads of its own, which have a low priority.
///
/// Images wait in a bounded queue. Senders are told apart by their keys `K` and take turns. An image is refused if its
/// sender already has a full share of the queue: see [`PoolFull`]. If the queue is full, the sender that holds most of it
/// loses its newest image to one that holds less.
///
/// Dropping the pool drops the waiting images, and their receivers get an error. Each thread ends after its current
/// image. Dropping the pool does not wait for that.
pub struct ImagePool<K> {
    shared: Arc<Shared<K>>,
}

type Normalize = dyn Fn(&str) -> Result<NormalImage, ImageError> + Send + Sync;

struct Shared<K> {
    state: Mutex<State<K>>,
    /// Notified for each new job, and when the pool is closed.
    changed: Condvar,
    max_text_length: usize,
    normalize: Box<Normalize>,
    has_panicked: AtomicBool,
}

enum State<K> {
    Open(FairQueue<K, Job>),
    Closed,
}

struct Job {
    text: Box<str>,
    reply: oneshot::Sender<Result<NormalImage, ImageError>>,
}

impl<K: Copy + Eq + Hash + Send + 'static> ImagePool<K> {
    /// Starts the threads.
    ///
    /// # Errors
    /// A thread cannot be started.
    pub fn start(config: &PoolConfig, limits: Limits) -> io::Result<Self> {
        Self::start_with(config, limits.max_raw_length, Box::new(move |text| normalize(text, &limits)))
    }

    fn start_with(config: &PoolConfig, max_text_length: usize, normalize: Box<Normalize>) -> io::Result<Self> {
        let queue = FairQueue::new(config.max_waiting_bytes, config.max_waiting_jobs);
        let shared = Arc::new(Shared {
            state: Mutex::new(State::Open(queue)),
            changed: Condvar::new(),
            max_text_length,
            normalize,
            has_panicked: AtomicBool::new(false),
        });
        // If a later thread cannot be started, dropping the pool ends the earlier ones.
        let pool = Self { shared };
        for number in 0..config.threads.get() {
            let shared = Arc::clone(&pool.shared);
            thread::Builder::new().name(format!("image-{number}")).spawn(move || shared.run())?;
        }
        Ok(pool)
    }

    /// Queues an image of `sender`: base64 text, as [`normalize`] takes it.
    ///
    /// The receiver gets the result. Dropping it cancels the job unless a thread has already started it. A text longer
    /// than [`Limits::max_raw_length`] is answered at once and not queued.
    ///
    /// # Errors
    /// [`PoolFull`] if the sender's share or the whole queue is full; the text is dropped.
    pub fn submit(
        &self,
        sender: K,
        text: String,
    ) -> Result<oneshot::Receiver<Result<NormalImage, ImageError>>, PoolFull> {
        let (reply, receiver) = oneshot::channel();
        let (length, limit) = (text.len(), self.shared.max_text_length);
        if length > limit {
            // Cannot fail: the receiver still exists.
            let _sent = reply.send(Err(ImageError::TextTooLong { length, limit }));
            return Ok(receiver);
        }
        // Drops the spare capacity of the text, which the queue would not count.
        let job = Job { text: text.into_boxed_str(), reply };
        if let State::Open(queue) = &mut *self.shared.lock() {
            for Job { reply, .. } in queue.push(sender, length, job)? {
                // Fails if the sender has left meanwhile.
                let _sent = reply.send(Err(ImageError::Displaced));
            }
        }
        self.shared.changed.notify_one();
        Ok(receiver)
    }

    /// Returns the number and size of the waiting images.
    #[must_use]
    pub fn waiting(&self) -> Waiting {
        match &*self.shared.lock() {
            State::Open(queue) => Waiting { jobs: queue.len(), bytes: queue.bytes() },
            State::Closed => Waiting::default(),
        }
    }
}

impl<K> Drop for ImagePool<K> {
    fn drop(&mut self) {
        let state = mem::replace(&mut *self.shared.lock(), State::Closed);
        self.shared.changed.notify_all();
        // The lock is released before the waiting images are dropped.
        drop(state);
    }
}

impl<K> fmt::Debug for ImagePool<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ImagePool").finish_non_exhaustive()
    }
}

impl<K> Shared<K> {
    /// Nothing panics while it holds the lock.
    fn lock(&self) -> MutexGuard<'_, State<K>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Copy + Eq + Hash> Shared<K> {
    /// Runs jobs until the pool is closed.
    fn run(&self) {
        lower_priority();
        while let Some(Job { text, reply }) = self.next() {
            if reply.is_closed() {
                continue;
            }
            // A panic leaves no state behind: each image has a decoder of its own.
            let result = catch_unwind(AssertUnwindSafe(|| (self.normalize)(&text))).unwrap_or_else(|_| {
                self.report_panic();
                Err(ImageError::DecoderPanicked)
            });
            // Fails if the sender has left meanwhile.
            let _sent = reply.send(result);
        }
    }

    /// Waits for a job; `None` when the pool is closed.
    fn next(&self) -> Option<Job> {
        let mut state = self.lock();
        loop {
            match &mut *state {
                State::Open(queue) => {
                    if let Some(job) = queue.pop() {
                        return Some(job);
                    }
                }
                State::Closed => return None,
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Logs the first panic only, as a client could send the same image again and again.
    fn report_panic(&self) {
        if !self.has_panicked.swap(true, Ordering::Relaxed) {
            tracing::error!("image decoder panicked; the image was refused; further panics are not logged");
        }
    }
}

/// Lowers the priority of the calling thread, if that is possible.
#[cfg(target_os = "linux")]
fn lower_priority() {
    // On Linux, priorities belong to threads, and `None` stands for the calling thread. If the system forbids it,
    // images are decoded at normal priority.
    let _ignored = rustix::process::setpriority_process(None, NICENESS);
}

#[cfg(not(target_os = "linux"))]
fn lower_priority() {}

#[cfg(test)]
mod tests;
