//! From a plugin's bytes to machine code: checked against the contract, compiled here or in a process of its own.
//!
//! A filter with an interpreter in it takes seconds and hundreds of megabytes to compile. In a process of its own that
//! memory is given back, the relay's threads go on, and what a hostile file does to the compiler it does there.

use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use rustix::process::{Resource, Rlimit, Signal};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use wasmtime::Engine;
use wasmtime::component::Component;

use super::artifact;
use super::load::{MAX_FILE_BYTES, root};

/// The interface that a filter exports, without its version.
const GUEST: &str = "gischat:filter/guest@";
/// The major version of the contract that this relay speaks.
const MAJOR: &str = "1";
/// What a filter may import.
const IMPORTS: &str = "gischat:filter/";
/// How long a process may compile, by the clock and by the processors together. A filter in Python takes some ten
/// seconds of the latter.
const PATIENCE: Duration = Duration::from_mins(5);
const PROCESSOR_SECONDS: u64 = 120;
/// How much memory it may have, in bytes. A filter in Python takes some 400 MB.
const MEMORY: u64 = 2 * 1024 * 1024 * 1024;
/// How far it stands back behind others, as `nice` counts.
const NICENESS: i32 = 5;
/// Longest complaint of it, in bytes.
const COMPLAINT: u64 = 4 * 1024;

/// A file above this size takes long to compile, in bytes. Filters in Rust have some 100 KB.
const LARGE_BYTES: usize = 512 * 1024;

/// Whether a file takes long to compile.
pub(super) fn is_large(bytes: &[u8]) -> bool {
    bytes.len() > LARGE_BYTES
}

/// Where plugins are compiled.
#[derive(Clone, Debug, Default)]
pub enum Compiler {
    /// In this process.
    #[default]
    Here,
    /// In a process of its own: this program with these arguments, which has [`compile_for_parent`] do the work.
    Child {
        /// The program.
        program: PathBuf,
        /// Its arguments.
        arguments: Vec<String>,
    },
}

/// What comes of compiling.
pub(super) enum Compiled {
    Component(Component),
    /// As [`Component::serialize`] writes it.
    Artifact(Vec<u8>),
}

/// Compiles a plugin: a component, a core module that wit-bindgen has made, or either as text.
///
/// # Errors
/// What is wrong with it, for who has written it: it is none, or no filter of this version of the contract.
pub(super) fn compile(engine: &Engine, bytes: &[u8]) -> Result<Component, String> {
    // A fault in what reads hostile files must not take the relay along. Nothing that it may leave behind is used
    // afterwards: the engine only gains code that nobody has.
    let compiled = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        let binary = wat::parse_bytes(bytes).map_err(|fault| not_wasm(bytes, &fault.to_string()))?;
        // What follows expects whole and valid code.
        wasmparser::validate(&binary).map_err(|fault| format!("is no valid WebAssembly: {}", fault.message()))?;
        let component =
            if wasmparser::Parser::is_core_wasm(&binary) { componentize(&binary)? } else { binary.into_owned() };
        Component::from_binary(engine, &component)
            .map_err(|fault| format!("is no WebAssembly component that can be run here: {}", root(&fault)))
    }));
    let component = compiled.unwrap_or_else(|_| Err("brought the compiler down".to_owned()))?;
    check(engine, &component)?;
    Ok(component)
}

impl Compiler {
    /// Compiles a plugin.
    ///
    /// # Errors
    /// As [`compile`], and when the process that was to do it does not.
    ///
    /// # Cancel safety
    /// Dropping the future ends that process.
    pub(super) async fn compile(&self, engine: &Engine, bytes: Vec<u8>) -> Result<Compiled, String> {
        if let Self::Child { program, arguments } = self {
            match in_child(program, arguments, &bytes).await {
                Ok(artifact) => return artifact.map(Compiled::Artifact),
                Err(fault) if is_large(&bytes) => return Err(format!("no process can be had to compile it: {fault}")),
                Err(fault) => {
                    tracing::warn!(%fault, "no process can be had to compile a plugin in; it is compiled in the relay");
                }
            }
        }
        let engine = engine.clone();
        let compiling = tokio::task::spawn_blocking(move || compile(&engine, &bytes));
        compiling.await.map_err(|fault| format!("could not be compiled: {fault}"))?.map(Compiled::Component)
    }
}

/// Has another process compile a plugin.
///
/// # Errors
/// When there is no such process. What it says of the plugin is the inner result.
async fn in_child(program: &Path, arguments: &[String], bytes: &[u8]) -> io::Result<Result<Vec<u8>, String>> {
    let mut child = tokio::process::Command::new(program)
        .args(arguments)
        // It needs nothing of this one's, secrets of the environment least of all.
        .env_clear()
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    let (Some(mut stdin), Some(stdout), Some(stderr)) = (child.stdin.take(), child.stdout.take(), child.stderr.take())
    else {
        return Err(io::Error::other("its pipes are not to be had"));
    };
    let work = async {
        let (mut artifact, mut complaint) = (Vec::new(), Vec::new());
        let (mut stdout, mut stderr) = (stdout.take(artifact::MAX_BYTES), stderr.take(COMPLAINT));
        let complaining = async {
            stderr.read_to_end(&mut complaint).await?;
            // Whatever more it has to say, it must not wait for somebody to listen.
            tokio::io::copy(&mut stderr.into_inner(), &mut tokio::io::sink()).await
        };
        let writing = async move {
            // It may have ended before it has read all; what it says of that is heard.
            let _ended = stdin.write_all(bytes).await;
        };
        let ((), read, said) = tokio::join!(writing, stdout.read_to_end(&mut artifact), complaining);
        read.and(said.map(|_| 0))?;
        io::Result::Ok((artifact, complaint, child.wait().await?))
    };
    let Ok(ended) = tokio::time::timeout(PATIENCE, work).await else {
        return Ok(Err(format!("takes longer than {} s to compile", PATIENCE.as_secs())));
    };
    let (artifact, complaint, status) = ended?;
    Ok(match status.code() {
        Some(0) => Ok(artifact),
        Some(code) if code == i32::from(REFUSED) => Err(String::from_utf8_lossy(&complaint).trim().to_owned()),
        _ => Err(format!(
            "brought the compiler down ({status}): does it take more than {} MiB, or {PROCESSOR_SECONDS} s?",
            MEMORY >> 20
        )),
    })
}

/// The exit code of a process that says what is wrong with a plugin.
pub const REFUSED: u8 = 1;

/// Compiles the plugin that comes from `input` for the process that has started this one, and writes the machine code
/// to `output`. Bounds the memory of this process before that, and steps back behind others.
///
/// # Errors
/// What is wrong with the plugin, in one line.
pub fn compile_for_parent(input: impl io::Read, mut output: impl io::Write) -> Result<(), String> {
    use io::Read as _;
    // Whoever may not do one of these compiles all the same.
    let _lives_on = rustix::process::set_parent_process_death_signal(Some(Signal::KILL));
    let _as_before = rustix::process::nice(NICENESS);
    let bound = |most| Rlimit { current: Some(most), maximum: Some(most) };
    let _unbounded = rustix::process::setrlimit(Resource::Data, bound(MEMORY));
    let _endless = rustix::process::setrlimit(Resource::Cpu, bound(PROCESSOR_SECONDS));
    // Where memory runs out, this is what goes.
    let _as_good_as_others = std::fs::write("/proc/self/oom_score_adj", "1000");
    let mut bytes = Vec::new();
    input.take(MAX_FILE_BYTES).read_to_end(&mut bytes).map_err(|fault| fault.to_string())?;
    let engine = super::engine::compiling().map_err(|fault| root(&fault))?;
    let artifact = compile(&engine, &bytes)?.serialize().map_err(|fault| root(&fault))?;
    output.write_all(&artifact).and_then(|()| output.flush()).map_err(|fault| fault.to_string())
}

fn not_wasm(bytes: &[u8], fault: &str) -> String {
    if bytes.is_empty() {
        return "is empty: was the plugin built?".to_owned();
    }
    let line = fault.lines().next().unwrap_or_default();
    format!("is neither WebAssembly nor its text form ({line}): a plugin is what its build wrote, not its source")
}

/// Makes a component of a core module that carries the types of its world.
fn componentize(module: &[u8]) -> Result<Vec<u8>, String> {
    let encoded = wit_component::ComponentEncoder::default().validate(true).module(module);
    encoded.and_then(|mut encoder| encoder.encode()).map_err(|fault| {
        format!(
            "is a plain WebAssembly module and cannot be made a component: {}. Build it with the kit (`sdk/`), which \
             puts the types of the contract into it",
            fault.root_cause()
        )
    })
}

/// Says whether a component is a filter of this version, and asks for nothing that filters do not get.
fn check(engine: &Engine, component: &Component) -> Result<(), String> {
    let kind = component.component_type();
    let asks: Vec<&str> =
        kind.imports(engine).map(|(name, _)| name).filter(|name| !name.starts_with(IMPORTS)).collect();
    if let Some(first) = asks.first() {
        let wasi = if first.starts_with("wasi:") {
            ". Filters get no files, no network and no clock: build with `--stub-wasi` (Python), without features \
             (JavaScript), or for `wasm32-unknown-unknown` (Rust)"
        } else {
            ""
        };
        return Err(format!("asks for `{first}`{}, which filters do not get{wasi}", and_more(asks.len())));
    }
    let version = kind.exports(engine).find_map(|(name, _)| name.strip_prefix(GUEST));
    match version {
        Some(version) if version.split('.').next() == Some(MAJOR) => Ok(()),
        Some(version) => Err(format!(
            "is a filter for version {version} of the contract, and this relay speaks version {MAJOR}: build it with \
             the kit of this relay"
        )),
        None => {
            Err("is no filter: it does not export `gischat:filter/guest`. Build it with the kit (`sdk/`)".to_owned())
        }
    }
}

fn and_more(count: usize) -> String {
    if count > 1 { format!(" and {} more", count - 1) } else { String::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn child(script: &str, bytes: &[u8]) -> Result<Vec<u8>, String> {
        let arguments = ["-c".to_owned(), script.to_owned()];
        in_child(Path::new("/bin/sh"), &arguments, bytes).await.unwrap()
    }

    #[tokio::test]
    async fn what_the_process_writes_is_the_artifact() {
        let bytes = vec![7; 1_000_000];
        assert!(child("/bin/cat", &bytes).await.is_ok_and(|artifact| artifact == bytes));
    }

    #[tokio::test]
    async fn what_the_process_complains_of_is_the_fault() {
        assert_eq!(child("/bin/cat > /dev/null; echo 'is no wasm' >&2; exit 1", b"x").await, Err("is no wasm".into()));
    }

    #[tokio::test]
    async fn a_process_that_falls_is_told_from_one_that_complains() {
        let fault = child("kill -KILL $$", b"x").await.unwrap_err();
        assert!(fault.starts_with("brought the compiler down (signal: 9"), "{fault}");
    }

    #[tokio::test]
    async fn a_process_that_complains_without_end_is_heard_up_to_a_limit_and_comes_to_its_end() {
        let complaint =
            child("/usr/bin/head -c 1000000 /dev/zero | /usr/bin/tr '\\0' x >&2; exit 1", b"").await.unwrap_err();
        assert_eq!(complaint.len() as u64, COMPLAINT);
    }

    #[tokio::test]
    async fn a_process_that_does_not_listen_is_no_fault_of_the_relay() {
        assert_eq!(child("exec < /dev/null; exit 0", &vec![0; 1_000_000]).await, Ok(Vec::new()));
    }

    #[tokio::test]
    async fn where_no_process_is_to_be_had_only_small_files_are_compiled_in_the_relay() {
        let nowhere = Compiler::Child { program: "/nonexistent".into(), arguments: Vec::new() };
        let small = nowhere.compile(&Engine::default(), b"(component)".to_vec()).await;
        assert!(small.is_err_and(|fault| fault.starts_with("is no filter")));
        let large = nowhere.compile(&Engine::default(), vec![b' '; LARGE_BYTES + 1]).await;
        assert!(large.is_err_and(|fault| fault.starts_with("no process can be had to compile it")));
    }
}
