//! All plugins, those of the folder and embedded ones: what there is, and what of that can be called.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures_util::{StreamExt as _, stream};

use super::config::Config;
use super::engine::Sandbox;
use super::entry::Entry;
use super::folder::{FolderError, in_order};
use super::load::Patience;
use super::place::{Place, Print};
use super::plugin::Plugin;
use super::standing::{Event, What};
use super::unloaded::Unloaded;
use crate::model::Brake;

/// Plugins that are loaded at the same time.
const AT_A_TIME: usize = 2;

/// The plugins of a folder and the embedded ones, in the order in which they are asked.
#[derive(Debug, Default)]
pub struct Catalog {
    /// Each plugin, whether or not it can be called.
    pub entries: Vec<Arc<Entry>>,
    /// By name: the newer files of plugins that run on as they were before, and what is wrong with these files.
    refused: BTreeMap<String, (Print, String)>,
    /// Whether it is what the folder held; not so of the one that is there before it was read.
    was_read: bool,
}

/// How the folder is read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reading {
    pub(super) patience: Patience,
    /// Whether what was at fault is tried again though its files are as before: the fault may have passed.
    pub(super) again: bool,
}

/// What reading the folder has come to. Nothing is in force by that.
#[derive(Debug)]
pub(super) struct Read {
    pub(super) catalog: Catalog,
    pub(super) news: News,
}

/// What is new in the folder.
#[derive(Debug, Default)]
pub(super) struct News(Vec<(Arc<Entry>, What)>);

impl Catalog {
    /// Loads what is in the folder that `config` names, whatever it takes.
    ///
    /// # Errors
    /// [`FolderError`] when the folder cannot be read or holds too much.
    pub async fn read(sandbox: &Arc<Sandbox>, config: &Config) -> Result<Self, FolderError> {
        let reading = Reading { patience: Patience::Full, again: false };
        let Read { catalog, news } = Self::load(sandbox, config, &Self::default(), reading).await?;
        news.tell(sandbox);
        Ok(catalog)
    }

    /// Loads what is in the folder that `config` names. A plugin that cannot be loaded is in the catalog with the
    /// reason; but when one of that name runs in `before`, that one goes on. What has not changed since `before` is
    /// taken from there as it is.
    ///
    /// # Errors
    /// [`FolderError`] when the folder cannot be read or holds too much.
    pub(super) async fn load(
        sandbox: &Arc<Sandbox>,
        config: &Config,
        before: &Self,
        reading: Reading,
    ) -> Result<Read, FolderError> {
        Ok(Self::load_found(config.find()?, sandbox, config, before, reading).await)
    }

    /// Loads the embedded plugins alone, for a relay whose folder of plugins cannot be used.
    pub(super) async fn load_embedded(sandbox: &Arc<Sandbox>, config: &Config, reading: Reading) -> Read {
        let mut read = Self::load_found(config.embedded(), sandbox, config, &Self::default(), reading).await;
        read.catalog.was_read = false;
        read
    }

    async fn load_found(
        found: BTreeMap<String, Place>,
        sandbox: &Arc<Sandbox>,
        config: &Config,
        before: &Self,
        reading: Reading,
    ) -> Read {
        let found = in_order(found, &config.order);
        // Only so many at a time: each may be large. Reading and compiling is no work of the plugins' own threads.
        let mut results = stream::iter(found)
            .map(|(name, place)| before.reread(sandbox, config, name, place, reading))
            .buffered(AT_A_TIME);
        let (mut catalog, mut news) = (Self { was_read: true, ..Self::default() }, Vec::new());
        while let Some(Reread { name, entry, refused, what }) = results.next().await {
            news.extend(what.map(|what| (Arc::clone(&entry), what)));
            catalog.refused.extend(refused.map(|refused| (name, refused)));
            catalog.entries.push(entry);
        }
        for old in before.entries.iter().filter(|old| catalog.entry(&old.manifest.name).is_none()) {
            news.push((Arc::clone(old), What::Gone));
        }
        Read { catalog, news: News(news) }
    }

    /// One plugin of the folder: as it was before, where nothing has changed; else read anew.
    async fn reread(
        &self,
        sandbox: &Arc<Sandbox>,
        config: &Config,
        name: String,
        place: Place,
        reading: Reading,
    ) -> Reread {
        let old = self.entry(&name);
        let refused = self.refused.get(&name);
        let known = |print: &Print| match (old, refused) {
            (_, Some((refused, _))) => refused == print,
            (Some(old), None) => old.seen == *print && !old.is_later(),
            (None, None) => false,
        };
        // Without another file, what is not built will not be built by reading it again.
        let failed = |old: &Arc<Entry>| matches!(old.plugin, Err(Unloaded::Later(_) | Unloaded::Error(_)));
        let at_fault = refused.is_some() || old.is_some_and(failed);
        if let Some(old) = old
            && known(&place.print())
            && !(reading.again && at_fault)
        {
            return Reread { name, entry: Arc::clone(old), refused: refused.cloned(), what: None };
        }
        let mut new = Entry::load(sandbox, &name, &place, &config.caps, reading.patience).await;
        match old {
            // The same files, of which more has come.
            Some(old) if old.seen == new.seen => new.brake = Arc::clone(&old.brake),
            // Files with old dates may have come just now.
            _ if self.was_read => new.brake = Arc::new(Brake::new(new.brake.since(), new.brake.since())),
            _ => {}
        }
        match (&new.plugin, old) {
            (Ok(_), _) => Reread { name, entry: Arc::new(new), refused: None, what: Some(What::Loaded) },
            (Err(fault), Some(old)) if old.plugin.is_ok() && !new.is_later() => {
                let fault = fault.to_string();
                let (what, refused) = (What::NotLoaded(fault.clone()), (new.seen, fault));
                Reread { name, entry: Arc::clone(old), refused: Some(refused), what: Some(what) }
            }
            (Err(fault), _) => {
                let what = (!new.is_later()).then(|| What::NotLoaded(fault.to_string()));
                if new.is_later() && !old.is_some_and(|old| old.is_later()) {
                    tracing::info!(plugin = name, "a plugin comes later: {fault}");
                }
                Reread { name, entry: Arc::new(new), refused: None, what }
            }
        }
    }

    /// The plugin of that name.
    #[must_use]
    pub fn entry(&self, name: &str) -> Option<&Arc<Entry>> {
        self.entries.iter().find(|entry| entry.manifest.name == name)
    }

    /// Why the files of a plugin are not in force as they are now, in words for the operator: it cannot be loaded, or it
    /// runs on as it was before.
    #[must_use]
    pub fn fault(&self, name: &str) -> Option<String> {
        let refused = self.refused.get(name).map(|(_, fault)| fault.clone());
        refused.or_else(|| self.entry(name)?.plugin.as_ref().err().map(Unloaded::to_string))
    }

    /// All that is at fault, in the order of the plugins. A plugin that nobody has built yet is not, unless messages
    /// are held or refused for it.
    #[must_use]
    pub fn faults(&self) -> Vec<String> {
        let entries = self.entries.iter().filter(|entry| !entry.is_unbuilt_and_passes());
        entries.filter_map(|entry| self.fault(&entry.manifest.name)).collect()
    }

    /// The plugins that are not there, of those that an order names.
    pub fn absent<'o>(&self, order: &'o [String]) -> impl Iterator<Item = &'o str> {
        order.iter().map(String::as_str).filter(|name| self.entry(name).is_none())
    }

    /// Whether a plugin was left for later.
    pub(super) fn is_unfinished(&self) -> bool {
        self.entries.iter().any(|entry| entry.is_later())
    }
}

/// What became of one plugin when the folder was read again.
struct Reread {
    name: String,
    entry: Arc<Entry>,
    refused: Option<(Print, String)>,
    what: Option<What>,
}

impl News {
    /// Tells the log and the moderators.
    pub(super) fn tell(self, sandbox: &Sandbox) {
        for (entry, what) in self.0 {
            what.log(&entry);
            // It changes nothing for moderators that it is there, or gone.
            if entry.is_unbuilt_and_passes() {
                continue;
            }
            // There may be nobody who wants to know.
            let _nobody = sandbox.events.send(Event { plugin: Arc::from(entry.manifest.name.as_str()), what });
        }
    }
}

impl What {
    fn log(&self, entry: &Entry) {
        let name = &entry.manifest.name;
        match (self, &entry.plugin) {
            (Self::Loaded, plugin) => {
                let version = plugin.as_ref().map_or("", Plugin::version);
                let mode = entry.manifest.mode.as_str();
                let from = entry.origin.as_str();
                tracing::info!(plugin = name, version, mode, from, "a plugin is loaded");
            }
            (Self::NotLoaded(_), Err(unbuilt @ Unloaded::NotBuilt { .. })) => {
                let (build, on_failure) = (unbuilt.command(), entry.manifest.on_failure.as_str());
                if entry.is_unbuilt_and_passes() {
                    tracing::info!(plugin = name, build, "a plugin is not built yet and is left out");
                } else {
                    tracing::warn!(plugin = name, build, on_failure, "a plugin is not built yet; its on_failure holds");
                }
            }
            (Self::NotLoaded(fault), Err(_)) => tracing::error!(plugin = name, fault, "a plugin could not be loaded"),
            (Self::NotLoaded(fault), Ok(_)) => {
                tracing::error!(plugin = name, fault, "a plugin could not be loaded; it runs on as it was before");
            }
            (Self::Gone, _) => tracing::info!(plugin = name, "a plugin is gone"),
            // These are told where they happen.
            (Self::SetAside { .. } | Self::WellAgain, _) => {}
        }
    }
}
