//! What is in the folder of plugins, by name.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::config::Config;
use crate::file;

/// The file of a plugin's folder that holds its code, by preference.
const CODE: [&str; 2] = ["filter.wasm", "filter.wat"];
/// The file that describes it.
pub(super) const MANIFEST: &str = "plugin.toml";
/// Plugins of one folder at most.
pub(super) const MAX_PLUGINS: u32 = 64;

/// What tells whether a plugin's files are the same as before: those that are there.
pub(super) type Print = Vec<(PathBuf, file::Print)>;

/// The folder itself cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// It cannot be read.
    #[error("{}: the folder cannot be read: {source}", path.display())]
    Read {
        /// Which one.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// There are too many plugins in it.
    #[error("{}: more than {MAX_PLUGINS} plugins", .0.display())]
    TooMany(PathBuf),
}

impl Config {
    /// The plugins of the folder; none where there is no folder and nobody named one.
    pub(super) fn find(&self) -> Result<BTreeMap<String, Place>, FolderError> {
        let path = self.folder();
        match find(path) {
            Err(none) if self.dir.is_none() && none.kind() == std::io::ErrorKind::NotFound => Ok(BTreeMap::new()),
            Ok(found) if found.len() > MAX_PLUGINS as usize => Err(FolderError::TooMany(path.to_owned())),
            found => found.map_err(|source| FolderError::Read { path: path.to_owned(), source }),
        }
    }

    /// What the files of all plugins look like now.
    pub(super) fn print(&self) -> Result<Vec<Print>, FolderError> {
        Ok(self.find()?.values().map(Place::print).collect())
    }
}

/// Where a plugin is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Place {
    Folder(PathBuf),
    /// A bare component without a manifest.
    File(PathBuf),
}

impl Place {
    pub(super) fn path(&self) -> &Path {
        let (Self::Folder(path) | Self::File(path)) = self;
        path
    }

    /// The files that make the plugin what it is, whether or not they are there: its code by preference, its manifest.
    pub(super) fn files(&self) -> Vec<PathBuf> {
        match self {
            Self::File(file) => vec![file.clone()],
            Self::Folder(folder) => {
                let own = folder.file_name().map(|name| format!("{}.wasm", name.to_string_lossy())).unwrap_or_default();
                CODE.into_iter().chain([own.as_str(), MANIFEST]).map(|file| folder.join(file)).collect()
            }
        }
    }

    pub(super) fn print(&self) -> Print {
        let seen = |path: PathBuf| file::Print::of(&path).ok().map(|print| (path, print));
        self.files().into_iter().filter_map(seen).collect()
    }
}

/// The plugins of a folder by name. Hidden files, and folders without a manifest or code, are none.
fn find(dir: &Path) -> std::io::Result<BTreeMap<String, Place>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        let Some(name) = path.file_name().and_then(|name| name.to_str()).filter(|name| !name.starts_with('.')) else {
            continue;
        };
        if path.is_dir() {
            if path.join(MANIFEST).exists() || CODE.iter().any(|file| path.join(file).exists()) {
                found.insert(name.to_owned(), Place::Folder(path.clone()));
            }
        } else if let Some(stem) = name.strip_suffix(".wasm").or_else(|| name.strip_suffix(".wat")) {
            found.entry(stem.to_owned()).or_insert(Place::File(path.clone()));
        }
    }
    Ok(found)
}

pub(super) fn in_order(mut found: BTreeMap<String, Place>, order: &[String]) -> Vec<(String, Place)> {
    let mut ordered: Vec<(String, Place)> = Vec::new();
    for name in order {
        if let Some(entry) = found.remove_entry(name) {
            ordered.push(entry);
        } else {
            tracing::warn!(plugin = name, "the configured order names a plugin that is not there");
        }
    }
    ordered.extend(found);
    ordered
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plugins_are_folders_with_a_manifest_or_code_and_bare_components() {
        let dir = tempfile::tempdir().unwrap();
        for path in ["a/plugin.toml", "b/filter.wat", "c.wasm", "d/notes.txt", ".e/plugin.toml", "f.txt", "a.wasm"] {
            let path = dir.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        let found = find(dir.path()).unwrap();
        assert_eq!(found.keys().collect::<Vec<_>>(), ["a", "b", "c"]);
        assert!(matches!(found.get("a"), Some(Place::Folder(_))));
    }

    #[test]
    fn the_configured_order_comes_first_and_the_rest_by_name() {
        let names = ["d", "b", "a", "c"];
        let found = names.into_iter().map(|name| (name.to_owned(), Place::File(PathBuf::new()))).collect();
        let ordered = in_order(found, &["c".to_owned(), "gone".to_owned(), "a".to_owned()]);
        assert_eq!(ordered.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["c", "a", "b", "d"]);
    }
}
