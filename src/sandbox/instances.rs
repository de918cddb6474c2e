//! The instances of one plugin: used again, made where more are needed, dropped where they are not.
//!
//! A call takes an idle instance. Where there is none, one is made in the background, up to the plugin's bound, and the
//! call waits for whichever comes first, that one or one that another call gives back. So a `configure` that takes long
//! takes its own time, and not that of messages.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use wasmtime::{Store as WasmStore, UpdateDeadline, bail};

use super::clock::Running;
use super::contract::{Filter, FilterPre};
use super::engine::Sandbox;
use super::failure::{Failure, in_time};
use super::host::Host;
use super::limiter::Limiter;
use super::load::root;
use super::question::Scene;
use super::shared::{Shared, lock};
use super::standing::Standing;

/// After an instance could not be made, no other one is for that long.
const PAUSE: Duration = Duration::from_secs(1);
/// After that time an instance that nobody has used is dropped, when it is not the only one.
const IDLE: Duration = Duration::from_mins(1);

/// The instances of one plugin.
pub(super) struct Instances {
    pub(super) sandbox: Arc<Sandbox>,
    pub(super) shared: Arc<Shared>,
    pub(super) component: FilterPre<Host>,
    pub(super) standing: Arc<Standing>,
    /// As JSON.
    settings: String,
    idle: Mutex<Vec<Instance>>,
    /// One permit for each idle instance.
    ready: Semaphore,
    count: Arc<Count>,
    /// Until then none is made, since the last one could not be.
    pauses_until: Mutex<Option<Instant>>,
    /// Nobody asks the plugin any more: what is still under way comes to its end.
    retired: AtomicBool,
}

/// The instances that are idle, at work, or being made.
#[derive(Debug, Default)]
struct Count {
    alive: AtomicUsize,
    /// Whether one of them has the place that each plugin has for itself.
    has_first: AtomicBool,
}

/// An instance that has taken its settings.
pub(super) struct Instance {
    pub(super) store: WasmStore<Host>,
    pub(super) filter: Filter,
    since: Instant,
    _place: Place,
}

/// The place of an instance among those of all plugins. Dropped, it is free.
struct Place {
    count: Arc<Count>,
    /// Each plugin has one place for itself; beyond that there are so many for all of them.
    further: Option<OwnedSemaphorePermit>,
}

impl Drop for Place {
    fn drop(&mut self) {
        if self.further.is_none() {
            self.count.has_first.store(false, Ordering::SeqCst);
        }
        self.count.alive.fetch_sub(1, Ordering::SeqCst);
    }
}

/// An instance at work. Dropped, it is gone: what a call was ended in is not used again.
pub(super) struct Borrowed {
    from: Arc<Instances>,
    instance: Option<Instance>,
}

impl Instances {
    /// None yet.
    pub(super) fn new(
        sandbox: Arc<Sandbox>,
        shared: Arc<Shared>,
        component: FilterPre<Host>,
        standing: Arc<Standing>,
        settings: String,
    ) -> Arc<Self> {
        Arc::new(Self {
            sandbox,
            shared,
            component,
            standing,
            settings,
            idle: Mutex::default(),
            ready: Semaphore::new(0),
            count: Arc::default(),
            pauses_until: Mutex::default(),
            retired: AtomicBool::new(false),
        })
    }

    /// Takes an idle instance, or waits until there is one, until `deadline` at most.
    ///
    /// # Errors
    /// [`Failure::Busy`] when there was none in time.
    ///
    /// # Cancel safety
    /// Dropping the future takes nothing.
    pub(super) async fn borrow(self: &Arc<Self>, deadline: Instant) -> Result<Borrowed, Failure> {
        let permit = if let Ok(permit) = self.ready.try_acquire() {
            permit
        } else {
            self.grow();
            let waited = tokio::time::timeout_at(deadline.into(), self.ready.acquire()).await;
            // Who waits for others until its time is up has not seen the plugin fail.
            waited.map_err(|_| Failure::Busy)?.map_err(|_| Failure::Busy)?
        };
        permit.forget();
        // The permit was that of an idle instance.
        let instance = lock(&self.idle).pop().ok_or(Failure::Busy)?;
        Ok(Borrowed { from: Arc::clone(self), instance: Some(instance) })
    }

    /// Takes the place of one more instance, if the plugin may have one.
    fn take_place(&self) -> Option<Place> {
        let most = self.shared.limits.instances;
        let one_more = |alive: usize| (alive < most).then_some(alive + 1);
        self.count.alive.fetch_update(Ordering::SeqCst, Ordering::SeqCst, one_more).ok()?;
        let count = Arc::clone(&self.count);
        if !count.has_first.swap(true, Ordering::SeqCst) {
            return Some(Place { count, further: None });
        }
        let permit = Arc::clone(&self.sandbox.places).try_acquire_owned().ok();
        if permit.is_none() {
            count.alive.fetch_sub(1, Ordering::SeqCst);
        }
        permit.map(|permit| Place { count, further: Some(permit) })
    }

    /// Has one more instance made, if there may be one more.
    fn grow(self: &Arc<Self>) {
        let pauses = lock(&self.pauses_until).is_some_and(|until| Instant::now() < until);
        if pauses || self.retired.load(Ordering::SeqCst) {
            return;
        }
        let Some(place) = self.take_place() else { return };
        let this = Arc::clone(self);
        self.sandbox.handle().spawn(async move {
            match this.make(place).await {
                Ok(instance) => this.add(instance),
                Err(failure) => {
                    *lock(&this.pauses_until) = Some(Instant::now() + PAUSE);
                    if failure != Failure::Starved && !this.retired.load(Ordering::SeqCst) {
                        this.standing.failed(&failure);
                    }
                }
            }
        });
    }

    /// No more instances are made.
    pub(super) fn retire(&self) {
        self.retired.store(true, Ordering::SeqCst);
    }

    /// Makes the first instance, within the deadline of `configure`.
    ///
    /// # Errors
    /// [`Failure`], when it takes too long, traps, or refuses its settings.
    pub(super) async fn first(&self) -> Result<Instance, Failure> {
        let place = self.take_place().ok_or(Failure::Busy)?;
        self.make(place).await
    }

    /// Makes an instance that is given to nobody else. It is none of those that the plugin may have, and does not count
    /// for its standing.
    ///
    /// # Errors
    /// As [`Instances::first`].
    pub(super) async fn apart(&self) -> Result<Instance, Failure> {
        let permit = Arc::clone(&self.sandbox.places).try_acquire_owned().map_err(|_| Failure::Busy)?;
        let count = Arc::new(Count { alive: AtomicUsize::new(1), has_first: AtomicBool::new(false) });
        self.make(Place { count, further: Some(permit) }).await
    }

    /// Makes an instance, within the deadline of `configure`.
    async fn make(&self, place: Place) -> Result<Instance, Failure> {
        let _running: Running = self.sandbox.running();
        let limit = self.shared.limits.configure_deadline;
        let deadline = Instant::now() + limit;
        let made = tokio::time::timeout_at(deadline.into(), self.configured(deadline, place)).await;
        in_time(made, limit, deadline)
    }

    async fn configured(&self, deadline: Instant, place: Place) -> Result<Instance, Failure> {
        let budget = Arc::clone(&self.sandbox.budget);
        let limiter = Limiter::new(&self.shared.limits, budget, place.further.is_some());
        let host = Host::new(Arc::clone(&self.shared), limiter);
        let mut store = WasmStore::new(&self.sandbox.engine, host);
        store.limiter(|host| &mut host.limits);
        store.set_hostcall_fuel(self.shared.limits.copied);
        store.epoch_deadline_callback(|store| {
            if Instant::now() >= store.data().deadline {
                bail!("its time was up");
            }
            // The processor goes to whoever waits for it, such as a shard; then the thread to other plugins.
            std::thread::yield_now();
            Ok(UpdateDeadline::YieldCustom(1, Box::pin(tokio::task::yield_now())))
        });
        store.set_epoch_deadline(1);
        store.data_mut().begin(Scene { at: now(), ..Scene::default() }, deadline);
        let instantiated = self.component.instantiate_async(&mut store).await;
        let filter = instantiated.map_err(|fault| trap(&fault, &store))?;
        let refused = filter.gischat_filter_guest().call_configure(&mut store, &self.settings).await;
        refused.map_err(|fault| trap(&fault, &store))?.map_err(|text| {
            let text: String = text.chars().take(500).collect();
            Failure::Trap(format!("it refuses its settings: {text}"))
        })?;
        Ok(Instance { store, filter, since: Instant::now(), _place: place })
    }

    /// Lets calls have an instance.
    pub(super) fn add(&self, mut instance: Instance) {
        instance.since = Instant::now();
        lock(&self.idle).push(instance);
        self.ready.add_permits(1);
    }

    /// Drops the idle instances that nobody has used for a while, down to one.
    pub(super) fn shed(&self) {
        let mut idle = lock(&self.idle);
        let old = idle.iter().take_while(|instance| instance.since.elapsed() > IDLE).count();
        // The last one used is at the end; those at the front have waited longest.
        let spare = old.min(self.count.alive.load(Ordering::SeqCst).saturating_sub(1));
        let mut dropped = Vec::new();
        for _ in 0..spare {
            // A permit that somebody holds already stands for an instance that is as good as taken.
            let Ok(permit) = self.ready.try_acquire() else { break };
            permit.forget();
            dropped.push(idle.remove(0));
        }
        // To be dropped takes an instance some microseconds, in which others need not wait.
        drop(idle);
    }

    /// Linear memory of the largest idle instance, in bytes.
    pub(super) fn memory(&self) -> Option<usize> {
        lock(&self.idle).iter().map(|instance| instance.store.data().limits.memory()).max()
    }
}

impl Borrowed {
    /// The instance; `None` never, before it is given back.
    pub(super) fn instance(&mut self) -> Option<&mut Instance> {
        self.instance.as_mut()
    }

    /// Gives the instance back to others.
    pub(super) fn give_back(mut self) {
        if let Some(instance) = self.instance.take() {
            self.from.add(instance);
        }
    }
}

impl Drop for Borrowed {
    fn drop(&mut self) {
        if let Some(instance) = self.instance.take() {
            // Its place is free then.
            drop(instance);
            // For the next call, or for one that waits already.
            self.from.grow();
        }
    }
}

/// What has ended a call: the plugin, or the want of memory that others have.
pub(super) fn trap(fault: &wasmtime::Error, store: &WasmStore<Host>) -> Failure {
    if store.data().limits.is_starved() { Failure::Starved } else { Failure::Trap(root(fault)) }
}

/// The time, in milliseconds since 1970.
pub(super) fn now() -> u64 {
    u64::try_from(jiff::Timestamp::now().as_millisecond()).unwrap_or(0)
}
