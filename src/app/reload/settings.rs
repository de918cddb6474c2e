//! The settings and the tokens, read again.

use std::path::PathBuf;

use super::files::{differing, keep_changing, look_at};
use super::{InForce, Reloader};
use crate::config::{self, Config, Loaded};
use crate::moderation::Tokens;
use crate::settings::{Fault, Place, Values};

/// How often settings whose files change while they are read are read.
const TRIES: usize = 3;

/// Settings and tokens without an error. Nothing of them is in force yet.
#[derive(Debug)]
pub(super) struct Read {
    /// The settings that the relay is to run with: those that need a restart are as they were.
    pub(super) config: Config,
    pub(super) values: Values,
    pub(super) tokens: Tokens,
    pub(super) present: Vec<PathBuf>,
}

impl Reloader {
    /// Reads the settings and the tokens, on a thread that may wait for the disk.
    ///
    /// # Errors
    /// All errors, each in a line with its place.
    pub(super) async fn read_settings(&self, in_force: &InForce) -> Result<Read, Vec<String>> {
        let (options, moderators) = (self.start.options.clone(), self.moderators.clone());
        let (before, present) = (in_force.config.clone(), in_force.present.clone());
        let reading = tokio::task::spawn_blocking(move || {
            let mut tries = 1;
            loop {
                let loaded = config::load(&options, std::env::vars_os());
                let tokens_file = loaded.config.moderation.tokens_file.clone();
                let seen = look_at(loaded.files.iter().cloned().chain(tokens_file));
                let read = read_as(&options, &before, &present, |config| {
                    moderators.read(&config.moderation, &config.instance.rooms)
                });
                let changed = keep_changing(&differing(&seen, &look_at(seen.keys().cloned())));
                match changed {
                    Ok(()) => return read.map_err(|faults| faults.iter().map(ToString::to_string).collect()),
                    Err(errors) if tries == TRIES => return Err(errors),
                    Err(_) => tries += 1,
                }
            }
        });
        reading.await.unwrap_or_else(|error| Err(vec![format!("the settings could not be read: {error}")]))
    }
}

fn read_as(
    options: &config::Options,
    before: &Config,
    were_there: &[PathBuf],
    tokens: impl Fn(&Config) -> Result<Tokens, Vec<Fault>>,
) -> Result<Read, Vec<Fault>> {
    let Loaded { config, mut faults, warnings, values, files } = config::load(options, std::env::vars_os());
    let present: Vec<PathBuf> = files.into_iter().filter(|file| file.exists()).collect();
    // Without the file, every setting would have its default: more often it is about to be replaced.
    for file in were_there.iter().filter(|file| !present.contains(file)) {
        let place = Place::File(file.clone());
        // A file that somebody has named is missed already.
        if faults.iter().all(|fault| fault.place != place) {
            faults.push(Fault::new(place, "is gone; put it back, or restart the relay to do without it"));
        }
    }
    let config = before.with_reloadable(&config);
    // Settings with an error say nothing for sure about rooms and other files.
    match tokens(if faults.is_empty() { &config } else { before }) {
        Ok(tokens) if faults.is_empty() => {
            for warning in warnings {
                tracing::warn!("{warning}");
            }
            Ok(Read { config, values, tokens, present })
        }
        tokens => {
            faults.extend(tokens.err().into_iter().flatten());
            Err(faults)
        }
    }
}
