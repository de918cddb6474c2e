//! Stamps of the rules files, to detect changes and to avoid loading files while they are written.

use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use crate::file::FileStamp;

/// The stamps of the rules file and, after it, of each words file that it names, whether or not they exist.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RulesFileStamps(Vec<(PathBuf, Result<FileStamp, io::ErrorKind>)>);

impl RulesFileStamps {
    /// Reads the stamps of these files.
    pub(super) fn read(paths: impl IntoIterator<Item = PathBuf>) -> Self {
        let stamp = |path: PathBuf| (path.clone(), FileStamp::read(&path));
        Self(paths.into_iter().map(stamp).collect())
    }

    /// Returns stamps that no later ones equal, so that the files are loaded again.
    pub(super) fn unstable(path: PathBuf) -> Self {
        Self(vec![(path, Err(io::ErrorKind::Interrupted))])
    }

    /// Returns the current stamps of the same files.
    #[must_use]
    pub fn restat(&self) -> Self {
        Self::read(self.0.iter().map(|(path, _)| path.clone()))
    }

    /// Returns each file with its stamp, or the error of reading its metadata.
    pub fn iter(&self) -> impl Iterator<Item = (&Path, Result<FileStamp, io::ErrorKind>)> {
        self.0.iter().map(|(path, stamp)| (path.as_path(), *stamp))
    }

    /// Returns the latest modification time; `None` if no file exists.
    #[must_use]
    pub fn last_modified(&self) -> Option<Timestamp> {
        self.0.iter().filter_map(|(_, stamp)| stamp.as_ref().ok()?.modified()).max()
    }

    /// Whether the rules file does not exist.
    #[must_use]
    pub fn is_file_missing(&self) -> bool {
        matches!(self.0.first(), Some((_, Err(io::ErrorKind::NotFound))))
    }
}
