//! One plugin: its manifest, its code, and what loading them has come to.

use std::fs;
use std::io::{self, Read as _};
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use jiff::Timestamp;
use tokio_util::task::AbortOnDropHandle;

use super::embedded::Embedded;
use super::engine::Sandbox;
use super::folder::FolderError;
use super::limits::Caps;
use super::load::{LoadError, Patience};
use super::manifest::{MAX_MANIFEST_BYTES, Manifest, OnFailure};
use super::origin::{Code, Origin};
use super::place::{MANIFEST, Place, Print};
use super::plugin::Plugin;
use super::unloaded::Unloaded;
use crate::file;
use crate::model::{Brake, Mode};

/// A plugin: one of the folder, or an embedded one.
#[derive(Debug)]
pub struct Entry {
    /// What the operator says of it.
    pub manifest: Manifest,
    /// The plugin, or why there is none. Its failure policy holds in either case.
    pub plugin: Result<Plugin, Unloaded>,
    /// Where it comes from.
    pub origin: Origin,
    /// Takes it out of force; another one when its files are other ones.
    pub(super) brake: Arc<Brake>,
    /// What its files looked like when they were read.
    pub(super) seen: Print,
}

impl Entry {
    /// The mode in force: that of its manifest, unless its brake is pulled. It may change at any time.
    #[must_use]
    pub fn mode(&self) -> Mode {
        self.brake.mode(self.manifest.mode)
    }

    /// Why the relay runs without this plugin, in words for the operator; `None` when it does not, the plugin comes later
    /// by itself, or it was never built and messages pass without it.
    #[must_use]
    pub fn problem(&self) -> Option<&Unloaded> {
        self.plugin.as_ref().err().filter(|_| !self.is_later() && !self.is_unbuilt_and_passes())
    }

    /// What takes it out of force.
    #[must_use]
    pub fn brake(&self) -> &Arc<Brake> {
        &self.brake
    }

    /// Whether it was left for later.
    pub(super) fn is_later(&self) -> bool {
        matches!(self.plugin, Err(Unloaded::Later(_)))
    }

    /// Whether nobody has built it yet, and messages pass as if it were not there. Worth a hint, and no error.
    #[must_use]
    pub fn is_unbuilt_and_passes(&self) -> bool {
        matches!(self.plugin, Err(Unloaded::NotBuilt { .. })) && self.manifest.on_failure == OnFailure::Pass
    }

    /// Loads the plugin of one folder, whose name is the plugin's. Its code must be in the folder.
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
        Ok(Self::load(sandbox, &name, &Place::Folder(folder.to_owned(), None), caps, Patience::Full).await)
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
        let code = place.code();
        let origin = place.origin(code.as_ref());
        // Embedded code changes with the program.
        let program = code.as_ref().filter(|code| code.is_embedded()).and_then(|_| program_modified());
        let manifest = match (place, &code) {
            (Place::File(_), _) => Ok(Manifest::bare(name)),
            (Place::Embedded(plugin), _) => embedded_manifest(plugin),
            // A manifest that only says `mode = "enforce"` relies on the settings that the code came with, and one that only
            // changes a setting is no wish to enforce.
            (Place::Folder(folder, _), Some(Code::Embedded(plugin))) => manifest(name, &folder.join(MANIFEST))
                .and_then(|own| Ok(own.with_defaults_of(&embedded_manifest(plugin)?))),
            (Place::Folder(folder, _), _) => manifest(name, &folder.join(MANIFEST)),
        };
        let (manifest, plugin) = match manifest {
            Ok(manifest) => {
                let plugin = match code {
                    Some(code) => start(sandbox, manifest.clone(), code, *caps, patience).await,
                    None => Err(place.without_code()),
                };
                (manifest, plugin)
            }
            Err((fault, manifest)) => (*manifest, Err(Unloaded::Error(fault))),
        };
        // Where no date can be had, it is better to take it for new.
        let now = Timestamp::now();
        let changed = seen.modified().into_iter().chain(program).max().unwrap_or(now);
        Self { manifest, plugin, origin, brake: Arc::new(Brake::new(changed, now)), seen }
    }
}

/// When the program's file was changed, if that can be told.
fn program_modified() -> Option<Timestamp> {
    file::Print::of(&std::env::current_exe().ok()?).ok()?.modified()
}

/// Loads one plugin, in a task of its own: whatever becomes of it, the others are not concerned.
async fn start(
    sandbox: &Arc<Sandbox>,
    manifest: Manifest,
    code: Code,
    caps: Caps,
    patience: Patience,
) -> Result<Plugin, Unloaded> {
    let (on, from) = (Arc::clone(sandbox), code.clone());
    let task = async move { Plugin::load(&on, manifest, &from, &caps, patience).await };
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
        Ok(Err(fault)) => Err(Unloaded::Error(fault.to_string())),
        Err(panic) => Err(Unloaded::Error(format!("{code}: could not be loaded: {panic}"))),
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
    match read(path) {
        Ok(bytes) => parse(name, path, &bytes),
        Err(missing) if missing.kind() == io::ErrorKind::NotFound => Ok(Manifest::bare(name)),
        Err(cause) => Err((format!("{}: cannot be read: {cause}", path.display()), at_fault(name, b""))),
    }
}

/// The manifest that a plugin is embedded with.
///
/// # Errors
/// As [`parse`].
fn embedded_manifest(plugin: &Embedded) -> Result<Manifest, (String, Box<Manifest>)> {
    let path = Path::new("(embedded)").join(plugin.name).join(MANIFEST);
    parse(plugin.name, &path, plugin.manifest.as_bytes())
}

/// Makes a manifest of its bytes.
///
/// # Errors
/// What is wrong with it, and what holds instead.
fn parse(name: &str, path: &Path, bytes: &[u8]) -> Result<Manifest, (String, Box<Manifest>)> {
    let fault = |text: String| format!("{}: {text}", path.display());
    let parsed = if bytes.len() as u64 > MAX_MANIFEST_BYTES {
        Err(fault(format!("is larger than {} KiB", MAX_MANIFEST_BYTES / 1024)))
    } else {
        match std::str::from_utf8(bytes) {
            Ok(text) => Manifest::parse(name, path, text),
            Err(cause) => Err(fault(format!("is no UTF-8: {cause}"))),
        }
    };
    parsed.map_err(|fault| (fault, at_fault(name, bytes)))
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
