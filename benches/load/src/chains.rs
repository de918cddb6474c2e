//! The plugins and the rules that the relay is given: what differs between the columns of a section about them.
//!
//! Owns the folders of plugins, copied from those that are shipped and made to act. They last as long as the tool, so
//! that a filter is compiled once.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use tempfile::TempDir;
use toml::{Table, Value};

use crate::handshake::room_name;

/// So long may a call take, in milliseconds: as long as an operator allows one, so that a busy machine ends none that
/// is not stuck.
const DEADLINE_MS: i64 = 200;
/// Plugins that are stuck. Each is set aside after five calls, and this many keep two threads busy for a dozen seconds.
const STUCK: usize = 25;
/// The room of another plugin, where some are stuck.
pub(crate) const ROOM_OF_ANOTHER: usize = 1;
/// Their room.
pub(crate) const ROOM_OF_STUCK: usize = 2;

/// What the relay under test has of plugins and rules. Starter rules run only where they are what is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Chain {
    /// None.
    Bare,
    /// One in Rust.
    One,
    /// Three in Rust.
    Three,
    /// One in Python.
    Python,
    /// One in a room, others in another room where nobody speaks.
    Calm,
    /// The same, and what is said in that other room makes its plugins loop.
    Stuck,
    /// No plugins, and no rules: the first column where rules are what is measured.
    Unruled,
    /// No plugins, and all starter rules: they run and do not act.
    Starter,
}

/// One plugin of a chain.
struct Copy {
    /// The folder's name.
    name: String,
    filter: PathBuf,
    manifest: Table,
}

/// A folder of plugins.
#[derive(Debug, Clone)]
pub(crate) struct Folder {
    pub(crate) path: PathBuf,
    /// How many are in it.
    pub(crate) plugins: usize,
}

/// Where plugins are taken from, and the folders that were made of them.
#[derive(Debug)]
pub(crate) struct Shelf {
    /// The shipped plugins.
    plugins: PathBuf,
    /// A filter that loops when it is told to.
    stuck: PathBuf,
    folders: TempDir,
}

impl Chain {
    /// As it is called in tables.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Bare => "no plugins",
            Self::One => "1 in Rust",
            Self::Three => "3 in Rust",
            Self::Python => "1 in Python",
            Self::Calm => "none stuck",
            Self::Stuck => "stuck",
            Self::Unruled => "no rules",
            Self::Starter => "starter rules",
        }
    }

    /// The preset of the starter rules, as the relay's settings name it.
    pub(crate) fn preset(self) -> &'static str {
        if self == Self::Starter { "open" } else { "off" }
    }

    /// Whether rules are what is measured.
    pub(crate) fn is_of_rules(self) -> bool {
        matches!(self, Self::Unruled | Self::Starter)
    }

    /// The names of its shipped plugins.
    fn shipped(self) -> &'static [&'static str] {
        match self {
            Self::Bare | Self::Unruled | Self::Starter => &[],
            Self::One | Self::Calm | Self::Stuck => &["link-guard"],
            Self::Three => &["link-guard", "calm-caps", "flood-guard"],
            Self::Python => &["polite-words"],
        }
    }

    fn has_stuck_ones(self) -> bool {
        matches!(self, Self::Calm | Self::Stuck)
    }
}

impl Shelf {
    /// Takes shipped plugins from `plugins`, and for those that are stuck the file `stuck`.
    ///
    /// # Errors
    /// If there is no temporary folder.
    pub(crate) fn new(plugins: &Path, stuck: &Path) -> Result<Self> {
        let folders = tempfile::tempdir().context("temporary directory")?;
        Ok(Self { plugins: plugins.to_owned(), stuck: stuck.to_owned(), folders })
    }

    /// What of a chain is not built.
    pub(crate) fn missing(&self, chain: Chain) -> Vec<String> {
        let shipped = chain.shipped().iter().map(|name| self.plugins.join(name).join("filter.wasm"));
        let files = shipped.chain(chain.has_stuck_ones().then(|| self.stuck.clone()));
        files.filter(|file| !file.is_file()).map(|file| file.display().to_string()).collect()
    }

    /// The folder of a chain, made when it is asked for first; `None` where there are no plugins.
    ///
    /// # Errors
    /// If something is not there, cannot be read, or cannot be copied.
    pub(crate) fn folder(&self, chain: Chain) -> Result<Option<Folder>> {
        if chain.shipped().is_empty() {
            return Ok(None);
        }
        let copies = self.copies(chain)?;
        let folder = Folder { path: self.folders.path().join(format!("{chain:?}")), plugins: copies.len() };
        if !folder.path.exists() {
            for copy in copies {
                let path = folder.path.join(&copy.name);
                fs::create_dir_all(&path).with_context(|| format!("cannot make {}", path.display()))?;
                fs::copy(&copy.filter, path.join("filter.wasm"))
                    .with_context(|| format!("cannot copy {}", copy.filter.display()))?;
                let manifest = path.join("plugin.toml");
                fs::write(&manifest, copy.manifest.to_string())
                    .with_context(|| format!("cannot write {}", manifest.display()))?;
            }
        }
        Ok(Some(folder))
    }

    fn copies(&self, chain: Chain) -> Result<Vec<Copy>> {
        let shipped = chain.shipped().iter().map(|name| self.shipped(name, chain));
        let mut copies = shipped.collect::<Result<Vec<_>>>()?;
        if chain.has_stuck_ones() {
            let mut manifest = Table::new();
            manifest.insert("rooms".to_owned(), rooms(ROOM_OF_STUCK));
            manifest.insert("limits".to_owned(), limits());
            let stuck =
                |at| Copy { name: format!("stuck-{at:02}"), filter: self.stuck.clone(), manifest: manifest.clone() };
            copies.extend((0..STUCK).map(stuck));
        }
        Ok(copies)
    }

    fn shipped(&self, name: &str, chain: Chain) -> Result<Copy> {
        let folder = self.plugins.join(name);
        let path = folder.join("plugin.toml");
        let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let mut manifest: Table = text.parse().with_context(|| path.display().to_string())?;
        manifest.insert("mode".to_owned(), "enforce".into());
        manifest.insert("limits".to_owned(), limits());
        if chain.has_stuck_ones() {
            manifest.insert("rooms".to_owned(), rooms(ROOM_OF_ANOTHER));
        }
        if let Some(Value::Table(settings)) = manifest.get_mut("settings") {
            // The messages of this tool come by thousands; `flood-guard` is to count them and to let them through.
            for count in ["per_sender", "senders"] {
                if let Some(count) = settings.get_mut(count) {
                    *count = i64::from(u32::MAX).into();
                }
            }
        }
        Ok(Copy { name: name.to_owned(), filter: folder.join("filter.wasm"), manifest })
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

    fn shelf() -> (TempDir, Shelf) {
        let sources = tempfile::tempdir().expect("a folder");
        let plugin = sources.path().join("link-guard");
        fs::create_dir(&plugin).expect("a folder");
        fs::write(plugin.join("plugin.toml"), "mode = 'observe'\n[settings]\nallow = ['osgeo.org']").expect("a file");
        fs::write(plugin.join("filter.wasm"), "\0asm").expect("a file");
        let shelf = Shelf::new(sources.path(), &sources.path().join("stuck.wasm")).expect("a shelf");
        (sources, shelf)
    }

    #[test]
    fn what_is_not_built_is_named() {
        let (_sources, shelf) = shelf();
        for chain in [Chain::Bare, Chain::One, Chain::Starter] {
            assert!(shelf.missing(chain).is_empty());
        }
        assert!(shelf.missing(Chain::Python)[0].ends_with("polite-words/filter.wasm"));
        assert!(shelf.missing(Chain::Stuck)[0].ends_with("stuck.wasm"));
        assert!(shelf.folder(Chain::Three).is_err());
    }

    #[test]
    fn a_copy_acts_and_keeps_its_settings() {
        let (_sources, shelf) = shelf();
        let folder = shelf.folder(Chain::One).expect("it is built").expect("it has a plugin");
        assert_eq!(folder.plugins, 1);
        let manifest = fs::read_to_string(folder.path.join("link-guard/plugin.toml")).expect("a file");
        let manifest: Table = manifest.parse().expect("TOML");
        assert_eq!(manifest["mode"].as_str(), Some("enforce"));
        assert_eq!(manifest["settings"]["allow"][0].as_str(), Some("osgeo.org"));
        assert_eq!(manifest["limits"]["deadline_ms"].as_integer(), Some(DEADLINE_MS));
        assert!(shelf.folder(Chain::One).is_ok(), "it is there when it is asked for again");
    }

    #[test]
    fn stuck_ones_have_a_room_of_their_own() {
        let (sources, shelf) = shelf();
        fs::write(sources.path().join("stuck.wasm"), "\0asm").expect("a file");
        let folder = shelf.folder(Chain::Calm).expect("all is built").expect("it has plugins");
        assert_eq!(folder.plugins, STUCK + 1);
        let room = |name: &str| {
            let manifest = fs::read_to_string(folder.path.join(name).join("plugin.toml")).expect("a file");
            manifest.parse::<Table>().expect("TOML")["rooms"][0].as_str().map(str::to_owned)
        };
        assert_eq!(room("link-guard"), Some(room_name(ROOM_OF_ANOTHER)));
        assert_eq!(room("stuck-00"), Some(room_name(ROOM_OF_STUCK)));
    }
}
