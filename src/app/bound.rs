//! A relay bound to its ports: serving and shutting down.

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::runtime::Handle;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::reload::{ActiveSettings, Reloader, instance_info};
use super::shutdown::until_stopped;
use super::{App, PluginRuntime, ServeError, StartupContext, audit_tip, moderation_tasks, notes, prune};
use crate::actions::Actions;
use crate::alerts::Alerts;
use crate::api::{self, Api, HostCheck};
use crate::auth::{Moderators, Token};
use crate::config::Config;
use crate::filter::rules::ActiveRules;
use crate::live::accept::{ConnectionLimit, HttpServer};
use crate::live::admission::AddressCounter;
use crate::live::rooms::Rooms;
use crate::model::RoomName;
use crate::moderation::{Feed, Moderation};
use crate::sandbox::Library;
use crate::settings::Swap;
use crate::telemetry::{Degraded, Metrics};

/// A relay that is bound to its ports and ready to serve.
#[derive(Debug)]
pub struct BoundRelay {
    app: App,
    moderators: Arc<Moderators>,
    token: Option<Token>,
    listener: TcpListener,
    metrics_listener: Option<TcpListener>,
    /// Notified once the relay serves.
    serving: Arc<Notify>,
}

/// An overview of a starting relay for the operator.
#[derive(Debug)]
pub struct Overview {
    /// The address it listens on.
    pub address: SocketAddr,
    /// The rooms.
    pub rooms: Vec<RoomName>,
    /// The current rules.
    pub rules: Arc<ActiveRules>,
    /// The plugins; `None` if plugins are not in the chain.
    pub plugins: Option<Arc<Library>>,
    /// The subsystems that it runs without.
    pub degraded: Arc<Degraded>,
    /// Notified once the relay serves.
    pub serving: Arc<Notify>,
}

impl BoundRelay {
    pub(super) async fn new(app: App) -> Result<Self, ServeError> {
        let (moderators, token) = Moderators::new(&app.config.auth, &app.config.instance.rooms)?;
        let listener = bind(app.config.server.listen).await?;
        let metrics_listener = match app.config.server.metrics_listen {
            Some(address) => Some(bind(address).await?),
            None => None,
        };
        let (moderators, serving) = (Arc::new(moderators), Arc::default());
        Ok(Self { app, moderators, token, listener, metrics_listener, serving })
    }

    /// Returns the moderator token of this run, if no moderators are configured. It must never be logged.
    #[must_use]
    pub fn token(&self) -> Option<&Token> {
        self.token.as_ref()
    }

    /// Returns an overview for the operator.
    #[must_use]
    pub fn overview(&self) -> Overview {
        let App { config, plugins, rules, degraded, .. } = &self.app;
        Overview {
            // If the bound address is unavailable, the configured one is the best guess.
            address: self.listener.local_addr().unwrap_or(config.server.listen),
            rooms: config.instance.rooms.clone(),
            rules: Arc::clone(rules),
            plugins: plugins.as_ref().map(|runtime| Arc::clone(&runtime.library)),
            degraded: Arc::clone(degraded),
            serving: Arc::clone(&self.serving),
        }
    }

    /// Serves until `stop` is cancelled, and then drains for at most 10 s.
    ///
    /// Logs the addresses with the ports that the system chose. Settings are reloaded from `started` whenever `reloads`
    /// is notified or a moderator asks for it.
    ///
    /// # Errors
    /// [`ServeError`] if the shard threads cannot be started, or one of them ends unexpectedly.
    pub async fn serve(
        self,
        stop: CancellationToken,
        started: StartupContext,
        reloads: Arc<Notify>,
    ) -> Result<(), ServeError> {
        let Self { app, moderators, listener, metrics_listener, serving, .. } = self;
        // Messages for plugins go straight from the shard to the plugin threads and back.
        let (runtime, judge_handle) = (Handle::current(), app.judge_handle());
        let App { config, live, metrics, plugins, feed, reload, rules, breakers, moderation, events, degraded } = app;
        let server_config = config.server.clone();

        let threads = shard_threads(config.live.shards);
        let (rooms, endings) =
            Rooms::start(&live, &config.instance.rooms, moderators.guarded_names(), threads, [&runtime, &judge_handle])
                .map_err(ServeError::Shards)?;
        let rooms = Arc::new(rooms);

        let limits = config.live.address_limits(config.filter.rate.enabled);
        let address_counter = Arc::new(AddressCounter::new(limits.max_connections));
        let public_info = Arc::new(Swap::new(instance_info(&config)));
        let filter = Arc::new(Swap::new(config.filter.clone()));
        let active = ActiveSettings {
            config: config.clone(),
            snapshot: started.snapshot.clone(),
            present: started.present.clone(),
        };
        let reloader = Arc::new(Reloader {
            start: started,
            active: tokio::sync::Mutex::new(active),
            rules: Arc::clone(&reload),
            current: Arc::clone(&rules),
            library: plugins.as_ref().map(|runtime| Arc::clone(&runtime.library)),
            moderators: Arc::clone(&moderators),
            rooms: Arc::clone(&rooms),
            live: Arc::clone(&live),
            per_address: Arc::clone(&address_counter),
            metrics: Arc::clone(&metrics),
            moderation: Arc::clone(&moderation),
            feed: Arc::clone(&feed),
            instance_info: Arc::clone(&public_info),
            filter: Arc::clone(&filter),
        });
        let actions =
            Actions::new(Arc::clone(&moderation), Arc::clone(&rooms), Arc::clone(&reload), breakers, reloader);
        let api = Api {
            rooms: Arc::clone(&rooms),
            live: Arc::clone(&live),
            metrics: Arc::clone(&metrics),
            instance: public_info,
            origins: server_config.origins,
            proxies: server_config.proxies.clone(),
            max_body_bytes: server_config.max_body_bytes,
            max_frame_bytes: config.live.max_frame_bytes,
            shows_places: config.moderation.shows_places,
            widest_sanction: config.moderation.widest,
            has_metrics_listener: metrics_listener.is_some(),
            moderators: Arc::clone(&moderators),
            feed: Arc::clone(&feed),
            moderation: Arc::clone(&moderation),
            actions: Arc::clone(&actions),
            what_if_lock: Arc::default(),
            filter,
            rules_in_force: rules,
            shutdown: stop.clone(),
            degraded: Arc::clone(&degraded),
            rules_reload: Arc::clone(&reload),
            room_generation: config.wire.room_generation,
            qfield_file: server_config.qfield_file,
        };
        let tasks: TaskTracker = live.tasks.clone();
        let hosts = Arc::new(config.server.host_check());
        let server = HttpServer {
            router: api::router(Arc::new(api), server_config.request_timeout, Arc::clone(&hosts)),
            connection_limit: Arc::new(ConnectionLimit::new(server_config.max_connections, Arc::clone(&metrics))),
            per_address: address_counter,
            proxies: server_config.proxies.clone(),
            head_timeout: server_config.handshake_timeout,
            unacknowledged_timeout: config.live.ping_interval + config.live.pong_timeout,
            tasks: tasks.clone(),
            stop: stop.clone(),
        };
        if let Some(listener) = metrics_listener {
            serve_metrics(&tasks, &server, &metrics, hosts, listener);
        }
        log_address(&listener, "serving");
        serving.notify_one();
        tasks.spawn(server.serve(listener));
        tasks.spawn(prune::run(Arc::clone(&live), moderators, Arc::clone(&moderation), stop.clone()));
        tasks.spawn(reload.watch(stop.clone()));
        tasks.spawn(moderation_tasks::reload_on_signals(Arc::clone(&actions), reloads, stop.clone()));
        tasks.spawn(moderation_tasks::notify_connections(events, Arc::clone(&rooms), stop.clone()));
        tasks.spawn(moderation_tasks::expire_held(actions, config.moderation.held.on_expiry, stop.clone()));
        spawn_observers(&tasks, &moderation, &feed, &metrics, degraded, config.clone(), &stop);
        // Keep the sandbox alive until everything has ended.
        let _sandbox = plugins.map(|PluginRuntime { sandbox, library, events }| {
            let room_check = notes::RoomCheck {
                library: Arc::clone(&library),
                config: config.filter.plugins,
                rooms: Arc::clone(&rooms),
            };
            tasks.spawn(notes::note_plugin_events(events, room_check, feed, stop.clone()));
            tasks.spawn(library.watch(stop.clone()));
            sandbox
        });

        until_stopped(endings, &rooms, &tasks, &stop, &moderation).await
    }
}

/// Returns the number of shards: one for each processor unless it is configured.
fn shard_threads(configured: usize) -> usize {
    match configured {
        0 => std::thread::available_parallelism().map_or(1, NonZeroUsize::get),
        shards => shards,
    }
}

async fn bind(address: SocketAddr) -> Result<TcpListener, ServeError> {
    TcpListener::bind(address).await.map_err(|source| ServeError::Bind { address, source })
}

/// Serves metrics on a port of their own.
fn serve_metrics(
    tasks: &TaskTracker,
    server: &HttpServer,
    metrics: &Arc<Metrics>,
    hosts: Arc<HostCheck>,
    listener: TcpListener,
) {
    log_address(&listener, "serving metrics");
    let server = HttpServer { router: api::metrics_router(Arc::clone(metrics), hosts), ..server.clone() };
    tasks.spawn(server.serve(listener));
}

fn log_address(listener: &TcpListener, message: &str) {
    match listener.local_addr() {
        Ok(address) => tracing::info!(%address, url = %format_args!("http://{address}"), "{message}"),
        Err(error) => tracing::error!(%error, "reading the local address failed"),
    }
}

/// Spawns the tasks that turn the state of moderation and subsystems into notes, metrics and alerts.
fn spawn_observers(
    tasks: &TaskTracker,
    moderation: &Arc<Moderation>,
    feed: &Arc<Feed>,
    metrics: &Arc<Metrics>,
    degraded: Arc<Degraded>,
    config: Config,
    stop: &CancellationToken,
) {
    tasks.spawn(audit_tip::run(Arc::clone(moderation), stop.clone()));
    tasks.spawn(moderation_tasks::watch_clock(Arc::clone(moderation), stop.clone()));
    tasks.spawn(moderation_tasks::update_metrics(Arc::clone(moderation), Arc::clone(metrics), stop.clone()));
    tasks.spawn(notes::note_degradation(degraded.changes(), Arc::clone(feed), stop.clone()));
    if let Some(alerts) = Alerts::new(&config.alerts, Arc::clone(feed), Arc::clone(metrics)) {
        tasks.spawn(alerts.run(stop.clone()));
    }
    tasks.spawn(moderation_tasks::watch_writers(Arc::clone(moderation), config, degraded, stop.clone()));
}
