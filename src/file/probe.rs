//! Tests whether a folder can be written to by writing to it. Permission bits reveal neither a read-only mount nor a
//! full disk.
//!
//! Nothing is left behind, even if the program is killed: a probe file is unlinked before it is written.

use std::fs::{self, DirBuilder, File};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

/// Size of a probe file: about as much as a new log or store takes.
const BYTES: usize = 64 << 10;

/// The error of a failed probe.
#[derive(Debug, thiserror::Error)]
pub enum ProbeError {
    /// No file can be created in the folder.
    #[error(transparent)]
    Create(io::Error),
    /// A file can be created but not written, for example because the disk is full.
    #[error(transparent)]
    Write(io::Error),
}

impl ProbeError {
    /// Returns the I/O error.
    #[must_use]
    pub fn into_io(self) -> io::Error {
        let (Self::Create(error) | Self::Write(error)) = self;
        error
    }
}

/// Creates a file in `folder`, unlinks it, and writes 64 KiB to disk.
///
/// # Errors
/// [`ProbeError`] with the I/O error.
pub fn write_in(folder: &Path) -> Result<(), ProbeError> {
    let path = unused_path(folder);
    let created = File::options().write(true).create_new(true).mode(0o600).open(&path);
    let mut file = created.map_err(ProbeError::Create)?;
    fs::remove_file(&path).map_err(ProbeError::Create)?;
    file.write_all(&vec![0; BYTES]).and_then(|()| file.sync_data()).map_err(ProbeError::Write)
}

/// Creates a folder next to `folder` and removes it. The parent folder must exist.
///
/// # Errors
/// Any I/O error.
pub fn create_beside(folder: &Path) -> io::Result<()> {
    let path = unused_path(parent(folder));
    DirBuilder::new().mode(0o700).create(&path)?;
    fs::remove_dir(&path)
}

/// Tests whether `folder` can be written to, or, if it does not exist, whether it can be created with its parents.
///
/// # Errors
/// Any I/O error.
pub fn write_in_or_create(folder: &Path) -> io::Result<()> {
    let (mut existing, mut exists) = (folder, true);
    loop {
        match fs::metadata(existing) {
            Ok(found) if found.is_dir() => break,
            Ok(_) => return Err(rustix::io::Errno::NOTDIR.into()),
            Err(missing) if missing.kind() == io::ErrorKind::NotFound && parent(existing) != existing => {
                (existing, exists) = (parent(existing), false);
            }
            Err(error) => return Err(error),
        }
    }
    if !exists {
        create_beside(&existing.join("folder"))?;
    }
    write_in(existing).map_err(ProbeError::into_io)
}

/// Returns the parent folder of a path; `.` for a bare name.
#[must_use]
pub fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if parent.as_os_str().is_empty() => Path::new("."),
        Some(parent) => parent,
        None => path,
    }
}

/// Returns an unused path in a folder.
fn unused_path(folder: &Path) -> PathBuf {
    folder.join(format!(".gischat-relay.{}", uuid::Uuid::new_v4()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> usize {
        fs::read_dir(folder).unwrap().count()
    }

    #[test]
    fn a_probe_leaves_a_writable_folder_unchanged() {
        let folder = tempfile::tempdir().unwrap();
        write_in(folder.path()).unwrap();
        write_in_or_create(&folder.path().join("a/b/c")).unwrap();
        create_beside(&folder.path().join("a")).unwrap();
        assert_eq!(names(folder.path()), 0);
    }

    #[test]
    fn a_path_that_is_not_a_folder_or_is_below_a_file_cannot_be_written() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "").unwrap();
        assert!(write_in(&file).is_err() && write_in(&folder.path().join("none")).is_err());
        assert!(write_in_or_create(&file).is_err() && write_in_or_create(&file.join("a/b")).is_err());
        assert!(create_beside(&folder.path().join("none/a")).is_err());
        assert_eq!(names(folder.path()), 1);
    }

    #[test]
    fn the_parent_of_a_bare_name_is_the_working_directory() {
        assert_eq!(parent(Path::new("a")), Path::new("."));
        assert_eq!(parent(Path::new("a/b")), Path::new("a"));
        assert_eq!(parent(Path::new("/")), Path::new("/"));
    }
}
