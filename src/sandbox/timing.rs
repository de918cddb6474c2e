//! The time that calls take.

use std::time::{Duration, Instant};

use super::failure::PluginFailure;

/// Runs a future and adds the time spent in polls to `busy`.
pub(super) async fn measure_busy<T>(future: impl Future<Output = T>, busy: &mut Duration) -> T {
    let mut future = std::pin::pin!(future);
    std::future::poll_fn(|cx| {
        let started = Instant::now();
        let polled = future.as_mut().poll(cx);
        *busy += started.elapsed();
        polled
    })
    .await
}

/// Flattens the result of a call with a timeout. A failure after the deadline counts as [`PluginFailure::Deadline`].
pub(super) fn within_deadline<T>(
    called: Result<Result<T, PluginFailure>, tokio::time::error::Elapsed>,
    limit: Duration,
    deadline: Instant,
) -> Result<T, PluginFailure> {
    match called {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(PluginFailure::Busy)) => Err(PluginFailure::Busy),
        Ok(Err(failure)) if Instant::now() < deadline => Err(failure),
        _ => Err(PluginFailure::Deadline(limit)),
    }
}
