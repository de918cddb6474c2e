//! Removal of entries that are no longer needed, and the return of free memory.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use crate::auth::Moderators;
use crate::live::Live;
use crate::moderation::Moderation;
use crate::telemetry::MemoryReturn;

/// How often entries are pruned.
const INTERVAL: Duration = Duration::from_mins(1);
/// How often the memory is looked at.
const MEMORY_INTERVAL: Duration = Duration::from_secs(5);

/// Periodically prunes idle entries of addresses, tokens and moderation until `stop` is cancelled.
pub(super) async fn run(
    live: Arc<Live>,
    moderators: Arc<Moderators>,
    moderation: Arc<Moderation>,
    stop: CancellationToken,
) {
    loop {
        tokio::select! {
            () = tokio::time::sleep(INTERVAL) => {}
            () = stop.cancelled() => return,
        }
        let (live, moderators, moderation) = (Arc::clone(&live), Arc::clone(&moderators), Arc::clone(&moderation));
        let pruned = tokio::task::spawn_blocking(move || {
            live.prune();
            moderators.prune();
            moderation.state().prune(moderation.now());
            moderation.record_omitted_refusals();
        });
        if pruned.await.is_err() {
            tracing::error!("pruning panicked");
        }
    }
}

/// Returns free memory to the system after peaks, until `stop` is cancelled. Ends where the system does not tell the memory.
pub(super) async fn return_memory(stop: CancellationToken) {
    let Ok(mut memory) = MemoryReturn::new(Instant::now()) else { return };
    loop {
        tokio::select! {
            () = tokio::time::sleep(MEMORY_INTERVAL) => {}
            () = stop.cancelled() => return,
        }
        if memory.is_due(Instant::now()).unwrap_or(false) {
            let returned = tokio::task::spawn_blocking(move || {
                // If it fails, the next look fails as well.
                let _failed = memory.run(Instant::now());
                memory
            });
            let Ok(next) = returned.await else { return tracing::error!("returning memory panicked") };
            memory = next;
        }
    }
}
