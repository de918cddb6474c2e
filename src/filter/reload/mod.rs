//! Reloads rules while the relay runs: on request, or when their files change.

mod watch;

use std::sync::Arc;

use tokio::task::spawn_blocking;

use super::rules::{ActiveRules, Preset, PresetError, RuleSet, RulesFileStamps, RulesSource};
use crate::moderation::{Feed, NoteKind};

/// Reloads the rules, if they are in the chain.
#[derive(Debug)]
pub struct RulesReload {
    rules: Option<Arc<ActiveRules>>,
    feed: Arc<Feed>,
    /// The stamps of the rule files at the last reload, successful or not. Locked during a reload, so that only one
    /// runs at a time.
    last_stamps: tokio::sync::Mutex<RulesFileStamps>,
}

/// What triggered a reload, which determines where errors are reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RulesReloadTrigger {
    /// An API call, which gets every error in its response. The log only gets new ones.
    ApiCall,
    /// A signal. The log gets every error.
    Signal,
}

/// The result of reading the rules, and the stamps of their files.
#[derive(Debug)]
struct ReadRules {
    stamps: RulesFileStamps,
    /// The rules, or all errors, one per line.
    rules: Result<RuleSet, Vec<String>>,
}

impl RulesReload {
    /// Creates a reloader for these rules. Results are announced in `feed`.
    #[must_use]
    pub fn new(rules: Option<Arc<ActiveRules>>, feed: Arc<Feed>) -> Self {
        let stamps = rules.as_ref().map_or_else(RulesFileStamps::default, |rules| rules.get().stamps().clone());
        Self { rules, feed, last_stamps: tokio::sync::Mutex::new(stamps) }
    }

    /// Returns the rules in force; `None` if the chain has no rules.
    #[must_use]
    pub fn rules(&self) -> Option<Arc<RuleSet>> {
        self.rules.as_ref().map(|rules| rules.get())
    }

    /// Reloads the rules from `source` and puts them in force if they are valid. Later reloads use `source` even if
    /// this one fails.
    ///
    /// # Errors
    /// All errors, one line each, with their positions. The old rules stay in force until a file changes again.
    ///
    /// # Cancel safety
    /// Dropping the future leaves the rules unchanged.
    pub async fn reload(&self, source: RulesSource, trigger: RulesReloadTrigger) -> Result<(), Vec<String>> {
        let Some(current) = &self.rules else { return Ok(()) };
        let mut last_stamps = self.last_stamps.lock().await;
        let read = read(source.clone(), &last_stamps).await;
        current.set_source(source);
        self.apply(current, read, &mut last_stamps, trigger == RulesReloadTrigger::Signal)
    }

    /// Returns the current preset of the starter rules; `None` if the chain has no rules.
    #[must_use]
    pub fn preset(&self) -> Option<Preset> {
        self.rules.as_ref().map(|rules| rules.preset())
    }

    /// Changes the preset of the starter rules until the relay ends, and reloads the rules for it.
    ///
    /// # Errors
    /// [`PresetError`], in which case nothing changes.
    ///
    /// # Cancel safety
    /// Dropping the future changes nothing.
    pub async fn set_preset(&self, preset: Preset) -> Result<(), PresetError> {
        let current = self.rules.as_ref().ok_or(PresetError::NoRules)?;
        let mut last_stamps = self.last_stamps.lock().await;
        let reader = Arc::clone(current);
        let chosen = spawn_blocking(move || reader.load_preset(preset)).await?;
        // There is no await point from here on.
        *last_stamps = current.apply_preset(chosen)?;
        tracing::info!(preset = preset.as_str(), rules = current.get().len(), "starter preset changed");
        Ok(())
    }

    /// Puts rules in force if they are valid. Otherwise keeps the old ones and reports new errors; `always` also logs
    /// known errors.
    fn apply(
        &self,
        current: &ActiveRules,
        read: ReadRules,
        last_stamps: &mut RulesFileStamps,
        always: bool,
    ) -> Result<(), Vec<String>> {
        *last_stamps = read.stamps;
        match read.rules {
            Ok(rules) => {
                current.adopt(rules);
                Ok(())
            }
            Err(errors) => {
                let is_new = current.record_reload_error(errors.clone());
                if is_new || always {
                    for error in &errors {
                        tracing::error!(error, "reload failed; rules are unchanged");
                    }
                }
                if is_new {
                    self.feed.note(NoteKind::RulesInvalid, &errors.join("\n"), None);
                }
                Err(errors)
            }
        }
    }
}

/// Reads the rules on a blocking thread. `last_stamps` are the stamps of the last reload.
async fn read(source: RulesSource, last_stamps: &RulesFileStamps) -> ReadRules {
    match spawn_blocking(move || source.load_stable()).await {
        Ok(reading) => {
            let rules = reading.rules.map_err(|errors| errors.iter().map(ToString::to_string).collect());
            ReadRules { stamps: reading.stamps, rules }
        }
        // Retrying with the same files would not help.
        Err(error) => ReadRules {
            stamps: restat(last_stamps).await.unwrap_or_else(|| last_stamps.clone()),
            rules: Err(vec![format!("reading the rules failed: {error}")]),
        },
    }
}

/// Returns the current stamps of these files, read on a blocking thread; `None` if the thread failed.
async fn restat(stamps: &RulesFileStamps) -> Option<RulesFileStamps> {
    let stamps = stamps.clone();
    spawn_blocking(move || stamps.restat()).await.ok()
}
