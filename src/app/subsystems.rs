//! Subsystems that a relay can run without: how they are set up at the start, and how `check` finds out whether that
//! would succeed.
//!
//! A subsystem that cannot be set up is recorded in [`Degraded`], and the relay runs without it. [`probe`] returns the
//! same information as a list. It changes no files and does not affect a running relay.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use jiff::Timestamp;
use uuid::Uuid;

use super::{PluginRuntime, audit_snapshot};
use crate::audit::{self, Audit, AuditFailure};
use crate::config::Config;
use crate::filter;
use crate::images::{self, ImagePool};
use crate::model::{Address, RoomName};
use crate::moderation::{State, probe_store};
use crate::sandbox::{self, Catalog, Library, PluginEntry, Sandbox};
use crate::store;
use crate::telemetry::{Degradation, Degraded, Subsystem};

/// Loads the plugins. Returns `None` if plugins are not in the chain or the sandbox cannot be set up.
pub(super) async fn start_plugins(config: &filter::Config, degraded: &Arc<Degraded>) -> Option<PluginRuntime> {
    if !has_plugins(config) {
        return None;
    }
    let sandbox = match Sandbox::from_config(&config.plugins) {
        Ok(sandbox) => Arc::new(sandbox),
        Err(error) => {
            degraded.begin(sandbox_degradation(error));
            return None;
        }
    };
    let events = sandbox.events();
    let library = Library::start(Arc::clone(&sandbox), config.plugins.clone(), Arc::clone(degraded)).await;
    Some(PluginRuntime { sandbox, library, events })
}

/// Starts the threads that decode images. Returns `None` if they cannot be started.
pub(super) fn start_images(config: &images::Config, degraded: &Degraded) -> Option<ImagePool<Address>> {
    let started = ImagePool::start(&config.pool(), config.limits());
    started.inspect_err(|error| degraded.begin(Degradation::new(Subsystem::Images, error.to_string()))).ok()
}

/// Opens the moderation state. It is kept in memory only if its file cannot be used.
pub(super) fn open_state(config: &Config, now: Timestamp, degraded: &Degraded) -> State {
    let (state, error) = State::open_or_in_memory(&config.moderation, &config.store, now);
    if let Some(error) = error {
        degraded.begin(Degradation::new(Subsystem::Store, error.to_string()));
    }
    state
}

/// Opens the audit log of this run. Returns `None` if it is disabled or cannot be opened.
pub(super) fn open_audit(
    config: &audit::Config,
    run: Uuid,
    began: Instant,
    state: &Arc<State>,
    degraded: &Degraded,
) -> Option<Audit> {
    // Prefer the message of `check`, if it finds the same problem.
    let reason = |otherwise: String| audit::probe(config).err().map_or(otherwise, |error| error.to_string());
    let missing = |otherwise| degraded.begin(Degradation::new(Subsystem::Audit, reason(otherwise)));
    let audit = match Audit::open(config, run, began, audit_snapshot(state)) {
        Ok(audit) => audit?,
        Err(error) => {
            missing(error.to_string());
            return None;
        }
    };
    if let Some(failure) = audit.failure() {
        missing(audit_degradation(config, &failure).to_string());
    }
    Some(audit)
}

/// Returns what a relay with this configuration would run without, or warn about at its start; one line each, with its
/// location.
///
/// Loads and compiles the plugins, which may take long. Leaves no files behind, and neither changes nor locks anything
/// that a running relay uses.
#[must_use]
pub fn probe(config: &Config) -> Vec<Degradation> {
    let plugins = &config.filter.plugins;
    let reasons = |subsystem| match subsystem {
        Subsystem::Plugins if has_plugins(&config.filter) => probe_plugins(plugins, &config.instance.rooms),
        Subsystem::Cache if has_plugins(&config.filter) => {
            plugins.probe_cache().err().iter().map(ToString::to_string).collect()
        }
        // Starting the threads of images fails for reasons of the moment.
        Subsystem::Plugins | Subsystem::Cache | Subsystem::Images => Vec::new(),
        Subsystem::Store => {
            let probed = config.store.file.as_deref().map_or(Ok(()), probe_store);
            probed.err().iter().map(ToString::to_string).collect()
        }
        Subsystem::Audit => audit::probe(&config.audit).err().iter().map(ToString::to_string).collect(),
    };
    let found = |subsystem| reasons(subsystem).into_iter().map(move |reason| Degradation::new(subsystem, reason));
    Subsystem::ALL.into_iter().flat_map(found).collect()
}

fn has_plugins(config: &filter::Config) -> bool {
    config.order.contains(&filter::FilterName::Plugin)
}

fn probe_plugins(config: &sandbox::Config, rooms: &[RoomName]) -> Vec<String> {
    let sandbox = match Sandbox::with_read_only_cache(config) {
        Ok(sandbox) => Arc::new(sandbox),
        Err(error) => return vec![sandbox_degradation(error).to_string()],
    };
    let handle = sandbox.handle();
    // Keep the sandbox alive: its threads end when the last reference is dropped.
    let (task_sandbox, settings) = (Arc::clone(&sandbox), config.clone());
    let reading = handle.spawn(async move { Catalog::load(&task_sandbox, &settings).await });
    let catalog = match handle.block_on(reading) {
        Ok(Ok(catalog)) => catalog,
        Ok(Err(error)) => return vec![error.to_string()],
        Err(error) => return vec![format!("loading the plugins failed: {error}")],
    };
    let problems = catalog.entries.iter().filter_map(|entry| entry.load_error().map(ToString::to_string));
    let is_room = |name: &str| rooms.iter().any(|room| room.as_str() == name);
    let rooms = catalog.entries.iter().flat_map(|entry| unknown_rooms(entry, config, is_room));
    let absent =
        catalog.missing(&config.order).map(|name| format!("filter.plugins.order: there is no plugin `{name}`"));
    problems.chain(rooms).chain(absent).collect()
}

/// Returns a line for each room that a plugin's manifest names but that does not exist according to `is_room`.
pub(super) fn unknown_rooms(
    entry: &PluginEntry,
    config: &sandbox::Config,
    is_room: impl Fn(&str) -> bool,
) -> Vec<String> {
    let unknown = entry.manifest.unknown_rooms(is_room);
    let manifest = config.manifest_path(&entry.manifest.name);
    let line =
        |room: &str| format!("{}: `rooms` names `{room}`, which is not a room of this instance", manifest.display());
    unknown.into_iter().map(line).collect()
}

fn sandbox_degradation(error: sandbox::SandboxError) -> Degradation {
    Degradation::new(Subsystem::Plugins, format!("{:#}", anyhow::Error::from(error)))
}

/// Returns the degradation for an open audit log that cannot be written or has no space.
pub(super) fn audit_degradation(config: &audit::Config, failure: &AuditFailure) -> Degradation {
    let dir = config.dir.as_deref().unwrap_or(Path::new(""));
    Degradation::new(Subsystem::Audit, format!("{}: {failure}", dir.display()))
}

/// Returns the degradation for an open store that cannot be written.
pub(super) fn store_degradation(config: &store::Config, failure: &str) -> Degradation {
    let path = config.file.as_deref().unwrap_or(Path::new(""));
    let reason = format!("{}: writing the moderation store failed; retrying: {failure}", path.display());
    Degradation::new(Subsystem::Store, reason)
}
