//! A plugin's file: read within bounds, made a component, checked against the contract, compiled.

use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use wasmtime::Engine;
use wasmtime::component::Component;

use super::artifact::{Cache, hex};
use super::limits::INTERPRETER_BYTES;

/// Largest file, in bytes. Python's are some 20 MB.
const MAX_FILE_BYTES: u64 = 64 * 1024 * 1024;
/// The interface that a filter exports, without its version.
const GUEST: &str = "gischat:filter/guest@";
/// The major version of the contract that this relay speaks.
const MAJOR: &str = "1";
/// What a filter may import.
const IMPORTS: &str = "gischat:filter/";

/// How long loading may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Patience {
    /// As long as it takes.
    Full,
    /// What would have to be compiled for seconds is left for later, and so is whatever is not ready then: a relay that
    /// starts serves first.
    Quick {
        /// Until when.
        until: std::time::Instant,
    },
}

/// Why a file is no plugin, and what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The file cannot be read.
    #[error("{}: cannot be read: {source}", path.display())]
    Read {
        /// Which one.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The file is too large.
    #[error("{}: is larger than {} MiB", .0.display(), MAX_FILE_BYTES / (1024 * 1024))]
    TooLarge(PathBuf),
    /// The file's digest is another one than the manifest says.
    #[error("{}: its SHA-256 is {found}, and the manifest says {expected}", path.display())]
    Digest {
        /// Which one.
        path: PathBuf,
        /// What the manifest says.
        expected: String,
        /// What it is.
        found: String,
    },
    /// Compiling it takes seconds, which there are none of now.
    #[error("is being compiled, which takes some seconds")]
    Later,
    /// The file is no WebAssembly, or not one that can be used.
    #[error("{}: {text}", path.display())]
    Unfit {
        /// Which one.
        path: PathBuf,
        /// What is wrong, and what to do.
        text: String,
    },
}

/// The bytes of a plugin's file.
///
/// # Errors
/// When it cannot be read or is too large.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, LoadError> {
    use std::io::Read as _;
    let fault = |source| LoadError::Read { path: path.to_owned(), source };
    // Opening a pipe would wait for somebody to write to it.
    if !std::fs::metadata(path).map_err(fault)?.is_file() {
        return Err(fault(std::io::Error::other("it is no file")));
    }
    let mut bytes = Vec::new();
    std::fs::File::open(path).map_err(fault)?.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes).map_err(fault)?;
    if bytes.len() as u64 > MAX_FILE_BYTES { Err(LoadError::TooLarge(path.to_owned())) } else { Ok(bytes) }
}

/// Compiles a plugin: a component, a core module that wit-bindgen has made, or either as text.
///
/// # Errors
/// When it is none, or no filter of this version of the contract.
pub(super) fn compile(
    engine: &Engine,
    cache: Option<&Cache>,
    path: &Path,
    bytes: &[u8],
    patience: Patience,
) -> Result<Component, LoadError> {
    if let Some(component) = cache.and_then(|cache| cache.get(engine, bytes)) {
        return Ok(component);
    }
    if matches!(patience, Patience::Quick { .. }) && bytes.len() > INTERPRETER_BYTES {
        return Err(LoadError::Later);
    }
    let component = compile_anew(engine, path, bytes)?;
    if let Some(Err(fault)) = cache.map(|cache| cache.put(engine, bytes, &component)) {
        tracing::warn!(file = %path.display(), %fault, "a compiled plugin could not be kept");
    }
    Ok(component)
}

fn compile_anew(engine: &Engine, path: &Path, bytes: &[u8]) -> Result<Component, LoadError> {
    let unfit = |text: String| LoadError::Unfit { path: path.to_owned(), text };
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
    let component = compiled.unwrap_or_else(|_| Err("brought the compiler down".to_owned())).map_err(unfit)?;
    check(engine, &component).map_err(unfit)?;
    Ok(component)
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

/// The innermost cause of a fault, in one line.
pub(super) fn root(fault: &wasmtime::Error) -> String {
    fault.root_cause().to_string().lines().next().unwrap_or_default().to_owned()
}

/// Checks a file against the digest that its manifest gives.
///
/// # Errors
/// [`LoadError::Digest`] when it is another one.
pub(super) fn check_digest(path: &Path, bytes: &[u8], expected: Option<&str>) -> Result<(), LoadError> {
    let Some(expected) = expected else { return Ok(()) };
    let found = hex(&Sha256::digest(bytes));
    if found == expected {
        return Ok(());
    }
    Err(LoadError::Digest { path: path.to_owned(), expected: expected.to_owned(), found })
}
