//! The plugins that run, and how they are changed while they do.

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use super::catalog::{Catalog, Read, Reading};
use super::config::Config;
use super::engine::Sandbox;
use super::folder::FolderError;
use super::load::Patience;
use super::place::Print;
use super::plugin::Plugin;
use crate::file;
use crate::telemetry::{Degradation, Degraded, Part};

/// How often the folder is looked at. What has changed is read when it looks the same twice in a row: whoever writes a
/// file has then written all of it.
const LOOK: Duration = Duration::from_millis(400);
/// How often a cache that could not be used is tried again.
const CACHE_LOOK: Duration = Duration::from_secs(10);

/// How often [`Library::settled`] looks.
const SETTLED_LOOK: Duration = Duration::from_millis(100);

/// The plugins of the folder, as they are now.
#[derive(Debug)]
pub struct Library {
    sandbox: Arc<Sandbox>,
    config: Config,
    current: RwLock<Arc<Catalog>>,
    /// Loading takes seconds and must not run twice at a time. Holds what the files looked like when all of them were
    /// read last.
    loading: Arc<Mutex<Option<Vec<Print>>>>,
    /// Learns which plugins the relay runs without.
    degraded: Arc<Degraded>,
}

impl Library {
    /// Loads the plugins of the folder. What takes longer than the configuration grants is left to
    /// [`Library::watch`]: until then its failure policy holds.
    ///
    /// # Errors
    /// [`FolderError`] when the folder cannot be used.
    pub async fn open(sandbox: Arc<Sandbox>, config: Config) -> Result<Arc<Self>, FolderError> {
        let library = Self::new(sandbox, config, Arc::default());
        library.load_quickly().await?;
        Ok(library)
    }

    /// As [`Library::open`], for a relay that is to serve in any case: a folder that cannot be used holds no plugins until
    /// it can. `degraded` learns which plugins the relay runs without, from now on, and whether compiled ones are kept.
    pub async fn start(sandbox: Arc<Sandbox>, config: Config, degraded: Arc<Degraded>) -> Arc<Self> {
        let library = Self::new(sandbox, config, degraded);
        if let Err(error) = library.load_quickly().await {
            library.degraded.begin(Degradation::new(Part::Plugins, error.to_string()));
            library.load_embedded().await;
        }
        library.check_cache().await;
        library
    }

    fn new(sandbox: Arc<Sandbox>, config: Config, degraded: Arc<Degraded>) -> Arc<Self> {
        Arc::new(Self { sandbox, config, current: RwLock::default(), loading: Arc::default(), degraded })
    }

    async fn load_quickly(self: &Arc<Self>) -> Result<(), FolderError> {
        let until = Instant::now() + self.config.start_wait;
        self.load(Reading { patience: Patience::Quick { until }, again: false }).await
    }

    /// Loads the embedded plugins alone. The folder still counts as not read.
    async fn load_embedded(self: &Arc<Self>) {
        let this = Arc::clone(self);
        let reading =
            Reading { patience: Patience::Quick { until: Instant::now() + self.config.start_wait }, again: false };
        let loading = async move { Catalog::load_embedded(&this.sandbox, &this.config, reading).await };
        match AbortOnDropHandle::new(self.sandbox.handle().spawn(loading)).await {
            Ok(Read { catalog, news }) => {
                *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(catalog);
                news.tell(&self.sandbox);
            }
            Err(error) => tracing::error!(%error, "the embedded plugins could not be loaded"),
        }
    }

    /// Finds out whether compiled plugins can be kept.
    async fn check_cache(&self) {
        let (config, degraded) = (self.config.clone(), Arc::clone(&self.degraded));
        let checking = tokio::task::spawn_blocking(move || match config.probe_cache() {
            Ok(()) => degraded.end(Part::Cache),
            Err(error) => degraded.begin(Degradation::new(Part::Cache, error.to_string())),
        });
        if let Err(error) = checking.await {
            tracing::error!(%error, "the cache of compiled plugins could not be checked");
        }
    }

    /// Notes which plugins of a catalog the relay runs without. What is wrong with each is told already.
    fn note_missing(&self, catalog: &Catalog) {
        let missing = catalog.entries.iter().filter(|entry| entry.problem().is_some());
        let missing: Vec<&str> = missing.map(|entry| entry.manifest.name.as_str()).collect();
        if missing.is_empty() {
            self.degraded.end(Part::Plugins);
        } else {
            let reason = format!("{}: not loaded: {}", self.config.folder().display(), missing.join(", "));
            self.degraded.begin_told(Degradation::new(Part::Plugins, reason));
        }
    }

    /// Waits until no plugin is left for later, but for no longer than `patience`.
    pub async fn settled(&self, patience: Duration) {
        let until = Instant::now() + patience;
        while self.current().is_unfinished() && Instant::now() < until {
            tokio::time::sleep(SETTLED_LOOK).await;
        }
    }

    /// The plugins as they are now. Who has them goes on with them, whatever is loaded meanwhile.
    #[must_use]
    pub fn current(&self) -> Arc<Catalog> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Reads the folder again and lets the new plugins take over at once; the old ones finish what they are at. One
    /// that is at fault does not take over; one that was, is tried again.
    ///
    /// # Errors
    /// [`FolderError`] when the folder cannot be used; everything stays then.
    pub async fn reload(self: &Arc<Self>) -> Result<(), FolderError> {
        self.load(Reading { patience: Patience::Full, again: true }).await
    }

    /// Each file of the folder's plugins with what it looks like now; nothing where the folder cannot be read, which
    /// [`Library::reload`] tells. Waits for the disk.
    #[must_use]
    pub fn look(&self) -> Vec<(PathBuf, file::Print)> {
        self.config.print().unwrap_or_default().into_iter().flat_map(Print::into_files).collect()
    }

    /// Loads the plugins on their own threads, where it does not matter that a plugin computes.
    async fn read(self: &Arc<Self>, reading: Reading) -> Result<Result<Read, FolderError>, tokio::task::JoinError> {
        let this = Arc::clone(self);
        let loading = async move {
            let before = this.current();
            Catalog::load(&this.sandbox, &this.config, &before, reading).await
        };
        AbortOnDropHandle::new(self.sandbox.handle().spawn(loading)).await
    }

    async fn load(self: &Arc<Self>, reading: Reading) -> Result<(), FolderError> {
        let mut seen = Arc::clone(&self.loading).lock_owned().await;
        // Until the folder has been read as it is now, it counts as not read.
        *seen = None;
        let prints = self.config.print()?;
        match self.read(reading).await {
            Ok(read) => self.adopt(read?, &mut seen, prints),
            Err(fault) => {
                let reason = format!("{}: the plugins could not be loaded: {fault}", self.config.folder().display());
                self.degraded.begin(Degradation::new(Part::Plugins, reason));
                *seen = Some(prints);
            }
        }
        Ok(())
    }

    fn adopt(&self, read: Read, seen: &mut Option<Vec<Print>>, prints: Vec<Print>) {
        let Read { catalog, news } = read;
        let loaded = Arc::new(catalog);
        *seen = (!loaded.is_unfinished()).then_some(prints);
        let new = Arc::clone(&loaded);
        let old = std::mem::replace(&mut *self.current.write().unwrap_or_else(PoisonError::into_inner), new);
        // To be dropped takes a plugin a while, in which no message waits for the lock.
        drop(old);
        news.tell(&self.sandbox);
        self.note_missing(&loaded);
        if seen.is_some() {
            let sandbox = Arc::clone(&self.sandbox);
            // Nobody waits for it.
            drop(self.sandbox.handle().spawn_blocking(move || clean(&sandbox, &loaded)));
        }
    }

    /// Reads the folder again whenever something in it has changed, until told to stop.
    pub async fn watch(self: Arc<Self>, stop: CancellationToken) {
        let mut last = None;
        // A folder that comes back may be the same as before: it is read all the same, so that it counts as there.
        let mut was_gone = false;
        let mut cache_checked = Instant::now();
        loop {
            tokio::select! {
                () = tokio::time::sleep(LOOK) => {}
                () = stop.cancelled() => return,
            }
            for plugin in self.current().entries.iter().filter_map(|entry| entry.plugin.as_ref().ok()) {
                plugin.shed();
            }
            if self.degraded.contains(Part::Cache) && cache_checked.elapsed() >= CACHE_LOOK {
                self.check_cache().await;
                cache_checked = Instant::now();
            }
            let now = match self.config.print() {
                Ok(now) => now,
                // It may be on its way to another name, or be gone for good. The plugins stay as they are.
                Err(error) => {
                    self.degraded.begin(Degradation::new(Part::Plugins, error.to_string()));
                    (last, was_gone) = (None, true);
                    continue;
                }
            };
            // Somebody who is reading the folder will have seen the change, or it is seen the next time.
            let Ok(seen) = self.loading.try_lock().map(|seen| seen.as_ref() == Some(&now)) else { continue };
            let is_new = was_gone || !seen;
            if is_new && last.as_ref() == Some(&now) {
                was_gone = false;
                tracing::info!("reading the plugins: something has changed, or is left to do");
                let reading = Reading { patience: Patience::Full, again: false };
                tokio::select! {
                    loaded = self.load(reading) => if let Err(fault) = loaded {
                        tracing::error!(%fault, "the plugins stay as they are");
                    },
                    // What is being compiled takes seconds, and nobody waits for it any more.
                    () = stop.cancelled() => return,
                }
            }
            last = Some(now);
        }
    }
}

/// Removes compiled plugins that are not needed any more.
fn clean(sandbox: &Sandbox, loaded: &Catalog) {
    let plugins = loaded.entries.iter().filter_map(|entry| entry.plugin.as_ref().ok());
    let in_use: HashSet<&str> = plugins.filter_map(Plugin::artifact).collect();
    if let Some(Err(fault)) = sandbox.cache().map(|cache| cache.clean(&in_use)) {
        tracing::warn!(%fault, "old compiled plugins cannot be removed");
    }
}
