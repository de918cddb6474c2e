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

/// Flattens the result of a call with a timeout. A failure or an answer after the deadline counts as
/// [`PluginFailure::Deadline`]: a bulk operation is not interrupted, and may end long after it.
pub(super) fn within_deadline<T>(
    called: Result<Result<T, PluginFailure>, tokio::time::error::Elapsed>,
    limit: Duration,
    deadline: Instant,
) -> Result<T, PluginFailure> {
    match called {
        Ok(Err(PluginFailure::Busy)) => Err(PluginFailure::Busy),
        Ok(Ok(value)) if Instant::now() < deadline => Ok(value),
        Ok(Err(failure)) if Instant::now() < deadline => Err(failure),
        _ => Err(PluginFailure::Deadline(limit)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_after_the_deadline_is_a_failure() {
        let (limit, now) = (Duration::from_millis(20), Instant::now());
        assert_eq!(within_deadline(Ok(Ok(1)), limit, now + Duration::from_mins(1)), Ok(1));
        assert_eq!(within_deadline(Ok(Ok(1)), limit, now), Err(PluginFailure::Deadline(limit)));
    }
}
