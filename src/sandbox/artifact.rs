//! Compiled components on disk, so that a filter with an interpreter in it costs its seconds once.
//!
//! An artifact is machine code that will be run, so it is believed only from a folder that nobody else can write to,
//! and only with the digest that was written along with it; whatever is not so is compiled anew. The folder is looked
//! at once, opened, and then used by that handle: what is put in its place meanwhile is another folder.

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

use super::compiler::Compiled;
use crate::file::probe;

/// Largest artifact, in bytes. Those of Python are some 50 MB.
pub(super) const MAX_BYTES: u64 = 512 * 1024 * 1024;
/// Length of a digest.
const DIGEST: usize = blake3::OUT_LEN;
/// What the name of an artifact ends in.
const ENDING: &str = ".cwasm";
/// What artifacts that are not in use may take together, in bytes: who goes back to an older plugin finds it compiled.
const MAX_UNUSED: u64 = 256 * 1024 * 1024;
/// After that time a file that is still being written is one that nobody writes any more.
const ABANDONED: Duration = Duration::from_hours(1);

/// A folder of artifacts.
#[derive(Clone, Debug)]
pub(super) struct Cache {
    folder: Arc<OwnedFd>,
    /// For log lines.
    path: PathBuf,
}

/// Where a compiled component is, or would be.
#[derive(Debug)]
pub(super) struct Place {
    cache: Cache,
    name: String,
}

/// Why a folder is not used.
#[derive(Debug, thiserror::Error)]
pub enum CacheError {
    /// It cannot be made, opened or written.
    #[error("{}: compiled plugins cannot be kept there: {source}", path.display())]
    Folder {
        /// Which one.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// Others may write to it.
    #[error("{}: others may write to it; its mode must be 0700, and it must be the relay's own", .0.display())]
    Open(PathBuf),
}

impl Cache {
    /// The cache in this folder, which is made when there is none.
    ///
    /// # Errors
    /// [`CacheError`] when it cannot be used, or others could put things into it.
    pub(super) fn open(path: &Path) -> Result<Self, CacheError> {
        match DirBuilder::new().mode(0o700).create(path) {
            Err(exists) if exists.kind() == io::ErrorKind::AlreadyExists => {}
            other => other.map_err(|source| CacheError::Folder { path: path.to_owned(), source })?,
        }
        Self::open_existing(path)
    }

    /// The cache in this folder, which must be there.
    ///
    /// # Errors
    /// As those of [`Cache::open`].
    pub(super) fn open_existing(path: &Path) -> Result<Self, CacheError> {
        let fault = |source: io::Error| CacheError::Folder { path: path.to_owned(), source };
        let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let folder = rustix::fs::open(path, flags, Mode::empty()).map_err(|errno| fault(errno.into()))?;
        let kind = rustix::fs::fstat(&folder).map_err(|errno| fault(errno.into()))?;
        if kind.st_mode & 0o077 != 0 || kind.st_uid != rustix::process::geteuid().as_raw() {
            return Err(CacheError::Open(path.to_owned()));
        }
        Ok(Self { folder: Arc::new(folder), path: path.to_owned() })
    }

    /// Whether compiled plugins could be kept in this folder, found without making it.
    ///
    /// # Errors
    /// As those of [`Cache::open`]; also when nothing can be written to the folder.
    pub(super) fn probe(path: &Path) -> Result<(), CacheError> {
        let fault = |source: io::Error| CacheError::Folder { path: path.to_owned(), source };
        let folder = match Self::open_existing(path) {
            Ok(_) => path,
            Err(CacheError::Folder { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                probe::make_beside(path).map_err(fault)?;
                probe::parent(path)
            }
            Err(other) => return Err(other),
        };
        probe::write_in(folder).map_err(|error| fault(error.into_io()))
    }

    /// The place of a component, by its content and whatever else the machine code depends on.
    pub(super) fn place(&self, engine: &Engine, component: &[u8]) -> Place {
        let mut settings = HashOfSettings(blake3::Hasher::new());
        engine.precompile_compatibility_hash().hash(&mut settings);
        settings.0.update(component);
        Place { cache: self.clone(), name: format!("{}{ENDING}", settings.0.finalize().to_hex()) }
    }

    /// Removes what nobody will miss: what was never written to its end, and, oldest first, what is not among `in_use`
    /// beyond 256 MiB.
    pub(super) fn clean(&self, in_use: &HashSet<&str>) -> io::Result<()> {
        let mut unused = Vec::new();
        for entry in Dir::read_from(&*self.folder)? {
            let entry = entry?;
            let Ok(name) = entry.file_name().to_str() else { continue };
            let Ok(kind) = rustix::fs::statat(&*self.folder, name, AtFlags::SYMLINK_NOFOLLOW) else { continue };
            let age = age(kind.st_mtime);
            if name.ends_with(ENDING) {
                if !in_use.contains(name) {
                    unused.push((age, u64::try_from(kind.st_size).unwrap_or(0), name.to_owned()));
                }
            } else if name.contains(ENDING) && age > ABANDONED {
                self.remove(name);
            }
        }
        unused.sort_unstable();
        let mut together = 0;
        for (_, size, name) in unused {
            together += size;
            if together > MAX_UNUSED {
                self.remove(&name);
            }
        }
        Ok(())
    }

    fn remove(&self, name: &str) {
        let removed = rustix::fs::unlinkat(&*self.folder, name, AtFlags::empty());
        tracing::debug!(file = %self.path.join(name).display(), ?removed, "removing an old compiled plugin");
    }
}

fn age(modified: i64) -> Duration {
    let modified = SystemTime::UNIX_EPOCH + Duration::from_secs(u64::try_from(modified).unwrap_or(0));
    modified.elapsed().unwrap_or_default()
}

impl Place {
    /// The name of the file.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// The compiled form of the component, if it is there and whole.
    pub(super) fn get(&self, engine: &Engine) -> Option<Component> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = File::from(rustix::fs::openat(&*self.cache.folder, &self.name, flags, Mode::empty()).ok()?);
        let kind = rustix::fs::fstat(&file).ok()?;
        // The folder may have been open to others when the file was put there.
        if kind.st_mode & 0o022 != 0 || kind.st_uid != rustix::process::geteuid().as_raw() {
            return None;
        }
        let mut bytes = Vec::new();
        (&file).take(MAX_BYTES + DIGEST as u64).read_to_end(&mut bytes).ok()?;
        let (digest, artifact) = bytes.split_at_checked(DIGEST)?;
        let shown = self.cache.path.join(&self.name);
        if blake3::hash(artifact).as_bytes().as_slice() != digest {
            tracing::warn!(file = %shown.display(), "a compiled plugin is damaged and is compiled anew");
            return None;
        }
        // What is used is younger than what is not; no harm if the file system will not say so.
        let _as_old_as_before = file.set_modified(SystemTime::now());
        deserialize(engine, artifact)
            .inspect_err(|fault| {
                tracing::warn!(file = %shown.display(), %fault, "a compiled plugin cannot be used and is compiled anew");
            })
            .ok()
    }

    /// Keeps the compiled form of the component. It appears whole or not at all.
    ///
    /// # Errors
    /// Those of the file system; nothing is lost but time then.
    pub(super) fn put(&self, compiled: &Compiled) -> io::Result<()> {
        let serialized;
        let artifact = match compiled {
            Compiled::Artifact(artifact) => artifact,
            Compiled::Component(component) => {
                serialized = component.serialize().map_err(|fault| io::Error::other(fault.to_string()))?;
                &serialized
            }
        };
        // Another relay may use the same folder.
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
            // There may be nothing to remove.
            let _gone = rustix::fs::unlinkat(folder, &part, AtFlags::empty());
        })
    }
}

impl Compiled {
    /// The component, which can be instantiated.
    ///
    /// # Errors
    /// When the machine code is none of this engine's.
    pub(super) fn into_component(self, engine: &Engine) -> wasmtime::Result<Component> {
        match self {
            Self::Component(component) => Ok(component),
            Self::Artifact(artifact) => deserialize(engine, &artifact),
        }
    }
}

#[expect(unsafe_code, reason = "the one place where machine code is taken from outside")]
fn deserialize(engine: &Engine, artifact: &[u8]) -> wasmtime::Result<Component> {
    // SAFETY: either the artifact has come through a pipe from a process that runs this same program, or it is one that
    // `Place::put` has written, to the letter, by the digest that stands before it, and nobody but the user that the
    // relay runs as could have put another one there, by the folder's owner and mode.
    unsafe { Component::deserialize(engine, artifact) }
}

/// Feeds a digest instead of a hash, of which 64 bits would not be enough.
struct HashOfSettings(blake3::Hasher);

impl Hasher for HashOfSettings {
    fn finish(&self) -> u64 {
        0
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }
}

#[cfg(test)]
mod tests;
