//! The place of one plugin: its folder, its file or the program; what is there, and how a change of it shows.

use std::path::PathBuf;

use jiff::Timestamp;

use super::embedded::Embedded;
use super::origin::{Code, Origin};
use super::unloaded::Unloaded;
use crate::file;

/// The file of a plugin's folder that holds its code, by preference.
pub(super) const CODE: [&str; 2] = ["filter.wasm", "filter.wat"];
/// The file that describes it.
pub(super) const MANIFEST: &str = "plugin.toml";
/// The files that a plugin is built from, in Rust, Python and JavaScript.
const SOURCE: [&str; 3] = ["Cargo.toml", "filter.py", "filter.js"];

/// What tells whether a plugin is the same as before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Print {
    /// Whether it is in the program alone, which does not change while it runs.
    embedded: bool,
    /// Those of its files that are there.
    files: Vec<(PathBuf, file::Print)>,
}

impl Print {
    /// Its files, each with what it looks like.
    pub(super) fn into_files(self) -> Vec<(PathBuf, file::Print)> {
        self.files
    }

    /// When a file of it was changed last; `None` when it has none, or none with a date.
    pub(super) fn modified(&self) -> Option<Timestamp> {
        self.files.iter().filter_map(|(_, print)| print.modified()).max()
    }
}

/// Where a plugin is.
#[derive(Debug)]
pub(super) enum Place {
    /// A folder; and the embedded plugin of the same name, whose code counts where the folder has none.
    Folder(PathBuf, Option<&'static Embedded>),
    /// A bare component without a manifest.
    File(PathBuf),
    /// The program alone.
    Embedded(&'static Embedded),
}

impl Place {
    /// The files that may hold its code, by preference, whether or not they are there.
    fn code_files(&self) -> Vec<PathBuf> {
        match self {
            Self::Folder(folder, _) => {
                let own = folder.file_name().map(|name| format!("{}.wasm", name.to_string_lossy())).unwrap_or_default();
                CODE.into_iter().chain([own.as_str()]).map(|file| folder.join(file)).collect()
            }
            Self::File(file) => vec![file.clone()],
            Self::Embedded(_) => Vec::new(),
        }
    }

    /// Its code; `None` when there is none.
    pub(super) fn code(&self) -> Option<Code> {
        let file = self.code_files().into_iter().find(|file| file.exists()).map(Code::File);
        file.or_else(|| match self {
            Self::Folder(_, embedded) => embedded.map(Code::Embedded),
            Self::File(_) => None,
            Self::Embedded(plugin) => Some(Code::Embedded(plugin)),
        })
    }

    /// Where it comes from, when its code is `code`.
    pub(super) fn origin(&self, code: Option<&Code>) -> Origin {
        match self {
            Self::Folder(..) if code.is_some_and(Code::is_embedded) => Origin::FolderWithEmbeddedCode,
            Self::Folder(..) => Origin::Folder,
            Self::File(_) => Origin::File,
            Self::Embedded(_) => Origin::Embedded,
        }
    }

    /// Why it has no code.
    pub(super) fn without_code(&self) -> Unloaded {
        match self {
            Self::Folder(folder, _) if SOURCE.iter().any(|file| folder.join(file).exists()) => {
                Unloaded::NotBuilt { folder: folder.clone() }
            }
            Self::Folder(path, _) => {
                Unloaded::Error(format!("{}: there is no filter.wasm, and no source to build it from", path.display()))
            }
            // Between being found and being read.
            Self::File(path) => Unloaded::Error(format!("{}: it has vanished", path.display())),
            Self::Embedded(plugin) => Unloaded::Error(format!("{}: it has no code", plugin.name)),
        }
    }

    /// What it looks like now.
    pub(super) fn print(&self) -> Print {
        let manifest = match self {
            Self::Folder(folder, _) => Some(folder.join(MANIFEST)),
            Self::File(_) | Self::Embedded(_) => None,
        };
        let seen = |path: PathBuf| file::Print::of(&path).ok().map(|print| (path, print));
        let files = self.code_files().into_iter().chain(manifest).filter_map(seen).collect();
        Print { embedded: matches!(self, Self::Embedded(_)), files }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn code_that_can_be_built_is_told_from_code_that_is_missing() {
        let dir = tempfile::tempdir().unwrap();
        let place = Place::Folder(dir.path().to_owned(), None);
        assert!(place.code().is_none());
        assert!(matches!(place.without_code(), Unloaded::Error(_)));
        fs::write(dir.path().join("filter.py"), "").unwrap();
        assert_eq!(place.without_code(), Unloaded::NotBuilt { folder: dir.path().to_owned() });
    }

    #[test]
    fn an_embedded_plugin_does_not_look_like_one_whose_files_are_gone() {
        static PLUGIN: Embedded = Embedded { name: "a", manifest: "", code: b"" };
        assert_ne!(Place::Embedded(&PLUGIN).print(), Place::File(PathBuf::from("/nonexistent/a.wasm")).print());
    }
}
