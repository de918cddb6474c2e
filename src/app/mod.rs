//! Builds every part from the configuration, binds the ports, serves, and drains at the end. What a relay can serve
//! without, [`probe`] finds out beforehand.

mod attend;
mod bound;
mod notes;
mod parts;
mod reload;

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

pub use self::bound::{Bound, Overview};
pub use self::parts::probe;
use crate::config::{self, Config};
use crate::filter::brakes::Brakes;
use crate::filter::plugin::Plugins;
use crate::filter::rules::{self, Rules};
use crate::filter::{self, Chain, Filter, Judgement, RulesReload};
use crate::intake::Intake;
use crate::live::Live;
use crate::model::{Address, Decision, Facts, Message, RoomName, Sender};
use crate::moderation::audit::{InForce, InForceNow};
use crate::moderation::{AccessError, Desk, Effect, Feed, Journal, PRESET, State, level_json, sanction_json};
use crate::room::Room;
use crate::sandbox::{Event, Library, Sandbox};
use crate::settings::{Choice, Values};
use crate::telemetry::logging::Level;
use crate::telemetry::{Degradation, Degraded, Metrics, RoomGauges};

/// A relay that is built. Nothing of it is to be reached yet.
#[derive(Debug)]
pub struct App {
    config: Config,
    live: Arc<Live>,
    metrics: Arc<Metrics>,
    plugins: Option<Plugged>,
    feed: Arc<Feed>,
    reload: Arc<RulesReload>,
    rules: Arc<rules::Current>,
    desk: Arc<Desk>,
    effects: mpsc::Receiver<Effect>,
    degraded: Arc<Degraded>,
}

/// How the relay was started, for reading its settings again.
#[derive(Clone, Debug)]
pub struct Started {
    /// What the command line says of the settings.
    pub options: config::Options,
    /// What each setting is.
    pub values: Values,
    /// The settings files that are there.
    pub present: Vec<PathBuf>,
    /// Sets what is logged.
    pub level: Level,
}

/// The plugins, where they are in the chain.
#[derive(Debug)]
struct Plugged {
    /// Where they run.
    sandbox: Arc<Sandbox>,
    library: Arc<Library>,
    /// What happens to them, from the first one on.
    events: Receiver<Event>,
}

/// Why a relay could not serve, or not go on.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// A port is not to be had.
    #[error("{address}: this address cannot be listened on")]
    Bind {
        /// Which one.
        address: SocketAddr,
        /// What the system says.
        source: io::Error,
    },
    /// Nobody could moderate.
    #[error(transparent)]
    Access(#[from] AccessError),
    /// The threads that own the rooms could not be started.
    #[error("the threads of the rooms could not be started")]
    Shards(#[source] io::Error),
    /// A thread that owned rooms has ended by itself. The log says why.
    #[error("a thread that owned rooms has ended; the relay cannot go on")]
    ShardLost,
}

/// What each file of the audit log begins with.
fn in_force_now(state: &Arc<State>) -> InForceNow {
    let state = Arc::clone(state);
    Box::new(move |hashed| {
        let now = Timestamp::now();
        let sanctions = state.sanctions().that_count(now);
        let sanctions = sanctions.iter().map(|sanction| sanction_json(sanction, hashed).into()).collect();
        let levels = state.levels().list(now).iter().map(level_json).collect();
        InForce { sanctions, levels }
    })
}

/// Has the starter rules do what moderators chose before the last restart.
async fn restore_preset(state: &State, rules: &Arc<rules::Current>) {
    let Some(name) = state.setting(PRESET) else { return };
    let Some((_, preset)) = rules::Preset::NAMES.iter().copied().find(|(known, _)| *known == name) else { return };
    let rules = Arc::clone(rules);
    match tokio::task::spawn_blocking(move || rules.set_preset(preset)).await {
        Ok(Ok(())) => tracing::info!(preset = name, "the starter rules do what moderators chose"),
        Ok(Err(refused)) => tracing::warn!(%refused, preset = name, "the preset that moderators chose is not in force"),
        Err(fault) => tracing::error!(%fault, "the preset that moderators chose could not be restored"),
    }
}

/// Where the configuration says that the rules are.
#[must_use]
pub fn rules_source(config: &Config) -> rules::Source {
    let instance = rules::Instance {
        clauses: config.instance.rules.clone(),
        main_lang: config.instance.main_lang.clone(),
        rooms: config.instance.rooms.clone(),
        preset: config.filter.preset,
    };
    rules::Source { file: config.filter.rules_file.clone(), instance }
}

impl App {
    /// Builds every part, with the plugins loaded. Nothing is bound yet. A part that cannot be had is left out and logged,
    /// and [`App::degraded`] tells why.
    pub async fn build(config: Config, rules: Rules) -> Self {
        let degraded = Arc::new(Degraded::default());
        let plugged = parts::plugins(&config.filter, &degraded).await;
        let library = plugged.as_ref().map(|plugged| Arc::clone(&plugged.library));
        let max_message_length = config.filter.shape.max_message_length;
        let plugins =
            library.clone().map(|library| -> Box<dyn Filter> { Box::new(Plugins::new(library, max_message_length)) });
        let (began, now) = (Instant::now(), Timestamp::now());
        let state = Arc::new(parts::state(&config.moderation, now, &degraded));
        let feed = Arc::new(Feed::default());
        let journal = Arc::new(Journal::new(now));
        let run = Uuid::new_v4();
        let audit = parts::audit(&config.moderation.audit, run, began, &state, &degraded).map(Arc::new);
        let (desk, effects) = Desk::new(Arc::clone(&state), journal, audit, Arc::clone(&feed), began);
        let desk = Arc::new(desk);
        let rules = rules::Current::new(rules_source(&config), rules, Arc::clone(&feed));
        let rules = Arc::new(rules.of_run(&run.to_string()));
        restore_preset(&state, &rules).await;
        let metrics = Arc::new(Metrics::new(env!("CARGO_PKG_VERSION"), &config.instance.environment));
        let chain = Chain::build(&config.filter, Arc::clone(&rules), plugins, &state, &metrics);
        let rules_in_force = config.filter.order.contains(&filter::Name::Rules).then(|| Arc::clone(&rules));
        let brakes =
            Brakes::new(config.filter.brakes.clone(), rules_in_force.clone(), library.clone(), Arc::clone(&feed));
        let intake = Intake::new(chain, Arc::clone(&desk), Arc::clone(&metrics)).with_brakes(brakes);
        let limits = config.live.limits(config.filter.rate.enabled);
        let live = Live::new(config.live.clone(), config.wire.clone(), intake, Arc::clone(&metrics), limits);
        let reload = Arc::new(RulesReload::new(rules_in_force, Arc::clone(&feed)));
        let (live, plugins) = (Arc::new(live), plugged);
        Self { config, live, metrics, plugins, feed, reload, rules, desk, effects, degraded }
    }

    /// The plugins, where they are in the chain.
    #[must_use]
    pub fn plugins(&self) -> Option<&Arc<Library>> {
        self.plugins.as_ref().map(|plugged| &plugged.library)
    }

    /// The parts that it was built without.
    #[must_use]
    pub fn degraded(&self) -> Vec<Degradation> {
        self.degraded.list()
    }

    /// Where messages are to be judged: the threads of plugins, where there are any.
    #[must_use]
    pub fn judging(&self) -> Handle {
        self.plugins.as_ref().map_or_else(Handle::current, |plugged| plugged.sandbox.handle())
    }

    /// Judges a message as if it came from this machine to a room that nobody is in, without any effect.
    ///
    /// # Cancel safety
    /// Dropping the future drops the decision.
    pub async fn try_out(&self, room: RoomName, message: Message) -> Decision {
        let address = Address::from(IpAddr::V4(Ipv4Addr::LOCALHOST));
        let mut sender = Sender { connection: None, address, room: room.clone(), facts: Facts::default() };
        let mut room = Room::new(room, Arc::new(AtomicUsize::new(0)), RoomGauges::default());
        let chain = self.live.intake.chain();
        match self.live.intake.try_out(&chain, &mut room, &mut sender, message) {
            Judgement::Decided(decision) => *decision,
            Judgement::Waiting(waiting) => waiting.finish(&sender).await,
        }
    }

    /// Binds the ports. Whoever connects from now on is answered once the relay serves.
    ///
    /// # Errors
    /// [`ServeError`] when a port cannot be had, or nobody could moderate.
    pub async fn bind(self) -> Result<Bound, ServeError> {
        Bound::of(self).await
    }
}
