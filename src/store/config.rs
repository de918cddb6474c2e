//! Settings of the store.

use std::path::PathBuf;

use crate::settings::{Section, Setting};

/// Settings of the store.
#[derive(Clone, Debug, Default)]
pub struct Config {
    /// The file; `None` keeps the state in memory only.
    pub file: Option<PathBuf>,
}

impl Config {
    /// Reads them from the section of moderation.
    pub fn declare(section: &mut Section<'_>) -> Self {
        Self {
            file: section.read(Setting::new("store", None).doc(
                "File in which sanctions, held messages and levels survive a restart. It contains the texts of held \
                 messages until they are decided, and banned addresses in plain text.",
            )),
        }
    }
}
