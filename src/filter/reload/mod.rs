//! Rules and plugins are read again while the relay runs: for a moderator, for a signal, and, as far as rules go, because
//! their files have changed.

mod watch;

use std::sync::Arc;

use tokio::task::spawn_blocking;

use super::rules::{Current, Preset, PresetError, Prints, Rules};
use crate::moderation::{Feed, Kind};
use crate::sandbox::{Library, StageError, Staged};

/// Reads rules and plugins again, as far as they are in the chain.
#[derive(Debug)]
pub struct Reload {
    rules: Option<Arc<Current>>,
    plugins: Option<Arc<Library>>,
    feed: Arc<Feed>,
    /// Held while it is done, which is not done twice at a time. What the files of the rules looked like when they were
    /// read last, whatever came of it.
    seen: tokio::sync::Mutex<Prints>,
}

/// What is in force now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reloaded {
    /// How many rules.
    pub rules: usize,
    /// The plugins, in the order in which they are asked.
    pub plugins: Vec<String>,
}

/// The rules as they were read, and their files.
#[derive(Debug)]
struct Read {
    prints: Prints,
    /// Or all faults, a line each.
    rules: Result<Rules, Vec<String>>,
}

impl Reload {
    /// Reads these again. What comes of it is noted in `feed`.
    #[must_use]
    pub fn new(rules: Option<Arc<Current>>, plugins: Option<Arc<Library>>, feed: Arc<Feed>) -> Self {
        let prints = rules.as_ref().map_or_else(Prints::default, |rules| rules.get().prints().clone());
        Self { rules, plugins, feed, seen: tokio::sync::Mutex::new(prints) }
    }

    /// The rules in force; `None` when none are in the chain.
    #[must_use]
    pub fn rules(&self) -> Option<Arc<Rules>> {
        self.rules.as_ref().map(|rules| rules.get())
    }

    /// Reads all of it again for the moderator `by`, and puts it in force when nothing in it is at fault.
    ///
    /// # Errors
    /// All faults, each in a line with its place. Everything stays as it was then, until a file changes again.
    ///
    /// # Cancel safety
    /// Dropping the future leaves everything as it was.
    pub async fn all(&self, by: &str) -> Result<Reloaded, Vec<String>> {
        let mut seen = self.seen.lock().await;
        let read = match &self.rules {
            Some(current) => Some((current, read(current, &seen).await)),
            None => None,
        };
        let plugins = match &self.plugins {
            Some(library) => library.stage().await.map(Some).map_err(faults),
            None => Ok(None),
        };
        // Nothing is waited for from here on, so that both change or none.
        if let Some((_, Read { prints, .. })) = &read {
            // What was refused as a whole is not taken in parts by who watches the files.
            seen.clone_from(prints);
        }
        let plugins = match (read, plugins) {
            (Some((current, Read { rules: Ok(rules), .. })), Ok(plugins)) => {
                current.adopt(rules);
                plugins
            }
            (None, Ok(plugins)) => plugins,
            (read, plugins) => {
                let (mut all, more) = (Vec::new(), plugins.err().unwrap_or_default());
                match read {
                    Some((current, Read { rules: Err(faults), .. })) => {
                        all.clone_from(&faults);
                        if current.refuse(faults) {
                            self.tell_faults(&all, true);
                        }
                    }
                    Some((current, Read { rules: Ok(_), prints })) if prints != *current.get().prints() => {
                        current.refuse(vec![with_others(&more)]);
                    }
                    Some(_) | None => {}
                }
                all.extend(more);
                return Err(all);
            }
        };
        let plugins = plugins.map(Staged::adopt).unwrap_or_default();
        let now = Reloaded { plugins, ..self.in_force() };
        self.tell(&now, &format!("{by} had rules and plugins read again"));
        Ok(now)
    }

    /// How much the starter rules do now; `None` when no rules are in the chain.
    #[must_use]
    pub fn preset(&self) -> Option<Preset> {
        self.rules.as_ref().map(|rules| rules.preset())
    }

    /// Has the starter rules do as much as that from now on, until the relay ends; the rules are read again for it, all
    /// or nothing.
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
        tracing::info!(
            preset = preset.as_str(),
            rules = current.get().len(),
            "the starter rules do as much as that now"
        );
        Ok(())
    }

    /// Reads all of it again. What is at fault is logged and stays as it was: the rules as a whole, each plugin by
    /// itself.
    pub async fn each(&self) {
        let mut seen = self.seen.lock().await;
        let rules_changed = match &self.rules {
            Some(current) => self.take(current, read(current, &seen).await, &mut seen, true),
            None => true,
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

    /// Puts rules in force, if nothing is wrong with them. Otherwise they stay as they are, and what is wrong is told
    /// once; to who has `asked` for it, the log tells it again.
    fn take(&self, current: &Current, read: Read, seen: &mut Prints, asked: bool) -> bool {
        *seen = read.prints;
        match read.rules {
            Ok(rules) => {
                current.adopt(rules);
                true
            }
            Err(faults) => {
                let is_new = current.refuse(faults.clone());
                if is_new || asked {
                    self.tell_faults(&faults, is_new);
                }
                false
            }
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

    /// Logs what is wrong with the rules; the feed has it already unless it `is_new`.
    fn tell_faults(&self, faults: &[String], is_new: bool) {
        for fault in faults {
            tracing::error!(fault, "the rules stay as they are");
        }
        if is_new {
            self.feed.note(Kind::RulesAtFault, &faults.join("\n"), None);
        }
    }
}

/// Reads the rules on a thread that may wait; `seen` are their files when they were read last.
async fn read(current: &Current, seen: &Prints) -> Read {
    let source = current.source();
    match spawn_blocking(move || source.read()).await {
        Ok(reading) => {
            let rules = reading.rules.map_err(|faults| faults.iter().map(ToString::to_string).collect());
            Read { prints: reading.prints, rules }
        }
        // It would not go better with the same files.
        Err(fault) => Read {
            prints: print_again(seen).await.unwrap_or_else(|| seen.clone()),
            rules: Err(vec![format!("the rules could not be read: {fault}")]),
        },
    }
}

/// What these files look like now, as a thread that may wait has found; `None` when that could not be found out.
async fn print_again(prints: &Prints) -> Option<Prints> {
    let prints = prints.clone();
    spawn_blocking(move || prints.again()).await.ok()
}

/// Why good rules are not in force after they were read together with plugins at fault.
fn with_others(faults: &[String]) -> String {
    let first = faults.first().map_or("", String::as_str);
    format!(
        "nothing is wrong with the rules, but they were read together with plugins at fault ({first}); read all again"
    )
}

/// What is wrong with the plugins, a line each.
fn faults(fault: StageError) -> Vec<String> {
    match fault {
        StageError::Faults(faults) => faults,
        other => vec![other.to_string()],
    }
}
