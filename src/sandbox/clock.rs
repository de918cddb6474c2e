//! The clock that interrupts plugins: increments the engine's epoch every millisecond while calls are running.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{self, Thread};
use std::time::Duration;

use wasmtime::Engine;

/// Interval at which a running plugin is interrupted: it yields, or ends at its deadline.
const TICK: Duration = Duration::from_millis(1);
/// Ticks without a call before the clock thread parks. Waking it for a message is cheaper than 1000 wakeups a second.
const IDLE_TICKS: u32 = 3;

/// Increments the engine's epoch every millisecond while a [`ClockGuard`] exists.
#[derive(Debug)]
pub(super) struct Clock {
    state: Arc<ClockState>,
    thread: Thread,
}

#[derive(Debug, Default)]
struct ClockState {
    guards: AtomicUsize,
    parked: AtomicBool,
    ended: AtomicBool,
}

/// Keeps the clock running while a call is.
#[derive(Debug)]
pub(super) struct ClockGuard(Arc<ClockState>);

impl Clock {
    pub(super) fn start(engine: Engine) -> std::io::Result<Self> {
        let state = Arc::new(ClockState::default());
        let thread_state = Arc::clone(&state);
        let thread = thread::Builder::new().name("plugin-clock".to_owned()).spawn(move || thread_state.run(&engine))?;
        Ok(Self { state, thread: thread.thread().clone() })
    }

    pub(super) fn guard(&self) -> ClockGuard {
        self.state.guards.fetch_add(1, Ordering::SeqCst);
        if self.state.parked.load(Ordering::SeqCst) {
            self.thread.unpark();
        }
        ClockGuard(Arc::clone(&self.state))
    }
}

impl Drop for Clock {
    fn drop(&mut self) {
        self.state.ended.store(true, Ordering::SeqCst);
        self.thread.unpark();
    }
}

impl ClockState {
    fn run(&self, engine: &Engine) {
        let mut idle = 0;
        while !self.ended.load(Ordering::SeqCst) {
            if self.guards.load(Ordering::SeqCst) > 0 {
                idle = 0;
            } else {
                idle += 1;
            }
            if idle < IDLE_TICKS {
                thread::sleep(TICK);
                engine.increment_epoch();
                continue;
            }
            // A call that starts after `parked` is set wakes the thread; one that started before is counted here.
            self.parked.store(true, Ordering::SeqCst);
            if self.guards.load(Ordering::SeqCst) == 0 && !self.ended.load(Ordering::SeqCst) {
                thread::park();
            }
            self.parked.store(false, Ordering::SeqCst);
            idle = 0;
        }
    }
}

impl Drop for ClockGuard {
    fn drop(&mut self) {
        self.0.guards.fetch_sub(1, Ordering::SeqCst);
    }
}
