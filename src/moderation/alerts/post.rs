//! One try to post an alert.
//!
//! The client is a blocking one: it runs on a thread of its own for each try. A name that the system looks up for
//! minutes then holds up neither the runtime nor the end of the program.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Semaphore, oneshot};
use ureq::Agent;

use super::config::{Secret, Url};

/// Most threads that may hang at once, should the client miss its deadline.
const MAX_THREADS: usize = 4;
/// What the client may take beyond its deadline before it is given up.
const GRACE: Duration = Duration::from_secs(1);
/// Largest head of an answer. Bytes. Its body is not read.
const MAX_HEAD: usize = 16 * 1024;

/// Where alerts go.
#[derive(Debug)]
pub(super) struct Hook {
    url: Url,
    secret: Secret,
    agent: Agent,
    deadline: Duration,
    threads: Arc<Semaphore>,
}

/// Why a try did not succeed.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    /// There was an answer, and it was no success.
    #[error("answered with status {0}")]
    Status(u16),
    /// There was no answer.
    #[error(transparent)]
    Client(#[from] ureq::Error),
    /// The client did not come back.
    #[error("no answer in time")]
    TooLate,
    /// The system gives no thread, or too many of them hang.
    #[error("there is no thread for it")]
    NoThread,
}

impl Failure {
    /// Whether another try may succeed. What is refused once is refused again.
    pub(super) fn may_pass(&self) -> bool {
        match self {
            Self::Status(status) => matches!(status, 408 | 425 | 429 | 500..),
            Self::Client(_) | Self::TooLate | Self::NoThread => true,
        }
    }
}

impl Hook {
    /// A hook at this address; each try has so long, from looking up the name to the head of the answer.
    pub(super) fn new(url: Url, secret: Secret, deadline: Duration) -> Self {
        let agent = Agent::config_builder()
            .timeout_global(Some(deadline))
            .http_status_as_error(false)
            // An answer that leads elsewhere is no success: the alert is for the one that was named.
            .max_redirects(0)
            .max_redirects_will_error(false)
            // What goes where is for the settings to say, not for HTTP_PROXY.
            .proxy(None)
            .max_idle_connections(0)
            .max_response_header_size(MAX_HEAD)
            .user_agent(concat!("gischat-relay/", env!("CARGO_PKG_VERSION")))
            .build()
            .new_agent();
        Self { url, secret, agent, deadline, threads: Arc::new(Semaphore::new(MAX_THREADS)) }
    }

    /// Host and port, for the log.
    pub(super) fn host(&self) -> &str {
        self.url.host()
    }

    /// Posts once, signed with the time, which is in seconds of Unix.
    ///
    /// # Errors
    /// [`Failure`].
    ///
    /// # Cancel safety
    /// A try that has begun goes on when the future is dropped.
    pub(super) async fn post(&self, id: &str, unix_seconds: i64, body: &Arc<[u8]>) -> Result<(), Failure> {
        let timestamp = unix_seconds.to_string();
        let request = self
            .agent
            .post(&**self.url.reveal())
            .content_type("application/json")
            .header("X-Gischat-Delivery", id)
            .header("X-Gischat-Signature", self.secret.key().sign(&timestamp, body))
            .header("X-Gischat-Timestamp", timestamp);
        let permit = Arc::clone(&self.threads).try_acquire_owned().map_err(|_| Failure::NoThread)?;
        let (answer, answered) = oneshot::channel();
        let body = Arc::clone(body);
        let posting = std::thread::Builder::new().name("alert".to_owned()).spawn(move || {
            let status = request.send(&body[..]).map(|response| response.status());
            drop(permit);
            // Whoever waited may have stopped.
            let _nobody_waits = answer.send(status);
        });
        posting.map_err(|_| Failure::NoThread)?;
        match tokio::time::timeout(self.deadline + GRACE, answered).await {
            Ok(Ok(Ok(status))) if status.is_success() => Ok(()),
            Ok(Ok(Ok(status))) => Err(Failure::Status(status.as_u16())),
            Ok(Ok(Err(fault))) => Err(fault.into()),
            Ok(Err(_)) | Err(_) => Err(Failure::TooLate),
        }
    }
}
