//! The folder of plugins: what is in it, and what of that can be called.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::engine::{MAX_MEMORY, MAX_TABLE_ELEMENTS, Sandbox};
use super::limits::Limits;
use super::manifest::{MAX_MANIFEST_BYTES, Manifest};
use super::plugin::Plugin;
use crate::settings::{Section, Setting};

/// The file of a plugin's folder that holds its code, by preference.
const CODE: [&str; 2] = ["filter.wasm", "filter.wat"];
/// The file that describes it.
const MANIFEST: &str = "plugin.toml";
/// Plugins of one folder at most.
const MAX_PLUGINS: usize = 64;

/// Where plugins are and how much they may use at most.
#[derive(Clone, Debug)]
pub struct Config {
    /// The folder. It must exist when an operator named it; the default may be absent.
    pub dir: Option<PathBuf>,
    /// The plugins that come first, in this order; the others follow by name.
    pub order: Vec<String>,
    /// Threads that plugins run on.
    pub threads: usize,
    /// What no manifest goes beyond.
    pub caps: Limits,
}

impl Config {
    /// Where plugins are when the configuration does not say.
    pub const DEFAULT_DIR: &str = "plugins";

    /// Reads the section.
    pub fn declare(section: &mut Section<'_>) -> Self {
        let dir = section.read(
            Setting::new("dir", None)
                .doc("The folder with the plugins. When not set: `plugins`, if there is one.")
                .env(&["PLUGINS_DIR"]),
        );
        let order = section.read(
            Setting::new("order", Vec::<String>::new())
                .doc("Plugins that run first, in this order. The others follow in the order of their names."),
        );
        let threads = section.read(Setting::new("threads", 2_usize).doc("Threads that plugins run on.").within(1..=64));
        let mut cap =
            |key, default: u64, most: u64, doc| section.read(Setting::new(key, default).doc(doc).within(1..=most));
        let deadline = cap("max_deadline_ms", 200, 10_000, "Longest deadline that a manifest may give a message.");
        let memory = cap("max_memory_mib", 256, MAX_MEMORY as u64 / (1024 * 1024), "Most memory of an instance.");
        let instances = cap("max_instances", 8, 16, "Most instances of one plugin at a time.");
        let store = cap("max_store_kib", 16_384, 1_048_576, "Most that a plugin's store may hold.");
        let size = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
        let caps = Limits {
            deadline: Duration::from_millis(deadline),
            configure_deadline: Duration::from_secs(30),
            memory: size(memory) * 1024 * 1024,
            table_elements: MAX_TABLE_ELEMENTS,
            instances: size(instances),
            copied: 4 * 1024 * 1024,
            host_calls: 100_000,
            log_lines: 1_000,
            store: size(store) * 1024,
        };
        Self { dir, order, threads, caps }
    }
}

impl Config {
    fn folder(&self) -> &Path {
        self.dir.as_deref().unwrap_or(Path::new(Self::DEFAULT_DIR))
    }

    /// Whether there is a folder of plugins.
    ///
    /// # Errors
    /// [`FolderError`] when an operator named one and it is not there.
    pub fn is_there(&self) -> Result<bool, FolderError> {
        let path = self.folder();
        match fs::metadata(path) {
            Ok(_) => Ok(true),
            Err(_) if self.dir.is_none() => Ok(false),
            Err(source) => Err(FolderError::Read { path: path.to_owned(), source }),
        }
    }
}

/// The plugins of a folder, in the order in which they are asked.
#[derive(Debug, Default)]
pub struct Catalog {
    /// Each plugin, whether or not it can be called.
    pub entries: Vec<Entry>,
}

/// A plugin of the folder.
#[derive(Debug)]
pub struct Entry {
    /// What the operator says of it.
    pub manifest: Manifest,
    /// The plugin, or why there is none. Its failure policy holds in either case.
    pub plugin: Result<Plugin, String>,
}

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

impl Catalog {
    /// Loads what is in the folder that `config` names. A plugin that cannot be loaded is in the catalog with the
    /// reason, and in the log.
    ///
    /// # Errors
    /// [`FolderError`] when the folder cannot be read or holds too much.
    pub async fn load(sandbox: &Arc<Sandbox>, config: &Config) -> Result<Self, FolderError> {
        let dir = config.folder();
        let found = find(dir).map_err(|source| FolderError::Read { path: dir.to_owned(), source })?;
        if found.len() > MAX_PLUGINS {
            return Err(FolderError::TooMany(dir.to_owned()));
        }
        let mut entries = Vec::new();
        for (name, place) in in_order(found, &config.order) {
            let entry = Entry::load(sandbox, &name, &place, &config.caps).await;
            entry.log();
            entries.push(entry);
        }
        Ok(Self { entries })
    }
}

impl Entry {
    /// Loads the plugin of one folder, whose name is the plugin's.
    ///
    /// # Errors
    /// When there is no such folder.
    pub async fn of_folder(sandbox: &Arc<Sandbox>, folder: &Path, caps: &Limits) -> Result<Self, FolderError> {
        let fault = |source| FolderError::Read { path: folder.to_owned(), source };
        let whole = folder.canonicalize().map_err(fault)?;
        if !whole.is_dir() {
            return Err(fault(std::io::ErrorKind::NotADirectory.into()));
        }
        let name = whole.file_name().unwrap_or_default().to_string_lossy();
        Ok(Self::load(sandbox, &name, &Place::Folder(folder.to_owned()), caps).await)
    }

    async fn load(sandbox: &Arc<Sandbox>, name: &str, place: &Place, caps: &Limits) -> Self {
        let manifest = match place {
            Place::File(_) => Ok(Manifest::bare(name)),
            Place::Folder(folder) => manifest(name, &folder.join(MANIFEST)),
        };
        let manifest = match manifest {
            Ok(manifest) => manifest,
            Err(fault) => return Self { manifest: Manifest::bare(name), plugin: Err(fault) },
        };
        let code = match place {
            Place::File(file) => Some(file.clone()),
            Place::Folder(folder) => {
                let own = format!("{name}.wasm");
                let names = CODE.into_iter().chain([own.as_str()]);
                names.map(|file| folder.join(file)).find(|file| file.exists())
            }
        };
        let Some(code) = code else {
            let fault = format!("{}: there is no filter.wasm: build it first", place.path().display());
            return Self { manifest, plugin: Err(fault) };
        };
        let plugin = Plugin::load(sandbox, manifest.clone(), &code, caps).await.map_err(|fault| fault.to_string());
        Self { manifest, plugin }
    }

    fn log(&self) {
        let name = &self.manifest.name;
        match &self.plugin {
            Ok(plugin) => {
                let mode = self.manifest.mode.as_str();
                tracing::info!(plugin = name, version = plugin.version(), mode, "a plugin is loaded");
            }
            Err(fault) => tracing::error!(plugin = name, fault, "a plugin could not be loaded"),
        }
    }
}

/// Where a plugin is.
#[derive(Debug, PartialEq, Eq)]
enum Place {
    Folder(PathBuf),
    /// A bare component without a manifest.
    File(PathBuf),
}

impl Place {
    fn path(&self) -> &Path {
        let (Self::Folder(path) | Self::File(path)) = self;
        path
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

fn in_order(mut found: BTreeMap<String, Place>, order: &[String]) -> Vec<(String, Place)> {
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

fn manifest(name: &str, path: &Path) -> Result<Manifest, String> {
    let fault = |text: String| format!("{}: {text}", path.display());
    let file = match fs::File::open(path) {
        Ok(file) => file,
        Err(missing) if missing.kind() == std::io::ErrorKind::NotFound => return Ok(Manifest::bare(name)),
        Err(cause) => return Err(fault(format!("cannot be read: {cause}"))),
    };
    let mut text = String::new();
    file.take(MAX_MANIFEST_BYTES + 1)
        .read_to_string(&mut text)
        .map_err(|cause| fault(format!("cannot be read: {cause}")))?;
    if text.len() as u64 > MAX_MANIFEST_BYTES {
        return Err(fault(format!("is larger than {} KiB", MAX_MANIFEST_BYTES / 1024)));
    }
    Manifest::parse(name, path, &text)
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
