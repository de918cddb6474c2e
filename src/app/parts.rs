//! The parts that a relay can serve without: how each is set up at a start, and how `check` finds out beforehand whether
//! that would succeed.
//!
//! Both ask the same functions below, part by part. What a start cannot have is noted in [`Degraded`], and the relay
//! serves without it; [`probe`] gives the same as a list, and changes nothing: neither files nor a relay that is running.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use jiff::Timestamp;
use uuid::Uuid;

use super::{Plugged, in_force_now};
use crate::config::Config;
use crate::filter;
use crate::model::RoomName;
use crate::moderation::audit::{self, Audit};
use crate::moderation::{self, State, probe_store};
use crate::sandbox::{self, Catalog, Entry, Library, Sandbox};
use crate::telemetry::{Degradation, Degraded, Part};

/// The plugins of the folder that the configuration names; `None` when no plugins are in the chain, or none can run.
pub(super) async fn plugins(config: &filter::Config, degraded: &Arc<Degraded>) -> Option<Plugged> {
    if !has_plugins(config) {
        return None;
    }
    let sandbox = match Sandbox::of(&config.plugins) {
        Ok(sandbox) => Arc::new(sandbox),
        Err(error) => {
            degraded.begin(no_sandbox(error));
            return None;
        }
    };
    let events = sandbox.events();
    let library = Library::start(Arc::clone(&sandbox), config.plugins.clone(), Arc::clone(degraded)).await;
    Some(Plugged { sandbox, library, events })
}

/// The state of moderation, in memory alone where its file cannot be used.
pub(super) fn state(config: &moderation::Config, now: Timestamp, degraded: &Degraded) -> State {
    let (state, error) = State::start(config, now);
    if let Some(error) = error {
        degraded.begin(Degradation::new(Part::Store, error.to_string()));
    }
    state
}

/// The audit log of this run; `None` when there is to be none, or it cannot be opened.
pub(super) fn audit(
    config: &audit::Config,
    run: Uuid,
    began: Instant,
    state: &Arc<State>,
    degraded: &Degraded,
) -> Option<Audit> {
    // In the words of `check`, where it would find the same.
    let reason = |otherwise: String| audit::probe(config).err().map_or(otherwise, |error| error.to_string());
    let missing = |otherwise| degraded.begin(Degradation::new(Part::Audit, reason(otherwise)));
    let audit = match Audit::open(config, run, began, in_force_now(state)) {
        Ok(audit) => audit?,
        Err(error) => {
            missing(error.to_string());
            return None;
        }
    };
    if let Some(failure) = audit.failure() {
        missing(audit_failure(config, &failure).to_string());
    }
    Some(audit)
}

/// What a relay with this configuration would run without, or warn of at its start; each in a line with its place.
///
/// Loads and compiles the plugins, whatever that takes. Leaves no file behind, and nothing that a running relay uses is
/// changed or kept from it.
#[must_use]
pub fn probe(config: &Config) -> Vec<Degradation> {
    let plugins = &config.filter.plugins;
    let reasons = |part| match part {
        Part::Plugins if has_plugins(&config.filter) => probe_plugins(plugins, &config.instance.rooms),
        Part::Cache if has_plugins(&config.filter) => {
            plugins.probe_cache().err().iter().map(ToString::to_string).collect()
        }
        Part::Plugins | Part::Cache => Vec::new(),
        Part::Store => {
            let probed = config.moderation.store.as_deref().map_or(Ok(()), probe_store);
            probed.err().iter().map(ToString::to_string).collect()
        }
        Part::Audit => audit::probe(&config.moderation.audit).err().iter().map(ToString::to_string).collect(),
    };
    let found = |part| reasons(part).into_iter().map(move |reason| Degradation::new(part, reason));
    Part::ALL.into_iter().flat_map(found).collect()
}

fn has_plugins(config: &filter::Config) -> bool {
    config.order.contains(&filter::Name::Plugin)
}

fn probe_plugins(config: &sandbox::Config, rooms: &[RoomName]) -> Vec<String> {
    let sandbox = match Sandbox::that_keeps_nothing(config) {
        Ok(sandbox) => Arc::new(sandbox),
        Err(error) => return vec![no_sandbox(error).to_string()],
    };
    let handle = sandbox.handle();
    // The threads end with the last of the sandbox, so that is kept here.
    let (of_task, settings) = (Arc::clone(&sandbox), config.clone());
    let reading = handle.spawn(async move { Catalog::read(&of_task, &settings).await });
    let catalog = match handle.block_on(reading) {
        Ok(Ok(catalog)) => catalog,
        Ok(Err(error)) => return vec![error.to_string()],
        Err(error) => return vec![format!("the plugins could not be loaded: {error}")],
    };
    let problems = catalog.entries.iter().filter_map(|entry| entry.problem().map(ToString::to_string));
    let is_room = |name: &str| rooms.iter().any(|room| room.as_str() == name);
    let rooms = catalog.entries.iter().flat_map(|entry| unknown_rooms(entry, config, is_room));
    let absent = catalog.absent(&config.order).map(|name| format!("filter.plugins.order: there is no plugin `{name}`"));
    problems.chain(rooms).chain(absent).collect()
}

/// A line for each room that the manifest of a plugin names, and that is none by what `is_room` says.
pub(super) fn unknown_rooms(entry: &Entry, config: &sandbox::Config, is_room: impl Fn(&str) -> bool) -> Vec<String> {
    let unknown = entry.manifest.unknown_rooms(is_room);
    let manifest = config.manifest(&entry.manifest.name);
    let line =
        |room: &str| format!("{}: `rooms` names `{room}`, which is no room of this instance", manifest.display());
    unknown.into_iter().map(line).collect()
}

fn no_sandbox(error: sandbox::SetUpError) -> Degradation {
    Degradation::new(Part::Plugins, format!("{:#}", anyhow::Error::from(error)))
}

/// What the failure of a log that is open means.
pub(super) fn audit_failure(config: &audit::Config, failure: &str) -> Degradation {
    let dir = config.dir.as_deref().unwrap_or(Path::new(""));
    Degradation::new(
        Part::Audit,
        format!("{}: the audit log cannot be written, and is tried again: {failure}", dir.display()),
    )
}

/// What the failure of a file that is open means.
pub(super) fn store_failure(config: &moderation::Config, failure: &str) -> Degradation {
    let path = config.store.as_deref().unwrap_or(Path::new(""));
    let reason = format!("{}: the moderation store cannot be written, and is tried again: {failure}", path.display());
    Degradation::new(Part::Store, reason)
}
