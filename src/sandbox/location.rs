//! The location of a plugin (a folder, a file or the program), its files, and the detection of changes.

use std::path::PathBuf;

use jiff::Timestamp;

use super::embedded::Embedded;
use super::not_loaded::NotLoadedReason;
use super::origin::{PluginCode, PluginOrigin};
use crate::file;

/// The code files of a plugin's folder, in order of preference.
pub(super) const CODE_FILES: [&str; 2] = ["filter.wasm", "filter.wat"];
/// The manifest file of a plugin's folder.
pub(super) const MANIFEST: &str = "plugin.toml";
/// The files that a plugin is built from, in Rust, Python and JavaScript.
const SOURCE_FILES: [&str; 3] = ["Cargo.toml", "filter.py", "filter.js"];

/// The stamp of a plugin's files. Equal stamps mean that the plugin is unchanged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PluginStamp {
    /// Whether the plugin is in the program only, which does not change while it runs.
    embedded: bool,
    /// Its existing files.
    files: Vec<(PathBuf, file::FileStamp)>,
}

impl PluginStamp {
    /// Returns the plugin's files with their stamps.
    pub(super) fn into_files(self) -> Vec<(PathBuf, file::FileStamp)> {
        self.files
    }

    /// The latest modification time of its files, if any.
    pub(super) fn modified(&self) -> Option<Timestamp> {
        self.files.iter().filter_map(|(_, stamp)| stamp.modified()).max()
    }
}

/// The location of a plugin.
#[derive(Debug)]
pub(super) enum PluginLocation {
    /// A folder, and the embedded plugin of the same name, whose code is used if the folder has none.
    Folder(PathBuf, Option<&'static Embedded>),
    /// A component file without a manifest.
    File(PathBuf),
    /// The program.
    Embedded(&'static Embedded),
}

impl PluginLocation {
    /// The possible code files, in order of preference, whether or not they exist.
    fn code_files(&self) -> Vec<PathBuf> {
        match self {
            Self::Folder(folder, _) => {
                let own = folder.file_name().map(|name| format!("{}.wasm", name.to_string_lossy())).unwrap_or_default();
                CODE_FILES.into_iter().chain([own.as_str()]).map(|file| folder.join(file)).collect()
            }
            Self::File(file) => vec![file.clone()],
            Self::Embedded(_) => Vec::new(),
        }
    }

    /// Finds its code.
    pub(super) fn code(&self) -> Option<PluginCode> {
        let file = self.code_files().into_iter().find(|file| file.exists()).map(PluginCode::File);
        file.or_else(|| match self {
            Self::Folder(_, embedded) => embedded.map(PluginCode::Embedded),
            Self::File(_) => None,
            Self::Embedded(plugin) => Some(PluginCode::Embedded(plugin)),
        })
    }

    /// The origin of the plugin with this code.
    pub(super) fn origin(&self, code: Option<&PluginCode>) -> PluginOrigin {
        match self {
            Self::Folder(..) if code.is_some_and(PluginCode::is_embedded) => PluginOrigin::FolderWithEmbeddedCode,
            Self::Folder(..) => PluginOrigin::Folder,
            Self::File(_) => PluginOrigin::File,
            Self::Embedded(_) => PluginOrigin::Embedded,
        }
    }

    /// Why the plugin has no code.
    pub(super) fn missing_code_reason(&self) -> NotLoadedReason {
        match self {
            Self::Folder(folder, _) if SOURCE_FILES.iter().any(|file| folder.join(file).exists()) => {
                NotLoadedReason::NotBuilt { folder: folder.clone() }
            }
            Self::Folder(path, _) => NotLoadedReason::Failed(format!(
                "{}: there is no filter.wasm, and no source to build it from",
                path.display()
            )),
            // Removed since it was found.
            Self::File(path) => NotLoadedReason::Failed(format!("{}: file not found", path.display())),
            Self::Embedded(plugin) => NotLoadedReason::Failed(format!("{}: it has no code", plugin.name)),
        }
    }

    /// The current stamp of its files.
    pub(super) fn stamp(&self) -> PluginStamp {
        let manifest = match self {
            Self::Folder(folder, _) => Some(folder.join(MANIFEST)),
            Self::File(_) | Self::Embedded(_) => None,
        };
        let seen = |path: PathBuf| file::FileStamp::read(&path).ok().map(|stamp| (path, stamp));
        let files = self.code_files().into_iter().chain(manifest).filter_map(seen).collect();
        PluginStamp { embedded: matches!(self, Self::Embedded(_)), files }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn unbuilt_code_is_distinguished_from_missing_code() {
        let dir = tempfile::tempdir().unwrap();
        let location = PluginLocation::Folder(dir.path().to_owned(), None);
        assert!(location.code().is_none());
        assert!(matches!(location.missing_code_reason(), NotLoadedReason::Failed(_)));
        fs::write(dir.path().join("filter.py"), "").unwrap();
        assert_eq!(location.missing_code_reason(), NotLoadedReason::NotBuilt { folder: dir.path().to_owned() });
    }

    #[test]
    fn the_stamp_of_an_embedded_plugin_differs_from_that_of_removed_files() {
        static PLUGIN: Embedded = Embedded { name: "a", manifest: "", code: b"" };
        assert_ne!(
            PluginLocation::Embedded(&PLUGIN).stamp(),
            PluginLocation::File(PathBuf::from("/nonexistent/a.wasm")).stamp()
        );
    }
}
