//! Removal of entries that are no longer needed.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::auth::Moderators;
use crate::live::Live;
use crate::moderation::Moderation;

/// How often entries are pruned.
const INTERVAL: Duration = Duration::from_mins(1);

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
