//! File metadata for noticing changes without reading the file ([`FileStamp`]), and checks for write access
//! ([`probe`]).

pub mod probe;

use std::fs::Metadata;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use jiff::Timestamp;

/// Metadata that changes whenever a file is modified or replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileStamp {
    device: u64,
    inode: u64,
    bytes: u64,
    /// Time of the last content change (mtime), in seconds and nanoseconds.
    modified: (i64, i64),
    /// Time of the last metadata change (ctime), which programs cannot set.
    changed: (i64, i64),
}

impl FileStamp {
    /// Reads the stamp of a file. Follows symbolic links.
    ///
    /// # Errors
    /// The kind of the I/O error, such as [`io::ErrorKind::NotFound`].
    pub fn read(path: &Path) -> Result<Self, io::ErrorKind> {
        path.metadata().map(Self::from).map_err(|error| error.kind())
    }
}

impl FileStamp {
    /// Returns the time of the last content change; `None` if it is out of range.
    #[must_use]
    pub fn modified(&self) -> Option<Timestamp> {
        Timestamp::new(self.modified.0, i32::try_from(self.modified.1).ok()?).ok()
    }
}

impl From<Metadata> for FileStamp {
    fn from(metadata: Metadata) -> Self {
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            bytes: metadata.len(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn a_file_replaced_by_one_of_the_same_length_and_date_has_another_stamp() {
        let folder = tempfile::tempdir().unwrap();
        let [old, new] = ["old", "new"].map(|name| folder.path().join(name));
        fs::write(&old, "casino").unwrap();
        fs::write(&new, "poker!").unwrap();
        let file = fs::File::options().write(true).open(&new).unwrap();
        file.set_modified(fs::metadata(&old).unwrap().modified().unwrap()).unwrap();
        let before = FileStamp::read(&old).unwrap();
        assert_eq!(FileStamp::read(&old), Ok(before));
        fs::rename(&new, &old).unwrap();
        assert_ne!(FileStamp::read(&old), Ok(before));
        assert_eq!(FileStamp::read(&new), Err(io::ErrorKind::NotFound));
    }
}
