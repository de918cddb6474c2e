//! Reloads settings and tokens, rules and plugins while the relay runs, on a moderator's request or a signal. Each part
//! takes effect as a whole if it has no errors and stays as it was otherwise. Each plugin is a part of its own.

mod apply;
mod files;
mod settings;

use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;

use tokio::sync::Mutex;

pub(super) use self::apply::instance_info;
use self::files::check_stable;
use super::{StartupContext, rules_source};
use crate::actions::{Reload, ReloadReport, ReloadTrigger};
use crate::api;
use crate::auth::Moderators;
use crate::config::Config;
use crate::filter::rules::{self, ActiveRules};
use crate::filter::{self, RulesReload};
use crate::live::Live;
use crate::live::admission::AddressCounter;
use crate::live::rooms::Rooms;
use crate::moderation::{Feed, Moderation, NoteKind, PRESET_KEY};
use crate::sandbox::Library;
use crate::settings::{SettingChanges, SettingsSnapshot, Swap};
use crate::telemetry::Metrics;

/// Reloads everything that may change while the relay runs.
#[derive(Debug)]
pub(super) struct Reloader {
    pub(super) start: StartupContext,
    /// Serialises reloads.
    pub(super) active: Mutex<ActiveSettings>,
    pub(super) rules: Arc<RulesReload>,
    pub(super) current: Arc<ActiveRules>,
    pub(super) library: Option<Arc<Library>>,
    pub(super) moderators: Arc<Moderators>,
    pub(super) rooms: Arc<Rooms>,
    pub(super) live: Arc<Live>,
    pub(super) per_address: Arc<AddressCounter>,
    pub(super) metrics: Arc<Metrics>,
    pub(super) moderation: Arc<Moderation>,
    pub(super) feed: Arc<Feed>,
    /// The instance information served by the API.
    pub(super) instance_info: Arc<Swap<api::InstanceInfo>>,
    /// The configuration of the filter chain.
    pub(super) filter: Arc<Swap<filter::Config>>,
}

/// The settings that the relay runs with.
#[derive(Debug)]
pub(super) struct ActiveSettings {
    pub(super) config: Config,
    pub(super) snapshot: SettingsSnapshot,
    /// The settings files that existed at the last reload.
    pub(super) present: Vec<PathBuf>,
}

impl Reloader {
    async fn run(&self, by: ReloadTrigger) -> ReloadReport {
        let mut active = self.active.lock().await;
        tracing::info!("reloading settings, rules and plugins");
        let unstable = self.wait_until_stable(&active.config).await;
        let mut report = ReloadReport::default();
        let settings = match check_stable(&unstable.settings) {
            Ok(()) => self.read_settings(&active).await,
            Err(errors) => Err(errors),
        };
        if let Err(errors) = &settings {
            log_errors("reload failed; settings and tokens are unchanged", errors);
            report.errors.extend_from_slice(errors);
        }
        // Read the rules for the new settings.
        let config = settings.as_ref().map_or(&active.config, |read| &read.config);
        let rules = match check_stable(&unstable.rules) {
            Ok(()) => {
                let trigger = match by {
                    ReloadTrigger::Signal => filter::RulesReloadTrigger::Signal,
                    ReloadTrigger::Moderator(_) => filter::RulesReloadTrigger::ApiCall,
                };
                self.rules.reload(self.rules_source(config), trigger).await
            }
            Err(errors) => {
                log_errors("reload failed; rules are unchanged", &errors);
                Err(errors)
            }
        };
        report.errors.extend(rules.err().into_iter().flatten());
        if let Ok(read) = settings {
            report.settings = self.apply(read, &mut active).await;
        }
        report.errors.extend(self.reload_plugins(&unstable.plugins).await);
        self.describe(report, &by)
    }

    /// Returns the source of the rules for these settings. A preset chosen by moderators overrides the configured one.
    fn rules_source(&self, config: &Config) -> rules::RulesSource {
        let mut source = rules_source(config);
        if self.moderation.state().setting(PRESET_KEY).is_some() {
            source.context.preset = self.current.source().context.preset;
        }
        source
    }

    /// Reloads each plugin separately and returns all errors.
    async fn reload_plugins(&self, unstable: &[PathBuf]) -> Vec<String> {
        let Some(library) = &self.library else { return Vec::new() };
        if let Err(errors) = check_stable(unstable) {
            // The folder is watched; it will be read once its files are stable.
            log_errors("reload failed; plugins are unchanged", &errors);
            return errors;
        }
        match library.reload().await {
            Ok(()) => library.current().errors(),
            Err(error) => {
                let error = error.to_string();
                log_errors("reload failed; plugins are unchanged", std::slice::from_ref(&error));
                self.feed.note(NoteKind::PluginNotLoaded, &error, None);
                vec![error]
            }
        }
    }

    /// Completes the report with what is in force, logs it and notifies moderators.
    fn describe(&self, mut report: ReloadReport, by: &ReloadTrigger) -> ReloadReport {
        let catalog = self.library.as_ref().map(|library| library.current());
        let loaded = catalog.iter().flat_map(|catalog| &catalog.entries).filter(|entry| entry.plugin.is_ok());
        report.plugins = loaded.map(|entry| entry.manifest.name.clone()).collect();
        report.rules = self.rules.rules().map_or(0, |rules| rules.len());
        let ReloadReport { settings: SettingChanges { changed, needs_restart }, rules, plugins, errors } = &report;
        let by = match by {
            ReloadTrigger::Moderator(name) => format!("reloaded by {name}"),
            ReloadTrigger::Signal => "reloaded by a signal".to_owned(),
        };
        let (errors, plugins) = (errors.len(), plugins.len());
        let [changed, needs_restart] = [changed, needs_restart].map(|keys| keys.join(", "));
        tracing::info!(errors, changed, needs_restart, rules, plugins, "{by}");
        let mut parts = vec![by, format!("rules in force: {rules}, plugins: {plugins}")];
        for (what, keys) in [("settings changed", changed), ("changed, restart needed", needs_restart)] {
            if !keys.is_empty() {
                parts.push(format!("{what}: {keys}"));
            }
        }
        if errors > 0 {
            parts.push(format!("errors: {errors}; those parts are unchanged"));
        }
        self.feed.note(NoteKind::Reloaded, &parts.join("; "), None);
        report
    }
}

impl Reload for Reloader {
    fn reload(&self, trigger: ReloadTrigger) -> Pin<Box<dyn Future<Output = ReloadReport> + Send + '_>> {
        Box::pin(self.run(trigger))
    }
}

/// Logs each error with its consequence.
fn log_errors(what: &str, errors: &[String]) {
    for error in errors {
        tracing::error!(error, "{what}");
    }
}
