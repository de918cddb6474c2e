//! The shipped plugins as a relay has them, and messages to ask them about.

use std::fs;
use std::net::{IpAddr, Ipv4Addr};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use gischat_filter::testing::Harness;
use gischat_relay::matching::Views;
use gischat_relay::model::{Address, Basis, Facts, Kind, Match, Message, RoomName, Sender, SenderId};
use gischat_relay::sandbox::{Action, Config, Entry, Library, Plugin, Question, Sandbox, Scene};
use gischat_relay::settings::Source;
use jiff::{SignedDuration, Timestamp};
use tempfile::TempDir;
use tokio::runtime::Handle;
use tokio::task::JoinHandle;

use super::LONGEST;

/// Questions that are ready before the clock runs.
const BATCH: u64 = 1_000;
/// 2026-01-01T12:00:00Z: far from the quiet hours.
const NOON: Timestamp = Timestamp::constant(1_767_268_800, 0);
/// Ten messages a second, in the eight hours from noon of each day.
const APART: Duration = Duration::from_millis(100);
const A_DAY: u64 = 8 * 60 * 60 * 10;
/// Messages of this program so far, so that none is like another.
static SAID: AtomicU64 = AtomicU64::new(0);

/// What a message is like. As a frame, each has 120 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Said {
    /// Nothing that any plugin acts upon.
    Harmless,
    /// A link that is welcome.
    Link,
    /// Capitals throughout, to be put in small letters.
    Shouted,
}

/// The shipped plugins, in a folder of their own, on threads of their own.
pub(crate) struct Shipped {
    folder: TempDir,
    sandbox: Arc<Sandbox>,
    library: Arc<Library>,
}

impl Shipped {
    /// All that are built, compiled.
    pub(crate) fn open() -> Self {
        let names = fs::read_dir(shipped()).expect("the folder of plugins").filter_map(Result::ok);
        let names: Vec<String> = names.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
        let folder = copies(names.iter().map(String::as_str));
        let config = config(folder.path());
        let sandbox = Arc::new(Sandbox::of(&config).expect("a sandbox"));
        Self::of(folder, sandbox)
    }

    /// Some of them, on the same threads.
    pub(crate) fn only(&self, names: &[&str]) -> Self {
        Self::of(copies(names.iter().copied()), Arc::clone(&self.sandbox))
    }

    fn of(folder: TempDir, sandbox: Arc<Sandbox>) -> Self {
        let handle = sandbox.handle();
        let library = handle.block_on(async {
            let library = Library::open(Arc::clone(&sandbox), config(folder.path())).await.expect("a folder");
            library.reload().await.expect("a folder");
            library
        });
        let faults: Vec<_> =
            library.current().entries.iter().filter_map(|e| e.plugin.as_ref().err().cloned()).collect();
        assert!(faults.is_empty(), "{faults:?}");
        Self { folder, sandbox, library }
    }

    /// The plugins as a relay has them.
    pub(crate) fn library(&self) -> Arc<Library> {
        Arc::clone(&self.library)
    }

    /// One of them, if it is built.
    pub(crate) fn entry(&self, name: &str) -> Option<Arc<Entry>> {
        self.library.current().entries.iter().find(|entry| entry.manifest.name == name).cloned()
    }

    /// Where they are.
    pub(crate) fn config(&self) -> Config {
        config(self.folder.path())
    }

    fn handle(&self) -> Handle {
        self.sandbox.handle()
    }

    /// Does something on the threads of plugins.
    pub(crate) fn spawn<T: Send + 'static>(&self, work: impl Future<Output = T> + Send + 'static) -> JoinHandle<T> {
        self.handle().spawn(work)
    }

    /// Waits here, on a thread that is none of them.
    pub(crate) fn block_on<T>(&self, work: impl Future<Output = T>) -> T {
        self.handle().block_on(work)
    }

    /// How long it takes to ask each of these plugins about so many messages, one after another.
    pub(crate) fn ask(&self, names: &[&str], said: Said, calls: u64) -> Duration {
        let entries: Vec<_> = names.iter().map(|name| self.entry(name).expect("built by `make plugins`")).collect();
        let mut took = Duration::ZERO;
        for batch in batches(calls) {
            let questions: Vec<_> = batch.map(|n| question(&message(said, n))).collect();
            let entries = entries.clone();
            let asking = async move {
                let began = Instant::now();
                for (question, scene) in &questions {
                    for entry in &entries {
                        let answer = plugin(entry).ask(question, scene.clone()).await.expect("an answer");
                        assert_eq!(matches!(answer.action, Action::Pass), said != Said::Shouted, "{answer:?}");
                    }
                }
                began.elapsed()
            };
            // In a relay each message has a task of its own, with a share of the runtime's time that it never uses up.
            took += self.block_on(self.spawn(tokio::task::unconstrained(asking))).expect("nothing panics");
        }
        took
    }
}

/// The plugin of an entry that was loaded.
pub(crate) fn plugin(entry: &Entry) -> &Plugin {
    entry.plugin.as_ref().expect("it was loaded")
}

/// Why a plugin that was asked about a message gave no answer.
pub(crate) fn failure(matched: &Match) -> Option<&str> {
    match &matched.basis {
        Basis::Plugin { failure, .. } => failure.as_deref(),
        Basis::Rule { .. } | Basis::Sanction { .. } => None,
    }
}

/// The numbers of so many messages that are not yet said, some at a time.
pub(crate) fn batches(count: u64) -> impl Iterator<Item = Range<u64>> {
    (0..count.div_ceil(BATCH)).map(move |batch| {
        let count = BATCH.min(count - batch * BATCH);
        let first = SAID.fetch_add(count, Ordering::Relaxed);
        first..first + count
    })
}

/// Message number `n`.
pub(crate) fn message(said: Said, n: u64) -> Message {
    let days = i64::try_from(n / A_DAY).expect("few days");
    let since = APART * u32::try_from(n % A_DAY).expect("less than a day");
    let at = NOON + SignedDuration::from_hours(24 * days) + since;
    Message { at, ..Message::new("jane", Kind::Text { avatar: None, text: text(said, n) }) }
}

/// The same for a filter that runs natively.
pub(crate) fn native<F: gischat_filter::Filter>(
    harness: &mut Harness<F>,
    said: Said,
    n: u64,
) -> gischat_filter::Message {
    let at = u64::try_from(message(said, n).at.as_millisecond()).expect("after 1970");
    gischat_filter::Message { at, ..harness.message(&text(said, n)) }
}

/// A text with a word that no other one has: what differs in digits alone is the same to `flood-guard`.
fn text(said: Said, n: u64) -> String {
    let letters = (0..7).scan(n, |left, _| {
        let letter = b'a' + u8::try_from(*left % 26).expect("a letter");
        *left /= 26;
        Some(char::from(letter))
    });
    let word: String = letters.collect();
    match said {
        Said::Harmless => format!("Has anybody tried the new layer of {word} in EPSG:2154 with your new tiles?"),
        Said::Link => format!("Has anybody tried https://trac.osgeo.org/{word} as a layer with your tiles?"),
        Said::Shouted => format!("HAS ANYBODY TRIED THE NEW LAYER OF {word} IN EPSG:2154 WITH YOUR NEW TILES?"),
    }
}

fn question(message: &Message) -> (Question, Scene) {
    let sender = sender();
    let mut views = Views::default();
    views.read(message.text().expect("a text"));
    let folded = views.clean().to_owned();
    let question = Question::message(message, folded, &sender, "0123456789abcdef".to_owned(), LONGEST);
    (question, Scene::of(message, &sender))
}

/// Somebody who has been there for a while.
pub(crate) fn sender() -> Sender {
    Sender {
        connection: Some(SenderId(1)),
        address: Address::from(IpAddr::from(Ipv4Addr::LOCALHOST)),
        room: RoomName::parse("QGIS").expect("a room name"),
        facts: Facts { connected: Duration::from_hours(1), accepted: 100, ..Facts::default() },
    }
}

/// The settings of a shipped plugin as JSON.
pub(crate) fn settings(name: &str) -> serde_json::Value {
    let manifest = fs::read_to_string(shipped().join(name).join("plugin.toml")).expect("a manifest");
    let manifest: toml::Table = toml::from_str(&manifest).expect("TOML");
    serde_json::to_value(manifest.get("settings").expect("settings")).expect("JSON")
}

fn shipped() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("plugins")
}

/// A folder with these of the shipped plugins, as far as they are built.
fn copies<'n>(names: impl Iterator<Item = &'n str>) -> TempDir {
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
    // Deadlines that a busy machine keeps; they change nothing about a call that ends in time.
    let patience =
        ["RELAY__PLUGINS__DEADLINE_MS", "RELAY__PLUGINS__MAX_DEADLINE_MS"].map(|name| (name.into(), "10000".into()));
    let of_folder = [
        ("PLUGINS_DIR".into(), folder.into()),
        // Only what was put there.
        ("RELAY__PLUGINS__EMBEDDED".into(), "false".into()),
    ];
    let mut source = Source::new().environment(of_folder.into_iter().chain(patience));
    Config::declare(&mut source.root().section("plugins", ""))
}
