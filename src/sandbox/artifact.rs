//! The cache of compiled components, so that a filter with an interpreter is compiled only once.
//!
//! An artifact is machine code that the relay runs. It is trusted only if nobody else can write to its folder and if it
//! matches the digest stored with it; otherwise the component is compiled again. The folder is checked once and then
//! used through an open handle, so replacing it has no effect.

use std::collections::HashSet;
use std::fs::{DirBuilder, File};
use std::hash::{Hash, Hasher};
use std::io::{self, Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use rustix::fs::{AtFlags, Dir, Mode, OFlags};
use wasmtime::Engine;
use wasmtime::component::Component;

use super::limits::MAX_ARTIFACT_BYTES;
use crate::file::probe;

/// Length of a digest, in bytes.
const DIGEST_BYTES: usize = blake3::OUT_LEN;
/// File extension of artifacts.
const EXTENSION: &str = ".cwasm";
/// Total size of unused artifacts to keep, in bytes. Returning to an older plugin needs no compilation then.
const MAX_UNUSED_BYTES: u64 = 256 * 1024 * 1024;
/// Age after which a partially written file counts as abandoned.
const MAX_PARTIAL_AGE: Duration = Duration::from_hours(1);

/// A folder of artifacts.
#[derive(Clone, Debug)]
pub(super) struct ArtifactCache {
    folder: Arc<OwnedFd>,
    /// For log lines.
    path: PathBuf,
}

/// The artifact of one component, which may or may not exist.
#[derive(Debug)]
pub(super) struct CachedArtifact {
    cache: ArtifactCache,
    name: String,
}

/// A compiled plugin.
pub(super) enum CompiledPlugin {
    Component(Component),
    /// As [`Component::serialize`] writes it.
    Artifact(Vec<u8>),
}

/// Why a folder cannot be used as a cache.
#[derive(Debug, thiserror::Error)]
pub enum CacheError {
    /// The folder cannot be created, opened or written.
    #[error("{}: the cache of compiled plugins cannot be used: {source}", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// The I/O error.
        source: io::Error,
    },
    /// Other users may write to the folder.
    #[error("{}: other users may write to it; it must have mode 0700 and belong to the relay's user", .0.display())]
    Insecure(PathBuf),
}

impl ArtifactCache {
    /// Opens the cache in this folder, which is created if it does not exist.
    ///
    /// # Errors
    /// [`CacheError`] if the folder cannot be used, or if other users can write to it.
    pub(super) fn open(path: &Path) -> Result<Self, CacheError> {
        match DirBuilder::new().mode(0o700).create(path) {
            Err(exists) if exists.kind() == io::ErrorKind::AlreadyExists => {}
            other => other.map_err(|source| CacheError::Folder { path: path.to_owned(), source })?,
        }
        Self::open_existing(path)
    }

    /// Opens the cache in this folder, which must exist.
    ///
    /// # Errors
    /// Same as [`ArtifactCache::open`].
    pub(super) fn open_existing(path: &Path) -> Result<Self, CacheError> {
        let folder_error = |source: io::Error| CacheError::Folder { path: path.to_owned(), source };
        let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let folder = rustix::fs::open(path, flags, Mode::empty()).map_err(|errno| folder_error(errno.into()))?;
        let kind = rustix::fs::fstat(&folder).map_err(|errno| folder_error(errno.into()))?;
        if kind.st_mode & 0o077 != 0 || kind.st_uid != rustix::process::geteuid().as_raw() {
            return Err(CacheError::Insecure(path.to_owned()));
        }
        Ok(Self { folder: Arc::new(folder), path: path.to_owned() })
    }

    /// Checks whether this folder could be used as a cache, without creating it.
    ///
    /// # Errors
    /// Same as [`ArtifactCache::open`]; also if the folder is not writable.
    pub(super) fn probe(path: &Path) -> Result<(), CacheError> {
        let folder_error = |source: io::Error| CacheError::Folder { path: path.to_owned(), source };
        let folder = match Self::open_existing(path) {
            Ok(_) => path,
            Err(CacheError::Folder { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                probe::create_beside(path).map_err(folder_error)?;
                probe::parent(path)
            }
            Err(other) => return Err(other),
        };
        probe::write_in(folder).map_err(|error| folder_error(error.into_io()))
    }

    /// Returns the artifact of a component. Its name is a digest of the component and the engine's settings.
    pub(super) fn artifact(&self, engine: &Engine, component: &[u8]) -> CachedArtifact {
        let mut digest = DigestHasher(blake3::Hasher::new());
        engine.precompile_compatibility_hash().hash(&mut digest);
        digest.0.update(component);
        CachedArtifact { cache: self.clone(), name: format!("{}{EXTENSION}", digest.0.finalize().to_hex()) }
    }

    /// Removes abandoned partial files and, oldest first, artifacts that are not in `in_use`, until those take at most
    /// 256 MiB.
    pub(super) fn clean(&self, in_use: &HashSet<&str>) -> io::Result<()> {
        let mut unused = Vec::new();
        for entry in Dir::read_from(&*self.folder)? {
            let entry = entry?;
            let Ok(name) = entry.file_name().to_str() else { continue };
            let Ok(kind) = rustix::fs::statat(&*self.folder, name, AtFlags::SYMLINK_NOFOLLOW) else { continue };
            let age = age(kind.st_mtime);
            if name.ends_with(EXTENSION) {
                if !in_use.contains(name) {
                    unused.push((age, u64::try_from(kind.st_size).unwrap_or(0), name.to_owned()));
                }
            } else if name.contains(EXTENSION) && age > MAX_PARTIAL_AGE {
                self.remove(name);
            }
        }
        unused.sort_unstable();
        let mut total = 0;
        for (_, size, name) in unused {
            total += size;
            if total > MAX_UNUSED_BYTES {
                self.remove(&name);
            }
        }
        Ok(())
    }

    fn remove(&self, name: &str) {
        let removed = rustix::fs::unlinkat(&*self.folder, name, AtFlags::empty());
        tracing::debug!(file = %self.path.join(name).display(), ?removed, "old cached plugin removed");
    }
}

fn age(modified: i64) -> Duration {
    let modified = SystemTime::UNIX_EPOCH + Duration::from_secs(u64::try_from(modified).unwrap_or(0));
    modified.elapsed().unwrap_or_default()
}

impl CachedArtifact {
    /// The name of its file.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Loads the compiled component, if the artifact exists and is intact.
    pub(super) fn get(&self, engine: &Engine) -> Option<Component> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = File::from(rustix::fs::openat(&*self.cache.folder, &self.name, flags, Mode::empty()).ok()?);
        let kind = rustix::fs::fstat(&file).ok()?;
        // The folder may have been writable by others when the file was created.
        if kind.st_mode & 0o022 != 0 || kind.st_uid != rustix::process::geteuid().as_raw() {
            return None;
        }
        let mut bytes = Vec::new();
        (&file).take(MAX_ARTIFACT_BYTES + DIGEST_BYTES as u64).read_to_end(&mut bytes).ok()?;
        let (digest, artifact) = bytes.split_at_checked(DIGEST_BYTES)?;
        let shown = self.cache.path.join(&self.name);
        if blake3::hash(artifact).as_bytes().as_slice() != digest {
            tracing::warn!(file = %shown.display(), "cached plugin is damaged; compiling it again");
            return None;
        }
        // `clean` removes the oldest artifacts first. An error only makes this one look older.
        let _ignored = file.set_modified(SystemTime::now());
        deserialize(engine, artifact)
            .inspect_err(|error| {
                tracing::warn!(file = %shown.display(), %error, "cached plugin cannot be used; compiling it again");
            })
            .ok()
    }

    /// Writes the compiled component atomically.
    ///
    /// # Errors
    /// I/O errors. The component is compiled again next time then.
    pub(super) fn put(&self, compiled: &CompiledPlugin) -> io::Result<()> {
        let serialized;
        let artifact = match compiled {
            CompiledPlugin::Artifact(artifact) => artifact,
            CompiledPlugin::Component(component) => {
                serialized = component.serialize().map_err(|error| io::Error::other(error.to_string()))?;
                &serialized
            }
        };
        // A unique name: another relay may use the same folder.
        let part = format!("{}.{}", self.name, uuid::Uuid::new_v4());
        let folder = &*self.cache.folder;
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let written = || {
            let mut file = File::from(rustix::fs::openat(folder, &part, flags, Mode::RUSR | Mode::WUSR)?);
            file.write_all(blake3::hash(artifact).as_bytes())?;
            file.write_all(artifact)?;
            file.sync_all()?;
            io::Result::Ok(rustix::fs::renameat(folder, &part, folder, &self.name)?)
        };
        written().inspect_err(|_| {
            // The file may not exist.
            let _ignored = rustix::fs::unlinkat(folder, &part, AtFlags::empty());
        })
    }
}

impl CompiledPlugin {
    /// Returns the component, ready for instantiation.
    ///
    /// # Errors
    /// If the machine code was compiled for a different engine.
    pub(super) fn into_component(self, engine: &Engine) -> wasmtime::Result<Component> {
        match self {
            Self::Component(component) => Ok(component),
            Self::Artifact(artifact) => deserialize(engine, &artifact),
        }
    }
}

#[expect(unsafe_code, reason = "the only place that loads machine code from outside")]
fn deserialize(engine: &Engine, artifact: &[u8]) -> wasmtime::Result<Component> {
    // SAFETY: the artifact came through a pipe from a process that runs this same program, or it was written by
    // `CachedArtifact::put`: its digest matches, and the folder's owner and mode allow only the relay's user to write
    // it.
    unsafe { Component::deserialize(engine, artifact) }
}

/// Feeds a digest from `Hash` implementations: a hash of 64 bits could collide.
struct DigestHasher(blake3::Hasher);

impl Hasher for DigestHasher {
    fn finish(&self) -> u64 {
        0
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }
}

#[cfg(test)]
mod tests;
