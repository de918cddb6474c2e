//! The pool of instances of one plugin.
//!
//! A call takes an idle instance. If there is none, another is created in the background, up to the plugin's limit, and
//! the call waits for that one or for one that another call returns. So a slow `configure` does not count against the
//! deadline of messages. Instances that stay idle are dropped.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use wasmtime::{Store as WasmStore, UpdateDeadline, bail};

use super::budget::Reservation;
use super::contract::{Filter, FilterPre};
use super::engine::Sandbox;
use super::failure::{PluginFailure, root_cause};
use super::host::Host;
use super::limiter::Limiter;
use super::request::CallContext;
use super::shared::{PluginShared, lock};
use super::stats::PluginStats;
use super::timing::within_deadline;

/// Delay after an instance could not be created.
const RETRY_DELAY: Duration = Duration::from_secs(1);
/// Time after which an idle instance is dropped, unless it is the last one.
const IDLE_TIMEOUT: Duration = Duration::from_mins(1);

/// The instances of one plugin.
pub(super) struct Instances {
    pub(super) sandbox: Arc<Sandbox>,
    pub(super) shared: Arc<PluginShared>,
    pub(super) component: FilterPre<Host>,
    pub(super) stats: Arc<PluginStats>,
    /// The plugin's settings, as JSON.
    settings: String,
    idle: Mutex<Vec<PluginInstance>>,
    /// One permit for each idle instance.
    idle_permits: Semaphore,
    count: Arc<InstanceCount>,
    /// No instance is created before then, because the last one failed.
    retry_at: Mutex<Option<Instant>>,
    /// Whether the plugin was dropped. No instances are created any more.
    retired: AtomicBool,
}

/// The number of instances that are idle, busy, or being created.
#[derive(Debug, Default)]
struct InstanceCount {
    alive: AtomicUsize,
    /// Whether one of them has the slot reserved for the plugin.
    has_reserved: AtomicBool,
}

/// A configured instance.
pub(super) struct PluginInstance {
    pub(super) store: WasmStore<Host>,
    pub(super) filter: Filter,
    idle_since: Instant,
    _slot: InstanceSlot,
}

/// The slot of an instance among those of all plugins. Freed on drop.
struct InstanceSlot {
    count: Arc<InstanceCount>,
    /// The permit of a shared slot; `None` for the slot reserved for the plugin.
    permit: Option<OwnedSemaphorePermit>,
}

impl Drop for InstanceSlot {
    fn drop(&mut self) {
        if self.permit.is_none() {
            self.count.has_reserved.store(false, Ordering::SeqCst);
        }
        self.count.alive.fetch_sub(1, Ordering::SeqCst);
    }
}

/// An instance taken by a call. Dropping the guard discards the instance, because a call may have been cut off in it;
/// [`InstanceGuard::release`] returns it to the pool.
pub(super) struct InstanceGuard {
    pool: Arc<Instances>,
    instance: Option<PluginInstance>,
}

impl Instances {
    /// Creates an empty pool.
    pub(super) fn new(
        sandbox: Arc<Sandbox>,
        shared: Arc<PluginShared>,
        component: FilterPre<Host>,
        stats: Arc<PluginStats>,
        settings: String,
    ) -> Arc<Self> {
        Arc::new(Self {
            sandbox,
            shared,
            component,
            stats,
            settings,
            idle: Mutex::default(),
            idle_permits: Semaphore::new(0),
            count: Arc::default(),
            retry_at: Mutex::default(),
            retired: AtomicBool::new(false),
        })
    }

    /// Takes an idle instance, waiting until `deadline` for one.
    ///
    /// # Errors
    /// [`PluginFailure::Busy`] if there was none in time.
    ///
    /// # Cancel safety
    /// Dropping the future takes no instance.
    pub(super) async fn acquire(self: &Arc<Self>, deadline: Instant) -> Result<InstanceGuard, PluginFailure> {
        let permit = if let Ok(permit) = self.idle_permits.try_acquire() {
            permit
        } else {
            self.grow();
            let waited = tokio::time::timeout_at(deadline.into(), self.idle_permits.acquire()).await;
            // Waiting for other calls until the deadline is not a failure of the plugin.
            waited.map_err(|_| PluginFailure::Busy)?.map_err(|_| PluginFailure::Busy)?
        };
        permit.forget();
        // The permit stands for an idle instance.
        let instance = lock(&self.idle).pop().ok_or(PluginFailure::Busy)?;
        Ok(InstanceGuard { pool: Arc::clone(self), instance: Some(instance) })
    }

    /// Takes a slot for one more instance, if the plugin may have one.
    fn acquire_slot(&self) -> Option<InstanceSlot> {
        let max = self.shared.limits.instances;
        let one_more = |alive: usize| (alive < max).then_some(alive + 1);
        self.count.alive.fetch_update(Ordering::SeqCst, Ordering::SeqCst, one_more).ok()?;
        let count = Arc::clone(&self.count);
        if !count.has_reserved.swap(true, Ordering::SeqCst) {
            return Some(InstanceSlot { count, permit: None });
        }
        let permit = Arc::clone(&self.sandbox.extra_slots).try_acquire_owned().ok();
        if permit.is_none() {
            count.alive.fetch_sub(1, Ordering::SeqCst);
        }
        permit.map(|permit| InstanceSlot { count, permit: Some(permit) })
    }

    /// Starts creating one more instance, if the plugin may have one.
    fn grow(self: &Arc<Self>) {
        let is_delayed = lock(&self.retry_at).is_some_and(|until| Instant::now() < until);
        if is_delayed || self.retired.load(Ordering::SeqCst) {
            return;
        }
        let Some(slot) = self.acquire_slot() else { return };
        let this = Arc::clone(self);
        self.sandbox.handle().spawn(async move {
            match this.make(slot).await {
                Ok(instance) => this.add_idle(instance),
                Err(failure) => {
                    *lock(&this.retry_at) = Some(Instant::now() + RETRY_DELAY);
                    if !matches!(failure, PluginFailure::MemoryExhausted(_)) && !this.retired.load(Ordering::SeqCst) {
                        this.stats.record_failure(&failure);
                    }
                }
            }
        });
    }

    /// Stops the creation of instances.
    pub(super) fn retire(&self) {
        self.retired.store(true, Ordering::SeqCst);
    }

    /// Creates the first instance, within the deadline of `configure`.
    ///
    /// # Errors
    /// [`PluginFailure`] if it takes too long, traps, or refuses its settings.
    pub(super) async fn make_first(&self) -> Result<PluginInstance, PluginFailure> {
        let slot = self.acquire_slot().ok_or(PluginFailure::Busy)?;
        self.make(slot).await
    }

    /// Creates an instance outside of the pool. It does not count against the plugin's limit or in its statistics.
    ///
    /// # Errors
    /// Same as [`Instances::make_first`].
    pub(super) async fn make_detached(&self) -> Result<PluginInstance, PluginFailure> {
        let permit = Arc::clone(&self.sandbox.extra_slots).try_acquire_owned().map_err(|_| PluginFailure::Busy)?;
        let count = Arc::new(InstanceCount { alive: AtomicUsize::new(1), has_reserved: AtomicBool::new(false) });
        self.make(InstanceSlot { count, permit: Some(permit) }).await
    }

    /// Creates an instance, within the deadline of `configure`.
    async fn make(&self, slot: InstanceSlot) -> Result<PluginInstance, PluginFailure> {
        let _clock = self.sandbox.clock_guard();
        let limit = self.shared.limits.configure_deadline;
        let deadline = Instant::now() + limit;
        let result = tokio::time::timeout_at(deadline.into(), self.instantiate(deadline, slot)).await;
        within_deadline(result, limit, deadline)
    }

    async fn instantiate(&self, deadline: Instant, slot: InstanceSlot) -> Result<PluginInstance, PluginFailure> {
        let budget = Arc::clone(&self.sandbox.budget);
        let is_extra = slot.permit.is_some();
        let reservation = if is_extra { Reservation::new_extra(budget) } else { Reservation::new(budget) };
        let limiter = Limiter::new(&self.shared.limits, reservation);
        let host = Host::new(Arc::clone(&self.shared), limiter);
        let mut store = WasmStore::new(&self.sandbox.engine, host);
        store.limiter(|host| &mut host.limiter);
        store.set_hostcall_fuel(self.shared.limits.transfer_bytes);
        store.epoch_deadline_callback(|store| {
            if Instant::now() >= store.data().deadline {
                bail!("deadline exceeded");
            }
            // Yield the CPU to other threads, such as shards; then the thread to other plugins.
            std::thread::yield_now();
            Ok(UpdateDeadline::YieldCustom(1, Box::pin(tokio::task::yield_now())))
        });
        store.set_epoch_deadline(1);
        store.data_mut().begin(CallContext { at: now_millis(), ..CallContext::default() }, deadline);
        let instantiated = self.component.instantiate_async(&mut store).await;
        let filter = instantiated.map_err(|error| failure_of(&error, &store))?;
        let configured = filter.gischat_filter_guest().call_configure(&mut store, &self.settings).await;
        configured.map_err(|error| failure_of(&error, &store))?.map_err(|text| {
            let text: String = text.chars().take(500).collect();
            PluginFailure::Failed(format!("it refuses its settings: {text}"))
        })?;
        Ok(PluginInstance { store, filter, idle_since: Instant::now(), _slot: slot })
    }

    /// Adds an idle instance to the pool.
    pub(super) fn add_idle(&self, mut instance: PluginInstance) {
        instance.idle_since = Instant::now();
        lock(&self.idle).push(instance);
        self.idle_permits.add_permits(1);
    }

    /// Drops instances that have been idle for a minute, but keeps at least one.
    pub(super) fn drop_idle(&self) {
        let mut idle = lock(&self.idle);
        let old = idle.iter().take_while(|instance| instance.idle_since.elapsed() > IDLE_TIMEOUT).count();
        // Instances at the front have been idle longest.
        let spare = old.min(self.count.alive.load(Ordering::SeqCst).saturating_sub(1));
        let mut dropped = Vec::new();
        for _ in 0..spare {
            // A permit that is taken stands for an instance that a call is about to take.
            let Ok(permit) = self.idle_permits.try_acquire() else { break };
            permit.forget();
            dropped.push(idle.remove(0));
        }
        // Dropping an instance takes some microseconds; do it without the lock.
        drop(idle);
    }

    /// The linear memory of the largest idle instance, in bytes.
    pub(super) fn memory(&self) -> Option<usize> {
        lock(&self.idle).iter().map(|instance| instance.store.data().limiter.memory()).max()
    }
}

impl InstanceGuard {
    /// The instance; always present before `release`.
    pub(super) fn instance(&mut self) -> Option<&mut PluginInstance> {
        self.instance.as_mut()
    }

    /// Returns the instance to the pool.
    pub(super) fn release(mut self) {
        if let Some(instance) = self.instance.take() {
            self.pool.add_idle(instance);
        }
    }
}

impl Drop for InstanceGuard {
    fn drop(&mut self) {
        if let Some(instance) = self.instance.take() {
            // Free its slot before growing.
            drop(instance);
            // For the next call, or for one that is waiting.
            self.pool.grow();
        }
    }
}

/// Returns the failure that ended a call: the plugin's own, or an exhausted memory budget.
pub(super) fn failure_of(error: &wasmtime::Error, store: &WasmStore<Host>) -> PluginFailure {
    store.data().limiter.exhausted().map_or_else(|| PluginFailure::Failed(root_cause(error)), PluginFailure::from)
}

/// The current time, in milliseconds since 1970.
pub(super) fn now_millis() -> u64 {
    u64::try_from(jiff::Timestamp::now().as_millisecond()).unwrap_or(0)
}
