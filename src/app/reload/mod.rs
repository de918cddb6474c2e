//! Settings with tokens, rules and plugins are read again while the relay runs: by a moderator's call or by a signal, in
//! one and the same way. Each of these parts takes effect when it is without an error, or stays as it was as a whole; a
//! plugin is a part of its own.

mod apply;
mod files;
mod settings;

use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;

use tokio::sync::{Mutex, Notify};
use tokio_util::sync::CancellationToken;

pub(super) use self::apply::told;
use self::files::keep_changing;
use super::{Started, rules_source};
use crate::api::{self, Reload, ReloadedBy, Report};
use crate::config::Config;
use crate::filter::rules::{self, Current};
use crate::filter::{self, Asked, RulesReload};
use crate::live::Live;
use crate::live::admission::PerAddress;
use crate::live::rooms::Rooms;
use crate::moderation::{Desk, Feed, Kind, Moderators, PRESET};
use crate::sandbox::Library;
use crate::settings::{Changes, Swap, Values};
use crate::telemetry::Metrics;

/// Reads everything again that may change while the relay runs.
#[derive(Debug)]
pub(super) struct Reloader {
    pub(super) start: Started,
    /// One reload at a time.
    pub(super) in_force: Mutex<InForce>,
    pub(super) rules: Arc<RulesReload>,
    pub(super) current: Arc<Current>,
    pub(super) library: Option<Arc<Library>>,
    pub(super) moderators: Arc<Moderators>,
    pub(super) rooms: Arc<Rooms>,
    pub(super) live: Arc<Live>,
    pub(super) per_address: Arc<PerAddress>,
    pub(super) metrics: Arc<Metrics>,
    pub(super) desk: Arc<Desk>,
    pub(super) feed: Arc<Feed>,
    /// What the instance says of itself.
    pub(super) told: Arc<Swap<api::Rules>>,
    /// The chain as it is configured.
    pub(super) filter: Arc<Swap<filter::Config>>,
}

/// The settings that the relay runs with.
#[derive(Debug)]
pub(super) struct InForce {
    pub(super) config: Config,
    pub(super) values: Values,
    /// The settings files that were there when they were read last.
    pub(super) present: Vec<PathBuf>,
}

impl Reloader {
    /// Reads everything again whenever it is asked to by a signal, until told to stop. Signals that come meanwhile count
    /// as one.
    pub(super) async fn on_signals(self: Arc<Self>, signals: Arc<Notify>, stop: CancellationToken) {
        loop {
            let reloaded = async {
                signals.notified().await;
                self.run(ReloadedBy::Signal).await
            };
            tokio::select! {
                _ = reloaded => {}
                // A plugin that is being compiled takes seconds, and nobody waits for it any more.
                () = stop.cancelled() => return,
            }
        }
    }

    async fn run(&self, by: ReloadedBy) -> Report {
        let mut in_force = self.in_force.lock().await;
        tracing::info!("reading settings, rules and plugins again");
        let unsettled = self.settle(&in_force.config).await;
        let mut report = Report::default();
        let settings = match keep_changing(&unsettled.settings) {
            Ok(()) => self.read_settings(&in_force).await,
            Err(errors) => Err(errors),
        };
        if let Err(errors) = &settings {
            tell_errors("the settings and tokens stay as they were", errors);
            report.errors.extend_from_slice(errors);
        }
        // The rules are read for the settings that are about to be in force.
        let config = settings.as_ref().map_or(&in_force.config, |read| &read.config);
        let rules = match keep_changing(&unsettled.rules) {
            Ok(()) => {
                let asked = if by == ReloadedBy::Signal { Asked::BySignal } else { Asked::ByCall };
                self.rules.reload(self.rules_source(config), asked).await
            }
            Err(errors) => {
                tell_errors("the rules stay as they are", &errors);
                Err(errors)
            }
        };
        report.errors.extend(rules.err().into_iter().flatten());
        if let Ok(read) = settings {
            report.settings = self.apply(read, &mut in_force).await;
        }
        report.errors.extend(self.reload_plugins(&unsettled.plugins).await);
        self.describe(report, &by)
    }

    /// Where the rules are read from with these settings. A preset that moderators chose goes before that of the settings.
    fn rules_source(&self, config: &Config) -> rules::Source {
        let mut source = rules_source(config);
        if self.desk.state().setting(PRESET).is_some() {
            source.instance.preset = self.current.source().instance.preset;
        }
        source
    }

    /// Reads the plugins again, each by itself, and gives what is wrong with any of them.
    async fn reload_plugins(&self, unsettled: &[PathBuf]) -> Vec<String> {
        let Some(library) = &self.library else { return Vec::new() };
        if let Err(errors) = keep_changing(unsettled) {
            // The folder is watched, and is read once its files stay as they are.
            tell_errors("the plugins stay as they are", &errors);
            return errors;
        }
        match library.reload().await {
            Ok(()) => library.current().faults(),
            Err(error) => {
                let error = error.to_string();
                tell_errors("the plugins stay as they are", std::slice::from_ref(&error));
                self.feed.note(Kind::PluginNotLoaded, &error, None);
                vec![error]
            }
        }
    }

    /// Adds what is in force, and tells the log and the moderators.
    fn describe(&self, mut report: Report, by: &ReloadedBy) -> Report {
        let catalog = self.library.as_ref().map(|library| library.current());
        let loaded = catalog.iter().flat_map(|catalog| &catalog.entries).filter(|entry| entry.plugin.is_ok());
        report.plugins = loaded.map(|entry| entry.manifest.name.clone()).collect();
        report.rules = self.rules.rules().map_or(0, |rules| rules.len());
        let Report { settings: Changes { changed, needs_restart }, rules, plugins, errors } = &report;
        let by = match by {
            ReloadedBy::Moderator(name) => format!("reloaded by {name}"),
            ReloadedBy::Signal => "reloaded by a signal".to_owned(),
        };
        let (errors, plugins) = (errors.len(), plugins.len());
        let [changed, needs_restart] = [changed, needs_restart].map(|keys| keys.join(", "));
        tracing::info!(errors, changed, needs_restart, rules, plugins, "{by}");
        let mut parts = vec![by, format!("rules in force: {rules}, plugins: {plugins}")];
        for (what, keys) in [("settings changed", changed), ("changed, and need a restart", needs_restart)] {
            if !keys.is_empty() {
                parts.push(format!("{what}: {keys}"));
            }
        }
        if errors > 0 {
            parts.push(format!("errors: {errors}, and what they are in stays as it was"));
        }
        self.feed.note(Kind::Reloaded, &parts.join("; "), None);
        report
    }
}

impl Reload for Reloader {
    fn reload(self: Arc<Self>, by: ReloadedBy) -> Pin<Box<dyn Future<Output = Report> + Send>> {
        Box::pin(async move {
            // A task of its own: a caller that has gone must not leave half of it done.
            let running = tokio::spawn(async move { self.run(by).await });
            running.await.unwrap_or_else(|error| {
                tracing::error!(%error, "a reload came to no end");
                Report {
                    errors: vec![format!("reading everything again came to no end: {error}")],
                    ..Report::default()
                }
            })
        })
    }
}

/// Logs each error, with what it means.
fn tell_errors(what: &str, errors: &[String]) {
    for fault in errors {
        tracing::error!(fault, "{what}");
    }
}
