//! A loaded plugin, and calls of it within its limits.

use std::borrow::Borrow;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::contract::{FilterPre, PluginAnswer, types};
use super::description::describe;
use super::engine::Sandbox;
use super::failure::{PluginFailure, root_cause};
use super::health::HealthState;
use super::host::Host;
use super::instances::{Instances, PluginInstance, failure_of};
use super::limits::{MAX_DESCRIBED_BYTES, OperatorLimits, PluginLimits};
use super::load::{LoadError, LoadMode, LoadedCode, load};
use super::manifest::Manifest;
use super::origin::PluginCode;
use super::request::{CallContext, CheckRequest};
use super::shared::PluginShared;
use super::stats::{PluginStats, PluginStatsSnapshot};
use super::timing::{measure_busy, within_deadline};

/// A loaded plugin.
pub struct Plugin {
    manifest: Manifest,
    description: types::Description,
    instances: Arc<Instances>,
    stats: Arc<PluginStats>,
    /// The name of its artifact in the cache, if there is a cache.
    artifact: Option<String>,
}

impl fmt::Debug for Plugin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Plugin").field("manifest", &self.manifest).finish_non_exhaustive()
    }
}

impl Plugin {
    /// Compiles a plugin, configures it, and reads its description.
    ///
    /// Takes milliseconds for a filter in Rust and seconds for one with an interpreter.
    ///
    /// # Errors
    /// [`LoadError`], in words for the operator.
    pub(super) async fn load(
        sandbox: &Arc<Sandbox>,
        manifest: Manifest,
        code: &PluginCode,
        operator_limits: &OperatorLimits,
        load_mode: LoadMode,
    ) -> Result<Self, LoadError> {
        let invalid = |text: String| LoadError::Invalid { code: code.to_string(), text };
        let LoadedCode { component, size, artifact } = load(sandbox, code, manifest.sha256.clone(), load_mode).await?;
        let mismatch = |error: wasmtime::Error| {
            invalid(format!("does not fit the contract: {}. Build it with the kit of this relay", root_cause(&error)))
        };
        let component =
            FilterPre::new(sandbox.linker.instantiate_pre(&component).map_err(mismatch)?).map_err(mismatch)?;
        let limits = manifest.limits(size, operator_limits);
        let started = Self::start(sandbox, manifest, component, limits).await;
        let mut plugin = started.map_err(|failure| match failure {
            PluginFailure::MemoryExhausted(_) => {
                LoadError::Deferred("not enough memory at the moment (filter.plugins.total_memory_mib)")
            }
            PluginFailure::Busy => LoadError::Deferred("too many instances of plugins at the moment"),
            failure => invalid(failure.to_string()),
        })?;
        plugin.artifact = artifact;
        Ok(plugin)
    }

    /// Returns the same plugin with another manifest and an empty store. Nothing is compiled, and the limits stay.
    ///
    /// # Errors
    /// [`PluginFailure`] if it refuses its settings or takes too long.
    pub async fn with_manifest(&self, manifest: Manifest) -> Result<Self, PluginFailure> {
        let Instances { sandbox, component, shared, .. } = &*self.instances;
        Self::start(sandbox, manifest, component.clone(), shared.limits).await
    }

    /// Configures a compiled plugin and reads its description.
    async fn start(
        sandbox: &Arc<Sandbox>,
        manifest: Manifest,
        component: FilterPre<Host>,
        limits: PluginLimits,
    ) -> Result<Self, PluginFailure> {
        let shared = Arc::new(PluginShared::new(&manifest.name, limits, Arc::clone(&sandbox.budget)));
        let stats = Arc::new(PluginStats::new(&manifest.name, sandbox.events.clone()));
        let settings = manifest.settings.clone();
        let instances = Instances::new(Arc::clone(sandbox), shared, component, Arc::clone(&stats), settings);
        let mut first = instances.make_first().await?;
        let description = describe(&instances, &mut first).await?;
        instances.add_idle(first);
        Ok(Self { manifest, description, instances, stats, artifact: None })
    }

    /// Its manifest.
    #[must_use]
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The version in its description.
    #[must_use]
    pub fn version(&self) -> &str {
        // Truncated for logs and tables.
        let version = &self.description.version;
        version.get(..version.floor_char_boundary(MAX_DESCRIBED_BYTES)).unwrap_or_default()
    }

    /// Its limits.
    #[must_use]
    pub fn limits(&self) -> &PluginLimits {
        &self.instances.shared.limits
    }

    /// The linear memory of its largest idle instance, in bytes; `None` if no instance is idle.
    #[must_use]
    pub fn memory(&self) -> Option<usize> {
        self.instances.memory()
    }

    /// Whether it checks messages of this kind.
    #[must_use]
    pub fn wants(&self, kind: &str) -> bool {
        let kinds = &self.description.kinds;
        self.checks_messages() && if kinds.is_empty() { kind == "text" } else { kinds.iter().any(|own| own == kind) }
    }

    /// Whether it checks nicknames.
    #[must_use]
    pub fn wants_nicknames(&self) -> bool {
        self.description.hooks.iter().any(|hook| hook == "check-nickname")
    }

    /// Whether it needs the payload of messages.
    #[must_use]
    pub fn wants_payload(&self) -> bool {
        self.description.payload
    }

    fn checks_messages(&self) -> bool {
        let hooks = &self.description.hooks;
        hooks.is_empty() || hooks.iter().any(|hook| hook == "check")
    }

    /// Its health.
    #[must_use]
    pub fn health(&self) -> HealthState {
        self.stats.health()
    }

    /// The statistics of its calls, trials excluded.
    #[must_use]
    pub fn stats(&self) -> PluginStatsSnapshot {
        self.stats.snapshot()
    }

    /// The name of its artifact in the cache, if there is a cache.
    pub(super) fn artifact(&self) -> Option<&str> {
        self.artifact.as_deref()
    }

    /// Drops instances that have been idle for a minute.
    pub(super) fn drop_idle_instances(&self) {
        self.instances.drop_idle();
    }

    /// Calls the plugin. The deadline of a call counts from now; that of a trial from when its instance is ready. Must
    /// run on the sandbox's threads, where the plugin computes.
    ///
    /// `request` is called unless the plugin is suspended, as its payload may be large.
    ///
    /// # Errors
    /// [`PluginFailure`]. An instance whose call did not complete is discarded.
    ///
    /// # Cancel safety
    /// Dropping the future ends the call and discards the instance.
    pub async fn check<R: Borrow<CheckRequest>>(
        &self,
        request: impl FnOnce() -> R,
        context: CallContext,
    ) -> Result<PluginAnswer, PluginFailure> {
        let is_counted = !context.is_trial;
        if !self.stats.may_run() {
            if is_counted {
                self.stats.record_skipped(&PluginFailure::Suspended);
            }
            return Err(PluginFailure::Suspended);
        }
        let started = Instant::now();
        let answer = self.run_check(request().borrow(), context, started).await;
        if is_counted {
            match &answer {
                Ok(answer) => self.stats.record_answer(&answer.action, started.elapsed()),
                Err(failure @ (PluginFailure::Busy | PluginFailure::Preempted | PluginFailure::MemoryExhausted(_))) => {
                    self.stats.record_skipped(failure);
                }
                Err(failure) => self.stats.record_failure(failure),
            }
        }
        answer
    }

    /// Calls an instance, once one is idle, before the deadline.
    async fn run_check(
        &self,
        request: &CheckRequest,
        context: CallContext,
        started: Instant,
    ) -> Result<PluginAnswer, PluginFailure> {
        let _reservation = self.instances.shared.reserve_call(request.size())?;
        if context.is_trial {
            return self.check_trial(request, context).await;
        }
        let limit = self.limits().deadline;
        let deadline = started + limit;
        // Do not start a call with too little time left: reaching the deadline would discard the instance.
        let mut guard = self.instances.acquire(started + limit / 4 * 3).await?;
        let Some(instance) = guard.instance() else { return Err(PluginFailure::Busy) };
        let mut busy = Duration::ZERO;
        let call = measure_busy(self.call(instance, request, context, deadline), &mut busy);
        let called = within_deadline(tokio::time::timeout_at(deadline.into(), call).await, limit, deadline);
        match called {
            // It was starved of CPU time. Only repeated preemption counts as a failure.
            Err(PluginFailure::Deadline(_)) if busy < limit / 4 * 3 => Err(PluginFailure::Preempted),
            Err(failure) => Err(failure),
            Ok((verdict, max_chars)) => {
                // The call has completed, whether or not its answer is valid.
                guard.release();
                Ok(PluginAnswer::from_verdict(verdict, max_chars)?)
            }
        }
    }

    /// Calls a new instance and discards it, because it may remember the trial.
    async fn check_trial(&self, request: &CheckRequest, context: CallContext) -> Result<PluginAnswer, PluginFailure> {
        let mut instance = self.instances.make_detached().await?;
        let limit = self.limits().deadline;
        let deadline = Instant::now() + limit;
        let call = self.call(&mut instance, request, context, deadline);
        let called = tokio::time::timeout_at(deadline.into(), call).await;
        let (verdict, max_chars) = within_deadline(called, limit, deadline)?;
        Ok(PluginAnswer::from_verdict(verdict, max_chars)?)
    }

    async fn call(
        &self,
        PluginInstance { store, filter, .. }: &mut PluginInstance,
        request: &CheckRequest,
        context: CallContext,
        deadline: Instant,
    ) -> Result<(types::Verdict, Option<usize>), PluginFailure> {
        let _clock = self.instances.sandbox.clock_guard();
        store.data_mut().begin(context, deadline);
        store.set_epoch_deadline(1);
        let guest = filter.gischat_filter_guest();
        let (verdict, max_chars) = match request {
            CheckRequest::Message { message, sender, max_chars } => {
                (guest.call_check(&mut *store, message, sender).await, *max_chars)
            }
            CheckRequest::Nickname { nickname, room, sender } => {
                (guest.call_check_nickname(&mut *store, nickname, room, sender).await, None)
            }
        };
        store.data_mut().end();
        Ok((verdict.map_err(|error| failure_of(&error, store))?, max_chars))
    }
}

impl Drop for Plugin {
    fn drop(&mut self) {
        // A running call must not trigger the creation of instances.
        self.instances.retire();
    }
}
