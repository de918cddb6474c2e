//! The entry of one plugin in the catalog: its manifest, and the plugin or the reason why it is not loaded.

use std::fs;
use std::io::{self, Read as _};
use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;
use tokio_util::task::AbortOnDropHandle;

use super::embedded::Embedded;
use super::engine::Sandbox;
use super::folder::FolderError;
use super::limits::OperatorLimits;
use super::load::{LoadError, LoadMode};
use super::location::{MANIFEST, PluginLocation, PluginStamp};
use super::manifest::{MAX_MANIFEST_BYTES, Manifest, OnFailure};
use super::not_loaded::NotLoadedReason;
use super::origin::{PluginCode, PluginOrigin};
use super::plugin::Plugin;
use crate::file;
use crate::model::{Breaker, Mode};

/// A plugin of the folder or an embedded one, loaded or not.
#[derive(Debug)]
pub struct PluginEntry {
    /// Its manifest.
    pub manifest: Manifest,
    /// The plugin, or the reason why it is not loaded. The manifest's failure policy applies in either case.
    pub plugin: Result<Plugin, NotLoadedReason>,
    /// Its origin.
    pub origin: PluginOrigin,
    /// Its circuit breaker. A change of its files creates a new one.
    pub(super) breaker: Arc<Breaker>,
    /// The stamp of its files when they were read.
    pub(super) stamp: PluginStamp,
}

impl PluginEntry {
    /// The effective mode: that of the manifest, unless the breaker is tripped. It may change at any time.
    #[must_use]
    pub fn mode(&self) -> Mode {
        self.breaker.effective_mode(self.manifest.mode)
    }

    /// Why the relay runs without this plugin. `None` if the plugin is loaded, if its loading was deferred, or if it is
    /// not built and lets messages pass.
    #[must_use]
    pub fn load_error(&self) -> Option<&NotLoadedReason> {
        self.plugin.as_ref().err().filter(|_| !self.is_deferred() && !self.is_unbuilt_and_passes())
    }

    /// Its circuit breaker.
    #[must_use]
    pub fn breaker(&self) -> &Arc<Breaker> {
        &self.breaker
    }

    /// Whether its loading was deferred.
    pub(super) fn is_deferred(&self) -> bool {
        self.plugin.as_ref().err().is_some_and(NotLoadedReason::is_deferred)
    }

    /// Whether it is not built and its `on_failure` lets messages pass. That is worth a hint, but not an error.
    #[must_use]
    pub fn is_unbuilt_and_passes(&self) -> bool {
        matches!(self.plugin, Err(NotLoadedReason::NotBuilt { .. })) && self.manifest.on_failure == OnFailure::Pass
    }

    /// Loads a plugin from its own folder, which gives it its name and must contain its code.
    ///
    /// # Errors
    /// If there is no such folder.
    pub async fn load_folder(
        sandbox: &Arc<Sandbox>,
        folder: &Path,
        limits: &OperatorLimits,
    ) -> Result<Self, FolderError> {
        let read_error = |source| FolderError::Read { path: folder.to_owned(), source };
        let absolute = folder.canonicalize().map_err(read_error)?;
        if !absolute.is_dir() {
            return Err(read_error(std::io::ErrorKind::NotADirectory.into()));
        }
        let name = absolute.file_name().unwrap_or_default().to_string_lossy();
        Ok(Self::load(sandbox, &name, &PluginLocation::Folder(folder.to_owned(), None), limits, LoadMode::Complete)
            .await)
    }

    pub(super) async fn load(
        sandbox: &Arc<Sandbox>,
        name: &str,
        location: &PluginLocation,
        limits: &OperatorLimits,
        load_mode: LoadMode,
    ) -> Self {
        // Before the files are read, so that a change during the read is noticed.
        let stamp = location.stamp();
        let code = location.code();
        let origin = location.origin(code.as_ref());
        // Embedded code changes when the program does.
        let program = code.as_ref().filter(|code| code.is_embedded()).and_then(|_| program_modified());
        let manifest = match (location, &code) {
            (PluginLocation::File(_), _) => Ok(Manifest::default_for(name)),
            (PluginLocation::Embedded(plugin), _) => embedded_manifest(plugin),
            // A manifest that only sets `mode` keeps the embedded settings, and one that only changes a setting keeps
            // the embedded mode.
            (PluginLocation::Folder(folder, _), Some(PluginCode::Embedded(plugin))) => {
                read_manifest(name, &folder.join(MANIFEST))
                    .and_then(|own| Ok(own.with_defaults_from(&embedded_manifest(plugin)?)))
            }
            (PluginLocation::Folder(folder, _), _) => read_manifest(name, &folder.join(MANIFEST)),
        };
        let (manifest, plugin) = match manifest {
            Ok(manifest) => {
                let plugin = match code {
                    Some(code) => load_plugin(sandbox, manifest.clone(), code, *limits, load_mode).await,
                    None => Err(location.missing_code_reason()),
                };
                (manifest, plugin)
            }
            Err((error, manifest)) => (*manifest, Err(NotLoadedReason::Failed(error))),
        };
        // Without a timestamp, treat it as new.
        let now = Timestamp::now();
        let changed = stamp.modified().into_iter().chain(program).max().unwrap_or(now);
        Self { manifest, plugin, origin, breaker: Arc::new(Breaker::new(changed, now)), stamp }
    }
}

/// The modification time of the program's file, if available.
fn program_modified() -> Option<Timestamp> {
    file::FileStamp::read(&std::env::current_exe().ok()?).ok()?.modified()
}

/// Loads one plugin in a separate task, so that a panic does not affect other plugins.
async fn load_plugin(
    sandbox: &Arc<Sandbox>,
    manifest: Manifest,
    code: PluginCode,
    limits: OperatorLimits,
    load_mode: LoadMode,
) -> Result<Plugin, NotLoadedReason> {
    let (on, from) = (Arc::clone(sandbox), code.clone());
    let task = async move { Plugin::load(&on, manifest, &from, &limits, load_mode).await };
    let task = AbortOnDropHandle::new(sandbox.handle().spawn(task));
    let ended = match load_mode {
        LoadMode::Complete => task.await,
        LoadMode::Startup { deadline } => match tokio::time::timeout_at(deadline.into(), task).await {
            Ok(ended) => ended,
            Err(_) => return Err(NotLoadedReason::Deferred { code: code.to_string(), why: "not ready yet" }),
        },
    };
    match ended {
        Ok(Ok(plugin)) => Ok(plugin),
        Ok(Err(LoadError::Deferred(why))) => Err(NotLoadedReason::Deferred { code: code.to_string(), why }),
        Ok(Err(error)) => Err(NotLoadedReason::Failed(error.to_string())),
        Err(panic) => Err(NotLoadedReason::Failed(format!("{code}: could not be loaded: {panic}"))),
    }
}

/// The manifest that applies instead of an invalid one: the defaults, with the `on_failure` of the invalid text.
fn fallback_manifest(name: &str, text: &[u8]) -> Box<Manifest> {
    let mut manifest = Manifest::default_for(name);
    manifest.on_failure = OnFailure::scan(&String::from_utf8_lossy(text));
    Box::new(manifest)
}

/// Reads the manifest of a plugin. Returns the default if there is none.
///
/// # Errors
/// The reason why the manifest is invalid, and the manifest that applies instead.
fn read_manifest(name: &str, path: &Path) -> Result<Manifest, (String, Box<Manifest>)> {
    match read_bytes(path) {
        Ok(bytes) => parse_manifest(name, path, &bytes),
        Err(missing) if missing.kind() == io::ErrorKind::NotFound => Ok(Manifest::default_for(name)),
        Err(error) => Err((format!("{}: cannot be read: {error}", path.display()), fallback_manifest(name, b""))),
    }
}

/// Returns the manifest of an embedded plugin.
///
/// # Errors
/// Same as [`parse_manifest`].
fn embedded_manifest(plugin: &Embedded) -> Result<Manifest, (String, Box<Manifest>)> {
    let path = Path::new("(embedded)").join(plugin.name).join(MANIFEST);
    parse_manifest(plugin.name, &path, plugin.manifest.as_bytes())
}

/// Parses a manifest.
///
/// # Errors
/// The reason why the manifest is invalid, and the manifest that applies instead.
fn parse_manifest(name: &str, path: &Path, bytes: &[u8]) -> Result<Manifest, (String, Box<Manifest>)> {
    let at_path = |text: String| format!("{}: {text}", path.display());
    let parsed = if bytes.len() as u64 > MAX_MANIFEST_BYTES {
        Err(at_path(format!("is larger than {} KiB", MAX_MANIFEST_BYTES / 1024)))
    } else {
        match std::str::from_utf8(bytes) {
            Ok(text) => Manifest::parse(name, path, text),
            Err(error) => Err(at_path(format!("is not UTF-8: {error}"))),
        }
    };
    parsed.map_err(|error| (error, fallback_manifest(name, bytes)))
}

/// Reads a manifest, up to one byte more than the limit.
fn read_bytes(path: &Path) -> io::Result<Vec<u8>> {
    // Opening a pipe would block until somebody writes to it.
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::other("it is not a file"));
    }
    let mut bytes = Vec::new();
    fs::File::open(path)?.take(MAX_MANIFEST_BYTES + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}
