//! The plugins that run, and how they are changed while they do.

use std::collections::HashSet;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use tokio::sync::{Mutex, OwnedMutexGuard};
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use super::catalog::{Catalog, Read, Reading};
use super::config::Config;
use super::engine::Sandbox;
use super::folder::FolderError;
use super::load::Patience;
use super::place::Print;
use super::plugin::Plugin;

/// How often the folder is looked at. What has changed is read when it looks the same twice in a row: whoever writes a
/// file has then written all of it.
const LOOK: Duration = Duration::from_millis(400);

/// The plugins of the folder, as they are now.
#[derive(Debug)]
pub struct Library {
    sandbox: Arc<Sandbox>,
    config: Config,
    current: RwLock<Arc<Catalog>>,
    /// Loading takes seconds and must not run twice at a time. Holds what the files looked like when all of them were
    /// read last.
    loading: Arc<Mutex<Option<Vec<Print>>>>,
}

/// Why the plugins cannot be changed for those of the folder.
#[derive(Debug, thiserror::Error)]
pub enum StageError {
    /// The folder cannot be used.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// Plugins are at fault: what is wrong with each.
    #[error("{} of the plugins cannot be loaded", .0.len())]
    Faults(Vec<String>),
    /// Loading them came to no end.
    #[error("the plugins could not be loaded: {0}")]
    Task(#[from] tokio::task::JoinError),
}

/// Plugins that are loaded, all without a fault, and not in force yet. Dropped, they are forgotten.
#[derive(Debug)]
#[must_use]
pub struct Staged {
    library: Arc<Library>,
    /// While it lives, nobody else changes the plugins.
    seen: OwnedMutexGuard<Option<Vec<Print>>>,
    prints: Vec<Print>,
    read: Read,
}

impl Library {
    /// Loads the plugins of the folder. What takes longer than the configuration grants is left to
    /// [`Library::watch`]: until then its failure policy holds.
    ///
    /// # Errors
    /// [`FolderError`] when the folder cannot be used.
    pub async fn open(sandbox: Arc<Sandbox>, config: Config) -> Result<Arc<Self>, FolderError> {
        let until = Instant::now() + config.start_wait;
        let library = Self { sandbox, config, current: RwLock::default(), loading: Arc::default() };
        let library = Arc::new(library);
        library.load(Reading { patience: Patience::Quick { until }, again: false }).await?;
        Ok(library)
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

    /// Reads the folder again, all or nothing: gives what is to take over, if nothing is at fault.
    ///
    /// # Errors
    /// [`StageError`], with all faults; everything stays then, until a file changes again.
    ///
    /// # Cancel safety
    /// Dropping the future changes nothing.
    pub async fn stage(self: &Arc<Self>) -> Result<Staged, StageError> {
        let mut seen = Arc::clone(&self.loading).lock_owned().await;
        let prints = self.config.print()?;
        let read = self.read(Reading { patience: Patience::Full, again: true }).await??;
        let faults = read.catalog.faults();
        if faults.is_empty() {
            return Ok(Staged { library: Arc::clone(self), seen, prints, read });
        }
        // What was refused as a whole is not taken in parts, until something changes again.
        *seen = Some(prints);
        Err(StageError::Faults(faults))
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
                tracing::error!(%fault, "loading the plugins has failed; they stay as they are");
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
        if seen.is_some() {
            let sandbox = Arc::clone(&self.sandbox);
            // Nobody waits for it.
            drop(self.sandbox.handle().spawn_blocking(move || clean(&sandbox, &loaded)));
        }
    }

    /// Reads the folder again whenever something in it has changed, until told to stop.
    pub async fn watch(self: Arc<Self>, stop: CancellationToken) {
        let mut last = None;
        let mut told = None;
        loop {
            tokio::select! {
                () = tokio::time::sleep(LOOK) => {}
                () = stop.cancelled() => return,
            }
            for plugin in self.current().entries.iter().filter_map(|entry| entry.plugin.as_ref().ok()) {
                plugin.shed();
            }
            let now = match self.config.print() {
                Ok(now) => now,
                // It may be on its way to another name; or it is at fault for good, which is said once.
                Err(fault) => {
                    let fault = fault.to_string();
                    if told.as_ref() != Some(&fault) {
                        tracing::error!(fault, "the plugins stay as they are");
                    }
                    told = Some(fault);
                    continue;
                }
            };
            told = None;
            // Somebody who is reading the folder will have seen the change, or it is seen the next time.
            let Ok(is_new) = self.loading.try_lock().map(|seen| seen.as_ref() != Some(&now)) else { continue };
            if is_new && last.as_ref() == Some(&now) {
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

impl Staged {
    /// Lets them take over at once, and gives the names of those that are loaded; the old ones finish what they are at.
    #[must_use]
    pub fn adopt(mut self) -> Vec<String> {
        self.library.adopt(self.read, &mut self.seen, self.prints);
        let catalog = self.library.current();
        catalog.entries.iter().filter(|entry| entry.plugin.is_ok()).map(|entry| entry.manifest.name.clone()).collect()
    }
}
