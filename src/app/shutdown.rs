//! Waiting for the end of a relay, and its shutdown.

use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::ServeError;
use super::moderation_tasks;
use crate::live::rooms::Rooms;
use crate::live::shard;
use crate::moderation::Moderation;
use crate::wire::frame::CloseCode;

/// How long connections and tasks have to end at shutdown.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(9);
/// How long a shutdown may take in all.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(10);

/// Waits until `stop` is cancelled, and then until all connections and tasks have ended. Meanwhile the moderation store
/// writes what it has; it closes when no more can come.
pub(super) async fn until_stopped(
    endings: Vec<shard::ShardExit>,
    rooms: &Rooms,
    tasks: &TaskTracker,
    stop: &CancellationToken,
    moderation: &Moderation,
) -> Result<(), ServeError> {
    let mut endings: FuturesUnordered<shard::ShardExit> = endings.into_iter().collect();
    let lost = tokio::select! {
        () = stop.cancelled() => false,
        _ = endings.next() => true,
    };
    tracing::info!("shutting down");
    stop.cancel();
    tasks.close();
    let deadline = tokio::time::Instant::now() + SHUTDOWN_TIMEOUT;
    let drained = async {
        rooms.close(CloseCode::GoingAway, "the relay is shutting down").await;
        while endings.next().await.is_some() {}
        tasks.wait().await;
    };
    let drained = tokio::time::timeout(DRAIN_TIMEOUT, drained);
    // An error is logged when the store closes.
    let (drained, _flushed) = tokio::join!(drained, moderation.state().flush());
    if drained.is_err() {
        tracing::warn!(left = tasks.len(), "drain timed out");
    }
    if tokio::time::timeout_at(deadline, moderation_tasks::flush(moderation)).await.is_err() {
        tracing::error!("the moderation store or the audit log was not closed in time");
    }
    if lost { Err(ServeError::ShardLost) } else { Ok(()) }
}
