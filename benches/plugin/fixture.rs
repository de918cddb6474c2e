//! The shipped plugins as a relay loads them, and messages for them.

use std::fs;
use std::net::{IpAddr, Ipv4Addr};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use gischat_filter::testing::Harness;
use gischat_relay::matching::Views;
use gischat_relay::model::{Address, Basis, ConnectionId, Match, Message, MessageKind, Sender, SenderContext};
use gischat_relay::sandbox::{Action, CallContext, CheckRequest, Config, Library, Plugin, PluginEntry, Sandbox};
use gischat_relay::settings::SettingsSource;
use jiff::{SignedDuration, Timestamp};
use tempfile::TempDir;
use tokio::runtime::Handle;
use tokio::task::JoinHandle;

use super::MAX_TEXT;

/// Messages that are prepared before the clock starts.
const BATCH: u64 = 1_000;
/// 2026-01-01T12:00:00Z: far from the quiet hours.
const NOON: Timestamp = Timestamp::constant(1_767_268_800, 0);
/// Ten messages a second, in the eight hours from noon of each day.
const INTERVAL: Duration = Duration::from_millis(100);
const PER_DAY: u64 = 8 * 60 * 60 * 10;
/// The number of messages so far, so that no two are alike.
static NEXT_MESSAGE: AtomicU64 = AtomicU64::new(0);

/// The kind of text of a message. Each message is a frame of 120 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TextKind {
    /// No plugin acts on it.
    Harmless,
    /// An allowed link.
    Link,
    /// All capitals, which are changed to lower case.
    Shouted,
}

/// The shipped plugins, in a temporary folder, on threads of their own.
pub(crate) struct ShippedPlugins {
    folder: TempDir,
    sandbox: Arc<Sandbox>,
    library: Arc<Library>,
}

impl ShippedPlugins {
    /// Opens all plugins that are built.
    pub(crate) fn open() -> Self {
        let names = fs::read_dir(shipped()).expect("the folder of plugins").filter_map(Result::ok);
        let names: Vec<String> = names.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
        let folder = copy_plugins(names.iter().map(String::as_str));
        let config = config(folder.path());
        let sandbox = Arc::new(Sandbox::from_config(&config).expect("a sandbox"));
        Self::load(folder, sandbox)
    }

    /// Opens some of the plugins, on the same threads.
    pub(crate) fn subset(&self, names: &[&str]) -> Self {
        Self::load(copy_plugins(names.iter().copied()), Arc::clone(&self.sandbox))
    }

    fn load(folder: TempDir, sandbox: Arc<Sandbox>) -> Self {
        let handle = sandbox.handle();
        let library = handle.block_on(async {
            let library = Library::open(Arc::clone(&sandbox), config(folder.path())).await.expect("a folder");
            library.reload().await.expect("a folder");
            library
        });
        let errors: Vec<_> =
            library.current().entries.iter().filter_map(|e| e.plugin.as_ref().err().cloned()).collect();
        assert!(errors.is_empty(), "{errors:?}");
        Self { folder, sandbox, library }
    }

    /// Returns the plugins as a relay loads them.
    pub(crate) fn library(&self) -> Arc<Library> {
        Arc::clone(&self.library)
    }

    /// Returns a plugin, if it is built.
    pub(crate) fn entry(&self, name: &str) -> Option<Arc<PluginEntry>> {
        self.library.current().entries.iter().find(|entry| entry.manifest.name == name).cloned()
    }

    /// Returns the settings of the plugins.
    pub(crate) fn config(&self) -> Config {
        config(self.folder.path())
    }

    fn handle(&self) -> Handle {
        self.sandbox.handle()
    }

    /// Runs a future on the plugin threads.
    pub(crate) fn spawn<T: Send + 'static>(&self, work: impl Future<Output = T> + Send + 'static) -> JoinHandle<T> {
        self.handle().spawn(work)
    }

    /// Waits for a future on the calling thread.
    pub(crate) fn block_on<T>(&self, work: impl Future<Output = T>) -> T {
        self.handle().block_on(work)
    }

    /// Returns how long `calls` calls of each of these plugins take, one after another.
    pub(crate) fn time_calls(&self, names: &[&str], kind: TextKind, calls: u64) -> Duration {
        let entries: Vec<_> = names.iter().map(|name| self.entry(name).expect("built by `make plugins`")).collect();
        let mut took = Duration::ZERO;
        for batch in batches(calls) {
            let questions: Vec<_> = batch.map(|n| question(&message(kind, n))).collect();
            let entries = entries.clone();
            let work = async move {
                let began = Instant::now();
                for (question, scene) in &questions {
                    for entry in &entries {
                        let answer = plugin(entry).check(|| question, scene.clone()).await.expect("an answer");
                        assert_eq!(matches!(answer.action, Action::Pass), kind != TextKind::Shouted, "{answer:?}");
                    }
                }
                began.elapsed()
            };
            // In a relay each message is a task of its own, which never uses up its budget of the runtime.
            took += self.block_on(self.spawn(tokio::task::unconstrained(work))).expect("nothing panics");
        }
        took
    }
}

/// Returns the plugin of a loaded entry.
pub(crate) fn plugin(entry: &PluginEntry) -> &Plugin {
    entry.plugin.as_ref().expect("it was loaded")
}

/// Returns why a plugin did not answer, if so.
pub(crate) fn failure(matched: &Match) -> Option<&str> {
    match &matched.basis {
        Basis::Plugin { failure, .. } => failure.as_deref(),
        Basis::Rule { .. } | Basis::Sanction { .. } => None,
    }
}

/// Returns the numbers of the next `count` messages, in batches.
pub(crate) fn batches(count: u64) -> impl Iterator<Item = Range<u64>> {
    (0..count.div_ceil(BATCH)).map(move |batch| {
        let count = BATCH.min(count - batch * BATCH);
        let first = NEXT_MESSAGE.fetch_add(count, Ordering::Relaxed);
        first..first + count
    })
}

/// Returns message number `n`.
pub(crate) fn message(kind: TextKind, n: u64) -> Message {
    let days = i64::try_from(n / PER_DAY).expect("few days");
    let since = INTERVAL * u32::try_from(n % PER_DAY).expect("less than a day");
    let at = NOON + SignedDuration::from_hours(24 * days) + since;
    Message { at, ..Message::new("jane", MessageKind::Text { avatar: None, text: text(kind, n) }) }
}

/// Returns message number `n` for a native filter.
pub(crate) fn native<F: gischat_filter::Filter>(
    harness: &mut Harness<F>,
    kind: TextKind,
    n: u64,
) -> gischat_filter::Message {
    let at = u64::try_from(message(kind, n).at.as_millisecond()).expect("after 1970");
    gischat_filter::Message { at, ..harness.message(&text(kind, n)) }
}

/// Returns a text with a unique word. Texts that differ only in digits are the same to `flood-guard`.
fn text(kind: TextKind, n: u64) -> String {
    let letters = (0..7).scan(n, |left, _| {
        let letter = b'a' + u8::try_from(*left % 26).expect("a letter");
        *left /= 26;
        Some(char::from(letter))
    });
    let word: String = letters.collect();
    match kind {
        TextKind::Harmless => format!("Has anybody tried the new layer of {word} in EPSG:2154 with your new tiles?"),
        TextKind::Link => format!("Has anybody tried https://trac.osgeo.org/{word} as a layer with your tiles?"),
        TextKind::Shouted => format!("HAS ANYBODY TRIED THE NEW LAYER OF {word} IN EPSG:2154 WITH YOUR NEW TILES?"),
    }
}

fn question(message: &Message) -> (CheckRequest, CallContext) {
    let sender = sender();
    let mut views = Views::default();
    views.read(message.text().expect("a text"));
    let folded = views.clean().to_owned();
    let question = CheckRequest::message(message, folded, &sender, "0123456789abcdef".to_owned(), MAX_TEXT);
    (question, CallContext::new(message, &sender))
}

/// Returns a sender that has been connected for a while.
pub(crate) fn sender() -> Sender {
    Sender {
        connection: Some(ConnectionId(1)),
        address: Address::from(IpAddr::from(Ipv4Addr::LOCALHOST)),
        room: "QGIS".parse().expect("a room name"),
        context: SenderContext { connected: Duration::from_hours(1), accepted: 100, ..SenderContext::default() },
    }
}

/// Returns the settings of a shipped plugin as JSON.
pub(crate) fn settings(name: &str) -> serde_json::Value {
    let manifest = fs::read_to_string(shipped().join(name).join("plugin.toml")).expect("a manifest");
    let manifest: toml::Table = toml::from_str(&manifest).expect("TOML");
    serde_json::to_value(manifest.get("settings").expect("settings")).expect("JSON")
}

fn shipped() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("plugins")
}

/// Copies these shipped plugins to a temporary folder, if they are built.
fn copy_plugins<'n>(names: impl Iterator<Item = &'n str>) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for name in names.filter(|name| shipped().join(name).join("filter.wasm").exists()) {
        fs::create_dir(folder.path().join(name)).expect("a folder");
        for file in ["plugin.toml", "filter.wasm"] {
            fs::copy(shipped().join(name).join(file), folder.path().join(name).join(file)).expect("a copy");
        }
    }
    folder
}

fn config(folder: &Path) -> Config {
    // Long deadlines for a busy machine. They do not affect a call that ends in time.
    let deadlines =
        ["RELAY__PLUGINS__DEADLINE_MS", "RELAY__PLUGINS__MAX_DEADLINE_MS"].map(|name| (name.into(), "10000".into()));
    let of_folder = [
        ("PLUGINS_DIR".into(), folder.into()),
        // Only the copied plugins.
        ("RELAY__PLUGINS__EMBEDDED".into(), "false".into()),
    ];
    let mut source = SettingsSource::new().environment(of_folder.into_iter().chain(deadlines));
    Config::declare(&mut source.root().section("plugins", ""))
}
