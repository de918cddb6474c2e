//! Finds the plugins in the plugin folder and the embedded ones, by name.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fs;
use std::path::{Path, PathBuf};

use super::artifact::{ArtifactCache, CacheError};
use super::config::Config;
use super::embedded::{self, Embedded};
use super::limits::MAX_PLUGINS;
use super::location::{CODE_FILES, MANIFEST, PluginLocation, PluginStamp};

/// The plugin folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// The folder cannot be read.
    #[error("{}: the folder cannot be read: {source}", path.display())]
    Read {
        /// The folder.
        path: PathBuf,
        /// The I/O error.
        source: std::io::Error,
    },
    /// There are too many plugins, in the folder and embedded.
    #[error("{}: more than {MAX_PLUGINS} plugins, embedded ones included", .0.display())]
    TooMany(PathBuf),
}

impl Config {
    /// Finds the plugins of the folder and, unless disabled, the embedded ones. The default folder may be missing.
    pub(super) fn locate_plugins(&self) -> Result<BTreeMap<String, PluginLocation>, FolderError> {
        let path = self.folder();
        let found = match scan_folder(path) {
            Err(missing) if self.dir.is_none() && missing.kind() == std::io::ErrorKind::NotFound => BTreeMap::new(),
            found => found.map_err(|source| FolderError::Read { path: path.to_owned(), source })?,
        };
        let found = self.with_embedded(found);
        if found.len() > MAX_PLUGINS as usize {
            return Err(FolderError::TooMany(path.to_owned()));
        }
        Ok(found)
    }

    /// Returns the embedded plugins, unless disabled.
    pub(super) fn embedded_plugins(&self) -> BTreeMap<String, PluginLocation> {
        self.with_embedded(BTreeMap::new())
    }

    fn with_embedded(&self, mut found: BTreeMap<String, PluginLocation>) -> BTreeMap<String, PluginLocation> {
        if self.embedded {
            add_embedded(&mut found, embedded::ALL);
        }
        found
    }

    /// Returns the current stamps of all plugins.
    pub(super) fn stamps(&self) -> Result<Vec<PluginStamp>, FolderError> {
        Ok(self.locate_plugins()?.values().map(PluginLocation::stamp).collect())
    }

    /// Checks whether the cache of compiled plugins can be used, without creating files. Without a plugin folder and an
    /// explicit `cache_dir` no cache is needed: embedded plugins compile quickly.
    ///
    /// # Errors
    /// [`CacheError`], which names the folder.
    pub fn probe_cache(&self) -> Result<(), CacheError> {
        let has_plugins = || self.folder().is_dir() && self.locate_plugins().is_ok_and(|found| !found.is_empty());
        if self.cache_dir.is_some() || has_plugins() { ArtifactCache::probe(&self.cache()) } else { Ok(()) }
    }

    /// The path of a plugin's manifest, whether or not it exists.
    #[must_use]
    pub fn manifest_path(&self, plugin: &str) -> PathBuf {
        self.folder().join(plugin).join(MANIFEST)
    }
}

/// Adds embedded plugins to those of the folder, which take precedence.
fn add_embedded(found: &mut BTreeMap<String, PluginLocation>, plugins: &'static [Embedded]) {
    for plugin in plugins {
        match found.entry(plugin.name.to_owned()) {
            Entry::Vacant(vacant) => {
                vacant.insert(PluginLocation::Embedded(plugin));
            }
            Entry::Occupied(mut occupied) => {
                if let PluginLocation::Folder(_, embedded) = occupied.get_mut() {
                    *embedded = Some(plugin);
                }
            }
        }
    }
}

/// Finds the plugins of a folder, by name. Ignores hidden files, and folders without a manifest or code.
fn scan_folder(dir: &Path) -> std::io::Result<BTreeMap<String, PluginLocation>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        let Some(name) = path.file_name().and_then(|name| name.to_str()).filter(|name| !name.starts_with('.')) else {
            continue;
        };
        if path.is_dir() {
            if path.join(MANIFEST).exists() || CODE_FILES.iter().any(|file| path.join(file).exists()) {
                found.insert(name.to_owned(), PluginLocation::Folder(path.clone(), None));
            }
        } else if let Some(stem) = name.strip_suffix(".wasm").or_else(|| name.strip_suffix(".wat")) {
            found.entry(stem.to_owned()).or_insert(PluginLocation::File(path.clone()));
        }
    }
    Ok(found)
}

/// Sorts plugins: first those named by `order`, then the rest by name.
pub(super) fn sort_by_order(
    mut found: BTreeMap<String, PluginLocation>,
    order: &[String],
) -> Vec<(String, PluginLocation)> {
    let mut ordered: Vec<(String, PluginLocation)> = Vec::new();
    for name in order {
        if let Some(entry) = found.remove_entry(name) {
            ordered.push(entry);
        } else {
            tracing::warn!(plugin = name, "filter.plugins.order names an unknown plugin");
        }
    }
    ordered.extend(found);
    ordered
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::PluginOrigin;

    /// Creates a folder with these empty files.
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
        let found = scan_folder(dir.path()).unwrap();
        assert_eq!(found.keys().collect::<Vec<_>>(), ["a", "b", "c"]);
        assert!(matches!(found.get("a"), Some(PluginLocation::Folder(..))));
    }

    const fn embedded(name: &'static str) -> Embedded {
        Embedded { name, manifest: "", code: b"" }
    }

    /// The origin of each plugin of a folder with these files, with embedded plugins `a`, `b`, `c` and `d`.
    fn origins(files: &[&str]) -> Vec<(String, PluginOrigin)> {
        static PLUGINS: [Embedded; 4] = [embedded("a"), embedded("b"), embedded("c"), embedded("d")];
        let dir = folder(files);
        let mut found = scan_folder(dir.path()).unwrap();
        add_embedded(&mut found, &PLUGINS);
        found.into_iter().map(|(name, place)| (name, place.origin(place.code().as_ref()))).collect()
    }

    #[test]
    fn the_folder_takes_precedence_over_embedded_plugins() {
        let files = ["a/plugin.toml", "a/filter.wasm", "b/plugin.toml", "c.wasm", "d/notes.txt", "e/plugin.toml"];
        let expected = [
            ("a", PluginOrigin::Folder),
            ("b", PluginOrigin::FolderWithEmbeddedCode),
            ("c", PluginOrigin::File),
            ("d", PluginOrigin::Embedded),
            ("e", PluginOrigin::Folder),
        ];
        assert_eq!(origins(&files), expected.map(|(name, origin)| (name.to_owned(), origin)));
    }

    #[test]
    fn the_configured_order_comes_first_and_the_rest_by_name() {
        let names = ["d", "b", "a", "c"];
        let found = names.into_iter().map(|name| (name.to_owned(), PluginLocation::File(PathBuf::new()))).collect();
        let ordered = sort_by_order(found, &["c".to_owned(), "gone".to_owned(), "a".to_owned()]);
        assert_eq!(ordered.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["c", "a", "b", "d"]);
    }
}
