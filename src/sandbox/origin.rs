//! Where a plugin comes from, and where its code is.

use std::fmt;
use std::path::PathBuf;

use super::embedded::Embedded;

/// Where a plugin comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A folder, with all that it needs.
    Folder,
    /// A folder with a manifest; its code is that of the embedded plugin of the same name.
    FolderWithEmbeddedCode,
    /// A component without a folder.
    File,
    /// The program alone.
    Embedded,
}

impl Origin {
    /// The words for people.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Folder => "folder",
            Self::FolderWithEmbeddedCode => "folder + embedded code",
            Self::File => "file",
            Self::Embedded => "embedded",
        }
    }
}

/// Where a plugin's code is.
#[derive(Clone, Debug)]
pub(super) enum Code {
    File(PathBuf),
    Embedded(&'static Embedded),
}

impl Code {
    pub(super) fn is_embedded(&self) -> bool {
        matches!(self, Self::Embedded(_))
    }
}

/// What an error about the code begins with.
impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(f),
            Self::Embedded(plugin) => write!(f, "{} (embedded)", plugin.name),
        }
    }
}
