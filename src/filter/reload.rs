//! Rules and plugins are read again while the relay runs.

use std::sync::Arc;

use super::rules::{Current, Rules};
use crate::moderation::{Feed, Kind};
use crate::sandbox::{Library, StageError, Staged};

/// Reads rules and plugins again, as far as they are in the chain.
#[derive(Debug)]
pub struct Reload {
    rules: Option<Arc<Current>>,
    plugins: Option<Arc<Library>>,
    feed: Arc<Feed>,
    /// Held while it is done, which is not done twice at a time.
    alone: tokio::sync::Mutex<()>,
}

/// What is in force now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reloaded {
    /// How many rules.
    pub rules: usize,
    /// The plugins, in the order in which they are asked.
    pub plugins: Vec<String>,
}

impl Reload {
    /// Reads these again. What comes of it is noted in `feed`.
    #[must_use]
    pub fn new(rules: Option<Arc<Current>>, plugins: Option<Arc<Library>>, feed: Arc<Feed>) -> Self {
        Self { rules, plugins, feed, alone: tokio::sync::Mutex::default() }
    }

    /// Reads all of it again for the moderator `by`, and puts it in force when nothing in it is at fault.
    ///
    /// # Errors
    /// All faults, each in a line with its place. Everything stays as it was then.
    ///
    /// # Cancel safety
    /// Dropping the future leaves everything as it was.
    pub async fn all(&self, by: &str) -> Result<Reloaded, Vec<String>> {
        let _alone = self.alone.lock().await;
        let rules = self.read_rules().await;
        let plugins = match &self.plugins {
            Some(library) => library.stage().await.map(Some).map_err(faults),
            None => Ok(None),
        };
        let (rules, plugins) = match (rules, plugins) {
            (Ok(rules), Ok(plugins)) => (rules, plugins),
            (rules, plugins) => return Err([rules.err(), plugins.err()].into_iter().flatten().flatten().collect()),
        };
        // Nothing is waited for from here on, so that both change or none.
        if let (Some(current), Some(rules)) = (&self.rules, rules) {
            current.adopt(rules);
        }
        let plugins = plugins.map(Staged::adopt).unwrap_or_default();
        let now = Reloaded { plugins, ..self.in_force() };
        self.tell(&now, &format!("{by} had rules and plugins read again"));
        Ok(now)
    }

    /// Reads all of it again. What is at fault is logged and stays as it was: the rules as a whole, each plugin by
    /// itself.
    pub async fn each(&self) {
        let _alone = self.alone.lock().await;
        let rules_changed = match (&self.rules, self.read_rules().await) {
            (Some(current), Ok(Some(rules))) => {
                current.adopt(rules);
                true
            }
            (_, Ok(_)) => true,
            (_, Err(faults)) => {
                for fault in &faults {
                    tracing::error!(fault, "the rules stay as they are");
                }
                self.feed.note(Kind::RulesAtFault, &faults.join("\n"), None);
                false
            }
        };
        let plugins_changed = match &self.plugins {
            Some(library) => library.reload().await.inspect_err(|fault| {
                tracing::error!(%fault, "the plugins stay as they are");
                self.feed.note(Kind::PluginNotLoaded, &fault.to_string(), None);
            }),
            None => Ok(()),
        };
        let what = match (rules_changed, plugins_changed.is_ok()) {
            (true, true) => "rules and plugins were read again",
            (true, false) => "the rules were read again",
            (false, true) => "the plugins were read again",
            (false, false) => return,
        };
        self.tell(&self.in_force(), &format!("{what}, as a signal asked for"));
    }

    /// The rules of the file; `None` when none are in the chain.
    async fn read_rules(&self) -> Result<Option<Rules>, Vec<String>> {
        let Some(current) = &self.rules else { return Ok(None) };
        let source = current.source().clone();
        match tokio::task::spawn_blocking(move || source.load()).await {
            Ok(Ok(rules)) => Ok(Some(rules)),
            Ok(Err(faults)) => Err(faults.iter().map(ToString::to_string).collect()),
            Err(fault) => Err(vec![format!("the rules could not be read: {fault}")]),
        }
    }

    fn in_force(&self) -> Reloaded {
        let catalog = self.plugins.as_ref().map(|library| library.current());
        let entries = catalog.iter().flat_map(|catalog| &catalog.entries);
        let loaded = entries.filter(|entry| entry.plugin.is_ok());
        Reloaded {
            rules: self.rules.as_ref().map_or(0, |rules| rules.get().len()),
            plugins: loaded.map(|entry| entry.manifest.name.clone()).collect(),
        }
    }

    fn tell(&self, Reloaded { rules, plugins }: &Reloaded, what: &str) {
        tracing::info!(rules, plugins = plugins.len(), "{what}");
        let text = format!("{what}; rules in force: {rules}, plugins: {}", plugins.len());
        self.feed.note(Kind::Reloaded, &text, None);
    }
}

/// What is wrong with the plugins, a line each.
fn faults(fault: StageError) -> Vec<String> {
    match fault {
        StageError::Faults(faults) => faults,
        other => vec![other.to_string()],
    }
}
