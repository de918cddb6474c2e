//! The running plugins, and how they are reloaded.

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use tokio::sync::Mutex;
use tokio::task::JoinError;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use super::attempts::LoadAttempts;
use super::catalog::{Catalog, LoadOptions, LoadedCatalog};
use super::config::Config;
use super::engine::Sandbox;
use super::folder::FolderError;
use super::load::LoadMode;
use super::location::PluginStamp;
use super::plugin::Plugin;
use crate::file;
use crate::telemetry::{Degradation, Degraded, Subsystem};

/// Interval between polls of the folder. A change is loaded once two polls in a row are equal, when files are probably
/// complete.
const POLL_INTERVAL: Duration = Duration::from_millis(400);
/// Interval between attempts to use a cache that was unusable.
const CACHE_RETRY_INTERVAL: Duration = Duration::from_secs(10);

/// Poll interval of [`Library::wait_until_loaded`].
const LOADED_POLL_INTERVAL: Duration = Duration::from_millis(100);

/// The plugins could not be loaded. The current ones stay.
#[derive(Debug, thiserror::Error)]
pub enum LibraryError {
    /// The folder cannot be used.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// The load panicked.
    #[error("{}: the plugins could not be loaded: {source}", folder.display())]
    Interrupted {
        /// The folder.
        folder: PathBuf,
        /// The panic.
        source: JoinError,
    },
}

/// The current plugins. Reloads them when files change.
#[derive(Debug)]
pub struct Library {
    sandbox: Arc<Sandbox>,
    config: Config,
    current: RwLock<Arc<Catalog>>,
    /// Locked during a load. The stamps that need no further load; `None` if the last load was interrupted or left
    /// plugins deferred.
    loaded_stamps: Arc<Mutex<Option<Vec<PluginStamp>>>>,
    /// Where missing plugins and an unusable cache are reported.
    degraded: Arc<Degraded>,
}

impl Library {
    /// Loads all plugins. Those that take longer than `start_wait_ms` are left to [`Library::watch`]; until then, their
    /// `on_failure` applies.
    ///
    /// # Errors
    /// [`LibraryError`] if the folder cannot be used, or if the load panics.
    pub async fn open(sandbox: Arc<Sandbox>, config: Config) -> Result<Arc<Self>, LibraryError> {
        let library = Self::new(sandbox, config, Arc::default());
        library.load_at_startup().await?;
        Ok(library)
    }

    /// Same as [`Library::open`], but a folder that cannot be used counts as empty until it can. `degraded` is kept up
    /// to date about missing plugins and an unusable cache.
    pub async fn start(sandbox: Arc<Sandbox>, config: Config, degraded: Arc<Degraded>) -> Arc<Self> {
        let library = Self::new(sandbox, config, degraded);
        if let Err(error) = library.load_at_startup().await {
            library.degraded.begin(Degradation::new(Subsystem::Plugins, error.to_string()));
            library.load_embedded().await;
        }
        library.check_cache().await;
        library
    }

    fn new(sandbox: Arc<Sandbox>, config: Config, degraded: Arc<Degraded>) -> Arc<Self> {
        Arc::new(Self { sandbox, config, current: RwLock::default(), loaded_stamps: Arc::default(), degraded })
    }

    async fn load_at_startup(self: &Arc<Self>) -> Result<(), LibraryError> {
        let deadline = Instant::now() + self.config.start_wait;
        self.load(LoadOptions { load_mode: LoadMode::Startup { deadline }, retry_failed: false }).await
    }

    /// Loads only the embedded plugins. The folder still counts as not loaded.
    async fn load_embedded(self: &Arc<Self>) {
        let this = Arc::clone(self);
        let deadline = Instant::now() + self.config.start_wait;
        let options = LoadOptions { load_mode: LoadMode::Startup { deadline }, retry_failed: false };
        let loading = async move { Catalog::load_embedded(&this.sandbox, &this.config, options).await };
        match AbortOnDropHandle::new(self.sandbox.handle().spawn(loading)).await {
            Ok(LoadedCatalog { catalog, changes }) => {
                *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(catalog);
                changes.publish(&self.sandbox);
            }
            Err(error) => tracing::error!(%error, "embedded plugins could not be loaded"),
        }
    }

    /// Checks whether the cache of compiled plugins can be used.
    async fn check_cache(&self) {
        let (config, degraded) = (self.config.clone(), Arc::clone(&self.degraded));
        let checking = tokio::task::spawn_blocking(move || match config.probe_cache() {
            Ok(()) => degraded.end(Subsystem::Cache),
            Err(error) => degraded.begin(Degradation::new(Subsystem::Cache, error.to_string())),
        });
        if let Err(error) = checking.await {
            tracing::error!(%error, "the cache of compiled plugins could not be checked");
        }
    }

    /// Lists the plugins that could not be loaded as a degradation, or ends it. The reasons were logged when they
    /// occurred.
    fn report_missing(&self, catalog: &Catalog) {
        let missing = catalog.entries.iter().filter(|entry| entry.load_error().is_some());
        let missing: Vec<&str> = missing.map(|entry| entry.manifest.name.as_str()).collect();
        if missing.is_empty() {
            self.degraded.end(Subsystem::Plugins);
        } else {
            let reason = format!("{}: not loaded: {}", self.config.folder().display(), missing.join(", "));
            self.degraded.begin_reported(Degradation::new(Subsystem::Plugins, reason));
        }
    }

    /// Waits until no plugin is deferred any more, for at most `timeout`.
    pub async fn wait_until_loaded(&self, timeout: Duration) {
        let until = Instant::now() + timeout;
        while self.current().has_deferred() && Instant::now() < until {
            tokio::time::sleep(LOADED_POLL_INTERVAL).await;
        }
    }

    /// Returns the current plugins. A reload does not affect a catalog that was returned before.
    #[must_use]
    pub fn current(&self) -> Arc<Catalog> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Reloads the plugins. Running calls of replaced plugins finish. A plugin that cannot be loaded does not replace
    /// its previous version; plugins that failed before are retried.
    ///
    /// # Errors
    /// [`LibraryError`]. The plugins stay as they are then.
    pub async fn reload(self: &Arc<Self>) -> Result<(), LibraryError> {
        self.load(LoadOptions { load_mode: LoadMode::Complete, retry_failed: true }).await
    }

    /// Returns the current stamps of all files of plugins; empty if the folder cannot be read, which
    /// [`Library::reload`] reports. Blocks on the disk.
    #[must_use]
    pub fn file_stamps(&self) -> Vec<(PathBuf, file::FileStamp)> {
        self.config.stamps().unwrap_or_default().into_iter().flat_map(PluginStamp::into_files).collect()
    }

    /// Loads a catalog on the threads of the sandbox, where the code of plugins may run.
    async fn load_catalog(
        self: &Arc<Self>,
        options: LoadOptions,
    ) -> Result<Result<LoadedCatalog, FolderError>, JoinError> {
        let this = Arc::clone(self);
        let loading = async move {
            let before = this.current();
            Catalog::reload(&this.sandbox, &this.config, &before, options).await
        };
        AbortOnDropHandle::new(self.sandbox.handle().spawn(loading)).await
    }

    async fn load(self: &Arc<Self>, options: LoadOptions) -> Result<(), LibraryError> {
        let mut loaded_stamps = Arc::clone(&self.loaded_stamps).lock_owned().await;
        // An interrupted load counts as not loaded.
        *loaded_stamps = None;
        let stamps = self.config.stamps()?;
        let loaded = self.load_catalog(options).await;
        self.conclude(loaded, &mut loaded_stamps, stamps)
    }

    /// Adopts the catalog that a load returned.
    fn conclude(
        &self,
        loaded: Result<Result<LoadedCatalog, FolderError>, JoinError>,
        loaded_stamps: &mut Option<Vec<PluginStamp>>,
        stamps: Vec<PluginStamp>,
    ) -> Result<(), LibraryError> {
        match loaded {
            Ok(loaded) => self.adopt(loaded?, loaded_stamps, stamps),
            Err(source) => {
                let error = LibraryError::Interrupted { folder: self.config.folder().to_owned(), source };
                self.degraded.begin(Degradation::new(Subsystem::Plugins, error.to_string()));
                return Err(error);
            }
        }
        Ok(())
    }

    fn adopt(&self, loaded: LoadedCatalog, loaded_stamps: &mut Option<Vec<PluginStamp>>, stamps: Vec<PluginStamp>) {
        let LoadedCatalog { catalog, changes } = loaded;
        let catalog = Arc::new(catalog);
        *loaded_stamps = (!catalog.has_deferred()).then_some(stamps);
        let new = Arc::clone(&catalog);
        let old = std::mem::replace(&mut *self.current.write().unwrap_or_else(PoisonError::into_inner), new);
        // Dropping a plugin takes a while; do it without the lock.
        drop(old);
        changes.publish(&self.sandbox);
        self.report_missing(&catalog);
        if loaded_stamps.is_some() {
            let sandbox = Arc::clone(&self.sandbox);
            // Runs in the background.
            drop(self.sandbox.handle().spawn_blocking(move || clean_cache(&sandbox, &catalog)));
        }
    }

    /// Reloads the plugins whenever their files change, until cancelled.
    pub async fn watch(self: Arc<Self>, stop: CancellationToken) {
        let mut previous_poll = None;
        let mut attempts = LoadAttempts::default();
        // A folder that reappears is loaded even if it is unchanged, to end the degradation.
        let mut was_gone = false;
        let mut cache_checked = Instant::now();
        loop {
            tokio::select! {
                () = tokio::time::sleep(POLL_INTERVAL) => {}
                () = stop.cancelled() => return,
            }
            for plugin in self.current().entries.iter().filter_map(|entry| entry.plugin.as_ref().ok()) {
                plugin.drop_idle_instances();
            }
            if self.degraded.contains(Subsystem::Cache) && cache_checked.elapsed() >= CACHE_RETRY_INTERVAL {
                self.check_cache().await;
                cache_checked = Instant::now();
            }
            let now = match self.config.stamps() {
                Ok(now) => now,
                // The folder may be in the middle of a rename. The plugins stay as they are.
                Err(error) => {
                    self.degraded.begin(Degradation::new(Subsystem::Plugins, error.to_string()));
                    (previous_poll, was_gone) = (None, true);
                    attempts.reset();
                    continue;
                }
            };
            // A load is running. If it misses the change, the next poll finds it.
            let Ok(is_loaded) = self.loaded_stamps.try_lock().map(|loaded| loaded.as_ref() == Some(&now)) else {
                continue;
            };
            let needs_load = was_gone || !is_loaded;
            if needs_load && previous_poll.as_ref() == Some(&now) && attempts.is_due(&now, Instant::now()) {
                was_gone = false;
                if attempts.is_changed(&now) {
                    tracing::info!("reloading plugins");
                }
                let options = LoadOptions { load_mode: LoadMode::Complete, retry_failed: false };
                tokio::select! {
                    loaded = self.load(options) => if let Err(error) = loaded {
                        tracing::error!(%error, "plugins could not be reloaded; the current ones stay");
                    },
                    // Do not wait for a compilation that takes seconds.
                    () = stop.cancelled() => return,
                }
                attempts.record(now.clone(), Instant::now());
            }
            previous_poll = Some(now);
        }
    }
}

/// Removes cached plugins that are not needed any more.
fn clean_cache(sandbox: &Sandbox, loaded: &Catalog) {
    let plugins = loaded.entries.iter().filter_map(|entry| entry.plugin.as_ref().ok());
    let in_use: HashSet<&str> = plugins.filter_map(Plugin::artifact).collect();
    if let Some(Err(error)) = sandbox.cache().map(|cache| cache.clean(&in_use)) {
        tracing::warn!(%error, "old cached plugins could not be removed");
    }
}

#[cfg(test)]
mod tests;
