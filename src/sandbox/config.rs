//! Settings of the sandbox: locations of plugins and limits.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::compiler::PluginCompiler;
use super::limits::{MAX_MEMORY, MAX_TABLE_ELEMENTS, OperatorLimits, PluginLimits};
use crate::settings::{Section, Setting};

/// Settings of the sandbox.
#[derive(Clone, Debug)]
pub struct Config {
    /// The plugin folder. It must exist if the operator set it; the default may be missing.
    pub dir: Option<PathBuf>,
    /// The plugins to call first, in this order. The others follow by name.
    pub order: Vec<String>,
    /// Whether to load the embedded plugins.
    pub embedded: bool,
    /// Number of threads that run plugins.
    pub threads: usize,
    /// Memory of all plugins together, in bytes: instances and stores.
    pub memory: usize,
    /// The cache of compiled plugins.
    pub(super) cache_dir: Option<PathBuf>,
    /// How long the relay waits for plugins at startup. The rest is loaded in the background.
    pub start_wait: Duration,
    /// Limits of each plugin.
    pub limits: OperatorLimits,
    /// Where plugins are compiled. Set by the program, not by the operator.
    pub compiler: PluginCompiler,
}

impl Config {
    /// The default plugin folder.
    pub const DEFAULT_DIR: &str = "plugins";

    /// Reads the section.
    pub fn declare(section: &mut Section<'_>) -> Self {
        let dir = section.read(
            Setting::new("dir", None)
                .doc("Plugins folder. If not set, `plugins` is used if it exists.")
                .env(&["PLUGINS_DIR"]),
        );
        let order = section.read(
            Setting::new("order", Vec::<String>::new())
                .doc("Plugins that run first, in this order. The others follow in alphabetical order."),
        );
        let embedded = section.read(Setting::new("embedded", true).doc(
            "Load the plugins embedded in the program. A folder or file of the same name overrides an embedded \
             plugin; a folder that contains only a `plugin.toml` configures it.",
        ));
        let cache_dir =
            section.read(Setting::new("cache_dir", None).doc(
                "Folder for compiled plugins, used by the relay only. If not set, `.cache` in the plugins folder.",
            ));
        let threads = section.read(
            Setting::new("threads", 0_usize)
                .doc("Number of plugin threads. 0 means half the number of processors, at least one.")
                .within(0..=64),
        );
        // The other half of the processors is for the rooms.
        let half = || std::thread::available_parallelism().map_or(1, |all| (all.get() / 2).max(1));
        let threads = if threads == 0 { half() } else { threads };
        let mut cap =
            |key, default: u64, max: u64, doc| section.read(Setting::new(key, default).doc(doc).within(1..=max));
        let default_deadline = cap(
            "deadline_ms",
            20,
            10_000,
            "Default deadline for a message, in milliseconds, if the manifest \
                                                    sets none.",
        );
        let deadline = cap(
            "max_deadline_ms",
            200,
            10_000,
            "Longest deadline for a message that a manifest may set, \
                                                            in milliseconds.",
        );
        let memory = cap(
            "max_memory_mib",
            128,
            MAX_MEMORY as u64 / (1024 * 1024),
            "Memory limit of one instance, in MiB. A single instruction may fill it, and is not interrupted: its call may \
             overrun its deadline by 0.5 to 1 ms per MiB.",
        );
        let total_memory = cap(
            "total_memory_mib",
            2_048,
            1_048_576,
            "Memory limit of all plugins together, in MiB: their instances, with what the relay keeps for each, and \
             their stores.",
        );
        let instances = cap("max_instances", 8, 16, "Maximum number of concurrent instances of one plugin.");
        let store = cap("max_store_kib", 16_384, 1_048_576, "Size limit of a plugin's store, in KiB.");
        let start = cap(
            "start_wait_ms",
            2_000,
            600_000,
            "How long the start waits for plugins to load, in milliseconds. Until a plugin is loaded, its on_failure \
             applies.",
        );
        let start_wait = Duration::from_millis(start);
        let size = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
        let max = PluginLimits {
            deadline: Duration::from_millis(deadline),
            configure_deadline: Duration::from_secs(30),
            memory: size(memory) * 1024 * 1024,
            table_elements: MAX_TABLE_ELEMENTS,
            instances: size(instances),
            transfer_bytes: 4 * 1024 * 1024,
            host_calls: 100_000,
            log_lines: 1_000,
            store: size(store) * 1024,
        };
        let limits = OperatorLimits { max, default_deadline: Duration::from_millis(default_deadline) };
        let memory = size(total_memory).saturating_mul(1024 * 1024);
        Self {
            dir,
            order,
            embedded,
            threads,
            memory,
            cache_dir,
            start_wait,
            limits,
            compiler: PluginCompiler::InProcess,
        }
    }
}

impl Config {
    /// The plugin folder.
    pub(super) fn folder(&self) -> &Path {
        self.dir.as_deref().unwrap_or(Path::new(Self::DEFAULT_DIR))
    }

    /// The folder of the cache of compiled plugins.
    #[must_use]
    pub fn cache(&self) -> PathBuf {
        self.cache_dir.clone().unwrap_or_else(|| self.folder().join(".cache"))
    }
}
