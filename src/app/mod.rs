//! Builds every part from the configuration, binds the ports, serves, and drains at the end.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::api::{self, Api};
use crate::config::Config;
use crate::filter::rules::Rules;
use crate::filter::{self, Chain};
use crate::intake::Intake;
use crate::live::Live;
use crate::live::accept::{Connections, Port};
use crate::room::Rooms;
use crate::settings::{Fault, Place, read_text};
use crate::telemetry::Metrics;
use crate::wire::frame::CloseCode;

/// How long everything has to end once it is asked to.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(10);
/// How often what has gone quiet is forgotten.
const PRUNE_INTERVAL: Duration = Duration::from_mins(1);

/// A relay that is ready to serve.
#[derive(Debug)]
pub struct App {
    config: Config,
    rooms: Arc<Rooms>,
    live: Arc<Live>,
    metrics: Arc<Metrics>,
}

/// Why a relay could not begin to serve.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A port is not to be had.
    #[error("{address}: this address cannot be listened on")]
    Bind {
        /// Which one.
        address: SocketAddr,
        /// What the system says.
        source: io::Error,
    },
}

/// Loads the rules that the configuration names; none when the default file is absent.
///
/// # Errors
/// All faults of the file.
pub fn load_rules(config: &Config) -> Result<Rules, Vec<Fault>> {
    let named = config.filter.rules_file.as_deref();
    let path: PathBuf = named.unwrap_or(Path::new(filter::Config::DEFAULT_RULES_FILE)).into();
    let clauses = &config.instance.rules;
    match read_text(&path) {
        Ok(Some(text)) => {
            let folder = path.parent().unwrap_or(Path::new(""));
            Rules::load(&path, &text, folder, clauses)
        }
        Ok(None) if named.is_none() => Ok(Rules::default()),
        Ok(None) => Err(vec![Fault::new(Place::File(path), "there is no such file, but the configuration names it")]),
        Err(fault) => Err(vec![fault]),
    }
}

impl App {
    /// Builds every part. Nothing is bound yet.
    #[must_use]
    pub fn build(config: Config, rules: Rules) -> Self {
        let metrics = Arc::new(Metrics::new(env!("CARGO_PKG_VERSION"), &config.instance.environment));
        let rooms = Arc::new(Rooms::new(config.instance.rooms.iter().cloned(), &metrics));
        let chain = Chain::build(&config.filter, rules, &metrics);
        let intake = Intake::new(chain, Arc::clone(&metrics), config.live.reclaim_timeout);
        let limited = config.filter.rate.enabled;
        let live = Live::new(config.live.clone(), config.wire.clone(), intake, Arc::clone(&metrics), limited);
        Self { config, rooms, live: Arc::new(live), metrics }
    }

    /// Serves until `stop` is cancelled, and then until everything has ended, which takes 10 s at most.
    ///
    /// The addresses that are served, with the ports that the system chose, are logged.
    ///
    /// # Errors
    /// [`StartError`] when a port cannot be had. Nothing is served then.
    pub async fn serve(self, stop: CancellationToken) -> Result<(), StartError> {
        let Self { config, rooms, live, metrics } = self;
        let server = config.server;
        let listener = bind(server.listen).await?;
        let metrics_listener = match server.metrics_listen {
            Some(address) => Some(bind(address).await?),
            None => None,
        };

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
            proxies: server.proxies,
            max_body_bytes: server.max_body_bytes,
            metrics_elsewhere: metrics_listener.is_some(),
        };
        let tasks: TaskTracker = live.tasks.clone();
        let port = Port {
            router: api::router(Arc::new(api), server.request_timeout),
            connections: Arc::new(Connections::new(server.max_connections, Arc::clone(&metrics))),
            head_timeout: server.handshake_timeout,
            unacknowledged_timeout: config.live.ping_interval + config.live.pong_timeout,
            tasks: tasks.clone(),
            stop: stop.clone(),
        };
        if let Some(listener) = metrics_listener {
            log_address(&listener, "serving figures");
            let port = Port { router: api::metrics_router(metrics), ..port.clone() };
            tasks.spawn(port.serve(listener));
        }
        log_address(&listener, "serving");
        tasks.spawn(port.serve(listener));
        tasks.spawn(prune(Arc::clone(&live), stop.clone()));

        stop.cancelled().await;
        tracing::info!("shutting down");
        rooms.close(CloseCode::GoingAway, "the relay is shutting down");
        tasks.close();
        if tokio::time::timeout(DRAIN_TIMEOUT, tasks.wait()).await.is_err() {
            tracing::warn!(left = tasks.len(), "some connections did not end in time");
        }
        Ok(())
    }
}

async fn bind(address: SocketAddr) -> Result<TcpListener, StartError> {
    TcpListener::bind(address).await.map_err(|source| StartError::Bind { address, source })
}

fn log_address(listener: &TcpListener, message: &str) {
    match listener.local_addr() {
        Ok(address) => tracing::info!(%address, url = %format_args!("http://{address}"), "{message}"),
        Err(fault) => tracing::error!(%fault, "the address that is served cannot be told"),
    }
}

/// Forgets, from time to time, what is kept of those who have gone quiet.
async fn prune(live: Arc<Live>, stop: CancellationToken) {
    loop {
        tokio::select! {
            () = tokio::time::sleep(PRUNE_INTERVAL) => {}
            () = stop.cancelled() => return,
        }
        let live = Arc::clone(&live);
        if tokio::task::spawn_blocking(move || live.prune()).await.is_err() {
            tracing::error!("what has gone quiet could not be forgotten");
        }
    }
}
