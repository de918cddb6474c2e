//! Changes the preset while the relay runs.

use std::path::PathBuf;

use super::{ActiveRules, LoadAttempt, Preset, RulesContext, RulesSource};
use crate::settings::ConfigError;

/// Why the preset could not be changed.
#[derive(Debug, thiserror::Error)]
pub enum PresetError {
    /// The chain has no rules filter.
    #[error("there are no starter rules: filter.order does not list `rules`")]
    NoRules,
    /// The rules file sets a preset, which takes precedence.
    #[error(
        "{}: `[starter]` sets `preset = \"{}\"`, which takes precedence; change or remove that line",
        file.display(), preset
    )]
    Fixed {
        /// The rules file.
        file: PathBuf,
        /// Its preset.
        preset: Preset,
    },
    /// The current rules files have errors.
    #[error("the rules are unchanged: {} in the current rules files", count_errors(.0.len()))]
    Invalid(Vec<ConfigError>),
    /// The task that loads the rules panicked or was cancelled.
    #[error("loading the rules failed: {0}")]
    Task(#[from] tokio::task::JoinError),
}

fn count_errors(count: usize) -> String {
    if count == 1 { "1 error".to_owned() } else { format!("{count} errors") }
}

/// Rules that were loaded for another preset and are not in force yet.
#[derive(Debug)]
#[must_use]
pub(in crate::filter) struct PendingPreset {
    source: RulesSource,
    attempt: LoadAttempt,
}

impl ActiveRules {
    /// Returns the preset in force.
    #[must_use]
    pub fn preset(&self) -> Preset {
        self.get().preset()
    }

    /// Loads the rules with another preset and puts them in force. The preset also applies to later reloads, until the
    /// relay stops.
    ///
    /// Blocks, like [`RulesSource::load_stable`], and must not run concurrently with a reload: see
    /// [`RulesReload::set_preset`](crate::filter::RulesReload::set_preset).
    ///
    /// # Errors
    /// [`PresetError`]. Nothing is changed then.
    pub fn set_preset(&self, preset: Preset) -> Result<(), PresetError> {
        let pending = self.load_preset(preset);
        self.apply_preset(pending).map(|_| ())
    }

    /// Loads the rules with another preset, without putting them in force.
    pub(in crate::filter) fn load_preset(&self, preset: Preset) -> PendingPreset {
        let source = self.source();
        let source = RulesSource { context: RulesContext { preset, ..source.context }, ..source };
        let attempt = source.load_stable();
        PendingPreset { source, attempt }
    }

    /// Puts the loaded rules in force and returns the stamps of their files.
    pub(in crate::filter) fn apply_preset(
        &self,
        pending: PendingPreset,
    ) -> Result<super::RulesFileStamps, PresetError> {
        let PendingPreset { source, attempt: LoadAttempt { stamps, rules } } = pending;
        if stamps.is_file_missing() && !self.get().stamps().is_file_missing() {
            return Err(PresetError::Invalid(vec![source.missing_file_error()]));
        }
        let rules = rules.map_err(PresetError::Invalid)?;
        match rules.file_preset {
            Some(preset) if preset != source.context.preset => {
                Err(PresetError::Fixed { file: source.path().to_owned(), preset })
            }
            Some(_) | None => {
                self.set_source(source);
                self.adopt(rules);
                Ok(stamps)
            }
        }
    }
}
