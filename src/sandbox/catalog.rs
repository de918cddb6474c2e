//! The folder of plugins: what is in it, and what of that can be called.

use std::fs;
use std::io::Read as _;
use std::path::Path;
use std::sync::Arc;

use super::config::Config;
use super::engine::Sandbox;
use super::folder::{FolderError, MANIFEST, Place, Print, in_order};
use super::limits::Caps;
use super::load::{LoadError, Patience};
use super::manifest::{MAX_MANIFEST_BYTES, Manifest, OnFailure};
use super::plugin::Plugin;

/// The plugins of a folder, in the order in which they are asked.
#[derive(Debug, Default)]
pub struct Catalog {
    /// Each plugin, whether or not it can be called.
    pub entries: Vec<Arc<Entry>>,
}

/// A plugin of the folder.
#[derive(Debug)]
pub struct Entry {
    /// What the operator says of it.
    pub manifest: Manifest,
    /// The plugin, or why there is none. Its failure policy holds in either case.
    pub plugin: Result<Plugin, String>,
    /// What its files looked like when they were read.
    seen: Print,
    /// Whether it was left for later.
    later: bool,
}

impl Catalog {
    /// Loads what is in the folder that `config` names, whatever it takes.
    ///
    /// # Errors
    /// [`FolderError`] when the folder cannot be read or holds too much.
    pub async fn read(sandbox: &Arc<Sandbox>, config: &Config) -> Result<Self, FolderError> {
        Self::load(sandbox, config, &Self::default(), Patience::Full).await
    }

    /// Loads what is in the folder that `config` names. A plugin that cannot be loaded is in the catalog with the
    /// reason, and in the log; but when one of that name runs in `before`, that one goes on. What has not changed since
    /// `before` is taken from there as it is.
    ///
    /// # Errors
    /// [`FolderError`] when the folder cannot be read or holds too much.
    pub(super) async fn load(
        sandbox: &Arc<Sandbox>,
        config: &Config,
        before: &Self,
        patience: Patience,
    ) -> Result<Self, FolderError> {
        let found = config.find()?;
        let mut entries = Vec::new();
        for (name, place) in in_order(found, &config.order) {
            let old = before.entries.iter().find(|entry| entry.manifest.name == name);
            let entry = match old {
                Some(old) if old.seen == place.print() && !old.later => Arc::clone(old),
                _ => {
                    let new = Arc::new(Entry::load(sandbox, &name, &place, &config.caps, patience).await);
                    new.log();
                    match old {
                        Some(old) if new.plugin.is_err() && old.plugin.is_ok() => {
                            tracing::warn!(plugin = name, "a plugin runs on as it was before");
                            Arc::clone(old)
                        }
                        _ => new,
                    }
                }
            };
            entries.push(entry);
        }
        for gone in before.entries.iter().filter(|old| entries.iter().all(|e| e.manifest.name != old.manifest.name)) {
            tracing::info!(plugin = gone.manifest.name, "a plugin is gone");
        }
        Ok(Self { entries })
    }
}

impl Catalog {
    /// Whether a plugin was left for later.
    pub(super) fn is_unfinished(&self) -> bool {
        self.entries.iter().any(|entry| entry.later)
    }
}

impl Entry {
    /// Loads the plugin of one folder, whose name is the plugin's.
    ///
    /// # Errors
    /// When there is no such folder.
    pub async fn of_folder(sandbox: &Arc<Sandbox>, folder: &Path, caps: &Caps) -> Result<Self, FolderError> {
        let fault = |source| FolderError::Read { path: folder.to_owned(), source };
        let whole = folder.canonicalize().map_err(fault)?;
        if !whole.is_dir() {
            return Err(fault(std::io::ErrorKind::NotADirectory.into()));
        }
        let name = whole.file_name().unwrap_or_default().to_string_lossy();
        Ok(Self::load(sandbox, &name, &Place::Folder(folder.to_owned()), caps, Patience::Full).await)
    }

    async fn load(sandbox: &Arc<Sandbox>, name: &str, place: &Place, caps: &Caps, patience: Patience) -> Self {
        // First of all: what changes while the files are read is seen as a change afterwards.
        let seen = place.print();
        let manifest = match place {
            Place::File(_) => Ok(Manifest::bare(name)),
            Place::Folder(folder) => manifest(name, &folder.join(MANIFEST)),
        };
        let manifest = match manifest {
            Ok(manifest) => manifest,
            Err(fault) => return Self { manifest: at_fault(name, place), plugin: Err(fault), seen, later: false },
        };
        let Some(code) = place
            .files()
            .into_iter()
            .find(|file| file.extension().is_some_and(|ending| ending != "toml") && file.exists())
        else {
            let fault = format!("{}: there is no filter.wasm: build it first", place.path().display());
            return Self { manifest, plugin: Err(fault), seen, later: false };
        };
        match Plugin::load(sandbox, manifest.clone(), &code, caps, patience).await {
            Err(LoadError::Later) => Self { manifest, plugin: Err(LoadError::Later.to_string()), seen, later: true },
            loaded => Self { manifest, plugin: loaded.map_err(|fault| fault.to_string()), seen, later: false },
        }
    }

    fn log(&self) {
        let name = &self.manifest.name;
        match &self.plugin {
            Ok(plugin) => {
                let mode = self.manifest.mode.as_str();
                tracing::info!(plugin = name, version = plugin.version(), mode, "a plugin is loaded");
            }
            Err(_) if self.later => {
                tracing::info!(plugin = name, "a plugin is being compiled, which takes some seconds");
            }
            Err(fault) => tracing::error!(plugin = name, fault, "a plugin could not be loaded"),
        }
    }
}

/// What holds of a plugin whose manifest cannot be read: a policy that stands in it holds all the same.
fn at_fault(name: &str, place: &Place) -> Manifest {
    let text = fs::read_to_string(place.path().join(MANIFEST)).unwrap_or_default();
    let mut manifest = Manifest::bare(name);
    manifest.on_failure = OnFailure::of_text(&text);
    manifest
}

fn manifest(name: &str, path: &Path) -> Result<Manifest, String> {
    let fault = |text: String| format!("{}: {text}", path.display());
    match fs::metadata(path) {
        // Opening a pipe would wait for somebody to write to it.
        Ok(kind) if !kind.is_file() => return Err(fault("is no file".to_owned())),
        _ => {}
    }
    let file = match fs::File::open(path) {
        Ok(file) => file,
        Err(missing) if missing.kind() == std::io::ErrorKind::NotFound => return Ok(Manifest::bare(name)),
        Err(cause) => return Err(fault(format!("cannot be read: {cause}"))),
    };
    let mut text = String::new();
    file.take(MAX_MANIFEST_BYTES + 1)
        .read_to_string(&mut text)
        .map_err(|cause| fault(format!("cannot be read: {cause}")))?;
    if text.len() as u64 > MAX_MANIFEST_BYTES {
        return Err(fault(format!("is larger than {} KiB", MAX_MANIFEST_BYTES / 1024)));
    }
    Manifest::parse(name, path, &text)
}
