//! Why a plugin is not loaded.

use std::path::{Path, PathBuf};

/// Why a plugin is not loaded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unloaded {
    /// Its source is there and its code is not: nobody has built it yet.
    #[error("{}: there is no filter.wasm; `{}` builds it", folder.display(), build(folder))]
    NotBuilt {
        /// The plugin's folder.
        folder: PathBuf,
    },
    /// It is loaded later, without anybody's help; the text says what it waits for.
    #[error("{0}")]
    Later(&'static str),
    /// It cannot be loaded. The text is one line for the operator and names the file.
    #[error("{0}")]
    Error(String),
}

impl Unloaded {
    /// The command that helps, if there is one.
    #[must_use]
    pub fn command(&self) -> Option<String> {
        match self {
            Self::NotBuilt { folder } => Some(build(folder)),
            Self::Later(_) | Self::Error(_) => None,
        }
    }
}

fn build(folder: &Path) -> String {
    format!("gischat-relay plugin build {}", folder.display())
}
