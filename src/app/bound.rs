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
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::{App, Plugged, ServeError, attend, notes};
use crate::api::{self, Api};
use crate::live::accept::{Connections, Port};
use crate::live::admission::PerAddress;
use crate::live::{Live, shard};
use crate::moderation::alerts::Alerts;
use crate::moderation::{self, Desk, Feed, Moderators, Token};
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
}

impl Bound {
    pub(super) async fn of(app: App) -> Result<Self, ServeError> {
        let (moderators, token) = Moderators::of(&app.config.moderation, &app.config.instance.rooms)?;
        let listener = bind(app.config.server.listen).await?;
        let metrics_listener = match app.config.server.metrics_listen {
            Some(address) => Some(bind(address).await?),
            None => None,
        };
        Ok(Self { app, moderators: Arc::new(moderators), token, listener, metrics_listener })
    }

    /// The token of moderators for this run, where the configuration names nobody. It is for the operator's eyes, and
    /// never for a log.
    #[must_use]
    pub fn token(&self) -> Option<&Token> {
        self.token.as_ref()
    }

    /// Who may moderate, for who is asked to read their tokens again.
    #[must_use]
    pub fn moderators(&self) -> Arc<Moderators> {
        Arc::clone(&self.moderators)
    }

    /// Serves until `stop` is cancelled, and then until everything has ended, which takes 10 s at most.
    ///
    /// The addresses that are served, with the ports that the system chose, are logged.
    ///
    /// # Errors
    /// [`ServeError`] when the threads of the rooms cannot be had, or one of them ends by itself.
    pub async fn serve(self, stop: CancellationToken) -> Result<(), ServeError> {
        let Self { app, moderators, listener, metrics_listener, .. } = self;
        // A message that plugins look at goes from its shard to their threads and back, and nowhere else.
        let (runtime, judging) = (Handle::current(), app.judging());
        let App { config, live, metrics, plugins, feed, reload, rules, desk, effects, degraded } = app;
        let server = config.server;

        let threads = match config.live.shards {
            0 => std::thread::available_parallelism().map_or(1, NonZeroUsize::get),
            shards => shards,
        };
        let (rooms, endings) =
            shard::start(&live, config.instance.rooms, threads, [&runtime, &judging]).map_err(ServeError::Shards)?;
        let rooms = Arc::new(rooms);

        let shape = &config.filter.shape;
        let api = Api {
            rooms: Arc::clone(&rooms),
            live: Arc::clone(&live),
            metrics: Arc::clone(&metrics),
            rules: api::Rules {
                rules: config.instance.rules,
                main_lang: config.instance.main_lang,
                min_author_length: shape.min_author_length,
                max_author_length: shape.max_author_length,
                max_message_length: shape.max_message_length,
            },
            origins: server.origins,
            proxies: server.proxies.clone(),
            max_body_bytes: server.max_body_bytes,
            metrics_elsewhere: metrics_listener.is_some(),
            moderators: Arc::clone(&moderators),
            feed: Arc::clone(&feed),
            desk: Arc::clone(&desk),
            acting: tokio::sync::Mutex::default(),
            trying: Arc::default(),
            filter: Arc::new(config.filter.clone()),
            rules_in_force: rules,
            stop: stop.clone(),
            reload: Arc::clone(&reload),
            degraded: Arc::clone(&degraded),
        };
        let limited = config.filter.rate.enabled;
        let per_address = limited.then(|| Arc::new(PerAddress::new(config.live.max_per_address)));
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
        tasks.spawn(port.serve(listener));
        tasks.spawn(prune(Arc::clone(&live), moderators, Arc::clone(&desk), stop.clone()));
        tasks.spawn(reload.watch(stop.clone()));
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
        attend::close(&desk).await;
        if lost { Err(ServeError::ShardLost) } else { Ok(()) }
    }
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
