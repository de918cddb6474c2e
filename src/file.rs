//! What a file looks like from outside, by which a change is noticed without reading it; and whether one can be written
//! ([`probe`]).

pub mod probe;

use std::fs::Metadata;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use jiff::Timestamp;

/// What tells whether a file is the same as before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Print {
    device: u64,
    inode: u64,
    bytes: u64,
    /// When its text was changed; seconds and nanoseconds.
    modified: (i64, i64),
    /// When anything about it was changed, which nobody can set back.
    changed: (i64, i64),
}

impl Print {
    /// What the file looks like now; links are followed.
    ///
    /// # Errors
    /// Why it cannot be looked at: it is not there, for one.
    pub fn of(path: &Path) -> Result<Self, io::ErrorKind> {
        path.metadata().map(Self::from).map_err(|fault| fault.kind())
    }
}

impl Print {
    /// When its text was changed; `None` for a date that no clock shows.
    #[must_use]
    pub fn modified(&self) -> Option<Timestamp> {
        Timestamp::new(self.modified.0, i32::try_from(self.modified.1).ok()?).ok()
    }
}

impl From<Metadata> for Print {
    fn from(of: Metadata) -> Self {
        Self {
            device: of.dev(),
            inode: of.ino(),
            bytes: of.len(),
            modified: (of.mtime(), of.mtime_nsec()),
            changed: (of.ctime(), of.ctime_nsec()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn a_file_that_is_replaced_by_one_of_the_same_length_and_date_looks_different() {
        let folder = tempfile::tempdir().unwrap();
        let [old, new] = ["old", "new"].map(|name| folder.path().join(name));
        fs::write(&old, "casino").unwrap();
        fs::write(&new, "poker!").unwrap();
        let file = fs::File::options().write(true).open(&new).unwrap();
        file.set_modified(fs::metadata(&old).unwrap().modified().unwrap()).unwrap();
        let before = Print::of(&old).unwrap();
        assert_eq!(Print::of(&old), Ok(before));
        fs::rename(&new, &old).unwrap();
        assert_ne!(Print::of(&old), Ok(before));
        assert_eq!(Print::of(&new), Err(io::ErrorKind::NotFound));
    }
}
