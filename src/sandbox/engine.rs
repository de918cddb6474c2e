//! The machine that plugins run on: wasmtime's engine, and the threads of their calls.

use std::path::PathBuf;
use std::sync::Arc;

use tokio::runtime::{Builder, Handle, Runtime};
use tokio::sync::{Semaphore, broadcast};
use wasmtime::component::{HasSelf, Linker};
use wasmtime::{Engine, InstanceAllocationStrategy, PoolingAllocationConfig};

use super::artifact::Cache;
use super::clock::{Clock, Running};
use super::compiler::Compiler;
use super::config::Config;
use super::contract::Filter;
use super::folder::MAX_PLUGINS;
use super::host::Host;
use super::limiter::Budget;
use super::standing::{Event, Events};

/// Instances of all plugins together: one for each of the folder, one more for each while the folder is read again, and
/// [`GROWTH`] for those that are busy.
const INSTANCES: u32 = 2 * MAX_PLUGINS + GROWTH;
/// Instances beyond the first of each plugin, of all together.
const GROWTH: u32 = 64;
/// Events that wait for who reads them.
const EVENTS: usize = 256;
/// Core instances of one component: that of a Python filter has some thirty.
const CORE_INSTANCES_EACH: u32 = 64;
/// Memories and tables of one component, so that none can take those of the others.
const MEMORIES_EACH: u32 = 2;
const TABLES_EACH: u32 = 8;
/// Most linear memory that any instance may be given, in bytes.
pub(super) const MAX_MEMORY: usize = 512 * 1024 * 1024;
/// Most elements of any table.
pub(super) const MAX_TABLE_ELEMENTS: usize = 100_000;

/// Where plugins run. One for the whole relay.
pub struct Sandbox {
    pub(super) engine: Engine,
    pub(super) linker: Linker<Host>,
    /// Where compiled plugins are kept.
    cache: Option<PathBuf>,
    /// Whether what is compiled here is put there.
    keeps: bool,
    /// Where they are compiled.
    pub(super) compiler: Compiler,
    /// One for each instance beyond a plugin's first.
    pub(super) places: Arc<Semaphore>,
    /// Linear memory of all instances.
    pub(super) budget: Arc<Budget>,
    /// What moderators should know.
    pub(super) events: Events,
    clock: Clock,
    /// Taken at the end only.
    runtime: Option<Runtime>,
}

impl std::fmt::Debug for Sandbox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sandbox").finish_non_exhaustive()
    }
}

/// The sandbox could not be set up.
#[derive(Debug, thiserror::Error)]
#[error("plugins cannot be run here")]
pub struct SetUpError(#[source] Box<dyn std::error::Error + Send + Sync>);

impl From<std::io::Error> for SetUpError {
    fn from(fault: std::io::Error) -> Self {
        Self(fault.into())
    }
}

impl Sandbox {
    /// Sets the machine up as the operator says.
    ///
    /// # Errors
    /// When the system gives no threads or no address space.
    pub fn of(config: &Config) -> Result<Self, SetUpError> {
        let mut sandbox = Self::new(config.threads, config.memory, Some(config.cache()))?;
        sandbox.compiler = config.compiler.clone();
        Ok(sandbox)
    }

    /// As [`Sandbox::of`], but what is compiled is not kept, and no folder is made for it.
    ///
    /// # Errors
    /// When the system gives no threads or no address space.
    pub fn that_keeps_nothing(config: &Config) -> Result<Self, SetUpError> {
        let mut sandbox = Self::of(config)?;
        sandbox.keeps = false;
        Ok(sandbox)
    }

    /// Sets the machine up, with a thread for each of `threads` calls that compute at the same time, and `memory` bytes
    /// for all instances together. What it compiles is kept in the folder `cache`, if that can be had and is nobody
    /// else's.
    ///
    /// # Errors
    /// When the system gives no threads or no address space.
    pub fn new(threads: usize, memory: usize, cache: Option<PathBuf>) -> Result<Self, SetUpError> {
        let refused = |fault: wasmtime::Error| SetUpError(fault.into());
        let mut pool = PoolingAllocationConfig::new();
        pool.total_component_instances(INSTANCES)
            .max_core_instances_per_component(CORE_INSTANCES_EACH)
            .total_core_instances(INSTANCES * CORE_INSTANCES_EACH)
            .total_memories(MEMORIES_EACH * INSTANCES)
            .total_tables(TABLES_EACH * INSTANCES)
            .total_stacks(INSTANCES)
            .max_memories_per_component(MEMORIES_EACH)
            .max_tables_per_component(TABLES_EACH)
            .table_elements(MAX_TABLE_ELEMENTS)
            .max_memory_size(MAX_MEMORY);
        let mut settings = settings();
        settings.allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
        let engine = Engine::new(&settings).map_err(refused)?;
        let mut linker = Linker::new(&engine);
        Filter::add_to_linker::<_, HasSelf<_>>(&mut linker, |host: &mut Host| host).map_err(refused)?;
        // Before the runtime, which must not be dropped here.
        let clock = Clock::start(engine.clone())?;
        let runtime =
            Builder::new_multi_thread().worker_threads(threads.max(1)).thread_name("plugins").enable_all().build()?;
        let places = Arc::new(Semaphore::new(GROWTH as usize));
        let budget = Arc::new(Budget::new(memory));
        let events = Events::new(EVENTS);
        Ok(Self {
            engine,
            linker,
            cache,
            keeps: true,
            compiler: Compiler::Here,
            places,
            budget,
            events,
            clock,
            runtime: Some(runtime),
        })
    }

    /// What happens to plugins from now on. Who does not read for long misses the oldest.
    #[must_use]
    pub fn events(&self) -> broadcast::Receiver<Event> {
        self.events.subscribe()
    }

    /// Where calls run: threads that serve nothing else.
    ///
    /// # Panics
    /// Never: the runtime is there until the sandbox is dropped.
    #[must_use]
    pub fn handle(&self) -> Handle {
        #[expect(clippy::expect_used, reason = "taken in `drop` alone")]
        self.runtime.as_ref().expect("the runtime is there until the end").handle().clone()
    }

    /// The compiled plugins, if there are any or they can be kept. Looked at anew each time: the folder may come and go
    /// with its plugins. [`Config::probe_cache`] tells why there is none.
    pub(super) fn cache(&self) -> Option<Cache> {
        let path = self.cache.as_ref()?;
        if self.keeps { Cache::open(path).ok() } else { Cache::open_existing(path).ok() }
    }

    /// Whether what is compiled is put into the cache.
    pub(super) fn keeps(&self) -> bool {
        self.keeps
    }

    /// Lets time pass for plugins as long as the guard lives.
    pub(super) fn running(&self) -> Running {
        self.clock.running()
    }
}

/// How code is compiled, whether or not it is to be run by the same process.
fn settings() -> wasmtime::Config {
    let mut settings = wasmtime::Config::new();
    settings
        .epoch_interruption(true)
        .concurrency_support(false)
        // Not the usual 4 GiB for each: a system may have less address space than that in all.
        .memory_reservation(MAX_MEMORY as u64)
        .wasm_component_model(true)
        .wasm_backtrace_max_frames(None);
    settings
}

/// An engine that compiles what that of a [`Sandbox`] runs, and runs nothing itself.
///
/// # Errors
/// When there is no compiler for this machine.
pub(super) fn compiling() -> wasmtime::Result<Engine> {
    Engine::new(&settings())
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        // A runtime must not be waited for where a future may be what drops it.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::hash::{DefaultHasher, Hash as _, Hasher as _};

    use super::*;

    #[test]
    fn what_another_process_compiles_runs_here() {
        let hash = |engine: &Engine| {
            let mut hasher = DefaultHasher::new();
            engine.precompile_compatibility_hash().hash(&mut hasher);
            hasher.finish()
        };
        let sandbox = Sandbox::new(1, 0, None).unwrap();
        assert_eq!(hash(&compiling().unwrap()), hash(&sandbox.engine));
    }
}
