//! The origin of a plugin and of its code.

use std::fmt;
use std::path::PathBuf;

use super::embedded::Embedded;

/// The origin of a plugin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PluginOrigin {
    /// A folder with code.
    Folder,
    /// A folder with a manifest and the code of the embedded plugin of the same name.
    FolderWithEmbeddedCode,
    /// A component file without a folder.
    File,
    /// The program.
    Embedded,
}

impl PluginOrigin {
    /// The origin in words.
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

/// The location of a plugin's code.
#[derive(Clone, Debug)]
pub(super) enum PluginCode {
    File(PathBuf),
    Embedded(&'static Embedded),
}

impl PluginCode {
    pub(super) fn is_embedded(&self) -> bool {
        matches!(self, Self::Embedded(_))
    }
}

/// The prefix of errors about the code.
impl fmt::Display for PluginCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(f),
            Self::Embedded(plugin) => write!(f, "{} (embedded)", plugin.name),
        }
    }
}
