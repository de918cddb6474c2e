//! The clock that interrupts plugins: an epoch of the engine a millisecond, as long as a call is under way.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{self, Thread};
use std::time::Duration;

use wasmtime::Engine;

/// How often a running plugin is looked at: it yields then, and ends when its time is up.
const TICK: Duration = Duration::from_millis(1);
/// Ticks without a call after which the clock stops until the next one: a thread that wakes a thousand times a second
/// costs more than waking it once for a message.
const IDLE_TICKS: u32 = 3;
/// Counts the engine's epochs, a millisecond each, while plugins run.
#[derive(Debug)]
pub(super) struct Clock {
    state: Arc<ClockState>,
    thread: Thread,
}

#[derive(Debug, Default)]
struct ClockState {
    running: AtomicUsize,
    stopped: AtomicBool,
    ended: AtomicBool,
}

/// A call is under way.
#[derive(Debug)]
pub(super) struct Running(Arc<ClockState>);

impl Clock {
    pub(super) fn start(engine: Engine) -> std::io::Result<Self> {
        let state = Arc::new(ClockState::default());
        let of_thread = Arc::clone(&state);
        let thread = thread::Builder::new().name("plugin-clock".to_owned()).spawn(move || of_thread.tick(&engine))?;
        Ok(Self { state, thread: thread.thread().clone() })
    }

    pub(super) fn running(&self) -> Running {
        self.state.running.fetch_add(1, Ordering::SeqCst);
        if self.state.stopped.load(Ordering::SeqCst) {
            self.thread.unpark();
        }
        Running(Arc::clone(&self.state))
    }
}

impl Drop for Clock {
    fn drop(&mut self) {
        self.state.ended.store(true, Ordering::SeqCst);
        self.thread.unpark();
    }
}

impl ClockState {
    fn tick(&self, engine: &Engine) {
        let mut idle = 0;
        while !self.ended.load(Ordering::SeqCst) {
            if self.running.load(Ordering::SeqCst) > 0 {
                idle = 0;
            } else {
                idle += 1;
            }
            if idle < IDLE_TICKS {
                thread::sleep(TICK);
                engine.increment_epoch();
                continue;
            }
            // Who begins to run after `stopped` is set finds it set and wakes the thread; who began before is seen
            // here.
            self.stopped.store(true, Ordering::SeqCst);
            if self.running.load(Ordering::SeqCst) == 0 && !self.ended.load(Ordering::SeqCst) {
                thread::park();
            }
            self.stopped.store(false, Ordering::SeqCst);
            idle = 0;
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, Ordering::SeqCst);
    }
}
