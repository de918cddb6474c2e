//! Whether something can be written to a folder, found by doing it: permission bits tell neither of a read-only mount nor
//! of a full disk.
//!
//! Nothing is left behind, not even when the program is killed in between: a file loses its name before it is written.

use std::fs::{self, DirBuilder, File};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

/// As many bytes are written as the first lines of a log or a store take.
const BYTES: usize = 64 << 10;

/// Why nothing can be written.
#[derive(Debug, thiserror::Error)]
pub enum ProbeError {
    /// No file can be made in the folder.
    #[error(transparent)]
    Create(io::Error),
    /// One can be made, but not written: the disk is full, for one.
    #[error(transparent)]
    Write(io::Error),
}

impl ProbeError {
    /// What the system says.
    #[must_use]
    pub fn into_io(self) -> io::Error {
        let (Self::Create(error) | Self::Write(error)) = self;
        error
    }
}

/// Makes a file in `folder`, removes its name, and writes 64 KiB to the disk.
///
/// # Errors
/// [`ProbeError`] with what the system says.
pub fn write_in(folder: &Path) -> Result<(), ProbeError> {
    let path = unused(folder);
    let made = File::options().write(true).create_new(true).mode(0o600).open(&path);
    let mut file = made.map_err(ProbeError::Create)?;
    fs::remove_file(&path).map_err(ProbeError::Create)?;
    file.write_all(&vec![0; BYTES]).and_then(|()| file.sync_data()).map_err(ProbeError::Write)
}

/// Makes a folder beside where `folder` would be, and removes it. Whatever is to hold it must be there.
///
/// # Errors
/// What the system says.
pub fn make_beside(folder: &Path) -> io::Result<()> {
    let path = unused(parent(folder));
    DirBuilder::new().mode(0o700).create(&path)?;
    fs::remove_dir(&path)
}

/// Whether files can be made in `folder`, once it is made with all that is to hold it.
///
/// # Errors
/// What the system says.
pub fn write_in_or_make(folder: &Path) -> io::Result<()> {
    let (mut there, mut is_there) = (folder, true);
    loop {
        match fs::metadata(there) {
            Ok(found) if found.is_dir() => break,
            Ok(_) => return Err(rustix::io::Errno::NOTDIR.into()),
            Err(missing) if missing.kind() == io::ErrorKind::NotFound && parent(there) != there => {
                (there, is_there) = (parent(there), false);
            }
            Err(error) => return Err(error),
        }
    }
    if !is_there {
        make_beside(&there.join("folder"))?;
    }
    write_in(there).map_err(ProbeError::into_io)
}

/// The folder that a path is in; `.` for a bare name.
#[must_use]
pub fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if parent.as_os_str().is_empty() => Path::new("."),
        Some(parent) => parent,
        None => path,
    }
}

/// A name in a folder that nothing else has.
fn unused(folder: &Path) -> PathBuf {
    folder.join(format!(".gischat-relay.{}", uuid::Uuid::new_v4()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> usize {
        fs::read_dir(folder).unwrap().count()
    }

    #[test]
    fn a_folder_that_can_be_written_stays_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        write_in(folder.path()).unwrap();
        write_in_or_make(&folder.path().join("a/b/c")).unwrap();
        make_beside(&folder.path().join("a")).unwrap();
        assert_eq!(names(folder.path()), 0);
    }

    #[test]
    fn what_is_no_folder_or_lies_below_a_file_cannot_be_written() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "").unwrap();
        assert!(write_in(&file).is_err() && write_in(&folder.path().join("none")).is_err());
        assert!(write_in_or_make(&file).is_err() && write_in_or_make(&file.join("a/b")).is_err());
        assert!(make_beside(&folder.path().join("none/a")).is_err());
        assert_eq!(names(folder.path()), 1);
    }

    #[test]
    fn the_folder_of_a_bare_name_is_the_one_that_the_program_runs_in() {
        assert_eq!(parent(Path::new("a")), Path::new("."));
        assert_eq!(parent(Path::new("a/b")), Path::new("a"));
        assert_eq!(parent(Path::new("/")), Path::new("/"));
    }
}
