//! The plugins and rules of the relay, which differ between the columns of some sections.
//!
//! Owns the plugin folders, which are copies of the shipped plugins in enforce mode. They are kept as long as the tool
//! runs, so that a filter is compiled once.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use tempfile::TempDir;
use toml::{Table, Value};

use crate::handshake::room_name;

/// Deadline of a call. Milliseconds. It is the longest that is allowed, so that on a busy machine only stuck calls end.
const DEADLINE_MS: i64 = 200;
/// Plugins that are stuck. Each is suspended after five calls, so this many keep two threads busy for a dozen seconds.
const STUCK: usize = 25;
/// The room of a healthy plugin, when others are stuck.
pub(crate) const ROOM_OF_ANOTHER: usize = 1;
/// The room of the stuck plugins.
pub(crate) const ROOM_OF_STUCK: usize = 2;

/// The plugins and rules of the relay under test. Starter rules run only if they are measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Chain {
    /// No plugins.
    NoPlugins,
    /// One plugin in Rust.
    One,
    /// Three plugins in Rust.
    Three,
    /// One plugin in Python.
    Python,
    /// One plugin in a room, and plugins that can loop in another room without messages.
    StuckIdle,
    /// The same, but messages in the other room make its plugins loop.
    StuckBusy,
    /// No plugins and no rules: the first column if rules are measured.
    NoRules,
    /// No plugins, and all starter rules in observe mode.
    StarterRules,
}

/// One plugin of a chain.
struct PluginCopy {
    /// The folder's name.
    name: String,
    filter: PathBuf,
    manifest: Table,
}

/// A folder of plugins.
#[derive(Debug, Clone)]
pub(crate) struct PluginFolder {
    pub(crate) path: PathBuf,
    /// The number of plugins in it.
    pub(crate) plugins: usize,
}

/// The sources of plugins, and the folders made of them.
#[derive(Debug)]
pub(crate) struct PluginFolders {
    /// The shipped plugins.
    plugins: PathBuf,
    /// A filter that loops on request.
    stuck: PathBuf,
    folders: TempDir,
}

impl Chain {
    /// The name in tables.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::NoPlugins => "no plugins",
            Self::One => "1 in Rust",
            Self::Three => "3 in Rust",
            Self::Python => "1 in Python",
            Self::StuckIdle => "none stuck",
            Self::StuckBusy => "stuck",
            Self::NoRules => "no rules",
            Self::StarterRules => "starter rules",
        }
    }

    /// The preset of the starter rules in the relay's settings.
    pub(crate) fn preset(self) -> &'static str {
        if self == Self::StarterRules { "open" } else { "off" }
    }

    /// Whether rules are measured.
    pub(crate) fn measures_rules(self) -> bool {
        matches!(self, Self::NoRules | Self::StarterRules)
    }

    /// The names of its shipped plugins.
    fn shipped(self) -> &'static [&'static str] {
        match self {
            Self::NoPlugins | Self::NoRules | Self::StarterRules => &[],
            Self::One | Self::StuckIdle | Self::StuckBusy => &["link-guard"],
            Self::Three => &["link-guard", "calm-caps", "flood-guard"],
            Self::Python => &["polite-words"],
        }
    }

    fn has_stuck_plugins(self) -> bool {
        matches!(self, Self::StuckIdle | Self::StuckBusy)
    }
}

impl PluginFolders {
    /// Uses the shipped plugins in `plugins`, and the file `stuck` for stuck plugins.
    ///
    /// # Errors
    /// If the temporary folder cannot be created.
    pub(crate) fn new(plugins: &Path, stuck: &Path) -> Result<Self> {
        let folders = tempfile::tempdir().context("temporary directory")?;
        Ok(Self { plugins: plugins.to_owned(), stuck: stuck.to_owned(), folders })
    }

    /// The files of a chain that are not built.
    pub(crate) fn missing(&self, chain: Chain) -> Vec<String> {
        let shipped = chain.shipped().iter().map(|name| self.plugins.join(name).join("filter.wasm"));
        let files = shipped.chain(chain.has_stuck_plugins().then(|| self.stuck.clone()));
        files.filter(|file| !file.is_file()).map(|file| file.display().to_string()).collect()
    }

    /// Returns the folder of a chain, creating it if needed; `None` if the chain has no plugins.
    ///
    /// # Errors
    /// If a file is missing, cannot be read, or cannot be copied.
    pub(crate) fn folder(&self, chain: Chain) -> Result<Option<PluginFolder>> {
        if chain.shipped().is_empty() {
            return Ok(None);
        }
        let copies = self.copies(chain)?;
        let folder = PluginFolder { path: self.folders.path().join(format!("{chain:?}")), plugins: copies.len() };
        if !folder.path.exists() {
            for copy in copies {
                let path = folder.path.join(&copy.name);
                fs::create_dir_all(&path).with_context(|| format!("cannot create {}", path.display()))?;
                fs::copy(&copy.filter, path.join("filter.wasm"))
                    .with_context(|| format!("cannot copy {}", copy.filter.display()))?;
                let manifest = path.join("plugin.toml");
                fs::write(&manifest, copy.manifest.to_string())
                    .with_context(|| format!("cannot write {}", manifest.display()))?;
            }
        }
        Ok(Some(folder))
    }

    fn copies(&self, chain: Chain) -> Result<Vec<PluginCopy>> {
        let shipped = chain.shipped().iter().map(|name| self.shipped(name, chain));
        let mut copies = shipped.collect::<Result<Vec<_>>>()?;
        if chain.has_stuck_plugins() {
            let mut manifest = Table::new();
            manifest.insert("rooms".to_owned(), rooms(ROOM_OF_STUCK));
            manifest.insert("limits".to_owned(), limits());
            let stuck = |at| PluginCopy {
                name: format!("stuck-{at:02}"),
                filter: self.stuck.clone(),
                manifest: manifest.clone(),
            };
            copies.extend((0..STUCK).map(stuck));
        }
        Ok(copies)
    }

    fn shipped(&self, name: &str, chain: Chain) -> Result<PluginCopy> {
        let folder = self.plugins.join(name);
        let path = folder.join("plugin.toml");
        let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let mut manifest: Table = text.parse().with_context(|| path.display().to_string())?;
        manifest.insert("mode".to_owned(), "enforce".into());
        manifest.insert("limits".to_owned(), limits());
        if chain.has_stuck_plugins() {
            manifest.insert("rooms".to_owned(), rooms(ROOM_OF_ANOTHER));
        }
        if let Some(Value::Table(settings)) = manifest.get_mut("settings") {
            // This tool sends thousands of messages; `flood-guard` must count them and let them pass.
            for count in ["per_sender", "senders"] {
                if let Some(count) = settings.get_mut(count) {
                    *count = i64::from(u32::MAX).into();
                }
            }
        }
        Ok(PluginCopy { name: name.to_owned(), filter: folder.join("filter.wasm"), manifest })
    }
}

fn limits() -> Value {
    Value::Table(Table::from_iter([("deadline_ms".to_owned(), DEADLINE_MS.into())]))
}

fn rooms(room: usize) -> Value {
    Value::Array(vec![room_name(room).into()])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folders() -> (TempDir, PluginFolders) {
        let sources = tempfile::tempdir().expect("a folder");
        let plugin = sources.path().join("link-guard");
        fs::create_dir(&plugin).expect("a folder");
        fs::write(plugin.join("plugin.toml"), "mode = 'observe'\n[settings]\nallow = ['osgeo.org']").expect("a file");
        fs::write(plugin.join("filter.wasm"), "\0asm").expect("a file");
        let folders = PluginFolders::new(sources.path(), &sources.path().join("stuck.wasm")).expect("a folders");
        (sources, folders)
    }

    #[test]
    fn missing_files_are_named() {
        let (_sources, folders) = folders();
        for chain in [Chain::NoPlugins, Chain::One, Chain::StarterRules] {
            assert!(folders.missing(chain).is_empty());
        }
        assert!(folders.missing(Chain::Python)[0].ends_with("polite-words/filter.wasm"));
        assert!(folders.missing(Chain::StuckBusy)[0].ends_with("stuck.wasm"));
        assert!(folders.folder(Chain::Three).is_err());
    }

    #[test]
    fn a_copy_is_in_enforce_mode_and_keeps_its_settings() {
        let (_sources, folders) = folders();
        let folder = folders.folder(Chain::One).expect("it is built").expect("it has a plugin");
        assert_eq!(folder.plugins, 1);
        let manifest = fs::read_to_string(folder.path.join("link-guard/plugin.toml")).expect("a file");
        let manifest: Table = manifest.parse().expect("TOML");
        assert_eq!(manifest["mode"].as_str(), Some("enforce"));
        assert_eq!(manifest["settings"]["allow"][0].as_str(), Some("osgeo.org"));
        assert_eq!(manifest["limits"]["deadline_ms"].as_integer(), Some(DEADLINE_MS));
        assert!(folders.folder(Chain::One).is_ok(), "an existing folder is reused");
    }

    #[test]
    fn stuck_plugins_have_a_separate_room() {
        let (sources, folders) = folders();
        fs::write(sources.path().join("stuck.wasm"), "\0asm").expect("a file");
        let folder = folders.folder(Chain::StuckIdle).expect("all is built").expect("it has plugins");
        assert_eq!(folder.plugins, STUCK + 1);
        let room = |name: &str| {
            let manifest = fs::read_to_string(folder.path.join(name).join("plugin.toml")).expect("a file");
            manifest.parse::<Table>().expect("TOML")["rooms"][0].as_str().map(str::to_owned)
        };
        assert_eq!(room("link-guard"), Some(room_name(ROOM_OF_ANOTHER)));
        assert_eq!(room("stuck-00"), Some(room_name(ROOM_OF_STUCK)));
    }
}
