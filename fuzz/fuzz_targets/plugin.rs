//! Any folder as a plugin: loading it never panics and ends within its limits, a refusal is one line that names the
//! folder's file, and what was loaded is asked about a message.
//!
//! An input is a letter, a manifest up to the first zero byte, and the rest, which the letter makes code of:
//!
//! | letter | `filter.wasm` is |
//! |---|---|
//! | `m` | a random module |
//! | `c` | a random component |
//! | `f` | a random module that imports and exports what a filter does, and seldom gets through being loaded |
//! | `g` | `tests/guests/raw.wat` with a random `check`, which sees all of its memory |
//! | any other | the rest as it is: a component, or the text of one |
//!
//! How long it may take is for libFuzzer to say: `-timeout=10`.

#![no_main]

use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use gischat_relay::model::{Address, Facts, Kind, Message, RoomName, Sender, SenderId};
use gischat_relay::sandbox::{Action, Answer, Caps, Entry, Limits, Manifest, Plugin, Question, Sandbox, Scene};
use libfuzzer_sys::arbitrary::Unstructured;
use libfuzzer_sys::fuzz_target;
use wasm_smith::{Component, Config, Module};
use wit_component::{StringEncoding, dummy_module, embed_component_metadata};
use wit_parser::{LiftLowerAbi, ManglingAndAbi, Resolve, WorldId};

/// Longest text that a plugin may write, in code points.
const LONGEST: usize = 100;
/// Longest refusal that is still a sentence, in bytes.
const SENTENCE: usize = 4_000;
/// Memory of all instances together, in bytes.
const ALL_MEMORY: usize = 64 * 1024 * 1024;
/// Small, so that inputs reach them and each takes little time.
const CAPS: Caps = Caps {
    most: Limits {
        deadline: Duration::from_millis(20),
        configure_deadline: Duration::from_millis(100),
        memory: 4 * 1024 * 1024,
        table_elements: 1_000,
        instances: 2,
        copied: 64 * 1024,
        host_calls: 100,
        log_lines: 10,
        store: 64 * 1024,
    },
    deadline: Duration::from_millis(10),
};

/// What all inputs share.
struct Stage {
    sandbox: Arc<Sandbox>,
    folder: PathBuf,
    contract: Resolve,
    world: WorldId,
    /// A module that imports and exports what a filter does.
    filter: Vec<u8>,
    /// A module that imports and exports what a `check` of its own does.
    check: Vec<u8>,
}

/// A filter as text, and the two places in it where its `check` becomes another one.
const RAW: &str = include_str!("../../tests/guests/raw.wat");
const INSTANCE: &str = "(core instance $code (instantiate $code))";
const CHECK: &str = "(canon lift (core func $code \"check\")";

static STAGE: LazyLock<Stage> = LazyLock::new(|| {
    // A fault in what reads WebAssembly is caught by the loader: it refuses the plugin. libFuzzer's own hook would end
    // the program before that. What is not caught ends it all the same.
    drop(std::panic::take_hook());
    let folder = std::env::temp_dir().join(format!("gischat-fuzz-{}", std::process::id())).join("fuzzed");
    std::fs::create_dir_all(&folder).expect("a folder in the temporary one");
    let mut contract = Resolve::new();
    let package = contract.push_source("filter.wit", include_str!("../../sdk/wit/filter.wit")).expect("the contract");
    let world = contract.select_world(&[package], Some("filter")).expect("its world");
    let filter = dummy_module(&contract, world, ManglingAndAbi::Legacy(LiftLowerAbi::Sync));
    assert!(RAW.contains(INSTANCE) && RAW.contains(CHECK), "tests/guests/raw.wat is another one");
    let check = r#"(module
        (import "code" "memory" (memory 1 1))
        (func (export "check") (param i32) (result i32) unreachable))"#;
    let check = wat::parse_str(check).expect("a module");
    let sandbox = Arc::new(Sandbox::new(2, ALL_MEMORY, None).expect("a sandbox"));
    Stage { sandbox, folder, contract, world, filter, check }
});

/// What wasmtime runs here, as far as a random module may use it.
fn config() -> Config {
    Config {
        exceptions_enabled: false,
        gc_enabled: false,
        max_imports: 0,
        max_memory32_bytes: 8 * 1024 * 1024,
        max_table_elements: 2_000,
        memory64_enabled: false,
        // `externref` among them, which wants a garbage collector.
        reference_types_enabled: false,
        shared_everything_threads_enabled: false,
        threads_enabled: false,
        ..Config::default()
    }
}

impl Stage {
    /// The code of an input; `None` where its bytes are not enough for any.
    fn code(&self, letter: u8, rest: &[u8]) -> Option<Vec<u8>> {
        let mut random = Unstructured::new(rest);
        match letter {
            b'm' => Some(Module::new(config(), &mut random).ok()?.to_bytes()),
            b'c' => Some(Component::new(config(), &mut random).ok()?.to_bytes()),
            b'f' => {
                let config = Config { module_shape: Some(self.filter.clone()), ..config() };
                let mut module = Module::new(config, &mut random).ok()?.to_bytes();
                embed_component_metadata(&mut module, &self.contract, self.world, StringEncoding::UTF8).ok()?;
                Some(module)
            }
            b'g' => {
                let config = Config { module_shape: Some(self.check.clone()), ..config() };
                let module = Module::new(config, &mut random).ok()?.to_bytes();
                let module = wasmprinter::print_bytes(module).ok()?.replacen("(module", "(core module $random", 1);
                let instance = r#"(core instance $random (instantiate $random (with "code" (instance $code))))"#;
                let text = RAW.replacen(INSTANCE, &format!("{INSTANCE}\n{module}\n{instance}"), 1);
                Some(text.replacen(CHECK, "(canon lift (core func $random \"check\")", 1).into_bytes())
            }
            _ => Some(rest.to_vec()),
        }
    }

    fn place(&self, manifest: &[u8], code: &[u8]) {
        std::fs::write(self.folder.join("plugin.toml"), manifest).expect("a manifest is written");
        std::fs::write(self.folder.join("filter.wasm"), code).expect("code is written");
    }

    /// Runs what the plugin's own threads are for on one of them; a panic there is one here.
    fn run<T: Send + 'static>(&self, future: impl Future<Output = T> + Send + 'static) -> T {
        let handle = self.sandbox.handle();
        handle.block_on(handle.spawn(future)).expect("nothing panics")
    }

    fn load(&self) -> Entry {
        let (sandbox, folder) = (Arc::clone(&self.sandbox), self.folder.clone());
        self.run(async move { Entry::of_folder(&sandbox, &folder, &CAPS).await }).expect("the folder is there")
    }
}

/// A refusal is one line that begins with the place.
fn is_refusal(shown: &str, place: &Path) {
    assert!(shown.starts_with(&place.display().to_string()), "no place: {shown}");
    assert!(!shown.contains('\n') && shown.len() < SENTENCE, "no sentence: {shown}");
    // A task that has panicked says so in the words of tokio.
    assert!(!shown.contains("panicked"), "{shown}");
}

/// Asks a plugin about a message and a nickname, whatever it asked for.
async fn ask(plugin: &Plugin) -> Vec<Answer> {
    let sender = Sender {
        connection: Some(SenderId(1)),
        address: Address::from(IpAddr::V4(Ipv4Addr::LOCALHOST)),
        room: RoomName::parse("QGIS").expect("a name"),
        facts: Facts { names: Arc::from(["jane".to_owned()]), ..Facts::default() },
    };
    let message = Message::new("jane", Kind::Text { avatar: None, text: "Köln".to_owned() });
    let about_it = Question::message(&message, "köln".to_owned(), &sender, "a1".to_owned(), LONGEST);
    let registers = Message::new("jane", Kind::Newcomer);
    let about_her = Question::nickname(&registers, &sender, "a1".to_owned());
    let mut answers = Vec::new();
    for (question, message) in [(about_it, message), (about_her, registers)] {
        answers.extend(plugin.ask(&question, Scene::of(&message, &sender)).await);
    }
    answers
}

/// An answer is within the contract's bounds.
fn is_bounded(answer: &Answer) {
    assert!(answer.reason.as_ref().is_none_or(|reason| reason.len() <= 1_024), "{answer:?}");
    assert!(answer.labels.len() <= 16 && answer.labels.iter().all(|label| label.len() <= 64), "{answer:?}");
    if let Action::Replace(text) = &answer.action {
        assert!(text.chars().count() <= LONGEST, "{answer:?}");
    }
}

fuzz_target!(|input: &[u8]| {
    let stage = &*STAGE;
    let Some((letter, rest)) = input.split_first() else { return };
    let (manifest, rest) = match rest.iter().position(|byte| *byte == 0) {
        Some(end) => (&rest[..end], &rest[end + 1..]),
        None => (rest, &[][..]),
    };
    if let Ok(text) = std::str::from_utf8(manifest) {
        let place = Path::new("plugins/fuzzed/plugin.toml");
        if let Err(fault) = Manifest::parse("fuzzed", place, text) {
            is_refusal(&fault, place);
        }
    }
    let Some(code) = stage.code(*letter, rest) else { return };
    stage.place(manifest, &code);
    let entry = stage.load();
    match entry.plugin {
        Err(why) => is_refusal(&why.to_string(), &stage.folder),
        Ok(plugin) => {
            let (limits, most) = (*plugin.limits(), &CAPS.most);
            assert!(limits.deadline <= most.deadline && limits.memory <= most.memory, "{limits:?}");
            let (plugin, answers) = stage.run(async move {
                let answers = ask(&plugin).await;
                (plugin, answers)
            });
            answers.iter().for_each(is_bounded);
            assert!(plugin.memory().is_none_or(|memory| memory <= limits.memory), "more memory than it may have");
        }
    }
});
