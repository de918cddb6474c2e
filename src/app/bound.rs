//! A relay with its ports, from the first connection to the last.

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use jiff::Timestamp;
use tokio::net::TcpListener;
use tokio::runtime::Handle;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::reload::{InForce, Reloader, told};
use super::{App, Plugged, ServeError, Started, attend, notes};
use crate::api::{self, Api};
use crate::filter::rules::Current;
use crate::live::accept::{Connections, Port};
use crate::live::admission::PerAddress;
use crate::live::rooms::Rooms;
use crate::live::{Live, shard};
use crate::model::RoomName;
use crate::moderation::alerts::Alerts;
use crate::moderation::{self, Desk, Feed, Moderators, Token};
use crate::sandbox::Library;
use crate::settings::Swap;
use crate::telemetry::{Degraded, Metrics};
use crate::wire::frame::CloseCode;

/// How long everything has to end once it is asked to.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(9);
/// How often what has gone quiet is forgotten.
const PRUNE_INTERVAL: Duration = Duration::from_mins(1);

/// A relay that is ready to serve.
#[derive(Debug)]
pub struct Bound {
    app: App,
    moderators: Arc<Moderators>,
    token: Option<Token>,
    listener: TcpListener,
    metrics_listener: Option<TcpListener>,
    /// Notified once the relay serves.
    serving: Arc<Notify>,
}

/// What an operator wants to know of a relay that starts.
#[derive(Debug)]
pub struct Overview {
    /// Where it serves.
    pub address: SocketAddr,
    /// Its rooms.
    pub rooms: Vec<RoomName>,
    /// Its rules, as they are at any time.
    pub rules: Arc<Current>,
    /// Its plugins; `None` when none are in the chain.
    pub plugins: Option<Arc<Library>>,
    /// The parts that it runs without.
    pub degraded: Arc<Degraded>,
    /// Notified once the relay serves.
    pub serving: Arc<Notify>,
}

impl Bound {
    pub(super) async fn of(app: App) -> Result<Self, ServeError> {
        let (moderators, token) = Moderators::of(&app.config.moderation, &app.config.instance.rooms)?;
        let listener = bind(app.config.server.listen).await?;
        let metrics_listener = match app.config.server.metrics_listen {
            Some(address) => Some(bind(address).await?),
            None => None,
        };
        let (moderators, serving) = (Arc::new(moderators), Arc::default());
        Ok(Self { app, moderators, token, listener, metrics_listener, serving })
    }

    /// The token of moderators for this run, where the configuration names nobody. It is for the operator's eyes, and
    /// never for a log.
    #[must_use]
    pub fn token(&self) -> Option<&Token> {
        self.token.as_ref()
    }

    /// What the relay has come up with.
    #[must_use]
    pub fn overview(&self) -> Overview {
        let App { config, plugins, rules, degraded, .. } = &self.app;
        Overview {
            // The address was just bound. Should it not be told, the one that was asked for is the best guess.
            address: self.listener.local_addr().unwrap_or(config.server.listen),
            rooms: config.instance.rooms.clone(),
            rules: Arc::clone(rules),
            plugins: plugins.as_ref().map(|plugged| Arc::clone(&plugged.library)),
            degraded: Arc::clone(degraded),
            serving: Arc::clone(&self.serving),
        }
    }

    /// Serves until `stop` is cancelled, and then until everything has ended, which takes 10 s at most.
    ///
    /// The addresses that are served, with the ports that the system chose, are logged. `started` tells how settings are
    /// read again, which happens whenever `reloads` is notified, and by moderators' calls.
    ///
    /// # Errors
    /// [`ServeError`] when the threads of the rooms cannot be had, or one of them ends by itself.
    pub async fn serve(
        self,
        stop: CancellationToken,
        started: Started,
        reloads: Arc<Notify>,
    ) -> Result<(), ServeError> {
        let Self { app, moderators, listener, metrics_listener, serving, .. } = self;
        // A message that plugins look at goes from its shard to their threads and back, and nowhere else.
        let (runtime, judging) = (Handle::current(), app.judging());
        let App { config, live, metrics, plugins, feed, reload, rules, desk, effects, degraded } = app;
        let server = config.server.clone();

        let threads = match config.live.shards {
            0 => std::thread::available_parallelism().map_or(1, NonZeroUsize::get),
            shards => shards,
        };
        let (rooms, endings) = shard::start(&live, config.instance.rooms.clone(), threads, [&runtime, &judging])
            .map_err(ServeError::Shards)?;
        let rooms = Arc::new(rooms);

        let limits = config.live.limits(config.filter.rate.enabled);
        let per_address = Arc::new(PerAddress::new(limits.each));
        let told = Arc::new(Swap::new(told(&config)));
        let filter = Arc::new(Swap::new(config.filter.clone()));
        let in_force =
            InForce { config: config.clone(), values: started.values.clone(), present: started.present.clone() };
        let reloader = Arc::new(Reloader {
            start: started,
            in_force: tokio::sync::Mutex::new(in_force),
            rules: Arc::clone(&reload),
            current: Arc::clone(&rules),
            library: plugins.as_ref().map(|plugged| Arc::clone(&plugged.library)),
            moderators: Arc::clone(&moderators),
            rooms: Arc::clone(&rooms),
            live: Arc::clone(&live),
            per_address: Arc::clone(&per_address),
            metrics: Arc::clone(&metrics),
            desk: Arc::clone(&desk),
            feed: Arc::clone(&feed),
            told: Arc::clone(&told),
            filter: Arc::clone(&filter),
        });
        let api = Api {
            rooms: Arc::clone(&rooms),
            live: Arc::clone(&live),
            metrics: Arc::clone(&metrics),
            rules: told,
            origins: server.origins,
            proxies: server.proxies.clone(),
            max_body_bytes: server.max_body_bytes,
            metrics_elsewhere: metrics_listener.is_some(),
            moderators: Arc::clone(&moderators),
            feed: Arc::clone(&feed),
            desk: Arc::clone(&desk),
            acting: tokio::sync::Mutex::default(),
            trying: Arc::default(),
            filter,
            rules_in_force: rules,
            stop: stop.clone(),
            degraded: Arc::clone(&degraded),
            rules_reload: Arc::clone(&reload),
            reload: Arc::clone(&reloader) as Arc<dyn api::Reload>,
        };
        let tasks: TaskTracker = live.tasks.clone();
        let port = Port {
            router: api::router(Arc::new(api), server.request_timeout),
            connections: Arc::new(Connections::new(server.max_connections, Arc::clone(&metrics))),
            per_address,
            proxies: server.proxies.clone(),
            head_timeout: server.handshake_timeout,
            unacknowledged_timeout: config.live.ping_interval + config.live.pong_timeout,
            tasks: tasks.clone(),
            stop: stop.clone(),
        };
        if let Some(listener) = metrics_listener {
            log_address(&listener, "serving figures");
            let port = Port { router: api::metrics_router(Arc::clone(&metrics)), ..port.clone() };
            tasks.spawn(port.serve(listener));
        }
        log_address(&listener, "serving");
        serving.notify_one();
        tasks.spawn(port.serve(listener));
        tasks.spawn(prune(Arc::clone(&live), moderators, Arc::clone(&desk), stop.clone()));
        tasks.spawn(reload.watch(stop.clone()));
        tasks.spawn(reloader.on_signals(reloads, stop.clone()));
        tasks.spawn(attend::carry_out(effects, Arc::clone(&rooms), stop.clone()));
        let unanswered = config.moderation.held.when_nobody_answers;
        tasks.spawn(attend::expire_held(Arc::clone(&desk), Arc::clone(&rooms), unanswered, stop.clone()));
        let moderation = config.moderation.clone();
        take_note(&tasks, &desk, &feed, &metrics, degraded, moderation, &stop);
        if let Some(alerts) = Alerts::of(&config.moderation.alerts, Arc::clone(&feed), metrics) {
            tasks.spawn(alerts.run(stop.clone()));
        }
        // The sandbox lives until everything has ended.
        let _sandbox = plugins.map(|Plugged { sandbox, library, events }| {
            let known = notes::Known {
                library: Arc::clone(&library),
                config: config.filter.plugins,
                rooms: Arc::clone(&rooms),
            };
            tasks.spawn(notes::take(events, known, feed, stop.clone()));
            tasks.spawn(library.watch(stop.clone()));
            sandbox
        });

        let outcome = until_stopped(endings, &rooms, &tasks, &stop).await;
        attend::close(&desk).await;
        outcome
    }
}

/// Waits until told to stop, and then until all connections and tasks have ended.
async fn until_stopped(
    endings: Vec<shard::Ending>,
    rooms: &Rooms,
    tasks: &TaskTracker,
    stop: &CancellationToken,
) -> Result<(), ServeError> {
    let mut endings: FuturesUnordered<shard::Ending> = endings.into_iter().collect();
    let lost = tokio::select! {
        () = stop.cancelled() => false,
        _ = endings.next() => true,
    };
    tracing::info!("shutting down");
    stop.cancel();
    tasks.close();
    let drained = async {
        rooms.close(CloseCode::GoingAway, "the relay is shutting down").await;
        while endings.next().await.is_some() {}
        tasks.wait().await;
    };
    if tokio::time::timeout(DRAIN_TIMEOUT, drained).await.is_err() {
        tracing::warn!(left = tasks.len(), "some connections did not end in time");
    }
    if lost { Err(ServeError::ShardLost) } else { Ok(()) }
}

async fn bind(address: SocketAddr) -> Result<TcpListener, ServeError> {
    TcpListener::bind(address).await.map_err(|source| ServeError::Bind { address, source })
}

fn log_address(listener: &TcpListener, message: &str) {
    match listener.local_addr() {
        Ok(address) => tracing::info!(%address, url = %format_args!("http://{address}"), "{message}"),
        Err(fault) => tracing::error!(%fault, "the address that is served cannot be told"),
    }
}

/// Starts what puts into notes and figures how the moderators' desk and the parts of the relay are.
fn take_note(
    tasks: &TaskTracker,
    desk: &Arc<Desk>,
    feed: &Arc<Feed>,
    metrics: &Arc<Metrics>,
    degraded: Arc<Degraded>,
    moderation: moderation::Config,
    stop: &CancellationToken,
) {
    tasks.spawn(attend::take_notes(Arc::clone(feed), Arc::clone(desk), stop.clone()));
    tasks.spawn(attend::show_figures(Arc::clone(desk), Arc::clone(metrics), stop.clone()));
    tasks.spawn(notes::take_degraded(degraded.changes(), Arc::clone(feed), stop.clone()));
    tasks.spawn(attend::follow_writers(Arc::clone(desk), moderation, degraded, stop.clone()));
}

/// Forgets, from time to time, what is kept of those who have gone quiet.
async fn prune(live: Arc<Live>, moderators: Arc<Moderators>, desk: Arc<Desk>, stop: CancellationToken) {
    loop {
        tokio::select! {
            () = tokio::time::sleep(PRUNE_INTERVAL) => {}
            () = stop.cancelled() => return,
        }
        let (live, moderators, desk) = (Arc::clone(&live), Arc::clone(&moderators), Arc::clone(&desk));
        let pruned = tokio::task::spawn_blocking(move || {
            live.prune();
            moderators.prune();
            desk.state().prune(Timestamp::now());
        });
        if pruned.await.is_err() {
            tracing::error!("what has gone quiet could not be forgotten");
        }
    }
}
