//! Checks whether a relay could use the store, without changing it or blocking a relay.

use std::fs::TryLockError;
use std::path::Path;
use std::sync::Arc;

use super::error::StoreError;
use super::file::{self, StoreFile};
use super::table::Contents;
use super::tables::Tables;
use crate::file::probe::{self, ProbeError};

/// Checks whether the store at `path` could be opened, read and written. A file that a running relay uses passes without
/// being read.
///
/// The file and its folder are left unchanged. The file is locked for a moment to find out whether it is in use; a relay
/// that starts at that moment retries.
///
/// # Errors
/// [`StoreError`], as from [`Store::open`](super::Store::open).
pub fn probe<C: Contents>(path: &Path) -> Result<(), StoreError> {
    let Some(file) = file::open_existing(path)? else { return check_disk_space(path) };
    let error = |error| StoreError::Open { path: path.to_owned(), error };
    match file.try_lock() {
        Ok(()) => file.unlock().map_err(error)?,
        Err(TryLockError::WouldBlock) => return check_disk_space(path),
        Err(TryLockError::Error(source)) => return Err(error(source)),
    }
    file::check_private(path, &file)?;
    Tables::read::<C>(&StoreFile { path: path.to_owned(), file: Arc::new(file) })?;
    check_disk_space(path)
}

/// Checks whether the disk has room for the writes of a start.
///
/// # Errors
/// [`StoreError::Open`].
pub fn check_disk_space(path: &Path) -> Result<(), StoreError> {
    match probe::write_in(probe::parent(path)) {
        Ok(()) => Ok(()),
        // The file may be writable although its folder is not.
        Err(ProbeError::Create(_)) if path.exists() => Ok(()),
        Err(error) => Err(StoreError::Open { path: path.to_owned(), error: error.into_io() }),
    }
}
