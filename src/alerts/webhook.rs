//! One attempt to post an alert.
//!
//! The HTTP client blocks, so each attempt runs on its own thread. A slow DNS lookup then blocks neither the runtime
//! nor shutdown.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Semaphore, oneshot};
use ureq::Agent;

use super::config::{Secret, Url};

/// Maximum number of threads at a time, in case the client misses its timeout.
const MAX_THREADS: usize = 4;
/// Time that the client gets beyond its timeout.
const GRACE: Duration = Duration::from_secs(1);
/// Maximum size of a response head, in bytes. The body is not read.
const MAX_RESPONSE_HEAD: usize = 16 * 1024;

/// The receiver of alerts.
#[derive(Debug)]
pub(super) struct Webhook {
    url: Url,
    secret: Secret,
    agent: Agent,
    timeout: Duration,
    threads: Arc<Semaphore>,
}

/// Why an attempt failed.
#[derive(Debug, thiserror::Error)]
pub(super) enum PostError {
    /// The response was not a success.
    #[error("server responded with status {0}")]
    Status(u16),
    /// There was no response.
    #[error(transparent)]
    Client(#[from] ureq::Error),
    /// The client did not finish in time.
    #[error("timed out")]
    Timeout,
    /// No thread could be started, or too many are blocked.
    #[error("no thread available")]
    NoThread,
}

impl PostError {
    /// Whether another attempt may succeed.
    pub(super) fn is_transient(&self) -> bool {
        match self {
            Self::Status(status) => matches!(status, 408 | 425 | 429 | 500..),
            Self::Client(_) | Self::Timeout | Self::NoThread => true,
        }
    }
}

impl Webhook {
    /// Creates a webhook. `timeout` bounds each attempt, from the DNS lookup to the response head.
    pub(super) fn new(url: Url, secret: Secret, timeout: Duration) -> Self {
        let agent = Agent::config_builder()
            .timeout_global(Some(timeout))
            .http_status_as_error(false)
            // A redirect is a failure: alerts go only to the configured host.
            .max_redirects(0)
            .max_redirects_will_error(false)
            // Ignore HTTP_PROXY: the settings alone decide where alerts go.
            .proxy(None)
            .max_idle_connections(0)
            .max_response_header_size(MAX_RESPONSE_HEAD)
            .user_agent(concat!("gischat-relay/", env!("CARGO_PKG_VERSION")))
            .build()
            .new_agent();
        Self { url, secret, agent, timeout, threads: Arc::new(Semaphore::new(MAX_THREADS)) }
    }

    /// Returns host and port, for the log.
    pub(super) fn host(&self) -> &str {
        self.url.host()
    }

    /// Posts `body` once, signed together with the time in Unix seconds.
    ///
    /// # Errors
    /// [`PostError`].
    ///
    /// # Cancel safety
    /// An attempt that has started continues if the future is dropped.
    pub(super) async fn post(&self, id: &str, unix_seconds: i64, body: &Arc<[u8]>) -> Result<(), PostError> {
        let timestamp = unix_seconds.to_string();
        let request = self
            .agent
            .post(&**self.url.reveal())
            .content_type("application/json")
            .header("X-Gischat-Delivery", id)
            .header("X-Gischat-Signature", self.secret.key().sign(&timestamp, body))
            .header("X-Gischat-Timestamp", timestamp);
        let permit = Arc::clone(&self.threads).try_acquire_owned().map_err(|_| PostError::NoThread)?;
        let (answer, answered) = oneshot::channel();
        let body = Arc::clone(body);
        let posting = std::thread::Builder::new().name("alert".to_owned()).spawn(move || {
            let status = request.send(&body[..]).map(|response| response.status());
            drop(permit);
            // The receiver may have timed out.
            let _closed = answer.send(status);
        });
        posting.map_err(|_| PostError::NoThread)?;
        match tokio::time::timeout(self.timeout + GRACE, answered).await {
            Ok(Ok(Ok(status))) if status.is_success() => Ok(()),
            Ok(Ok(Ok(status))) => Err(PostError::Status(status.as_u16())),
            Ok(Ok(Err(error))) => Err(error.into()),
            Ok(Err(_)) | Err(_) => Err(PostError::Timeout),
        }
    }
}
