//! Compiled components on disk, so that a filter with an interpreter in it costs its seconds once.
//!
//! An artifact is machine code that will be run, so it is believed only from a folder that nobody else can write to,
//! and only with the digest that was written along with it; whatever is not so is compiled anew.

use std::fs::{self, DirBuilder, File};
use std::hash::{Hash, Hasher};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use sha2::{Digest, Sha256};
use wasmtime::Engine;
use wasmtime::component::Component;

/// Largest artifact, in bytes. Those of Python are some 60 MB.
const MAX_BYTES: u64 = 512 * 1024 * 1024;
/// Length of a digest.
const DIGEST: usize = 32;
/// Tells artifacts that are being written apart.
static WRITTEN: AtomicU32 = AtomicU32::new(0);

/// A folder of artifacts.
#[derive(Clone, Debug)]
pub(super) struct Cache {
    folder: PathBuf,
}

/// Why a folder is not used.
#[derive(Debug, thiserror::Error)]
pub(super) enum CacheError {
    #[error("{}: {source}", path.display())]
    Folder { path: PathBuf, source: io::Error },
    #[error("{}: others may write to it; its mode must be 0700, and it must be the relay's own", .0.display())]
    Open(PathBuf),
}

impl Cache {
    /// The cache in this folder, which is made when there is none.
    ///
    /// # Errors
    /// [`CacheError`] when it cannot be used, or others could put things into it.
    pub(super) fn open(folder: PathBuf) -> Result<Self, CacheError> {
        let fault = |source| CacheError::Folder { path: folder.clone(), source };
        match DirBuilder::new().mode(0o700).create(&folder) {
            Err(exists) if exists.kind() == io::ErrorKind::AlreadyExists => {}
            other => other.map_err(fault)?,
        }
        let kind = fs::symlink_metadata(&folder).map_err(fault)?;
        let own = fs::metadata("/proc/self").map_err(fault)?;
        if !kind.is_dir() || kind.permissions().mode() & 0o077 != 0 || kind.uid() != own.uid() {
            return Err(CacheError::Open(folder));
        }
        Ok(Self { folder })
    }

    /// The file for a component, by its content and whatever else the machine code depends on.
    fn place(&self, engine: &Engine, component: &[u8]) -> PathBuf {
        let mut settings = HashOfSettings(Sha256::new());
        engine.precompile_compatibility_hash().hash(&mut settings);
        settings.0.update(component);
        self.folder.join(format!("{}.cwasm", hex(&settings.0.finalize())))
    }

    /// The compiled form of a component, if it is there and whole.
    pub(super) fn get(&self, engine: &Engine, component: &[u8]) -> Option<Component> {
        let path = self.place(engine, component);
        let mut bytes = Vec::new();
        let file = File::open(&path).ok()?;
        file.take(MAX_BYTES).read_to_end(&mut bytes).ok()?;
        let (digest, artifact) = bytes.split_at_checked(DIGEST)?;
        if Sha256::digest(artifact).as_slice() != digest {
            tracing::warn!(file = %path.display(), "a compiled plugin is damaged and is compiled anew");
            return None;
        }
        match deserialize(engine, artifact) {
            Ok(component) => Some(component),
            Err(fault) => {
                tracing::warn!(file = %path.display(), %fault, "a compiled plugin cannot be used and is compiled anew");
                None
            }
        }
    }

    /// Keeps the compiled form of a component. It appears whole or not at all.
    ///
    /// # Errors
    /// Those of the file system; nothing is lost but time then.
    pub(super) fn put(&self, engine: &Engine, component: &[u8], compiled: &Component) -> io::Result<()> {
        let artifact = compiled.serialize().map_err(|fault| io::Error::other(fault.to_string()))?;
        let path = self.place(engine, component);
        let part = path.with_extension(format!("{}-{}", std::process::id(), WRITTEN.fetch_add(1, Ordering::Relaxed)));
        let written = File::create_new(&part).and_then(|mut file| {
            file.write_all(&Sha256::digest(&artifact))?;
            file.write_all(&artifact)?;
            file.sync_all()?;
            fs::rename(&part, &path)
        });
        if written.is_err() {
            // There may be nothing to remove.
            let _gone = fs::remove_file(&part);
        }
        written
    }
}

#[expect(unsafe_code, reason = "the one place where machine code is taken from outside")]
fn deserialize(engine: &Engine, artifact: &[u8]) -> wasmtime::Result<Component> {
    // SAFETY: the artifact is one that `Cache::put` has written, to the letter, by the digest that stands before it, and
    // nobody but the user that the relay runs as could have put another one there, by the folder's owner and mode.
    unsafe { Component::deserialize(engine, artifact) }
}

/// Feeds a digest instead of a hash, of which 64 bits would not be enough.
struct HashOfSettings(Sha256);

impl Hasher for HashOfSettings {
    fn finish(&self) -> u64 {
        0
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }
}

/// Bytes as hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string cannot fail.
        let _infallible = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMPONENT: &[u8] = b"(component)";

    fn cache(engine: &Engine) -> (tempfile::TempDir, Cache) {
        let dir = tempfile::tempdir().unwrap();
        let cache = Cache::open(dir.path().join("cache")).unwrap();
        cache
            .put(engine, COMPONENT, &Component::from_binary(engine, &wat::parse_bytes(COMPONENT).unwrap()).unwrap())
            .unwrap();
        (dir, cache)
    }

    fn only_file(cache: &Cache) -> PathBuf {
        let files: Vec<_> = fs::read_dir(&cache.folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert_eq!(files.len(), 1, "{files:?}");
        files[0].clone()
    }

    #[test]
    fn what_was_put_is_found_again_and_nothing_else() {
        let engine = Engine::default();
        let (_dir, cache) = cache(&engine);
        assert!(cache.get(&engine, COMPONENT).is_some());
        assert!(cache.get(&engine, b"(component )").is_none());
    }

    #[test]
    fn another_engine_does_not_find_it() {
        let engine = Engine::default();
        let (_dir, cache) = cache(&engine);
        let other = Engine::new(wasmtime::Config::new().epoch_interruption(true)).unwrap();
        assert!(cache.get(&other, COMPONENT).is_none());
    }

    #[test]
    fn what_was_tampered_with_is_not_believed() {
        let engine = Engine::default();
        let (_dir, cache) = cache(&engine);
        let file = only_file(&cache);
        let whole = fs::read(&file).unwrap();
        for (at, what) in [(0, "digest"), (DIGEST, "first byte"), (whole.len() - 1, "last byte")] {
            let mut bytes = whole.clone();
            bytes[at] ^= 1;
            fs::write(&file, bytes).unwrap();
            assert!(cache.get(&engine, COMPONENT).is_none(), "{what}");
        }
        for length in [0, 1, DIGEST, whole.len() - 1] {
            fs::write(&file, &whole[..length]).unwrap();
            assert!(cache.get(&engine, COMPONENT).is_none(), "{length} bytes");
        }
    }

    #[test]
    fn a_folder_that_others_may_write_to_is_not_used() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("cache");
        fs::create_dir(&folder).unwrap();
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).unwrap();
        assert!(matches!(Cache::open(folder), Err(CacheError::Open(_))));
        std::os::unix::fs::symlink(dir.path(), dir.path().join("link")).unwrap();
        assert!(matches!(Cache::open(dir.path().join("link")), Err(CacheError::Open(_))));
    }
}
