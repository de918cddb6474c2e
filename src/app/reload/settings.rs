//! Reloads settings and tokens.

use std::path::PathBuf;

use super::files::{changed_files, check_stable, stamp_files};
use super::{ActiveSettings, Reloader};
use crate::auth::AccessTokens;
use crate::config::{self, Config, LoadedConfig};
use crate::settings::{ConfigError, Location, SettingsSnapshot};

/// Maximum number of attempts to read settings whose files change while they are read.
const MAX_ATTEMPTS: usize = 3;

/// Valid settings and tokens that are not applied yet.
#[derive(Debug)]
pub(super) struct ReloadedSettings {
    /// The new settings. Settings that need a restart are unchanged.
    pub(super) config: Config,
    pub(super) snapshot: SettingsSnapshot,
    pub(super) tokens: AccessTokens,
    pub(super) present: Vec<PathBuf>,
}

impl Reloader {
    /// Reads settings and tokens, on a thread that may block on the disk.
    ///
    /// # Errors
    /// All errors, each as one line with its location.
    pub(super) async fn read_settings(&self, active: &ActiveSettings) -> Result<ReloadedSettings, Vec<String>> {
        let (options, moderators) = (self.start.options.clone(), self.moderators.clone());
        let (before, present) = (active.config.clone(), active.present.clone());
        let reading = tokio::task::spawn_blocking(move || {
            let mut attempt = 1;
            loop {
                let loaded = config::load(&options, std::env::vars_os());
                let tokens_file = loaded.config.auth.tokens_file.clone();
                let stamps = stamp_files(loaded.files.iter().cloned().chain(tokens_file));
                let read = read_once(&options, &before, &present, |config| {
                    moderators.read(&config.auth, &config.instance.rooms)
                });
                let changed = check_stable(&changed_files(&stamps, &stamp_files(stamps.keys().cloned())));
                match changed {
                    Ok(()) => return read.map_err(|errors| errors.iter().map(ToString::to_string).collect()),
                    Err(errors) if attempt == MAX_ATTEMPTS => return Err(errors),
                    Err(_) => attempt += 1,
                }
            }
        });
        reading.await.unwrap_or_else(|error| Err(vec![format!("reading the settings failed: {error}")]))
    }
}

fn read_once(
    options: &config::Options,
    before: &Config,
    previously_present: &[PathBuf],
    tokens: impl Fn(&Config) -> Result<AccessTokens, Vec<ConfigError>>,
) -> Result<ReloadedSettings, Vec<ConfigError>> {
    let LoadedConfig { config, mut errors, warnings, snapshot, files } = config::load(options, std::env::vars_os());
    let present: Vec<PathBuf> = files.into_iter().filter(|file| file.exists()).collect();
    // A missing file would reset every setting to its default. Usually it is just being replaced.
    for file in previously_present.iter().filter(|file| !present.contains(file)) {
        let location = Location::File(file.clone());
        // A missing file that was named explicitly is already an error.
        if errors.iter().all(|error| error.location != location) {
            errors.push(ConfigError::new(
                location,
                "no longer exists; restore it, or restart the relay to run without it",
            ));
        }
    }
    let config = before.with_reloadable(&config);
    // Invalid settings may have the wrong rooms and files, so check the tokens against the previous settings.
    match tokens(if errors.is_empty() { &config } else { before }) {
        Ok(tokens) if errors.is_empty() => {
            for warning in warnings {
                tracing::warn!("{warning}");
            }
            Ok(ReloadedSettings { config, snapshot, tokens, present })
        }
        tokens => {
            errors.extend(tokens.err().into_iter().flatten());
            Err(errors)
        }
    }
}
