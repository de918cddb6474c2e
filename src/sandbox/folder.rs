//! What is in the folder of plugins, by name, and the embedded plugins beside it.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fs;
use std::path::{Path, PathBuf};

use super::artifact::{Cache, CacheError};
use super::config::Config;
use super::embedded::{self, Embedded};
use super::place::{CODE, MANIFEST, Place, Print};

/// Plugins at most, embedded ones included.
pub(super) const MAX_PLUGINS: u32 = 64;

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
    /// There are too many plugins, those in it and embedded ones together.
    #[error("{}: more than {MAX_PLUGINS} plugins, embedded ones included", .0.display())]
    TooMany(PathBuf),
}

impl Config {
    /// The plugins of the folder, and the embedded ones unless the configuration leaves them out. The folder may be
    /// missing when nobody named it.
    pub(super) fn find(&self) -> Result<BTreeMap<String, Place>, FolderError> {
        let path = self.folder();
        let found = match find(path) {
            Err(none) if self.dir.is_none() && none.kind() == std::io::ErrorKind::NotFound => BTreeMap::new(),
            found => found.map_err(|source| FolderError::Read { path: path.to_owned(), source })?,
        };
        let found = self.with_embedded(found);
        if found.len() > MAX_PLUGINS as usize {
            return Err(FolderError::TooMany(path.to_owned()));
        }
        Ok(found)
    }

    /// The embedded plugins, unless the configuration leaves them out.
    pub(super) fn embedded(&self) -> BTreeMap<String, Place> {
        self.with_embedded(BTreeMap::new())
    }

    fn with_embedded(&self, mut found: BTreeMap<String, Place>) -> BTreeMap<String, Place> {
        if self.embedded {
            add_embedded(&mut found, embedded::ALL);
        }
        found
    }

    /// What the files of all plugins look like now.
    pub(super) fn print(&self) -> Result<Vec<Print>, FolderError> {
        Ok(self.find()?.values().map(Place::print).collect())
    }

    /// Whether compiled plugins could be kept, found without making a folder or leaving a file. Without a folder of plugins
    /// none are kept, unless the configuration names a place for them: embedded plugins compile in no time.
    ///
    /// # Errors
    /// [`CacheError`], with the folder.
    pub fn probe_cache(&self) -> Result<(), CacheError> {
        let has_plugins = || self.folder().is_dir() && self.find().is_ok_and(|found| !found.is_empty());
        if self.cache_dir.is_some() || has_plugins() { Cache::probe(&self.cache()) } else { Ok(()) }
    }

    /// Where the manifest of a plugin is or would be.
    #[must_use]
    pub fn manifest(&self, plugin: &str) -> PathBuf {
        self.folder().join(plugin).join(MANIFEST)
    }
}

/// Adds embedded plugins to those of the folder, which have precedence.
fn add_embedded(found: &mut BTreeMap<String, Place>, plugins: &'static [Embedded]) {
    for plugin in plugins {
        match found.entry(plugin.name.to_owned()) {
            Entry::Vacant(vacant) => {
                vacant.insert(Place::Embedded(plugin));
            }
            Entry::Occupied(mut taken) => {
                if let Place::Folder(_, embedded) = taken.get_mut() {
                    *embedded = Some(plugin);
                }
            }
        }
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
                found.insert(name.to_owned(), Place::Folder(path.clone(), None));
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
    use crate::sandbox::Origin;

    /// A folder with these files, all of them empty.
    fn folder(files: &[&str]) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        for path in files {
            let path = dir.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        dir
    }

    #[test]
    fn plugins_are_folders_with_a_manifest_or_code_and_bare_components() {
        let dir =
            folder(&["a/plugin.toml", "b/filter.wat", "c.wasm", "d/notes.txt", ".e/plugin.toml", "f.txt", "a.wasm"]);
        let found = find(dir.path()).unwrap();
        assert_eq!(found.keys().collect::<Vec<_>>(), ["a", "b", "c"]);
        assert!(matches!(found.get("a"), Some(Place::Folder(..))));
    }

    const fn embedded(name: &'static str) -> Embedded {
        Embedded { name, manifest: "", code: b"" }
    }

    /// Where each plugin of a folder with these files comes from, beside the embedded `a`, `b`, `c` and `d`.
    fn origins(files: &[&str]) -> Vec<(String, Origin)> {
        static PLUGINS: [Embedded; 4] = [embedded("a"), embedded("b"), embedded("c"), embedded("d")];
        let dir = folder(files);
        let mut found = find(dir.path()).unwrap();
        add_embedded(&mut found, &PLUGINS);
        found.into_iter().map(|(name, place)| (name, place.origin(place.code().as_ref()))).collect()
    }

    #[test]
    fn what_is_in_the_folder_has_precedence_over_embedded_plugins() {
        let files = ["a/plugin.toml", "a/filter.wasm", "b/plugin.toml", "c.wasm", "d/notes.txt", "e/plugin.toml"];
        let expected = [
            ("a", Origin::Folder),
            ("b", Origin::FolderWithEmbeddedCode),
            ("c", Origin::File),
            ("d", Origin::Embedded),
            ("e", Origin::Folder),
        ];
        assert_eq!(origins(&files), expected.map(|(name, origin)| (name.to_owned(), origin)));
    }

    #[test]
    fn the_configured_order_comes_first_and_the_rest_by_name() {
        let names = ["d", "b", "a", "c"];
        let found = names.into_iter().map(|name| (name.to_owned(), Place::File(PathBuf::new()))).collect();
        let ordered = in_order(found, &["c".to_owned(), "gone".to_owned(), "a".to_owned()]);
        assert_eq!(ordered.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["c", "a", "b", "d"]);
    }
}
