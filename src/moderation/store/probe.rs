//! Whether a start could use the file, found without changing it and without keeping a relay from it.

use std::fs::TryLockError;
use std::path::Path;
use std::sync::Arc;

use super::StoreError;
use super::file::{self, Locked};
use super::tables::Tables;
use crate::file::probe::{self, ProbeError};

/// Whether the store at `path` could be opened, read and written. A file in use by a running relay can, and is not read.
///
/// Changes no byte of the file, and leaves nothing beside it. The file is locked for the moment that it takes to find out
/// whether it is in use; a relay that starts at that moment tries again.
///
/// # Errors
/// [`StoreError`], the same as [`State::open`](crate::moderation::State::open) would give.
pub fn probe(path: &Path) -> Result<(), StoreError> {
    let Some(file) = file::open_existing(path)? else { return room(path) };
    let fault = |fault| StoreError::Open { path: path.to_owned(), fault };
    match file.try_lock() {
        Ok(()) => file.unlock().map_err(fault)?,
        Err(TryLockError::WouldBlock) => return room(path),
        Err(TryLockError::Error(error)) => return Err(fault(error)),
    }
    file::check_private(path, &file)?;
    Tables::read(&Locked { path: path.to_owned(), file: Arc::new(file) })?;
    room(path)
}

/// Whether there is room on the disk for what a start writes.
pub(in crate::moderation) fn room(path: &Path) -> Result<(), StoreError> {
    match probe::write_in(probe::parent(path)) {
        Ok(()) => Ok(()),
        // The file alone may be writable, and not its folder.
        Err(ProbeError::Create(_)) if path.exists() => Ok(()),
        Err(error) => Err(StoreError::Open { path: path.to_owned(), fault: error.into_io() }),
    }
}
