//! Builds the relay from its configuration, binds the ports, serves, and drains connections at shutdown. [`probe`]
//! finds out which subsystems a relay would have to run without.

mod audit_tip;
mod bound;
mod moderation_tasks;
mod notes;
mod prune;
mod reload;
mod shutdown;
mod subsystems;

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::Instant;

use jiff::Timestamp;
use tokio::runtime::Handle;
use tokio::sync::broadcast::Receiver;
use tokio::sync::mpsc;
use uuid::Uuid;

pub use self::bound::{BoundRelay, Overview};
pub use self::subsystems::probe;
use crate::audit::{Recording, SnapshotFn, StateSnapshot};
use crate::auth::AccessError;
use crate::config::{self, Config};
use crate::filter::breakers::Breakers;
use crate::filter::plugin::PluginFilter;
use crate::filter::rules::{self, RuleSet};
use crate::filter::{self, Chain, Filter, Judgement, RulesReload};
use crate::intake::Intake;
use crate::live::Live;
use crate::model::{Address, Decision, Message, Notice, RoomName, Sender, SenderContext};
use crate::moderation::{Feed, Journal, Moderation, ModerationEvent, NoteKind, PRESET_KEY, State};
use crate::room::Room;
use crate::sandbox::{Library, PluginEvent, Sandbox};
use crate::settings::SettingsSnapshot;
use crate::telemetry::logging::LevelHandle;
use crate::telemetry::{Degradation, Degraded, Metrics};
use crate::wire::Generation;

/// The image of a message cannot be decoded, or too many wait.
#[derive(Debug, thiserror::Error)]
#[error("{}", .0.reason().text)]
pub struct RefusedImage(Box<Notice>);

/// A relay that is built but not bound to any port yet.
#[derive(Debug)]
pub struct App {
    config: Config,
    live: Arc<Live>,
    metrics: Arc<Metrics>,
    plugins: Option<PluginRuntime>,
    feed: Arc<Feed>,
    reload: Arc<RulesReload>,
    rules: Arc<rules::ActiveRules>,
    breakers: Arc<Breakers>,
    moderation: Arc<Moderation>,
    events: mpsc::Receiver<ModerationEvent>,
    degraded: Arc<Degraded>,
}

/// The context of the start, kept for reloads.
#[derive(Clone, Debug)]
pub struct StartupContext {
    /// Command line options that affect the settings.
    pub options: config::Options,
    /// The settings at the start.
    pub snapshot: SettingsSnapshot,
    /// The settings files that exist.
    pub present: Vec<PathBuf>,
    /// Changes the log level.
    pub level: LevelHandle,
}

/// The plugin runtime, if plugins are in the chain.
#[derive(Debug)]
struct PluginRuntime {
    /// Executes the plugins.
    sandbox: Arc<Sandbox>,
    library: Arc<Library>,
    /// Plugin events since the start.
    events: Receiver<PluginEvent>,
}

/// Why a relay could not serve, or stopped serving.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// A port could not be bound.
    #[error("{address}: cannot listen on this address")]
    Bind {
        /// The address.
        address: SocketAddr,
        /// The I/O error.
        source: io::Error,
    },
    /// The moderator configuration is invalid.
    #[error(transparent)]
    Access(#[from] AccessError),
    /// The shard threads could not be started.
    #[error("the shard threads could not be started")]
    Shards(#[source] io::Error),
    /// A shard thread has ended unexpectedly. The log has the reason.
    #[error("a shard thread has ended unexpectedly; the relay cannot continue")]
    ShardLost,
}

/// Returns the state that each file of the audit log begins with.
fn audit_snapshot(state: &Arc<State>) -> SnapshotFn {
    let state = Arc::clone(state);
    Box::new(move || {
        let now = Timestamp::now();
        StateSnapshot { sanctions: state.sanctions().in_force_or_counted(now), levels: state.levels().list(now) }
    })
}

/// Restores the starter preset that moderators chose before the restart.
async fn restore_preset(state: &State, rules: &Arc<rules::ActiveRules>) {
    let Some(name) = state.setting(PRESET_KEY) else { return };
    let Ok(preset) = name.parse::<rules::Preset>() else { return };
    let rules = Arc::clone(rules);
    match tokio::task::spawn_blocking(move || rules.set_preset(preset)).await {
        Ok(Ok(())) => tracing::info!(preset = name, "starter preset restored"),
        Ok(Err(refused)) => tracing::warn!(%refused, preset = name, "starter preset not restored"),
        Err(error) => tracing::error!(%error, "restoring the starter preset failed"),
    }
}

/// Returns the source of the rules that the configuration names.
#[must_use]
pub fn rules_source(config: &Config) -> rules::RulesSource {
    let instance = rules::RulesContext {
        clauses: config.instance.rules.clone(),
        main_lang: config.instance.main_lang.clone(),
        rooms: config.instance.rooms.clone(),
        preset: config.filter.preset,
        newcomer: config.filter.level.newcomer,
    };
    rules::RulesSource { file: config.filter.rules_file.clone(), context: instance }
}

impl App {
    /// Builds the relay and loads the plugins. Does not bind any port. A subsystem that cannot be set up is left out
    /// and logged; [`App::degraded`] returns the reasons.
    pub async fn build(config: Config, rules: RuleSet) -> Self {
        let degraded = Arc::new(Degraded::default());
        let runtime = subsystems::start_plugins(&config.filter, &degraded).await;
        let library = runtime.as_ref().map(|runtime| Arc::clone(&runtime.library));
        let max_message_length = config.filter.shape.max_message_length;
        let plugins = library
            .clone()
            .map(|library| -> Box<dyn Filter> { Box::new(PluginFilter::new(library, max_message_length)) });
        let (began, now) = (Instant::now(), Timestamp::now());
        let state = Arc::new(subsystems::open_state(&config, now, &degraded));
        let journal = Arc::new(Journal::new(now));
        let feed = Arc::new(Feed::new(Arc::clone(&journal)));
        let run = Uuid::new_v4();
        let records = config.audit.record != Recording::Off;
        let audit_cut = config.audit.dir.as_deref().filter(|_| records).and_then(|dir| audit_tip::check(&state, dir));
        let audit = subsystems::open_audit(&config.audit, run, began, &state, &degraded).map(Arc::new);
        let (moderation, events) = Moderation::new(Arc::clone(&state), journal, audit, Arc::clone(&feed), began);
        let moderation = Arc::new(moderation);
        if let Some(text) = audit_cut {
            tracing::error!("{text}");
            moderation.note(NoteKind::AuditCut, &text);
        }
        let rules = rules::ActiveRules::new(rules_source(&config), rules, Arc::clone(&feed));
        let rules = Arc::new(rules.seeded_by(&run.to_string()));
        restore_preset(&state, &rules).await;
        let metrics = Arc::new(Metrics::new(env!("CARGO_PKG_VERSION"), &config.instance.environment));
        let chain = Chain::build(&config.filter, Arc::clone(&rules), plugins, &state, &metrics);
        let enabled_rules = config.filter.order.contains(&filter::FilterName::Rules).then(|| Arc::clone(&rules));
        let breakers =
            Breakers::new(config.filter.breakers.clone(), enabled_rules.clone(), library.clone(), Arc::clone(&feed));
        let breakers = Arc::new(breakers);
        let intake = Intake::new(chain, Arc::clone(&moderation), Arc::clone(&metrics));
        let intake = intake.with_breakers(Arc::clone(&breakers));
        let limits = config.live.address_limits(config.filter.rate.enabled);
        let images = subsystems::start_images(&config.images, &degraded);
        let live = Live::new(config.live.clone(), config.wire.clone(), intake, Arc::clone(&metrics), limits, images);
        let reload = Arc::new(RulesReload::new(enabled_rules, Arc::clone(&feed)));
        let (live, plugins) = (Arc::new(live), runtime);
        Self { config, live, metrics, plugins, feed, reload, rules, breakers, moderation, events, degraded }
    }

    /// Returns the plugin library; `None` if plugins are not in the chain.
    #[must_use]
    pub fn plugins(&self) -> Option<&Arc<Library>> {
        self.plugins.as_ref().map(|runtime| &runtime.library)
    }

    /// Returns the subsystems that the relay was built without.
    #[must_use]
    pub fn degraded(&self) -> Vec<Degradation> {
        self.degraded.list()
    }

    /// Returns the runtime on which messages are judged: the plugin threads, if there are any.
    #[must_use]
    pub fn judge_handle(&self) -> Handle {
        self.plugins.as_ref().map_or_else(Handle::current, |runtime| runtime.sandbox.handle())
    }

    /// Judges a message as if it were sent from this machine to an empty room, without any effect.
    ///
    /// # Errors
    /// [`RefusedImage`] if its image cannot be decoded.
    ///
    /// # Cancel safety
    /// Dropping the future discards the decision.
    pub async fn try_out(&self, room: RoomName, message: Message) -> Result<Decision, RefusedImage> {
        let address = Address::from(IpAddr::V4(Ipv4Addr::LOCALHOST));
        let message = self
            .live
            .with_image_encoded(address, Generation::Relay, message)
            .await
            .map_err(|notice| RefusedImage(Box::new(notice)))?;
        let mut sender = Sender { connection: None, address, room: room.clone(), context: SenderContext::default() };
        let gauges = Metrics::default().room(&room);
        let mut room = Room::new(room, Arc::new(AtomicUsize::new(0)), gauges);
        let chain = self.live.intake.chain();
        Ok(match self.live.intake.try_out(&chain, &mut room, &mut sender, message) {
            Judgement::Ready(decision) => *decision,
            Judgement::Pending(waiting) => waiting.finish(&sender).await,
        })
    }

    /// Binds the ports. Connections are accepted from now on and answered once the relay serves.
    ///
    /// # Errors
    /// [`ServeError`] if a port cannot be bound or the moderator configuration is invalid.
    pub async fn bind(self) -> Result<BoundRelay, ServeError> {
        BoundRelay::new(self).await
    }
}
