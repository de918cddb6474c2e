//! The file itself: who may read it, that nobody else writes it, and a way to look at it without changing a byte.

use std::collections::BTreeMap;
use std::fs::{File, Permissions, TryLockError};
use std::io;
use std::ops::Bound;
use std::os::unix::fs::{FileExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use redb::{BackendError, Database, StorageBackend};

use super::StoreError;
use crate::file::probe;

/// Read and written by its owner alone.
const MODE: u32 = 0o600;
/// What a file of the database begins with.
const MAGIC: &[u8; 4] = b"redb";
/// How often the file is tried to be locked, and how long is waited in between.
const LOCK_TRIES: u32 = 11;
const LOCK_WAIT: Duration = Duration::from_millis(20);
/// Bytes of a piece of the file that was written to on trial only.
const PIECE: usize = 4_096;

/// Opens the file and locks it until it is dropped. Where there is none, one is made.
///
/// One that others may read or write is made the owner's alone, with a warning: it may have been read.
pub(super) fn open(path: &Path) -> Result<File, StoreError> {
    let fault = |fault| StoreError::Open { path: path.to_owned(), fault };
    let file = if let Some(file) = open_existing(path)? {
        file
    } else {
        make(path)?;
        open_existing(path)?.ok_or_else(|| fault(io::ErrorKind::NotFound.into()))?
    };
    lock(&file).map_err(|error| match error {
        TryLockError::WouldBlock => StoreError::Busy { path: path.to_owned() },
        TryLockError::Error(why) => fault(why),
    })?;
    let mode = file.metadata().map_err(fault)?.mode() & 0o7777;
    // The file of somebody else, which a mistyped path names, stays as it is.
    if mode & !MODE != 0 && is_database(&file) {
        let private = file.set_permissions(Permissions::from_mode(MODE));
        private.map_err(|fault| StoreError::NotPrivate { path: path.to_owned(), mode, fault })?;
        let path = path.display();
        tracing::warn!(%path, "others could read the file of moderation (mode {mode:o}); from now on they cannot");
    }
    Ok(file)
}

/// Whether a file begins as those of the database do.
fn is_database(file: &File) -> bool {
    let mut begins = [0; MAGIC.len()];
    file.read_exact_at(&mut begins, 0).is_ok() && begins == *MAGIC
}

/// Locks the file. A probe holds the lock for a moment, so this waits for some, 200 ms in all.
fn lock(file: &File) -> Result<(), TryLockError> {
    for _ in 1..LOCK_TRIES {
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => std::thread::sleep(LOCK_WAIT),
            locked => return locked,
        }
    }
    file.try_lock()
}

/// Opens the file to read and to write it, as it is; `None` where there is none.
pub(super) fn open_existing(path: &Path) -> Result<Option<File>, StoreError> {
    let fault = |fault| StoreError::Open { path: path.to_owned(), fault };
    match File::options().read(true).write(true).custom_flags(NONBLOCK).open(path) {
        Err(missing) if missing.kind() == io::ErrorKind::NotFound => Ok(None),
        opened => {
            let file = opened.map_err(fault)?;
            let is_file = file.metadata().map_err(fault)?.is_file();
            if is_file { Ok(Some(file)) } else { Err(StoreError::NotAFile { path: path.to_owned() }) }
        }
    }
}

/// Opens the file to read it alone.
pub(super) fn open_to_read(path: &Path) -> io::Result<File> {
    let file = File::options().read(true).custom_flags(NONBLOCK).open(path)?;
    if file.metadata()?.is_file() { Ok(file) } else { Err(io::ErrorKind::InvalidInput.into()) }
}

/// Why the file is not the owner's alone and cannot be made so; [`open`] changes its mode otherwise.
pub(super) fn check_private(path: &Path, file: &File) -> Result<(), StoreError> {
    let found = file.metadata().map_err(|fault| StoreError::Open { path: path.to_owned(), fault })?;
    let (mode, me) = (found.mode() & 0o7777, rustix::process::geteuid());
    if mode & !MODE == 0 || me.is_root() || found.uid() == me.as_raw() {
        return Ok(());
    }
    Err(StoreError::NotPrivate { path: path.to_owned(), mode, fault: io::ErrorKind::PermissionDenied.into() })
}

/// So that a pipe in place of the file keeps nobody waiting.
const NONBLOCK: i32 = rustix::fs::OFlags::NONBLOCK.bits().cast_signed();

/// Makes an empty store. It comes to its name when it is whole, and takes no name that is taken meanwhile.
fn make(path: &Path) -> Result<(), StoreError> {
    let fault = |fault| StoreError::Open { path: path.to_owned(), fault };
    let folder = probe::parent(path);
    let Some(name) = path.file_name() else { return Err(StoreError::NotAFile { path: path.to_owned() }) };
    let mut hidden = std::ffi::OsString::from(".");
    hidden.push(name);
    hidden.push(format!(".{}.new", std::process::id()));
    let begun = folder.join(hidden);
    let made = (|| {
        let file = File::options().read(true).write(true).create(true).truncate(true).mode(MODE).open(&begun)?;
        let database = Database::builder().create_with_backend(Backing::new(Arc::new(file)));
        database.and_then(Database::close).map_err(io::Error::other)?;
        match std::fs::hard_link(&begun, path) {
            Err(taken) if taken.kind() == io::ErrorKind::AlreadyExists => {}
            // There are file systems without links.
            Err(_) => std::fs::rename(&begun, path)?,
            Ok(()) => {}
        }
        File::open(folder)?.sync_all()
    })();
    // It is not there any more where it was renamed.
    let _gone = std::fs::remove_file(&begun);
    made.map_err(fault)
}

/// The file as redb reads and writes it. Locked already.
#[derive(Debug)]
pub(super) struct Backing {
    file: Arc<File>,
    /// What is written on trial, and never comes to the file.
    trial: Option<Mutex<Trial>>,
}

#[derive(Debug)]
struct Trial {
    length: u64,
    pieces: BTreeMap<u64, Box<[u8; PIECE]>>,
}

impl Backing {
    pub(super) fn new(file: Arc<File>) -> Self {
        Self { file, trial: None }
    }

    /// The same, but nothing that is written comes to the file.
    pub(super) fn on_trial(file: Arc<File>) -> io::Result<Self> {
        let length = file.metadata()?.len();
        Ok(Self { file, trial: Some(Mutex::new(Trial { length, pieces: BTreeMap::new() })) })
    }

    fn trial(&self) -> Option<MutexGuard<'_, Trial>> {
        self.trial.as_ref().map(|trial| trial.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Trial {
    /// The pieces that a range touches: the number of each, the range in it, and the range of what is read or written.
    fn split(
        offset: u64,
        length: usize,
    ) -> impl Iterator<Item = (u64, std::ops::Range<usize>, std::ops::Range<usize>)> {
        let mut done = 0;
        std::iter::from_fn(move || {
            let at = offset.checked_add(done as u64).filter(|_| done < length)?;
            let within = usize::try_from(at % PIECE as u64).ok()?;
            let count = (PIECE - within).min(length - done);
            let ranges = (within..within + count, done..done + count);
            done += count;
            Some((at / PIECE as u64, ranges.0, ranges.1))
        })
    }

    fn read(&self, file: &File, offset: u64, out: &mut [u8]) -> io::Result<()> {
        if offset.checked_add(out.len() as u64).is_none_or(|end| end > self.length) {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        for (number, within, of_out) in Self::split(offset, out.len()) {
            let Some(out) = out.get_mut(of_out) else { continue };
            match self.pieces.get(&number) {
                Some(piece) => out.copy_from_slice(piece.get(within).unwrap_or(&[])),
                None => read_or_zero(file, number * PIECE as u64 + within.start as u64, out)?,
            }
        }
        Ok(())
    }

    fn write(&mut self, file: &File, offset: u64, data: &[u8]) -> io::Result<()> {
        for (number, within, of_data) in Self::split(offset, data.len()) {
            let piece = match self.pieces.entry(number) {
                std::collections::btree_map::Entry::Occupied(piece) => piece.into_mut(),
                std::collections::btree_map::Entry::Vacant(place) => {
                    let mut piece = Box::new([0; PIECE]);
                    read_or_zero(file, number * PIECE as u64, piece.as_mut_slice())?;
                    place.insert(piece)
                }
            };
            if let (Some(piece), Some(data)) = (piece.get_mut(within), data.get(of_data)) {
                piece.copy_from_slice(data);
            }
        }
        self.length = self.length.max(offset.saturating_add(data.len() as u64));
        Ok(())
    }
}

/// Reads what the file has; beyond its end there are zeros.
fn read_or_zero(file: &File, mut offset: u64, mut out: &mut [u8]) -> io::Result<()> {
    while !out.is_empty() {
        match file.read_at(out, offset) {
            Ok(0) => {
                out.fill(0);
                return Ok(());
            }
            Ok(count) => {
                offset += count as u64;
                out = out.get_mut(count..).unwrap_or_default();
            }
            Err(again) if again.kind() == io::ErrorKind::Interrupted => {}
            Err(fault) => return Err(fault),
        }
    }
    Ok(())
}

impl StorageBackend for Backing {
    fn len(&self) -> io::Result<u64> {
        match self.trial() {
            Some(trial) => Ok(trial.length),
            None => Ok(self.file.metadata()?.len()),
        }
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        match self.trial() {
            Some(trial) => trial.read(&self.file, offset, out),
            None => self.file.read_exact_at(out, offset),
        }
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        match self.trial() {
            Some(mut trial) => {
                trial.length = length;
                Ok(())
            }
            None => self.file.set_len(length),
        }
    }

    fn sync_data(&self) -> io::Result<()> {
        if self.trial.is_some() { Ok(()) } else { self.file.sync_data() }
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        match self.trial() {
            Some(mut trial) => trial.write(&self.file, offset, data),
            None => self.file.write_all_at(data, offset),
        }
    }

    // The lock is that of the file, which is there before redb and stays when redb opens it anew after a fault.
    fn try_lock_range(&self, _start: Bound<u64>, _end: Bound<u64>) -> Result<bool, BackendError> {
        Ok(true)
    }

    fn unlock_range(&self, _start: Bound<u64>, _end: Bound<u64>) -> Result<(), BackendError> {
        Ok(())
    }
}

/// The path of a file and the file.
#[derive(Clone, Debug)]
pub(super) struct Locked {
    pub(super) path: PathBuf,
    pub(super) file: Arc<File>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_that_others_may_read_becomes_private_and_any_other_file_keeps_its_mode() {
        let folder = tempfile::tempdir().unwrap();
        let [store, notes] = ["store", "notes"].map(|name| folder.path().join(name));
        drop(open(&store).unwrap());
        std::fs::write(&notes, "notes").unwrap();
        for (path, mode) in [(store, 0o600), (notes, 0o644)] {
            std::fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
            drop(open(&path).unwrap());
            assert_eq!(path.metadata().unwrap().mode() & 0o777, mode, "{}", path.display());
        }
    }
}
