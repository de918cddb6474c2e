//! Reasons why a plugin is not loaded.

use std::path::{Path, PathBuf};

/// Why a plugin is not loaded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotLoadedReason {
    /// It has source but no code: it is not built yet.
    #[error("{}: there is no filter.wasm; `{}` builds it", folder.display(), build(folder))]
    NotBuilt {
        /// The plugin's folder.
        folder: PathBuf,
    },
    /// Loading was deferred and is retried automatically.
    #[error("{code}: {why}")]
    Deferred {
        /// The path of the file, or the name of the embedded plugin.
        code: String,
        /// The reason.
        why: &'static str,
    },
    /// It could not be loaded. The text is one line for the operator and names the file.
    #[error("{0}")]
    Failed(String),
}

impl NotLoadedReason {
    /// The command that builds the plugin, if it is not built.
    #[must_use]
    pub fn build_command(&self) -> Option<String> {
        match self {
            Self::NotBuilt { folder } => Some(build(folder)),
            Self::Deferred { .. } | Self::Failed(_) => None,
        }
    }

    /// Whether loading is retried automatically.
    pub(super) fn is_deferred(&self) -> bool {
        matches!(self, Self::Deferred { .. })
    }
}

fn build(folder: &Path) -> String {
    format!("gischat-relay plugin build {}", folder.display())
}
