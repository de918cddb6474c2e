//! When a shard must be woken: the one place where threads agree on something without a lock.

use std::sync::atomic::{AtomicBool, Ordering};

/// Says who is awake. A wake-up is a system call, so a shard is woken only when it sleeps.
///
/// The one who posts puts the command into the inbox **and then** rings; the shard says that it falls asleep **and then**
/// looks into the inbox once more. Whichever comes second sees the other: either the poster finds the shard asleep and
/// wakes it, or the shard finds the command and does not sleep. The model check below tries all interleavings.
#[derive(Debug, Default)]
pub(super) struct Bell<F = AtomicBool> {
    asleep: F,
}

/// A flag that threads share.
pub(super) trait Flag {
    /// Sets the flag and gives what it was, in one order for all threads.
    fn swap(&self, value: bool) -> bool;
}

impl Flag for AtomicBool {
    fn swap(&self, value: bool) -> bool {
        Self::swap(self, value, Ordering::SeqCst)
    }
}

impl<F: Flag> Bell<F> {
    /// To be called once a command is posted; `true` when the shard sleeps and the caller must wake it.
    pub(super) fn ring(&self) -> bool {
        self.asleep.swap(false)
    }

    /// To be called by the shard before it looks into the inbox for the last time.
    pub(super) fn fall_asleep(&self) {
        self.asleep.swap(true);
    }

    /// To be called by the shard when it is awake.
    pub(super) fn awake(&self) {
        self.asleep.swap(false);
    }
}

#[cfg(test)]
mod tests {
    use loom::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
    use loom::sync::{Arc, Condvar, Mutex};
    use loom::thread;

    use super::*;

    impl Flag for AtomicBool {
        fn swap(&self, value: bool) -> bool {
            self.swap(value, Ordering::SeqCst)
        }
    }

    /// A shard's poll, as far as waking goes: a wake-up that comes while nobody sleeps is kept.
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

    /// Each poster posts one command; the shard takes them all. Were a command left in the inbox of a shard that
    /// sleeps, nobody could go on, and the model would say so.
    ///
    /// `preemptions` bounds how often a thread is interrupted in the middle, without which more than one poster takes
    /// hours.
    fn no_command_is_slept_through(posters: usize, preemptions: Option<usize>) {
        let mut model = loom::model::Builder::new();
        model.preemption_bound = preemptions;
        model.check(move || {
            let bell = Arc::new(Bell { asleep: AtomicBool::new(false) });
            let (inbox, poll) = (Arc::new(AtomicUsize::new(0)), Arc::new(Poll::default()));
            for _ in 0..posters {
                let (bell, inbox, poll) = (Arc::clone(&bell), Arc::clone(&inbox), Arc::clone(&poll));
                thread::spawn(move || {
                    inbox.fetch_add(1, Ordering::Release);
                    if bell.ring() {
                        poll.wake();
                    }
                });
            }
            let mut taken = 0;
            while taken < posters {
                bell.fall_asleep();
                if inbox.load(Ordering::Acquire) == 0 {
                    poll.sleep();
                }
                bell.awake();
                taken += inbox.swap(0, Ordering::AcqRel);
            }
        });
    }

    #[test]
    fn a_shard_sleeps_through_no_command_of_one_poster() {
        no_command_is_slept_through(1, None);
    }

    #[test]
    fn a_shard_sleeps_through_no_command_of_two_posters() {
        no_command_is_slept_through(2, Some(2));
    }
}
