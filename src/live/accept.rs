//! The HTTP server: accepts connections, serves HTTP, and hands WebSockets over to shards.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use axum::Router;
use axum::http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use rustix::io::Errno;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt;

use super::admission::{AddressCounter, Ticket};
use super::progress::Progress;
use super::proxies::TrustedProxies;
use crate::model::Address;
use crate::telemetry::{LogGate, Metrics};

/// Maximum size of a request head. Clients send a few hundred bytes.
const MAX_HEAD_BYTES: usize = 16 * 1024;
/// Delay after a failed accept, usually for lack of file descriptors, until some connection has closed.
const ACCEPT_RETRY_DELAY: Duration = Duration::from_millis(50);
/// How long a request may still arrive after the stop: it may be in the buffers of the system.
const ARRIVAL_GRACE: Duration = Duration::from_millis(100);
/// How often a failing accept is logged.
const LOG_INTERVAL: Duration = Duration::from_mins(1);
/// The response when the connection limit is reached.
const FULL_RESPONSE: &[u8] =
    b"HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nRetry-After: 10\r\nContent-Length: 0\r\n\r\n";

/// Logs failed accepts, each kind at most once a minute.
struct AcceptErrors {
    descriptors: LogGate,
    others: LogGate,
}

impl AcceptErrors {
    fn log(&self, error: &io::Error) {
        let now = Instant::now();
        if matches!(Errno::from_io_error(error), Some(Errno::MFILE | Errno::NFILE)) {
            if let Some(suppressed) = self.descriptors.pass(now) {
                tracing::warn!(
                    %error,
                    suppressed,
                    "connections wait: no file descriptors are left; raise the limit (ulimit -Hn, LimitNOFILE)"
                );
            }
        } else if let Some(suppressed) = self.others.pass(now) {
            tracing::warn!(%error, suppressed, "accept failed");
        }
    }
}

/// An HTTP server for one port.
#[derive(Debug, Clone)]
pub struct HttpServer {
    /// The service.
    pub router: Router,
    /// The connection limit of all ports together.
    pub connection_limit: Arc<ConnectionLimit>,
    /// Open connections by address, except those of trusted proxies.
    pub per_address: Arc<AddressCounter>,
    /// Proxies whose connections carry many clients.
    pub proxies: TrustedProxies,
    /// How long a request head may take to arrive.
    pub head_timeout: Duration,
    /// How long sent data may remain unacknowledged (`TCP_USER_TIMEOUT`).
    pub unacknowledged_timeout: Duration,
    /// Tracks the tasks of all connections.
    pub tasks: TaskTracker,
    /// Stops the server and shuts its connections down gracefully.
    pub stop: CancellationToken,
}

/// Counts connections up to a limit.
#[derive(Debug)]
pub struct ConnectionLimit {
    open: AtomicUsize,
    limit: usize,
    metrics: Arc<Metrics>,
}

/// Permission for one connection, returned on drop.
#[derive(Debug)]
pub struct Permit(Arc<ConnectionLimit>);

/// Request extension with information on the connection.
#[derive(Debug, Clone)]
pub struct ConnectionInfo {
    /// The peer's address.
    pub peer: SocketAddr,
    /// Held by a WebSocket for its lifetime.
    pub permit: Arc<Permit>,
}

impl ConnectionLimit {
    /// Creates a limit with no connections open.
    #[must_use]
    pub fn new(limit: usize, metrics: Arc<Metrics>) -> Self {
        Self { open: AtomicUsize::new(0), limit, metrics }
    }

    fn acquire(self: &Arc<Self>) -> Option<Permit> {
        if self.open.fetch_add(1, Ordering::Relaxed) >= self.limit {
            self.open.fetch_sub(1, Ordering::Relaxed);
            self.metrics.count_refused_connection("full");
            return None;
        }
        self.metrics.count_socket(1);
        Some(Permit(Arc::clone(self)))
    }
}

impl Permit {
    /// Returns a permit for the WebSocket that outlives this HTTP connection. Until the latter is dropped, the
    /// connection counts twice, regardless of the limit.
    ///
    /// The new permit is a separate allocation: a long-lived one made together with the short-lived allocations of HTTP
    /// would keep their memory from being returned.
    #[must_use]
    pub fn for_upgrade(&self) -> Self {
        self.0.open.fetch_add(1, Ordering::Relaxed);
        self.0.metrics.count_socket(1);
        Self(Arc::clone(&self.0))
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::Relaxed);
        self.0.metrics.count_socket(-1);
    }
}

impl HttpServer {
    /// Accepts connections until `stop` is cancelled. Then requests that have arrived in full are answered, and all other
    /// connections are cut.
    pub async fn serve(self, listener: TcpListener) {
        let this = Arc::new(self);
        let errors = AcceptErrors { descriptors: LogGate::new(LOG_INTERVAL), others: LogGate::new(LOG_INTERVAL) };
        loop {
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                () = this.stop.cancelled() => return,
            };
            match accepted {
                Ok((stream, peer)) => match this.admit(peer) {
                    Some((permit, ticket)) => {
                        let this_one = Arc::clone(&this);
                        this.tasks.spawn(async move { this_one.serve_connection(stream, peer, permit, ticket).await });
                    }
                    None => {
                        // Best effort: waiting for an unknown client would be no defence.
                        let _best_effort = stream.try_write(FULL_RESPONSE);
                    }
                },
                Err(error) => {
                    errors.log(&error);
                    tokio::time::sleep(ACCEPT_RETRY_DELAY).await;
                }
            }
        }
    }

    /// Admits a connection within the limits. The ticket covers it until it becomes a WebSocket, which is counted
    /// separately.
    fn admit(&self, peer: SocketAddr) -> Option<(Permit, Ticket)> {
        let ticket = if self.proxies.trusts(peer.ip().to_canonical()) {
            Ticket::UNCOUNTED
        } else {
            self.per_address
                .acquire(Address::from(peer.ip()))
                .inspect_err(|_| self.connection_limit.metrics.count_refused_connection("per_address"))
                .ok()?
        };
        Some((self.connection_limit.acquire()?, ticket))
    }

    async fn serve_connection(&self, stream: TcpStream, peer: SocketAddr, permit: Permit, _ticket: Ticket) {
        if let Err(error) = self.configure_socket(&stream) {
            tracing::debug!(%error, "configuring the socket failed");
            return;
        }
        let info = ConnectionInfo { peer, permit: Arc::new(permit) };
        let progress = Progress::default();
        let service = service_fn(|request: Request<Incoming>| {
            let mut request = request.map(|body| progress.track(body));
            request.extensions_mut().insert(info.clone());
            let answer = self.router.clone().oneshot(request);
            let progress = progress.clone();
            async move { answer.await.inspect(|_| progress.answered()) }
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(self.head_timeout)
            .max_buf_size(MAX_HEAD_BYTES)
            // The network layer of QGIS 3.22 matches header names case-sensitively.
            .title_case_headers(true)
            .serve_connection(TokioIo::new(stream), service)
            .with_upgrades();
        let mut connection = std::pin::pin!(connection);
        let ended = tokio::select! {
            ended = connection.as_mut() => ended,
            () = self.stop.cancelled() => {
                connection.as_mut().graceful_shutdown();
                tokio::select! {
                    ended = connection.as_mut() => ended,
                    () = tokio::time::sleep(ARRIVAL_GRACE) => {
                        if !progress.is_received() {
                            tracing::debug!("HTTP connection without a whole request cut for the shutdown");
                            return;
                        }
                        connection.await
                    }
                }
            }
        };
        if let Err(error) = ended {
            tracing::debug!(%error, "HTTP connection failed");
        }
    }

    fn configure_socket(&self, stream: &TcpStream) -> std::io::Result<()> {
        stream.set_nodelay(true)?;
        #[cfg(target_os = "linux")]
        socket2::SockRef::from(stream).set_tcp_user_timeout(Some(self.unacknowledged_timeout))?;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
