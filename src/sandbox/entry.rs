//! One plugin of the folder: its manifest, its code, and what loading them has come to.

use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use jiff::Timestamp;
use tokio_util::task::AbortOnDropHandle;

use super::engine::Sandbox;
use super::folder::{FolderError, MANIFEST, Place, Print};
use super::limits::Caps;
use super::load::{LoadError, Patience};
use super::manifest::{MAX_MANIFEST_BYTES, Manifest, OnFailure};
use super::plugin::Plugin;
use crate::model::{Brake, Mode};

/// A plugin of the folder.
#[derive(Debug)]
pub struct Entry {
    /// What the operator says of it.
    pub manifest: Manifest,
    /// The plugin, or why there is none. Its failure policy holds in either case.
    pub plugin: Result<Plugin, String>,
    /// Takes it out of force; another one when its files are other ones.
    pub(super) brake: Arc<Brake>,
    /// What its files looked like when they were read.
    pub(super) seen: Print,
    /// Whether it was left for later.
    pub(super) later: bool,
}

impl Entry {
    /// The mode in force: that of its manifest, unless its brake is pulled. It may change at any time.
    #[must_use]
    pub fn mode(&self) -> Mode {
        self.brake.mode(self.manifest.mode)
    }

    /// What takes it out of force.
    #[must_use]
    pub fn brake(&self) -> &Arc<Brake> {
        &self.brake
    }

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

    pub(super) async fn load(
        sandbox: &Arc<Sandbox>,
        name: &str,
        place: &Place,
        caps: &Caps,
        patience: Patience,
    ) -> Self {
        // First of all: what changes while the files are read is seen as a change afterwards.
        let seen = place.print();
        let manifest = match place {
            Place::File(_) => Ok(Manifest::bare(name)),
            Place::Folder(folder) => manifest(name, &folder.join(MANIFEST)),
        };
        let (manifest, plugin) = match manifest {
            Ok(manifest) => {
                let plugin = match code(place) {
                    Some(code) => start(sandbox, manifest.clone(), code, *caps, patience).await,
                    None => Err(Unloaded::At(format!(
                        "{}: there is no filter.wasm: build it first",
                        place.path().display()
                    ))),
                };
                (manifest, plugin)
            }
            Err((fault, manifest)) => (*manifest, Err(Unloaded::At(fault))),
        };
        let later = matches!(plugin, Err(Unloaded::Later(_)));
        let plugin = plugin.map_err(|unloaded| match unloaded {
            Unloaded::Later(why) => why.to_owned(),
            Unloaded::At(fault) => fault,
        });
        // Where no date can be had, it is better to take it for new.
        let now = Timestamp::now();
        let changed = seen.iter().filter_map(|(_, print)| print.modified()).max().unwrap_or(now);
        Self { manifest, plugin, brake: Arc::new(Brake::new(changed, now)), seen, later }
    }
}

/// Why there is no plugin.
enum Unloaded {
    Later(&'static str),
    At(String),
}

/// The file with a plugin's code.
fn code(place: &Place) -> Option<PathBuf> {
    let is_code = |file: &PathBuf| file.extension().is_some_and(|ending| ending != "toml") && file.exists();
    place.files().into_iter().find(is_code)
}

/// Loads one plugin, in a task of its own: whatever becomes of it, the others are not concerned.
async fn start(
    sandbox: &Arc<Sandbox>,
    manifest: Manifest,
    code: PathBuf,
    caps: Caps,
    patience: Patience,
) -> Result<Plugin, Unloaded> {
    let (on, file) = (Arc::clone(sandbox), code.clone());
    let task = async move { Plugin::load(&on, manifest, &file, &caps, patience).await };
    let task = AbortOnDropHandle::new(sandbox.handle().spawn(task));
    let ended = match patience {
        Patience::Full => task.await,
        Patience::Quick { until } => match tokio::time::timeout_at(Instant::into(until), task).await {
            Ok(ended) => ended,
            Err(_) => return Err(Unloaded::Later("it is not ready yet")),
        },
    };
    match ended {
        Ok(Ok(plugin)) => Ok(plugin),
        Ok(Err(LoadError::Later(why))) => Err(Unloaded::Later(why)),
        Ok(Err(fault)) => Err(Unloaded::At(fault.to_string())),
        Err(panic) => Err(Unloaded::At(format!("{}: could not be loaded: {panic}", code.display()))),
    }
}

/// The manifest of a plugin that has none, with the policy that stands in one that is at fault: it holds all the same.
fn at_fault(name: &str, text: &[u8]) -> Box<Manifest> {
    let mut manifest = Manifest::bare(name);
    manifest.on_failure = OnFailure::of_text(&String::from_utf8_lossy(text));
    Box::new(manifest)
}

/// Reads the manifest of a plugin, if it has one.
///
/// # Errors
/// What is wrong with it, and what holds instead.
fn manifest(name: &str, path: &Path) -> Result<Manifest, (String, Box<Manifest>)> {
    let fault = |text: String| format!("{}: {text}", path.display());
    let bytes = match read(path) {
        Ok(bytes) => bytes,
        Err(missing) if missing.kind() == io::ErrorKind::NotFound => return Ok(Manifest::bare(name)),
        Err(cause) => return Err((fault(format!("cannot be read: {cause}")), at_fault(name, b""))),
    };
    let parsed = if bytes.len() as u64 > MAX_MANIFEST_BYTES {
        Err(fault(format!("is larger than {} KiB", MAX_MANIFEST_BYTES / 1024)))
    } else {
        match std::str::from_utf8(&bytes) {
            Ok(text) => Manifest::parse(name, path, text),
            Err(cause) => Err(fault(format!("is no UTF-8: {cause}"))),
        }
    };
    parsed.map_err(|fault| (fault, at_fault(name, &bytes)))
}

/// The bytes of a manifest, up to one more than it may have.
fn read(path: &Path) -> io::Result<Vec<u8>> {
    // Opening a pipe would wait for somebody to write to it.
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::other("it is no file"));
    }
    let mut bytes = Vec::new();
    fs::File::open(path)?.take(MAX_MANIFEST_BYTES + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}
