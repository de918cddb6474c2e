//! Loads any input as a plugin folder. Loading never panics and stays within its limits, an error is one line that
//! names the file, and a loaded plugin is called with a message.
//!
//! An input is a letter, a manifest up to the first zero byte, and the rest, from which the letter makes code:
//!
//! | letter | `filter.wasm` is |
//! |---|---|
//! | `m` | a random module |
//! | `c` | a random component |
//! | `f` | a random module with the imports and exports of a filter, which seldom loads |
//! | `g` | `tests/guests/raw.wat` with a random `check`, which can access all of its memory |
//! | any other | the rest itself: a component, or the text of one |
//!
//! libFuzzer limits the time: `-timeout=10`.

#![no_main]

use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use gischat_relay::model::{Address, ConnectionId, Message, MessageKind, Sender, SenderContext};
use gischat_relay::sandbox::{
    Action, CallContext, CheckRequest, Manifest, OperatorLimits, Plugin, PluginAnswer, PluginEntry, PluginLimits,
    Sandbox,
};
use libfuzzer_sys::arbitrary::Unstructured;
use libfuzzer_sys::fuzz_target;
use wasm_smith::{Component, Config, Module};
use wit_component::{StringEncoding, dummy_module, embed_component_metadata};
use wit_parser::{LiftLowerAbi, ManglingAndAbi, Resolve, WorldId};

/// Longest replacement text, in code points.
const MAX_TEXT_CHARS: usize = 100;
/// Longest error message, in bytes.
const MAX_ERROR_BYTES: usize = 4_000;
/// Memory of all instances together, in bytes.
const TOTAL_MEMORY: usize = 64 * 1024 * 1024;
/// Small, so that inputs reach the limits and each takes little time.
const LIMITS: OperatorLimits = OperatorLimits {
    max: PluginLimits {
        deadline: Duration::from_millis(20),
        configure_deadline: Duration::from_millis(100),
        memory: 4 * 1024 * 1024,
        table_elements: 1_000,
        instances: 2,
        transfer_bytes: 64 * 1024,
        host_calls: 100,
        log_lines: 10,
        store: 64 * 1024,
    },
    default_deadline: Duration::from_millis(10),
};

/// The environment shared by all inputs.
struct Environment {
    sandbox: Arc<Sandbox>,
    folder: PathBuf,
    contract: Resolve,
    world: WorldId,
    /// A module with the imports and exports of a filter.
    filter: Vec<u8>,
    /// A module with the imports and exports of a separate `check`.
    check: Vec<u8>,
}

/// A filter as text, and the two places in it that are changed to use another `check`.
const RAW: &str = include_str!("../../tests/guests/raw.wat");
const INSTANCE: &str = "(core instance $code (instantiate $code))";
const CHECK: &str = "(canon lift (core func $code \"check\")";

static ENVIRONMENT: LazyLock<Environment> = LazyLock::new(|| {
    // The loader catches panics of WebAssembly parsers and rejects the plugin. libFuzzer's panic hook would abort
    // before that. Uncaught panics still end the program.
    drop(std::panic::take_hook());
    let folder = std::env::temp_dir().join(format!("gischat-fuzz-{}", std::process::id())).join("fuzzed");
    std::fs::create_dir_all(&folder).expect("a temporary folder");
    let mut contract = Resolve::new();
    let package = contract.push_source("filter.wit", include_str!("../../sdk/wit/filter.wit")).expect("the contract");
    let world = contract.select_world(&[package], Some("filter")).expect("its world");
    let filter = dummy_module(&contract, world, ManglingAndAbi::Legacy(LiftLowerAbi::Sync));
    assert!(RAW.contains(INSTANCE) && RAW.contains(CHECK), "tests/guests/raw.wat has changed");
    let check = r#"(module
        (import "code" "memory" (memory 1 1))
        (func (export "check") (param i32) (result i32) unreachable))"#;
    let check = wat::parse_str(check).expect("a module");
    let sandbox = Arc::new(Sandbox::new(2, TOTAL_MEMORY, None).expect("a sandbox"));
    Environment { sandbox, folder, contract, world, filter, check }
});

/// The WebAssembly features that random modules may use.
fn config() -> Config {
    Config {
        exceptions_enabled: false,
        gc_enabled: false,
        max_imports: 0,
        max_memory32_bytes: 8 * 1024 * 1024,
        max_table_elements: 2_000,
        memory64_enabled: false,
        // These include `externref`, which needs a garbage collector.
        reference_types_enabled: false,
        shared_everything_threads_enabled: false,
        threads_enabled: false,
        ..Config::default()
    }
}

impl Environment {
    /// Returns the code of an input; `None` if it has too few bytes.
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

    fn write_files(&self, manifest: &[u8], code: &[u8]) {
        std::fs::write(self.folder.join("plugin.toml"), manifest).expect("a manifest is written");
        std::fs::write(self.folder.join("filter.wasm"), code).expect("code is written");
    }

    /// Runs a future on the sandbox's threads. A panic there panics here.
    fn run<T: Send + 'static>(&self, future: impl Future<Output = T> + Send + 'static) -> T {
        let handle = self.sandbox.handle();
        handle.block_on(handle.spawn(future)).expect("nothing panics")
    }

    fn load(&self) -> PluginEntry {
        let (sandbox, folder) = (Arc::clone(&self.sandbox), self.folder.clone());
        self.run(async move { PluginEntry::load_folder(&sandbox, &folder, &LIMITS).await }).expect("the folder exists")
    }
}

/// Checks that an error is one line that starts with the path.
fn assert_is_error(text: &str, path: &Path) {
    assert!(text.starts_with(&path.display().to_string()), "no path: {text}");
    assert!(!text.contains('\n') && text.len() < MAX_ERROR_BYTES, "not one line: {text}");
    // tokio's message for a task that panicked.
    assert!(!text.contains("panicked"), "{text}");
}

/// Calls a plugin with a message and a nickname, whether or not it asked for them.
async fn call(plugin: &Plugin) -> Vec<PluginAnswer> {
    let sender = Sender {
        connection: Some(ConnectionId(1)),
        address: Address::from(IpAddr::V4(Ipv4Addr::LOCALHOST)),
        room: "QGIS".parse().expect("a name"),
        context: SenderContext { nicknames: Arc::from(["jane".to_owned()]), ..SenderContext::default() },
    };
    let message = Message::new("jane", MessageKind::Text { avatar: None, text: "Köln".to_owned() });
    let check_message = CheckRequest::message(&message, "köln".to_owned(), &sender, "a1".to_owned(), MAX_TEXT_CHARS);
    let registration = Message::new("jane", MessageKind::Newcomer);
    let check_nickname = CheckRequest::nickname(&registration, &sender, "a1".to_owned());
    let mut answers = Vec::new();
    for (request, message) in [(check_message, message), (check_nickname, registration)] {
        answers.extend(plugin.check(|| request, CallContext::new(&message, &sender)).await);
    }
    answers
}

/// Checks that an answer is within the contract's bounds.
fn assert_is_bounded(answer: &PluginAnswer) {
    assert!(answer.reason.as_ref().is_none_or(|reason| reason.len() <= 1_024), "{answer:?}");
    assert!(answer.labels.len() <= 16 && answer.labels.iter().all(|label| label.len() <= 64), "{answer:?}");
    if let Action::Replace(text) = &answer.action {
        assert!(text.chars().count() <= MAX_TEXT_CHARS, "{answer:?}");
    }
}

fuzz_target!(|input: &[u8]| {
    let environment = &*ENVIRONMENT;
    let Some((letter, rest)) = input.split_first() else { return };
    let (manifest, rest) = match rest.iter().position(|byte| *byte == 0) {
        Some(end) => (&rest[..end], &rest[end + 1..]),
        None => (rest, &[][..]),
    };
    if let Ok(text) = std::str::from_utf8(manifest) {
        let path = Path::new("plugins/fuzzed/plugin.toml");
        if let Err(error) = Manifest::parse("fuzzed", path, text) {
            assert_is_error(&error, path);
        }
    }
    let Some(code) = environment.code(*letter, rest) else { return };
    environment.write_files(manifest, &code);
    let entry = environment.load();
    match entry.plugin {
        Err(reason) => assert_is_error(&reason.to_string(), &environment.folder),
        Ok(plugin) => {
            let (limits, max) = (*plugin.limits(), &LIMITS.max);
            assert!(limits.deadline <= max.deadline && limits.memory <= max.memory, "{limits:?}");
            let (plugin, answers) = environment.run(async move {
                let answers = call(&plugin).await;
                (plugin, answers)
            });
            answers.iter().for_each(assert_is_bounded);
            assert!(plugin.memory().is_none_or(|memory| memory <= limits.memory), "memory limit exceeded");
        }
    }
});
