//! A plugin's code: read within bounds, and compiled, or found compiled.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use sha2::{Digest, Sha256};
use wasmtime::component::Component;

use super::compiler::is_large;
use super::engine::Sandbox;
use super::failure::told;
use super::origin::Code;

/// Largest file, in bytes. Python's are some 20 MB.
pub(super) const MAX_FILE_BYTES: u64 = 64 * 1024 * 1024;

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
    #[error("{code}: its SHA-256 is {found}, and the manifest says {expected}")]
    Digest {
        /// Which one: its path, or the name of an embedded plugin.
        code: String,
        /// What the manifest says.
        expected: String,
        /// What it is.
        found: String,
    },
    /// It is to be tried again by itself, for this reason.
    #[error("{0}")]
    Later(&'static str),
    /// The file is no WebAssembly, or not one that can be used.
    #[error("{code}: {}", told(text))]
    Unfit {
        /// Which one: its path, or the name of an embedded plugin.
        code: String,
        /// What is wrong, and what to do.
        text: String,
    },
}

/// The bytes of a plugin's code.
///
/// # Errors
/// When its file cannot be read or is too large.
fn read(code: &Code) -> Result<Vec<u8>, LoadError> {
    match code {
        Code::File(path) => read_file(path),
        Code::Embedded(plugin) => Ok(plugin.code.to_vec()),
    }
}

fn read_file(path: &Path) -> Result<Vec<u8>, LoadError> {
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

/// A plugin's code, read and made a component that can be instantiated.
pub(super) struct Loaded {
    pub(super) component: Component,
    /// Size of the code as it was read, in bytes.
    pub(super) size: usize,
    /// The name of its artifact, where compiled plugins are kept.
    pub(super) artifact: Option<String>,
}

/// Reads and compiles a plugin's code, or takes what was compiled before.
///
/// # Errors
/// [`LoadError`], in words for the operator.
///
/// # Cancel safety
/// Dropping the future leaves the file system as it is, or with one more artifact.
pub(super) async fn load(
    sandbox: &Arc<Sandbox>,
    code: &Code,
    sha256: Option<String>,
    patience: Patience,
) -> Result<Loaded, LoadError> {
    let unfit = |text: String| LoadError::Unfit { code: code.to_string(), text };
    let ended = |fault: tokio::task::JoinError| unfit(format!("could not be read: {fault}"));
    // Files and hashes take milliseconds, in which the threads of plugins have others to serve.
    let (on, from) = (Arc::clone(sandbox), code.clone());
    let reading = tokio::task::spawn_blocking(move || {
        let bytes = read(&from)?;
        check_digest(&from, &bytes, sha256.as_deref())?;
        let place = on.cache().map(|cache| cache.place(&on.engine, &bytes));
        let component = place.as_ref().and_then(|place| place.get(&on.engine));
        Ok::<_, LoadError>((bytes, place, component))
    });
    let (bytes, place, kept) = reading.await.map_err(ended)??;
    let size = bytes.len();
    let artifact = place.as_ref().map(|place| place.name().to_owned());
    if let Some(component) = kept {
        return Ok(Loaded { component, size, artifact });
    }
    if is_large(&bytes) && matches!(patience, Patience::Quick { .. }) {
        return Err(LoadError::Later("it is being compiled, which takes some seconds"));
    }
    let compiled = sandbox.compiler.compile(&sandbox.engine, bytes).await.map_err(unfit)?;
    let (on, from) = (Arc::clone(sandbox), code.clone());
    let keeping = tokio::task::spawn_blocking(move || {
        let kept = place.filter(|_| on.keeps()).map(|place| place.put(&compiled));
        if let Some(Err(fault)) = kept {
            tracing::warn!(code = %from, %fault, "a compiled plugin could not be kept");
        }
        compiled.into_component(&on.engine)
    });
    let component = keeping.await.map_err(ended)?;
    let component = component.map_err(|fault| unfit(format!("cannot be run here: {}", root(&fault))))?;
    Ok(Loaded { component, size, artifact })
}

/// The innermost cause of a fault, in one line.
pub(super) fn root(fault: &wasmtime::Error) -> String {
    fault.root_cause().to_string().lines().next().unwrap_or_default().to_owned()
}

/// Checks code against the digest that its manifest gives.
///
/// # Errors
/// [`LoadError::Digest`] when it is another one.
fn check_digest(code: &Code, bytes: &[u8], expected: Option<&str>) -> Result<(), LoadError> {
    let Some(expected) = expected else { return Ok(()) };
    let found = Sha256::digest(bytes).iter().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"));
    if found == expected {
        return Ok(());
    }
    Err(LoadError::Digest { code: code.to_string(), expected: expected.to_owned(), found })
}
