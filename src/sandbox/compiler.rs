//! Compiles plugins to machine code, in this process or in a child process, and checks them against the contract.
//!
//! A filter with an interpreter takes seconds and hundreds of megabytes to compile. A child process returns that
//! memory, leaves the relay's threads free, and contains the damage if a hostile file breaks the compiler.

use std::io;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use rustix::process::{Resource, Rlimit, Signal};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use wasmtime::Engine;
use wasmtime::component::Component;

use super::artifact::CompiledPlugin;
use super::engine_settings;
use super::failure::root_cause;
use super::limits::{MAX_ARTIFACT_BYTES, MAX_CODE_BYTES};

/// The interface that a filter exports, without its version.
const GUEST_INTERFACE: &str = "gischat:filter/guest@";
/// The major version of the contract that this relay supports.
const CONTRACT_MAJOR: &str = "1";
/// Prefix of the interfaces that a filter may import.
const IMPORT_PREFIX: &str = "gischat:filter/";
/// Longest wall-clock time of a child process.
const TIMEOUT: Duration = Duration::from_mins(5);
/// Most CPU time of a child process. A filter in Python takes about 10 s.
const CPU_SECONDS: u64 = 120;
/// Most memory of a child process, in bytes. A filter in Python takes about 400 MB.
const MEMORY_BYTES: u64 = 2 * 1024 * 1024 * 1024;
/// Niceness of a child process.
const NICENESS: i32 = 5;
/// Longest error message of a child process, in bytes.
const MAX_STDERR_BYTES: u64 = 4 * 1024;

/// Size above which a file takes long to compile, in bytes. Filters in Rust have about 100 KB.
const LARGE_BYTES: usize = 512 * 1024;

/// Whether a file takes long to compile.
pub(super) fn is_large(bytes: &[u8]) -> bool {
    bytes.len() > LARGE_BYTES
}

/// Where plugins are compiled.
#[derive(Clone, Debug, Default)]
pub enum PluginCompiler {
    /// In this process.
    #[default]
    InProcess,
    /// In a child process: this program with these arguments, which calls [`compile_for_parent`].
    ChildProcess {
        /// The program.
        program: PathBuf,
        /// Its arguments.
        arguments: Vec<String>,
    },
}

/// Compiles a plugin: a component or a core module made with wit-bindgen, as binary or text.
///
/// # Errors
/// The reason, for the plugin's author: the bytes are not WebAssembly, or not a filter of this version of the contract.
pub(super) fn compile(engine: &Engine, bytes: &[u8]) -> Result<Component, String> {
    // A panic in a parser of hostile files must not end the relay. State left behind by a panic is not used afterwards:
    // the engine only gains unreferenced code.
    let compiled = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        let binary = wat::parse_bytes(bytes).map_err(|error| not_wasm(bytes, &error.to_string()))?;
        // The functions below expect valid code.
        wasmparser::validate(&binary).map_err(|error| format!("is not valid WebAssembly: {}", error.message()))?;
        let component =
            if wasmparser::Parser::is_core_wasm(&binary) { componentize(&binary)? } else { binary.into_owned() };
        Component::from_binary(engine, &component)
            .map_err(|error| format!("is not a WebAssembly component that can run here: {}", root_cause(&error)))
    }));
    let component = compiled.unwrap_or_else(|_| Err("crashed the compiler".to_owned()))?;
    check_contract(engine, &component)?;
    Ok(component)
}

impl PluginCompiler {
    /// Compiles a plugin.
    ///
    /// # Errors
    /// Same as [`compile`]; also if the child process fails.
    ///
    /// # Cancel safety
    /// Dropping the future kills the child process.
    pub(super) async fn compile(&self, engine: &Engine, bytes: Vec<u8>) -> Result<CompiledPlugin, String> {
        if let Self::ChildProcess { program, arguments } = self {
            match compile_in_child(program, arguments, &bytes).await {
                Ok(artifact) => return artifact.map(CompiledPlugin::Artifact),
                Err(error) if is_large(&bytes) => return Err(format!("cannot start a process to compile it: {error}")),
                Err(error) => {
                    tracing::warn!(%error, "cannot start a process to compile a plugin; compiling it in the relay");
                }
            }
        }
        let engine = engine.clone();
        let compiling = tokio::task::spawn_blocking(move || compile(&engine, &bytes));
        compiling.await.map_err(|error| format!("could not be compiled: {error}"))?.map(CompiledPlugin::Component)
    }
}

/// Compiles a plugin in a child process.
///
/// # Errors
/// If the process cannot be started. The inner result is the process's result.
async fn compile_in_child(program: &Path, arguments: &[String], bytes: &[u8]) -> io::Result<Result<Vec<u8>, String>> {
    let mut child = tokio::process::Command::new(program)
        .args(arguments)
        // The environment may hold secrets.
        .env_clear()
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        // Ctrl+C on a terminal stops the relay, which then ends this process.
        .process_group(0)
        .spawn()?;
    let (Some(mut stdin), Some(stdout), Some(stderr)) = (child.stdin.take(), child.stdout.take(), child.stderr.take())
    else {
        return Err(io::Error::other("its pipes are missing"));
    };
    let work = async {
        let (mut artifact, mut message) = (Vec::new(), Vec::new());
        let (mut stdout, mut stderr) = (stdout.take(MAX_ARTIFACT_BYTES), stderr.take(MAX_STDERR_BYTES));
        let reading_stderr = async {
            stderr.read_to_end(&mut message).await?;
            // Drain the rest, so that the process does not block on a full pipe.
            tokio::io::copy(&mut stderr.into_inner(), &mut tokio::io::sink()).await
        };
        let writing = async move {
            // The process may exit before it has read everything; its message tells why.
            let _ignored = stdin.write_all(bytes).await;
        };
        let ((), read, drained) = tokio::join!(writing, stdout.read_to_end(&mut artifact), reading_stderr);
        read.and(drained.map(|_| 0))?;
        io::Result::Ok((artifact, message, child.wait().await?))
    };
    let Ok(ended) = tokio::time::timeout(TIMEOUT, work).await else {
        return Ok(Err(format!("takes longer than {} s to compile", TIMEOUT.as_secs())));
    };
    let (artifact, message, status) = ended?;
    Ok(match status.code() {
        Some(0) => Ok(artifact),
        Some(code) if code == i32::from(EXIT_INVALID_PLUGIN) => {
            Err(String::from_utf8_lossy(&message).trim().to_owned())
        }
        None if status.signal().is_some_and(is_request_to_stop) => {
            Err(format!("was not compiled: the compiler was stopped from outside ({status}); reload to try again"))
        }
        _ => Err(format!(
            "crashed the compiler ({status}): does it need more than {} MiB or {CPU_SECONDS} s?",
            MEMORY_BYTES >> 20
        )),
    })
}

/// Whether somebody sends this signal to stop a program.
fn is_request_to_stop(signal: i32) -> bool {
    [Signal::HUP, Signal::INT, Signal::TERM].iter().any(|request| request.as_raw() == signal)
}

/// The exit code of a child process that rejected the plugin and printed the reason.
pub const EXIT_INVALID_PLUGIN: u8 = 1;

/// Compiles the plugin read from `input` for the parent process and writes the machine code to `output`. Limits the
/// memory and CPU time of this process and lowers its priority first.
///
/// # Errors
/// The reason why the plugin was rejected, in one line.
pub fn compile_for_parent(input: impl io::Read, mut output: impl io::Write) -> Result<(), String> {
    use io::Read as _;
    // These are best effort: a process that may not set one of them compiles anyway.
    let _ignored = rustix::process::set_parent_process_death_signal(Some(Signal::KILL));
    let _ignored = rustix::process::nice(NICENESS);
    let limit = |max| Rlimit { current: Some(max), maximum: Some(max) };
    let _ignored = rustix::process::setrlimit(Resource::Data, limit(MEMORY_BYTES));
    let _ignored = rustix::process::setrlimit(Resource::Cpu, limit(CPU_SECONDS));
    // If the system runs out of memory, kill this process first.
    let _ignored = std::fs::write("/proc/self/oom_score_adj", "1000");
    let mut bytes = Vec::new();
    input.take(MAX_CODE_BYTES).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    let engine = engine_settings::compile_only().map_err(|error| root_cause(&error))?;
    let artifact = compile(&engine, &bytes)?.serialize().map_err(|error| root_cause(&error))?;
    output.write_all(&artifact).and_then(|()| output.flush()).map_err(|error| error.to_string())
}

fn not_wasm(bytes: &[u8], error: &str) -> String {
    if bytes.is_empty() {
        return "is empty: was the plugin built?".to_owned();
    }
    let line = error.lines().next().unwrap_or_default();
    format!("is neither binary nor text WebAssembly ({line}): a plugin is the output of its build, not its source")
}

/// Makes a component from a core module that carries the types of its world.
fn componentize(module: &[u8]) -> Result<Vec<u8>, String> {
    let encoded = wit_component::ComponentEncoder::default().validate(true).module(module);
    encoded.and_then(|mut encoder| encoder.encode()).map_err(|error| {
        format!(
            "is a core WebAssembly module that cannot be made into a component: {}. Build it with the kit (`sdk/`), \
             which adds the types of the contract",
            error.root_cause()
        )
    })
}

/// Checks that a component is a filter of this version of the contract and imports nothing else.
fn check_contract(engine: &Engine, component: &Component) -> Result<(), String> {
    let kind = component.component_type();
    let forbidden: Vec<&str> =
        kind.imports(engine).map(|(name, _)| name).filter(|name| !name.starts_with(IMPORT_PREFIX)).collect();
    if let Some(first) = forbidden.first() {
        let wasi = if first.starts_with("wasi:") {
            ". Filters have no files, no network and no clock: build with `--stub-wasi` (Python), without features \
             (JavaScript), or for `wasm32-unknown-unknown` (Rust)"
        } else {
            ""
        };
        return Err(format!("imports `{first}`{}, which filters may not use{wasi}", and_more(forbidden.len())));
    }
    let version = kind.exports(engine).find_map(|(name, _)| name.strip_prefix(GUEST_INTERFACE));
    match version {
        Some(version) if version.split('.').next() == Some(CONTRACT_MAJOR) => Ok(()),
        Some(version) => Err(format!(
            "is a filter for version {version} of the contract; this relay supports version {CONTRACT_MAJOR}. Build it \
             with the kit of this relay"
        )),
        None => {
            Err("is not a filter: it does not export `gischat:filter/guest`. Build it with the kit (`sdk/`)".to_owned())
        }
    }
}

fn and_more(count: usize) -> String {
    if count > 1 { format!(" and {} more", count - 1) } else { String::new() }
}

#[cfg(test)]
mod tests;
