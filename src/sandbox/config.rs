//! Where plugins are, and how much they may use at most.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::compiler::Compiler;
use super::engine::{MAX_MEMORY, MAX_TABLE_ELEMENTS};
use super::limits::{Caps, Limits};
use crate::settings::{Section, Setting};

/// Where plugins are and how much they may use at most.
#[derive(Clone, Debug)]
pub struct Config {
    /// The folder. It must exist when an operator named it; the default may be absent.
    pub dir: Option<PathBuf>,
    /// The plugins that come first, in this order; the others follow by name.
    pub order: Vec<String>,
    /// Whether the embedded plugins are loaded, too.
    pub embedded: bool,
    /// Threads that plugins run on.
    pub threads: usize,
    /// Memory of all instances of all plugins together, in bytes.
    pub memory: usize,
    /// Where compiled plugins are kept.
    pub(super) cache_dir: Option<PathBuf>,
    /// How long a start waits for plugins. Those that are not ready by then come when they are.
    pub start_wait: Duration,
    /// How much they may use.
    pub caps: Caps,
    /// Where they are compiled. No setting: it is for the program to say.
    pub compiler: Compiler,
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
        let embedded = section.read(Setting::new("embedded", true).doc(
            "Load the plugins that are embedded in the program, too. A folder or file of the same name takes their \
             place; a folder with a `plugin.toml` alone sets one.",
        ));
        let cache_dir = section.read(Setting::new("cache_dir", None).doc(
            "Where compiled plugins are kept: a folder for the relay alone. When not set: `.cache` in the folder of \
             plugins.",
        ));
        let threads = section.read(
            Setting::new("threads", 0_usize)
                .doc("Threads that plugins run on; 0: half as many as there are processors, at least one.")
                .within(0..=64),
        );
        // The other half is for the rooms, whatever plugins compute.
        let half = || std::thread::available_parallelism().map_or(1, |all| (all.get() / 2).max(1));
        let threads = if threads == 0 { half() } else { threads };
        let mut cap =
            |key, default: u64, most: u64, doc| section.read(Setting::new(key, default).doc(doc).within(1..=most));
        let usual = cap("deadline_ms", 20, 10_000, "Deadline for a message, where a manifest gives none.");
        let deadline = cap("max_deadline_ms", 200, 10_000, "Longest deadline that a manifest may give a message.");
        let memory = cap("max_memory_mib", 256, MAX_MEMORY as u64 / (1024 * 1024), "Most memory of an instance.");
        let all = cap("total_memory_mib", 2_048, 1_048_576, "Most memory of all instances of all plugins together.");
        let instances = cap("max_instances", 8, 16, "Most instances of one plugin at a time.");
        let store = cap("max_store_kib", 16_384, 1_048_576, "Most that a plugin's store may hold.");
        let start = cap(
            "start_wait_ms",
            2_000,
            600_000,
            "How long a start waits for plugins; for those that come later, their on_failure holds until then.",
        );
        let start_wait = Duration::from_millis(start);
        let size = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
        let most = Limits {
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
        let caps = Caps { most, deadline: Duration::from_millis(usual) };
        let memory = size(all).saturating_mul(1024 * 1024);
        Self { dir, order, embedded, threads, memory, cache_dir, start_wait, caps, compiler: Compiler::Here }
    }
}

impl Config {
    /// The folder.
    pub(super) fn folder(&self) -> &Path {
        self.dir.as_deref().unwrap_or(Path::new(Self::DEFAULT_DIR))
    }

    /// Where compiled plugins are kept.
    #[must_use]
    pub fn cache(&self) -> PathBuf {
        self.cache_dir.clone().unwrap_or_else(|| self.folder().join(".cache"))
    }
}
