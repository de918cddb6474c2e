//! The catalog of all plugins, from the folder and embedded, loaded or not.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures_util::{StreamExt as _, stream};

use super::config::Config;
use super::engine::Sandbox;
use super::entry::PluginEntry;
use super::folder::{FolderError, sort_by_order};
use super::load::LoadMode;
use super::location::{PluginLocation, PluginStamp};
use super::not_loaded::NotLoadedReason;
use super::plugin::Plugin;
use super::stats::{PluginEvent, PluginEventKind};
use crate::model::Breaker;

/// Number of plugins to load concurrently. Each may be large.
const CONCURRENT_LOADS: usize = 2;

/// The plugins of the folder and the embedded ones, in the order in which they are called.
#[derive(Debug, Default)]
pub struct Catalog {
    /// All plugins, loaded or not.
    pub entries: Vec<Arc<PluginEntry>>,
    /// By name: newer files that could not be loaded. The previous plugin keeps running.
    failed_updates: BTreeMap<String, FailedUpdate>,
    /// Whether the folder was read; false for the initial catalog.
    is_from_folder: bool,
}

/// Newer files of a plugin that could not be loaded.
#[derive(Clone, Debug)]
struct FailedUpdate {
    stamp: PluginStamp,
    reason: NotLoadedReason,
}

/// How to load the plugins of the folder.
#[derive(Clone, Copy, Debug)]
pub(super) struct LoadOptions {
    pub(super) load_mode: LoadMode,
    /// Whether to retry plugins that failed to load even if their files have not changed.
    pub(super) retry_failed: bool,
}

/// A catalog that is not in use yet, and its differences from the previous one.
#[derive(Debug)]
pub(super) struct LoadedCatalog {
    pub(super) catalog: Catalog,
    pub(super) changes: CatalogChanges,
}

/// The differences between a catalog and the previous one.
#[derive(Debug, Default)]
pub(super) struct CatalogChanges(Vec<(Arc<PluginEntry>, PluginEventKind)>);

impl Catalog {
    /// Loads all plugins, without a time limit.
    ///
    /// # Errors
    /// [`FolderError`] if the folder cannot be read or contains too many plugins.
    pub async fn load(sandbox: &Arc<Sandbox>, config: &Config) -> Result<Self, FolderError> {
        let options = LoadOptions { load_mode: LoadMode::Complete, retry_failed: false };
        let LoadedCatalog { catalog, changes } = Self::reload(sandbox, config, &Self::default(), options).await?;
        changes.publish(sandbox);
        Ok(catalog)
    }

    /// Loads all plugins. Those that have not changed since `before` are taken from there. If a plugin cannot be
    /// loaded, the one of that name in `before` stays; without one, the entry holds the reason.
    ///
    /// # Errors
    /// [`FolderError`] if the folder cannot be read or contains too many plugins.
    pub(super) async fn reload(
        sandbox: &Arc<Sandbox>,
        config: &Config,
        before: &Self,
        options: LoadOptions,
    ) -> Result<LoadedCatalog, FolderError> {
        Ok(Self::load_locations(config.locate_plugins()?, sandbox, config, before, options).await)
    }

    /// Loads only the embedded plugins, for a relay whose plugin folder cannot be used.
    pub(super) async fn load_embedded(sandbox: &Arc<Sandbox>, config: &Config, options: LoadOptions) -> LoadedCatalog {
        let mut loaded =
            Self::load_locations(config.embedded_plugins(), sandbox, config, &Self::default(), options).await;
        loaded.catalog.is_from_folder = false;
        loaded
    }

    async fn load_locations(
        locations: BTreeMap<String, PluginLocation>,
        sandbox: &Arc<Sandbox>,
        config: &Config,
        before: &Self,
        options: LoadOptions,
    ) -> LoadedCatalog {
        let locations = sort_by_order(locations, &config.order);
        let mut results = stream::iter(locations)
            .map(|(name, location)| before.reload_entry(sandbox, config, name, location, options))
            .buffered(CONCURRENT_LOADS);
        let (mut catalog, mut changes) = (Self { is_from_folder: true, ..Self::default() }, Vec::new());
        while let Some(ReloadedEntry { name, entry, failed_update, event }) = results.next().await {
            changes.extend(event.map(|event| (Arc::clone(&entry), event)));
            catalog.failed_updates.extend(failed_update.map(|update| (name, update)));
            catalog.entries.push(entry);
        }
        for old in before.entries.iter().filter(|old| catalog.entry(&old.manifest.name).is_none()) {
            changes.push((Arc::clone(old), PluginEventKind::Removed));
        }
        LoadedCatalog { catalog, changes: CatalogChanges(changes) }
    }

    /// Reuses the previous entry of a plugin if its files have not changed, and loads it otherwise.
    async fn reload_entry(
        &self,
        sandbox: &Arc<Sandbox>,
        config: &Config,
        name: String,
        location: PluginLocation,
        options: LoadOptions,
    ) -> ReloadedEntry {
        let old = self.entry(&name);
        let failed_update = self.failed_updates.get(&name);
        // The files that were last loaded, and why they are not in use.
        let last_load = match (old, failed_update) {
            (_, Some(update)) => Some((&update.stamp, Some(&update.reason))),
            (Some(old), None) => Some((&old.stamp, old.plugin.as_ref().err())),
            (None, None) => None,
        };
        let must_retry = |reason: &NotLoadedReason| match reason {
            NotLoadedReason::Deferred { .. } => true,
            NotLoadedReason::Failed(_) => options.retry_failed,
            // Retrying does not help a plugin that is not built.
            NotLoadedReason::NotBuilt { .. } => false,
        };
        if let (Some(old), Some((stamp, reason))) = (old, last_load)
            && *stamp == location.stamp()
            && !reason.is_some_and(must_retry)
        {
            return ReloadedEntry { name, entry: Arc::clone(old), failed_update: failed_update.cloned(), event: None };
        }
        let mut new = PluginEntry::load(sandbox, &name, &location, &config.limits, options.load_mode).await;
        match old {
            // A deferred plugin with the same files.
            Some(old) if old.stamp == new.stamp => new.breaker = Arc::clone(&old.breaker),
            // Files with old timestamps may have been added just now.
            _ if self.is_from_folder => {
                new.breaker = Arc::new(Breaker::new(new.breaker.in_force_since(), new.breaker.in_force_since()));
            }
            _ => {}
        }
        match (&new.plugin, old) {
            (Ok(_), _) => {
                ReloadedEntry { name, entry: Arc::new(new), failed_update: None, event: Some(PluginEventKind::Loaded) }
            }
            (Err(reason), Some(old)) if old.plugin.is_ok() => {
                let update = FailedUpdate { stamp: new.stamp, reason: reason.clone() };
                // A deferred update is retried, but reported once.
                let is_reported =
                    failed_update.is_some_and(|last| last.stamp == update.stamp && last.reason.is_deferred());
                let event =
                    (!(is_reported && reason.is_deferred())).then(|| PluginEventKind::LoadFailed(reason.to_string()));
                ReloadedEntry { name, entry: Arc::clone(old), failed_update: Some(update), event }
            }
            (Err(reason), _) => {
                if let NotLoadedReason::Deferred { why, .. } = reason
                    && !old.is_some_and(|old| old.is_deferred())
                {
                    tracing::info!(plugin = name, "plugin loading deferred: {why}");
                }
                let event = (!reason.is_deferred()).then(|| PluginEventKind::LoadFailed(reason.to_string()));
                ReloadedEntry { name, entry: Arc::new(new), failed_update: None, event }
            }
        }
    }

    /// Returns the plugin with this name.
    #[must_use]
    pub fn entry(&self, name: &str) -> Option<&Arc<PluginEntry>> {
        self.entries.iter().find(|entry| entry.manifest.name == name)
    }

    /// Why the current files of a plugin are not in use, in words for the operator. The plugin is not loaded, or its
    /// previous version keeps running.
    #[must_use]
    pub fn error(&self, name: &str) -> Option<String> {
        let failed_update = self.failed_updates.get(name).map(|update| &update.reason);
        failed_update.or_else(|| self.entry(name)?.plugin.as_ref().err()).map(NotLoadedReason::to_string)
    }

    /// Returns all load errors, in the order of the plugins. A plugin that is not built counts only if its `on_failure`
    /// holds or refuses messages.
    #[must_use]
    pub fn errors(&self) -> Vec<String> {
        let entries = self.entries.iter().filter(|entry| !entry.is_unbuilt_and_passes());
        entries.filter_map(|entry| self.error(&entry.manifest.name)).collect()
    }

    /// Returns the names in `order` that match no plugin.
    pub fn missing<'o>(&self, order: &'o [String]) -> impl Iterator<Item = &'o str> {
        order.iter().map(String::as_str).filter(|name| self.entry(name).is_none())
    }

    /// Whether the loading of a plugin, or of its newer files, was deferred.
    pub(super) fn has_deferred(&self) -> bool {
        self.entries.iter().any(|entry| entry.is_deferred())
            || self.failed_updates.values().any(|update| update.reason.is_deferred())
    }
}

/// The result of loading one plugin again.
struct ReloadedEntry {
    name: String,
    entry: Arc<PluginEntry>,
    failed_update: Option<FailedUpdate>,
    event: Option<PluginEventKind>,
}

impl CatalogChanges {
    /// Logs the changes and sends them as events.
    pub(super) fn publish(self, sandbox: &Sandbox) {
        for (entry, kind) in self.0 {
            kind.log(&entry);
            // A plugin that is not built and lets messages pass does not concern moderators.
            if entry.is_unbuilt_and_passes() {
                continue;
            }
            // There may be no receiver.
            let _ignored = sandbox.events.send(PluginEvent { plugin: Arc::from(entry.manifest.name.as_str()), kind });
        }
    }
}

impl PluginEventKind {
    fn log(&self, entry: &PluginEntry) {
        let name = &entry.manifest.name;
        match (self, &entry.plugin) {
            (Self::Loaded, plugin) => {
                let version = plugin.as_ref().map_or("", Plugin::version);
                let mode = entry.manifest.mode.as_str();
                let from = entry.origin.as_str();
                tracing::info!(plugin = name, version, mode, from, "plugin loaded");
            }
            (Self::LoadFailed(_), Err(unbuilt @ NotLoadedReason::NotBuilt { .. })) => {
                let (build, on_failure) = (unbuilt.build_command(), entry.manifest.on_failure.as_str());
                if entry.is_unbuilt_and_passes() {
                    tracing::info!(plugin = name, build, "plugin not built; skipped");
                } else {
                    tracing::warn!(plugin = name, build, on_failure, "plugin not built; on_failure applies");
                }
            }
            (Self::LoadFailed(error), Err(_)) => tracing::error!(plugin = name, error, "plugin could not be loaded"),
            (Self::LoadFailed(error), Ok(_)) => {
                tracing::error!(plugin = name, error, "plugin could not be loaded; the previous version keeps running");
            }
            (Self::Removed, _) => tracing::info!(plugin = name, "plugin removed"),
            // Logged where they occur.
            (Self::Suspended { .. } | Self::Recovered, _) => {}
        }
    }
}
