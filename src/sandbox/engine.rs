//! The sandbox that plugins run in: wasmtime's engine and the threads for calls.

use std::path::PathBuf;
use std::sync::Arc;

use tokio::runtime::{Builder, Handle, Runtime};
use tokio::sync::{Semaphore, broadcast};
use wasmtime::component::{HasSelf, Linker};
use wasmtime::{Engine, InstanceAllocationStrategy, PoolingAllocationConfig};

use super::artifact::ArtifactCache;
use super::budget::MemoryBudget;
use super::clock::{Clock, ClockGuard};
use super::compiler::PluginCompiler;
use super::config::Config;
use super::contract::Filter;
use super::engine_settings::engine_config;
use super::host::Host;
use super::limits::{MAX_MEMORY, MAX_PLUGINS, MAX_TABLE_ELEMENTS};
use super::stats::{Events, PluginEvent};

/// Most instances of all plugins together: one for each plugin, another for each while plugins are reloaded, and
/// [`EXTRA_INSTANCES`] for busy plugins.
const MAX_INSTANCES: u32 = 2 * MAX_PLUGINS + EXTRA_INSTANCES;
/// Most instances beyond the first of each plugin, for all plugins together.
const EXTRA_INSTANCES: u32 = 64;
/// Events buffered for a slow receiver.
const EVENT_CAPACITY: usize = 256;
/// Most core instances of one component. A Python filter has about 30.
const CORE_INSTANCES_PER_COMPONENT: u32 = 64;
/// Most memories and tables of one component, so that none can take those of others.
const MEMORIES_PER_COMPONENT: u32 = 2;
const TABLES_PER_COMPONENT: u32 = 8;

/// The environment that plugins run in. One per relay.
pub struct Sandbox {
    pub(super) engine: Engine,
    pub(super) linker: Linker<Host>,
    /// The folder of the cache of compiled plugins.
    cache_path: Option<PathBuf>,
    /// Whether compiled plugins are written to the cache.
    writes_cache: bool,
    /// Where plugins are compiled.
    pub(super) compiler: PluginCompiler,
    /// One permit for each instance beyond a plugin's first.
    pub(super) extra_slots: Arc<Semaphore>,
    /// Memory of all plugins together.
    pub(super) budget: Arc<MemoryBudget>,
    /// Events for moderators.
    pub(super) events: Events,
    clock: Clock,
    /// Taken in `drop` only.
    runtime: Option<Runtime>,
}

impl std::fmt::Debug for Sandbox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sandbox").finish_non_exhaustive()
    }
}

/// The sandbox could not be created.
#[derive(Debug, thiserror::Error)]
#[error("the plugin sandbox cannot be created")]
pub struct SandboxError(#[source] Box<dyn std::error::Error + Send + Sync>);

impl From<std::io::Error> for SandboxError {
    fn from(error: std::io::Error) -> Self {
        Self(error.into())
    }
}

impl Sandbox {
    /// Creates a sandbox with these settings.
    ///
    /// # Errors
    /// If the system provides no threads or no address space.
    pub fn from_config(config: &Config) -> Result<Self, SandboxError> {
        let mut sandbox = Self::new(config.threads, config.memory, Some(config.cache()))?;
        sandbox.compiler = config.compiler.clone();
        Ok(sandbox)
    }

    /// Same as [`Sandbox::from_config`], but never writes to the cache or creates its folder.
    ///
    /// # Errors
    /// If the system provides no threads or no address space.
    pub fn with_read_only_cache(config: &Config) -> Result<Self, SandboxError> {
        let mut sandbox = Self::from_config(config)?;
        sandbox.writes_cache = false;
        Ok(sandbox)
    }

    /// Creates a sandbox with `threads` threads and `memory` bytes for all instances together. Compiled plugins are
    /// kept in the folder `cache` if it can be used.
    ///
    /// # Errors
    /// If the system provides no threads or no address space.
    pub fn new(threads: usize, memory: usize, cache: Option<PathBuf>) -> Result<Self, SandboxError> {
        let to_error = |error: wasmtime::Error| SandboxError(error.into());
        let mut pool = PoolingAllocationConfig::new();
        pool.total_component_instances(MAX_INSTANCES)
            .max_core_instances_per_component(CORE_INSTANCES_PER_COMPONENT)
            .total_core_instances(MAX_INSTANCES * CORE_INSTANCES_PER_COMPONENT)
            .total_memories(MEMORIES_PER_COMPONENT * MAX_INSTANCES)
            .total_tables(TABLES_PER_COMPONENT * MAX_INSTANCES)
            .total_stacks(MAX_INSTANCES)
            .max_memories_per_component(MEMORIES_PER_COMPONENT)
            .max_tables_per_component(TABLES_PER_COMPONENT)
            .table_elements(MAX_TABLE_ELEMENTS)
            .max_memory_size(MAX_MEMORY);
        let mut settings = engine_config();
        settings.allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
        let engine = Engine::new(&settings).map_err(to_error)?;
        let mut linker = Linker::new(&engine);
        Filter::add_to_linker::<_, HasSelf<_>>(&mut linker, |host: &mut Host| host).map_err(to_error)?;
        // Before the runtime, which must not be dropped here if this fails.
        let clock = Clock::start(engine.clone())?;
        let runtime =
            Builder::new_multi_thread().worker_threads(threads.max(1)).thread_name("plugins").enable_all().build()?;
        let extra_slots = Arc::new(Semaphore::new(EXTRA_INSTANCES as usize));
        let budget = Arc::new(MemoryBudget::new(memory));
        let events = Events::new(EVENT_CAPACITY);
        Ok(Self {
            engine,
            linker,
            cache_path: cache,
            writes_cache: true,
            compiler: PluginCompiler::InProcess,
            extra_slots,
            budget,
            events,
            clock,
            runtime: Some(runtime),
        })
    }

    /// Subscribes to the events of plugins. A receiver that lags behind misses the oldest.
    #[must_use]
    pub fn events(&self) -> broadcast::Receiver<PluginEvent> {
        self.events.subscribe()
    }

    /// The runtime for calls of plugins. Its threads serve nothing else.
    ///
    /// # Panics
    /// Never: the runtime exists until the sandbox is dropped.
    #[must_use]
    pub fn handle(&self) -> Handle {
        #[expect(clippy::expect_used, reason = "taken in `drop` only")]
        self.runtime.as_ref().expect("the runtime exists until drop").handle().clone()
    }

    /// Opens the cache of compiled plugins; `None` if it cannot be used, for a reason that [`Config::probe_cache`]
    /// returns. Opened each time, because the folder may appear and disappear.
    pub(super) fn cache(&self) -> Option<ArtifactCache> {
        let path = self.cache_path.as_ref()?;
        if self.writes_cache { ArtifactCache::open(path).ok() } else { ArtifactCache::open_existing(path).ok() }
    }

    /// Whether compiled plugins are written to the cache.
    pub(super) fn writes_cache(&self) -> bool {
        self.writes_cache
    }

    /// Keeps the clock running while the guard exists.
    pub(super) fn clock_guard(&self) -> ClockGuard {
        self.clock.guard()
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        // The sandbox may be dropped by a future, which must not block on the runtime's shutdown.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::hash::{DefaultHasher, Hash as _, Hasher as _};

    use super::*;
    use crate::sandbox::engine_settings::compile_only;

    #[test]
    fn artifacts_of_the_compile_only_engine_run_in_a_sandbox() {
        let hash = |engine: &Engine| {
            let mut hasher = DefaultHasher::new();
            engine.precompile_compatibility_hash().hash(&mut hasher);
            hasher.finish()
        };
        let sandbox = Sandbox::new(1, 0, None).unwrap();
        assert_eq!(hash(&compile_only().unwrap()), hash(&sandbox.engine));
    }
}
