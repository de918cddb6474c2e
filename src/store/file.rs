//! The file of the store: its creation, its permissions, its lock, and a backend for redb, which can keep all writes in
//! memory.

use std::fs::{File, Permissions, TryLockError};
use std::io;
use std::ops::Bound;
use std::os::unix::fs::{FileExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use redb::{BackendError, Database, StorageBackend};
use rustix::fs::{CWD, RenameFlags};

use super::error::StoreError;
use super::overlay::Overlay;
use crate::file::probe;

/// Readable and writable by its owner only.
const MODE: u32 = 0o600;
/// The permissions of other users.
const OTHERS: u32 = 0o077;
/// The first bytes of a database file.
const MAGIC: &[u8; 4] = b"redb";
/// Attempts to lock the file, and the wait between two attempts.
const LOCK_TRIES: u32 = 11;
const LOCK_WAIT: Duration = Duration::from_millis(20);

/// Opens the file and locks it until it is dropped. A missing file is created.
///
/// A file that other users can read or write is made private, with a warning, since it may have been read.
pub(super) fn open(path: &Path) -> Result<File, StoreError> {
    let error = |error| StoreError::Open { path: path.to_owned(), error };
    let file = if let Some(file) = open_existing(path)? {
        file
    } else {
        create(path)?;
        open_existing(path)?.ok_or_else(|| error(io::ErrorKind::NotFound.into()))?
    };
    lock(&file).map_err(|lock_error| match lock_error {
        TryLockError::WouldBlock => StoreError::Busy { path: path.to_owned() },
        TryLockError::Error(source) => error(source),
    })?;
    let mode = file.metadata().map_err(error)?.mode() & 0o7777;
    // Leave other files unchanged, in case the path is mistyped.
    if mode & OTHERS != 0 && is_database(&file) {
        let private = file.set_permissions(Permissions::from_mode(MODE));
        private.map_err(|error| StoreError::NotPrivate { path: path.to_owned(), mode, error })?;
        let path = path.display();
        tracing::warn!(%path, "the moderation store was accessible to other users (mode {mode:o}); mode changed to 600");
    }
    Ok(file)
}

/// Returns whether a file starts like a database.
fn is_database(file: &File) -> bool {
    let mut start = [0; MAGIC.len()];
    file.read_exact_at(&mut start, 0).is_ok() && start == *MAGIC
}

/// Locks the file. Waits up to 200 ms, since a probe holds the lock for a moment.
fn lock(file: &File) -> Result<(), TryLockError> {
    for _ in 1..LOCK_TRIES {
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => std::thread::sleep(LOCK_WAIT),
            locked => return locked,
        }
    }
    file.try_lock()
}

/// Opens an existing file for reading and writing; `None` if it does not exist.
pub(super) fn open_existing(path: &Path) -> Result<Option<File>, StoreError> {
    let error = |error| StoreError::Open { path: path.to_owned(), error };
    match File::options().read(true).write(true).custom_flags(NONBLOCK).open(path) {
        Err(missing) if missing.kind() == io::ErrorKind::NotFound => Ok(None),
        opened => {
            let file = opened.map_err(error)?;
            let is_file = file.metadata().map_err(error)?.is_file();
            if is_file { Ok(Some(file)) } else { Err(StoreError::NotAFile { path: path.to_owned() }) }
        }
    }
}

/// Opens the file read-only.
pub(super) fn open_read_only(path: &Path) -> io::Result<File> {
    let file = File::options().read(true).custom_flags(NONBLOCK).open(path)?;
    if file.metadata()?.is_file() { Ok(file) } else { Err(io::ErrorKind::InvalidInput.into()) }
}

/// Checks that the file is private, or that [`open`] could make it so or leaves it unchanged.
pub(super) fn check_private(path: &Path, file: &File) -> Result<(), StoreError> {
    let found = file.metadata().map_err(|error| StoreError::Open { path: path.to_owned(), error })?;
    let (mode, me) = (found.mode() & 0o7777, rustix::process::geteuid());
    if mode & OTHERS == 0 || !is_database(file) || me.is_root() || found.uid() == me.as_raw() {
        return Ok(());
    }
    Err(StoreError::NotPrivate { path: path.to_owned(), mode, error: io::ErrorKind::PermissionDenied.into() })
}

/// Opening a pipe in place of the file returns immediately.
const NONBLOCK: i32 = rustix::fs::OFlags::NONBLOCK.bits().cast_signed();

/// Creates an empty store. The complete file is linked to its name, unless another file has taken the name.
fn create(path: &Path) -> Result<(), StoreError> {
    let error = |error| StoreError::Open { path: path.to_owned(), error };
    let folder = probe::parent(path);
    let Some(name) = path.file_name() else { return Err(StoreError::NotAFile { path: path.to_owned() }) };
    let mut hidden = std::ffi::OsString::from(".");
    hidden.push(name);
    hidden.push(format!(".{}.new", std::process::id()));
    let temporary = folder.join(hidden);
    let made = (|| {
        let file = File::options().read(true).write(true).create(true).truncate(true).mode(MODE).open(&temporary)?;
        let database = Database::builder().create_with_backend(FileBackend::new(Arc::new(file)));
        database.and_then(Database::close).map_err(io::Error::other)?;
        Ok(())
    })();
    let published = made.map_err(error).and_then(|()| publish(&temporary, path));
    // The file is already gone if it was renamed.
    let _gone = std::fs::remove_file(&temporary);
    published?;
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(error)
}

/// Gives a file its final name, unless another file has taken it.
fn publish(temporary: &Path, path: &Path) -> Result<(), StoreError> {
    let published = std::fs::hard_link(temporary, path).or_else(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => Err(error),
        // The file system may not support links.
        _ => rename_new(temporary, path),
    });
    let path = path.to_owned();
    published.or_else(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => Ok(()),
        io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported => Err(StoreError::NoExclusiveName { path, error }),
        _ => Err(StoreError::Open { path, error }),
    })
}

/// Renames a file. Fails if the name is taken, or if the file system cannot rule that out.
fn rename_new(from: &Path, to: &Path) -> io::Result<()> {
    Ok(rustix::fs::renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE)?)
}

/// The storage backend of redb on a locked file.
#[derive(Debug)]
pub(super) struct FileBackend {
    file: Arc<File>,
    /// Holds writes that must not reach the file.
    overlay: Option<Mutex<Overlay>>,
}

impl FileBackend {
    pub(super) fn new(file: Arc<File>) -> Self {
        Self { file, overlay: None }
    }

    /// Creates a backend that keeps all writes in memory.
    pub(super) fn with_overlay(file: Arc<File>) -> io::Result<Self> {
        let overlay = Overlay::new(file.metadata()?.len());
        Ok(Self { file, overlay: Some(Mutex::new(overlay)) })
    }

    fn overlay(&self) -> Option<MutexGuard<'_, Overlay>> {
        self.overlay.as_ref().map(|overlay| overlay.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl StorageBackend for FileBackend {
    fn len(&self) -> io::Result<u64> {
        match self.overlay() {
            Some(overlay) => Ok(overlay.len()),
            None => Ok(self.file.metadata()?.len()),
        }
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        match self.overlay() {
            Some(overlay) => overlay.read(&self.file, offset, out),
            None => self.file.read_exact_at(out, offset),
        }
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        match self.overlay() {
            Some(mut overlay) => {
                overlay.set_len(length);
                Ok(())
            }
            None => self.file.set_len(length),
        }
    }

    fn sync_data(&self) -> io::Result<()> {
        if self.overlay.is_some() { Ok(()) } else { self.file.sync_data() }
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        match self.overlay() {
            Some(mut overlay) => overlay.write(&self.file, offset, data),
            None => self.file.write_all_at(data, offset),
        }
    }

    // The relay has locked the whole file, for as long as it is open; a probe reads it without a lock.
    fn try_lock_range(&self, _start: Bound<u64>, _end: Bound<u64>) -> Result<bool, BackendError> {
        Ok(true)
    }

    fn unlock_range(&self, _start: Bound<u64>, _end: Bound<u64>) -> Result<(), BackendError> {
        Ok(())
    }
}

/// The file of the store and its path.
#[derive(Clone, Debug)]
pub(super) struct StoreFile {
    pub(super) path: PathBuf,
    pub(super) file: Arc<File>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_appears_while_a_store_is_created_is_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let [new, taken, free] = ["new", "taken", "free"].map(|name| folder.path().join(name));
        std::fs::write(&new, "new").unwrap();
        std::fs::write(&taken, "another").unwrap();
        let error = rename_new(&new, &taken).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
        publish(&new, &taken).unwrap();
        assert_eq!(std::fs::read(&taken).unwrap(), b"another");
        rename_new(&new, &free).unwrap();
        assert_eq!(std::fs::read(&free).unwrap(), b"new");
    }

    #[test]
    fn a_store_that_other_users_can_read_becomes_private_and_other_files_keep_their_mode() {
        let folder = tempfile::tempdir().unwrap();
        let [store, executable, notes] = ["store", "executable", "notes"].map(|name| folder.path().join(name));
        drop(open(&store).unwrap());
        drop(open(&executable).unwrap());
        std::fs::write(&notes, "notes").unwrap();
        for (path, before, after) in [(store, 0o644, 0o600), (executable, 0o700, 0o700), (notes, 0o644, 0o644)] {
            std::fs::set_permissions(&path, Permissions::from_mode(before)).unwrap();
            drop(open(&path).unwrap());
            assert_eq!(path.metadata().unwrap().mode() & 0o777, after, "{}", path.display());
        }
    }
}
