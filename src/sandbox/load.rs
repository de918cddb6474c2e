//! Loads a plugin's code: reads and compiles it, or takes it from the cache.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use sha2::{Digest, Sha256};
use wasmtime::component::Component;

use super::compiler::is_large;
use super::engine::Sandbox;
use super::failure::{root_cause, single_line};
use super::limits::MAX_CODE_BYTES;
use super::origin::PluginCode;

/// How thoroughly to load plugins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LoadMode {
    /// Load everything, however long it takes.
    Complete,
    /// Defer plugins that take seconds to compile, or that are not ready at the deadline, so that a relay that starts
    /// can serve.
    Startup {
        /// When to stop waiting.
        deadline: std::time::Instant,
    },
}

/// Why a plugin's code cannot be loaded.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The file cannot be read.
    #[error("{}: cannot be read: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The I/O error.
        source: std::io::Error,
    },
    /// The file is too large.
    #[error("{}: is larger than {} MiB", .0.display(), MAX_CODE_BYTES / (1024 * 1024))]
    TooLarge(PathBuf),
    /// The code does not have the digest in the manifest.
    #[error("{code}: its SHA-256 is {found}; the manifest says {expected}")]
    Digest {
        /// The path of the file, or the name of the embedded plugin.
        code: String,
        /// The digest in the manifest.
        expected: String,
        /// The digest of the code.
        found: String,
    },
    /// Loading was deferred and is retried automatically. The text is the reason.
    #[error("{0}")]
    Deferred(&'static str),
    /// The code is not a usable plugin.
    #[error("{code}: {}", single_line(text))]
    Invalid {
        /// The path of the file, or the name of the embedded plugin.
        code: String,
        /// The reason, and how to fix it.
        text: String,
    },
}

/// Reads a plugin's code.
///
/// # Errors
/// If the file cannot be read or is too large.
fn read_code(code: &PluginCode) -> Result<Vec<u8>, LoadError> {
    match code {
        PluginCode::File(path) => read_file(path),
        PluginCode::Embedded(plugin) => Ok(plugin.code.to_vec()),
    }
}

fn read_file(path: &Path) -> Result<Vec<u8>, LoadError> {
    use std::io::Read as _;
    let read_error = |source| LoadError::Read { path: path.to_owned(), source };
    // Opening a pipe would block until somebody writes to it.
    if !std::fs::metadata(path).map_err(read_error)?.is_file() {
        return Err(read_error(std::io::Error::other("it is not a file")));
    }
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).map_err(read_error)?;
    file.take(MAX_CODE_BYTES + 1).read_to_end(&mut bytes).map_err(read_error)?;
    if bytes.len() as u64 > MAX_CODE_BYTES { Err(LoadError::TooLarge(path.to_owned())) } else { Ok(bytes) }
}

/// A plugin's compiled code.
pub(super) struct LoadedCode {
    pub(super) component: Component,
    /// Size of the code before compilation, in bytes.
    pub(super) size: usize,
    /// The name of its artifact in the cache, if there is a cache.
    pub(super) artifact: Option<String>,
}

/// Reads and compiles a plugin's code, or takes it from the cache.
///
/// # Errors
/// [`LoadError`], in words for the operator.
///
/// # Cancel safety
/// Dropping the future leaves at most one more artifact in the cache.
pub(super) async fn load(
    sandbox: &Arc<Sandbox>,
    code: &PluginCode,
    sha256: Option<String>,
    load_mode: LoadMode,
) -> Result<LoadedCode, LoadError> {
    let invalid = |text: String| LoadError::Invalid { code: code.to_string(), text };
    let panicked = |error: tokio::task::JoinError| invalid(format!("could not be read: {error}"));
    // Reading and hashing take milliseconds: not on the threads that run plugins.
    let (on, from) = (Arc::clone(sandbox), code.clone());
    let reading = tokio::task::spawn_blocking(move || {
        let bytes = read_code(&from)?;
        check_digest(&from, &bytes, sha256.as_deref())?;
        let cached = on.cache().map(|cache| cache.artifact(&on.engine, &bytes));
        let component = cached.as_ref().and_then(|cached| cached.get(&on.engine));
        Ok::<_, LoadError>((bytes, cached, component))
    });
    let (bytes, cached, component) = reading.await.map_err(panicked)??;
    let size = bytes.len();
    let artifact = cached.as_ref().map(|cached| cached.name().to_owned());
    if let Some(component) = component {
        return Ok(LoadedCode { component, size, artifact });
    }
    if is_large(&bytes) && matches!(load_mode, LoadMode::Startup { .. }) {
        return Err(LoadError::Deferred("being compiled, which takes some seconds"));
    }
    let compiled = sandbox.compiler.compile(&sandbox.engine, bytes).await.map_err(invalid)?;
    let (on, from) = (Arc::clone(sandbox), code.clone());
    let caching = tokio::task::spawn_blocking(move || {
        let written = cached.filter(|_| on.writes_cache()).map(|cached| cached.put(&compiled));
        if let Some(Err(error)) = written {
            tracing::warn!(code = %from, %error, "compiled plugin could not be cached");
        }
        compiled.into_component(&on.engine)
    });
    let component = caching.await.map_err(panicked)?;
    let component = component.map_err(|error| invalid(format!("cannot be run here: {}", root_cause(&error))))?;
    Ok(LoadedCode { component, size, artifact })
}

/// Checks code against the digest in its manifest.
///
/// # Errors
/// [`LoadError::Digest`] if it does not match.
fn check_digest(code: &PluginCode, bytes: &[u8], expected: Option<&str>) -> Result<(), LoadError> {
    let Some(expected) = expected else { return Ok(()) };
    let found = Sha256::digest(bytes).iter().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"));
    if found == expected {
        return Ok(());
    }
    Err(LoadError::Digest { code: code.to_string(), expected: expected.to_owned(), found })
}
