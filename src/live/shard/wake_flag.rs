//! Decides whether a shard must be woken. The only lock-free synchronization between threads.

use std::sync::atomic::{AtomicBool, Ordering};

/// Whether a shard is asleep. Waking it is a system call, so it is woken only if it sleeps.
///
/// The sender posts a command **and then** reads the flag; the shard sets the flag **and then** checks its inbox once
/// more. One of them sees the other: either the sender finds the shard asleep and wakes it, or the shard finds the
/// command and does not sleep. The model check below tries all interleavings.
#[derive(Debug, Default)]
pub(super) struct WakeFlag<F = AtomicBool> {
    asleep: F,
}

/// A shared flag.
pub(super) trait AtomicFlag {
    /// Sets the flag and returns its previous value, sequentially consistent.
    fn swap(&self, value: bool) -> bool;
}

impl AtomicFlag for AtomicBool {
    fn swap(&self, value: bool) -> bool {
        Self::swap(self, value, Ordering::SeqCst)
    }
}

impl<F: AtomicFlag> WakeFlag<F> {
    /// Called after posting a command; `true` if the shard is asleep and the caller must wake it.
    pub(super) fn take_asleep(&self) -> bool {
        self.asleep.swap(false)
    }

    /// Called by the shard before it checks the inbox for the last time.
    pub(super) fn set_asleep(&self) {
        self.asleep.swap(true);
    }

    /// Called by the shard when it is awake.
    pub(super) fn set_awake(&self) {
        self.asleep.swap(false);
    }
}

#[cfg(test)]
mod tests {
    use loom::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
    use loom::sync::{Arc, Condvar, Mutex};
    use loom::thread;

    use super::*;

    impl AtomicFlag for AtomicBool {
        fn swap(&self, value: bool) -> bool {
            self.swap(value, Ordering::SeqCst)
        }
    }

    /// Models the shard's poll: a wake-up is kept if nobody is asleep.
    #[derive(Default)]
    struct Poll {
        woken: Mutex<bool>,
        change: Condvar,
    }

    impl Poll {
        fn wake(&self) {
            *self.woken.lock().unwrap() = true;
            self.change.notify_one();
        }

        fn sleep(&self) {
            let mut woken = self.woken.lock().unwrap();
            while !*woken {
                woken = self.change.wait(woken).unwrap();
            }
            *woken = false;
        }
    }

    /// Each poster posts one command; the shard takes them all. If a shard slept with a command in its inbox, the model
    /// would report a deadlock.
    ///
    /// `preemptions` bounds the preemptions of each thread. Without a bound, more than one poster takes hours.
    fn no_command_is_lost(posters: usize, preemptions: Option<usize>) {
        let mut model = loom::model::Builder::new();
        model.preemption_bound = preemptions;
        model.check(move || {
            let wake_flag = Arc::new(WakeFlag { asleep: AtomicBool::new(false) });
            let (inbox, poll) = (Arc::new(AtomicUsize::new(0)), Arc::new(Poll::default()));
            for _ in 0..posters {
                let (wake_flag, inbox, poll) = (Arc::clone(&wake_flag), Arc::clone(&inbox), Arc::clone(&poll));
                thread::spawn(move || {
                    inbox.fetch_add(1, Ordering::Release);
                    if wake_flag.take_asleep() {
                        poll.wake();
                    }
                });
            }
            let mut taken = 0;
            while taken < posters {
                wake_flag.set_asleep();
                if inbox.load(Ordering::Acquire) == 0 {
                    poll.sleep();
                }
                wake_flag.set_awake();
                taken += inbox.swap(0, Ordering::AcqRel);
            }
        });
    }

    #[test]
    fn no_command_of_one_poster_is_lost() {
        no_command_is_lost(1, None);
    }

    #[test]
    fn no_command_of_two_posters_is_lost() {
        no_command_is_lost(2, Some(2));
    }
}
