//! The plugins that run, and how they are changed while they do.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::catalog::Catalog;
use super::config::Config;
use super::engine::Sandbox;
use super::folder::{FolderError, Print};
use super::load::Patience;

/// How often the folder is looked at. What has changed is read when it looks the same twice in a row: whoever writes a
/// file has then written all of it.
const LOOK: Duration = Duration::from_millis(400);

/// The plugins of the folder, as they are now.
#[derive(Debug)]
pub struct Library {
    sandbox: Arc<Sandbox>,
    config: Config,
    current: RwLock<Arc<Catalog>>,
    /// Loading takes seconds and must not run twice at a time. Holds what the files looked like when they were read last.
    loading: tokio::sync::Mutex<Vec<Print>>,
}

impl Library {
    /// Loads the plugins of the folder. What would have to be compiled for seconds is left to [`Library::watch`]: until
    /// then its failure policy holds.
    ///
    /// # Errors
    /// [`FolderError`] when the folder cannot be used.
    pub async fn open(sandbox: Arc<Sandbox>, config: Config) -> Result<Arc<Self>, FolderError> {
        let library = Self { sandbox, config, current: RwLock::default(), loading: tokio::sync::Mutex::default() };
        let library = Arc::new(library);
        library.load(Patience::Quick).await?;
        Ok(library)
    }

    /// The plugins as they are now. Who has them goes on with them, whatever is loaded meanwhile.
    #[must_use]
    pub fn current(&self) -> Arc<Catalog> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Reads the folder again and lets the new plugins take over at once; the old ones finish what they are at. One
    /// that is at fault does not take over.
    ///
    /// # Errors
    /// [`FolderError`] when the folder cannot be used; everything stays then.
    pub async fn reload(self: &Arc<Self>) -> Result<(), FolderError> {
        self.load(Patience::Full).await
    }

    async fn load(self: &Arc<Self>, patience: Patience) -> Result<(), FolderError> {
        let mut seen = self.loading.lock().await;
        *seen = self.config.print()?;
        let this = Arc::clone(self);
        // Compiling computes for long, and loading runs the plugin: both on the threads of plugins.
        let loading = self.sandbox.handle().spawn(async move {
            let before = this.current();
            Catalog::load(&this.sandbox, &this.config, &before, patience).await
        });
        match loading.await {
            Ok(loaded) => {
                let loaded = Arc::new(loaded?);
                if loaded.is_unfinished() {
                    seen.clear();
                }
                *self.current.write().unwrap_or_else(PoisonError::into_inner) = loaded;
            }
            Err(fault) => tracing::error!(%fault, "loading the plugins has failed; they stay as they are"),
        }
        Ok(())
    }

    /// Reads the folder again whenever something in it has changed, until told to stop.
    pub async fn watch(self: Arc<Self>, stop: CancellationToken) {
        let mut last = None;
        loop {
            tokio::select! {
                () = tokio::time::sleep(LOOK) => {}
                () = stop.cancelled() => return,
            }
            // A folder that cannot be read now may be on its way to another name.
            let Ok(now) = self.config.print() else { continue };
            let is_new = *self.loading.lock().await != now;
            if is_new && last.as_ref() == Some(&now) {
                tracing::info!("reading the plugins: something has changed, or is left to do");
                if let Err(fault) = self.reload().await {
                    tracing::error!(%fault, "the plugins stay as they are");
                }
            }
            last = Some(now);
        }
    }
}
