//! Builds every part from the configuration, binds the ports, serves, and drains at the end.

use std::io;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::api::{self, Api};
use crate::config::Config;
use crate::filter::plugin::Plugins;
use crate::filter::rules::Rules;
use crate::filter::{self, Chain};
use crate::intake::Intake;
use crate::live::accept::{Connections, Port};
use crate::live::admission::PerAddress;
use crate::live::{Live, shard};
use crate::sandbox::{FolderError, Library, Sandbox, SetUpError};
use crate::settings::{Fault, Place};
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
    live: Arc<Live>,
    metrics: Arc<Metrics>,
    /// The plugins and where they run, where the configuration names them.
    plugins: Option<(Arc<Sandbox>, Arc<Library>)>,
}

/// Why the plugins cannot be had at all. One that cannot be loaded is no such reason.
#[derive(Debug, thiserror::Error)]
pub enum PluginsError {
    /// The folder is at fault.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// The sandbox is.
    #[error(transparent)]
    Sandbox(#[from] SetUpError),
}

/// The plugins of the folder that the configuration names, and where they run; `None` when no plugins are in the chain.
async fn load_plugins(config: &filter::Config) -> Result<Option<(Arc<Sandbox>, Arc<Library>)>, PluginsError> {
    if !config.order.contains(&filter::Name::Plugin) {
        return Ok(None);
    }
    let sandbox = Arc::new(Sandbox::of(&config.plugins)?);
    let library = Library::open(Arc::clone(&sandbox), config.plugins.clone()).await?;
    Ok(Some((sandbox, library)))
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
    /// The threads that own the rooms could not be started.
    #[error("the threads of the rooms could not be started")]
    Shards(#[source] io::Error),
    /// A thread that owned rooms has ended by itself. The log says why.
    #[error("a thread that owned rooms has ended; the relay cannot go on")]
    ShardLost,
}

/// Loads the rules that the configuration names; none when the default file is absent.
///
/// # Errors
/// All faults of the file.
pub fn load_rules(config: &Config) -> Result<Rules, Vec<Fault>> {
    let named = config.filter.rules_file.as_deref();
    let path: PathBuf = named.unwrap_or(Path::new(filter::Config::DEFAULT_RULES_FILE)).into();
    let clauses = &config.instance.rules;
    match (named, path.try_exists()) {
        (None, Ok(false)) => Ok(Rules::default()),
        (Some(_), Ok(false)) => {
            let text = "does not exist, though RULES_FILE (filter.rules_file) names it";
            Err(vec![Fault::new(Place::File(path), text)])
        }
        _ => Rules::read(&path, clauses),
    }
}

impl App {
    /// Builds every part, with the plugins loaded. Nothing is bound yet.
    ///
    /// # Errors
    /// [`PluginsError`] when the plugins cannot be had at all.
    pub async fn build(config: Config, rules: Rules) -> Result<Self, PluginsError> {
        let loaded = load_plugins(&config.filter).await?;
        let max_message_length = config.filter.shape.max_message_length;
        let plugins = loaded.as_ref().map(|(_, library)| Plugins::new(Arc::clone(library), max_message_length));
        let metrics = Arc::new(Metrics::new(env!("CARGO_PKG_VERSION"), &config.instance.environment));
        let chain = Chain::build(&config.filter, rules, plugins, &metrics);
        let intake = Intake::new(chain, Arc::clone(&metrics));
        let limited = config.filter.rate.enabled;
        let live = Live::new(config.live.clone(), config.wire.clone(), intake, Arc::clone(&metrics), limited);
        Ok(Self { config, live: Arc::new(live), metrics, plugins: loaded })
    }

    /// The plugins, for who has them read again.
    #[must_use]
    pub fn plugins(&self) -> Option<Arc<Library>> {
        self.plugins.as_ref().map(|(_, library)| Arc::clone(library))
    }

    /// Serves until `stop` is cancelled, and then until everything has ended, which takes 10 s at most.
    ///
    /// The addresses that are served, with the ports that the system chose, are logged.
    ///
    /// # Errors
    /// [`ServeError`] when a port cannot be had. Nothing is served then.
    pub async fn serve(self, stop: CancellationToken) -> Result<(), ServeError> {
        let Self { config, live, metrics, plugins } = self;
        let server = config.server;
        let listener = bind(server.listen).await?;
        let metrics_listener = match server.metrics_listen {
            Some(address) => Some(bind(address).await?),
            None => None,
        };

        let threads = match config.live.shards {
            0 => std::thread::available_parallelism().map_or(1, NonZeroUsize::get),
            shards => shards,
        };
        // A message that plugins look at goes from its shard to their threads and back, and nowhere else.
        let of_plugins = plugins.as_ref().map(|(sandbox, _)| sandbox.handle());
        let runtime = tokio::runtime::Handle::current();
        let judging = of_plugins.unwrap_or_else(|| runtime.clone());
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
            let port = Port { router: api::metrics_router(metrics), ..port.clone() };
            tasks.spawn(port.serve(listener));
        }
        log_address(&listener, "serving");
        tasks.spawn(port.serve(listener));
        tasks.spawn(prune(Arc::clone(&live), stop.clone()));
        if let Some((_, library)) = &plugins {
            tasks.spawn(Arc::clone(library).watch(stop.clone()));
        }

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
