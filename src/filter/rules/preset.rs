//! Another preset while the relay runs.

use std::path::PathBuf;

use super::{Current, Instance, Preset, Reading, Source};
use crate::settings::Fault;

/// Why the starter rules do what they did.
#[derive(Debug, thiserror::Error)]
pub enum PresetError {
    /// No rules are in the chain.
    #[error("there are no starter rules to choose: filter.order does not name `rules`")]
    NoRules,
    /// The rules file has a preset of its own, which wins.
    #[error(
        "{}: its `[starter]` says `preset = \"{}\"`, and the file wins; change it there, or remove that line",
        file.display(), preset.as_str()
    )]
    Fixed {
        /// The file.
        file: PathBuf,
        /// What it says.
        preset: Preset,
    },
    /// The rules file is at fault as it is now.
    #[error("the rules stay as they are: {} in the files of the rules as they are now", faults_in_words(.0.len()))]
    Faults(Vec<Fault>),
    /// Reading came to no end.
    #[error("the rules could not be read: {0}")]
    Task(#[from] tokio::task::JoinError),
}

fn faults_in_words(count: usize) -> String {
    if count == 1 { "there is a fault".to_owned() } else { format!("there are {count} faults") }
}

/// Rules that were read for another preset, and are not in force yet.
#[derive(Debug)]
#[must_use]
pub(in crate::filter) struct Chosen {
    source: Source,
    reading: Reading,
}

impl Current {
    /// How much the starter rules do now, whoever said so.
    #[must_use]
    pub fn preset(&self) -> Preset {
        self.get().preset()
    }

    /// Reads the rules again with another preset of the instance, and puts them in force when nothing is wrong with
    /// them. It holds for what is read later, too, until the relay ends.
    ///
    /// As [`Source::read`], no work for a thread that serves; and nobody else may read the rules meanwhile: see
    /// [`RulesReload::set_preset`](crate::filter::RulesReload::set_preset).
    ///
    /// # Errors
    /// [`PresetError`]; everything stays as it was then.
    pub fn set_preset(&self, preset: Preset) -> Result<(), PresetError> {
        let chosen = self.read_with(preset);
        self.choose(chosen).map(|_| ())
    }

    /// Reads the rules with another preset; nothing is in force by that.
    pub(in crate::filter) fn read_with(&self, preset: Preset) -> Chosen {
        let source = self.source();
        let source = Source { instance: Instance { preset, ..source.instance }, ..source };
        let reading = source.read();
        Chosen { source, reading }
    }

    /// Puts in force what was read, and tells what its files looked like.
    pub(in crate::filter) fn choose(&self, chosen: Chosen) -> Result<super::Prints, PresetError> {
        let Chosen { source, reading: Reading { prints, rules } } = chosen;
        if prints.is_absent() && !self.get().prints().is_absent() {
            return Err(PresetError::Faults(vec![source.gone()]));
        }
        let rules = rules.map_err(PresetError::Faults)?;
        match rules.fixed {
            Some(preset) if preset != source.instance.preset => {
                Err(PresetError::Fixed { file: source.path().to_owned(), preset })
            }
            Some(_) | None => {
                self.read_from(source);
                self.adopt(rules);
                Ok(prints)
            }
        }
    }
}
