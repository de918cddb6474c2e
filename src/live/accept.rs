//! The port: accepts connections, serves HTTP on them, and hands those that become WebSockets over.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt;

use super::admission::{PerAddress, Ticket};
use super::client::TrustedProxies;
use crate::model::Address;
use crate::telemetry::Metrics;

/// Most bytes of a request's head. Clients send a few hundred.
const MAX_HEAD_BYTES: usize = 16 * 1024;
/// How long to wait when the system has no more file descriptors: until some connection has ended, if all goes well.
const BREATH: Duration = Duration::from_millis(50);
/// The answer to a connection too many.
const FULL: &[u8] =
    b"HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nRetry-After: 10\r\nContent-Length: 0\r\n\r\n";

/// What a port needs to serve.
#[derive(Debug, Clone)]
pub struct Port {
    /// What is served.
    pub router: Router,
    /// Connections of all ports together.
    pub connections: Arc<Connections>,
    /// Connections by address, those of trusted proxies aside.
    pub per_address: Arc<PerAddress>,
    /// Whose connections stand for many clients.
    pub proxies: TrustedProxies,
    /// How long the head of a request may take to arrive.
    pub head_timeout: Duration,
    /// How long the client's system may leave what is sent to it unacknowledged.
    pub unacknowledged_timeout: Duration,
    /// The tasks of all connections.
    pub tasks: TaskTracker,
    /// Ends the port and asks its connections to end.
    pub stop: CancellationToken,
}

/// How many connections there are and may be.
#[derive(Debug)]
pub struct Connections {
    open: AtomicUsize,
    limit: usize,
    metrics: Arc<Metrics>,
}

/// The right to one connection; dropping it gives it back.
#[derive(Debug)]
pub struct Permit(Arc<Connections>);

/// What the handlers of a request may know of its connection.
#[derive(Debug, Clone)]
pub struct ConnectionInfo {
    /// The other end.
    pub peer: SocketAddr,
    /// Kept by a WebSocket for as long as it lives.
    pub permit: Arc<Permit>,
}

impl Connections {
    /// None yet, at most `limit`.
    #[must_use]
    pub fn new(limit: usize, metrics: Arc<Metrics>) -> Self {
        Self { open: AtomicUsize::new(0), limit, metrics }
    }

    fn permit(self: &Arc<Self>) -> Option<Permit> {
        if self.open.fetch_add(1, Ordering::Relaxed) >= self.limit {
            self.open.fetch_sub(1, Ordering::Relaxed);
            self.metrics.count_refused_connection("full");
            return None;
        }
        self.metrics.count_connection(1);
        Some(Permit(Arc::clone(self)))
    }
}

impl Permit {
    /// A permit for what the same connection becomes: a WebSocket that outlives its HTTP connection. For a moment the
    /// connection counts twice, whatever the limit.
    ///
    /// It is a value of its own because what lives as long as a WebSocket must not be allocated among the short-lived
    /// things of HTTP, whose memory it would keep from being given back.
    #[must_use]
    pub fn successor(&self) -> Self {
        self.0.open.fetch_add(1, Ordering::Relaxed);
        self.0.metrics.count_connection(1);
        Self(Arc::clone(&self.0))
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::Relaxed);
        self.0.metrics.count_connection(-1);
    }
}

impl Port {
    /// Accepts connections until told to stop. Those that are open then finish the request that they are at.
    pub async fn serve(self, listener: TcpListener) {
        let this = Arc::new(self);
        loop {
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                () = this.stop.cancelled() => return,
            };
            match accepted {
                Ok((stream, peer)) => match this.admit(peer) {
                    Some((permit, ticket)) => {
                        let this_one = Arc::clone(&this);
                        this.tasks.spawn(async move { this_one.connection(stream, peer, permit, ticket).await });
                    }
                    None => {
                        // A courtesy that may be lost: waiting for a stranger would be no defence.
                        let _best_effort = stream.try_write(FULL);
                    }
                },
                Err(fault) => {
                    tracing::warn!(%fault, "a connection could not be accepted");
                    tokio::time::sleep(BREATH).await;
                }
            }
        }
    }

    /// Lets a connection in, or not. As a WebSocket it counts elsewhere: this ticket is for the time before.
    fn admit(&self, peer: SocketAddr) -> Option<(Permit, Ticket)> {
        let ticket = if self.proxies.trusts(peer.ip().to_canonical()) {
            Ticket::UNCOUNTED
        } else {
            self.per_address.enter(Address::from(peer.ip())).or_else(|| {
                self.connections.metrics.count_refused_connection("per_address");
                None
            })?
        };
        Some((self.connections.permit()?, ticket))
    }

    async fn connection(&self, stream: TcpStream, peer: SocketAddr, permit: Permit, _ticket: Ticket) {
        if let Err(fault) = self.prepare(&stream) {
            tracing::debug!(%fault, "a connection ended before it began");
            return;
        }
        let info = ConnectionInfo { peer, permit: Arc::new(permit) };
        let service = service_fn(move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(info.clone());
            self.router.clone().oneshot(request)
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(self.head_timeout)
            .max_buf_size(MAX_HEAD_BYTES)
            // The network layer of QGIS 3.22 finds headers by their exact letter case only.
            .title_case_headers(true)
            .serve_connection(TokioIo::new(stream), service)
            .with_upgrades();
        let mut connection = std::pin::pin!(connection);
        let ended = tokio::select! {
            ended = connection.as_mut() => ended,
            () = self.stop.cancelled() => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        if let Err(fault) = ended {
            tracing::debug!(%fault, "an HTTP connection failed");
        }
    }

    fn prepare(&self, stream: &TcpStream) -> std::io::Result<()> {
        stream.set_nodelay(true)?;
        #[cfg(target_os = "linux")]
        socket2::SockRef::from(stream).set_tcp_user_timeout(Some(self.unacknowledged_timeout))?;
        Ok(())
    }
}
