//! Rules are read again while the relay runs: because somebody asks for it, or because their files have changed.

mod watch;

use std::sync::Arc;

use tokio::task::spawn_blocking;

use super::rules::{Current, Preset, PresetError, Prints, Rules, Source};
use crate::moderation::{Feed, Kind};

/// Reads the rules again, if they are in the chain.
#[derive(Debug)]
pub struct RulesReload {
    rules: Option<Arc<Current>>,
    feed: Arc<Feed>,
    /// Held while rules are read, so that they are not read twice at a time. What the files of the rules looked like when
    /// they were read last, whatever came of it.
    seen: tokio::sync::Mutex<Prints>,
}

/// Who asks for rules to be read again, and so who is told of errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// A caller who is answered with every error. The log has those that are new.
    ByCall,
    /// Somebody without an answer: the log has every error.
    BySignal,
}

/// The rules as they were read, and their files.
#[derive(Debug)]
struct Read {
    prints: Prints,
    /// Or all errors, a line each.
    rules: Result<Rules, Vec<String>>,
}

impl RulesReload {
    /// Reads these rules again. What comes of it is noted in `feed`.
    #[must_use]
    pub fn new(rules: Option<Arc<Current>>, feed: Arc<Feed>) -> Self {
        let prints = rules.as_ref().map_or_else(Prints::default, |rules| rules.get().prints().clone());
        Self { rules, feed, seen: tokio::sync::Mutex::new(prints) }
    }

    /// The rules in force; `None` when none are in the chain.
    #[must_use]
    pub fn rules(&self) -> Option<Arc<Rules>> {
        self.rules.as_ref().map(|rules| rules.get())
    }

    /// Reads the rules again as `source` says, and puts them in force if nothing is wrong with them. They are read as
    /// `source` says from now on, also when something is.
    ///
    /// # Errors
    /// All errors, each in a line with its place. The rules stay as they were then, until a file changes again.
    ///
    /// # Cancel safety
    /// Dropping the future leaves the rules as they were.
    pub async fn reload(&self, source: Source, asked: Asked) -> Result<(), Vec<String>> {
        let Some(current) = &self.rules else { return Ok(()) };
        let mut seen = self.seen.lock().await;
        let read = read(source.clone(), &seen).await;
        current.read_from(source);
        self.take(current, read, &mut seen, asked == Asked::BySignal)
    }

    /// How much the starter rules do now; `None` when no rules are in the chain.
    #[must_use]
    pub fn preset(&self) -> Option<Preset> {
        self.rules.as_ref().map(|rules| rules.preset())
    }

    /// Sets another preset of the starter rules until the relay ends; the rules are read again for it, all or nothing.
    ///
    /// # Errors
    /// [`PresetError`]; everything stays as it was then.
    ///
    /// # Cancel safety
    /// Dropping the future leaves everything as it was.
    pub async fn set_preset(&self, preset: Preset) -> Result<(), PresetError> {
        let current = self.rules.as_ref().ok_or(PresetError::NoRules)?;
        let mut seen = self.seen.lock().await;
        let reader = Arc::clone(current);
        let chosen = spawn_blocking(move || reader.read_with(preset)).await?;
        // Nothing is waited for from here on.
        *seen = current.choose(chosen)?;
        tracing::info!(preset = preset.as_str(), rules = current.get().len(), "starter preset changed");
        Ok(())
    }

    /// Puts rules in force, if nothing is wrong with them. Otherwise they stay as they are, and what is wrong is told
    /// once, unless it is to be logged `always`.
    fn take(&self, current: &Current, read: Read, seen: &mut Prints, always: bool) -> Result<(), Vec<String>> {
        *seen = read.prints;
        match read.rules {
            Ok(rules) => {
                current.adopt(rules);
                Ok(())
            }
            Err(errors) => {
                let is_new = current.refuse(errors.clone());
                if is_new || always {
                    for fault in &errors {
                        tracing::error!(fault, "the rules stay as they are");
                    }
                }
                if is_new {
                    self.feed.note(Kind::RulesAtFault, &errors.join("\n"), None);
                }
                Err(errors)
            }
        }
    }
}

/// Reads the rules on a thread that may wait; `seen` are their files when they were read last.
async fn read(source: Source, seen: &Prints) -> Read {
    match spawn_blocking(move || source.read()).await {
        Ok(reading) => {
            let rules = reading.rules.map_err(|faults| faults.iter().map(ToString::to_string).collect());
            Read { prints: reading.prints, rules }
        }
        // It would not go better with the same files.
        Err(error) => Read {
            prints: print_again(seen).await.unwrap_or_else(|| seen.clone()),
            rules: Err(vec![format!("the rules could not be read: {error}")]),
        },
    }
}

/// What these files look like now, as a thread that may wait has found; `None` when that could not be found out.
async fn print_again(prints: &Prints) -> Option<Prints> {
    let prints = prints.clone();
    spawn_blocking(move || prints.again()).await.ok()
}
