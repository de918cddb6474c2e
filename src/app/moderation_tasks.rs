//! Background tasks of moderation: apply sanctions to open connections, expire held messages, update metrics.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::mpsc::Receiver;
use tokio_util::sync::CancellationToken;

use super::subsystems;
use crate::audit::AuditStats;
use crate::config::Config;
use crate::live::rooms::Rooms;
use crate::model::{ActKind, Actor, Notice, Reason, ReasonCode};
use crate::moderation::{ExpiryAction, HeldMessage, ModerationService, SanctionEvent};
use crate::telemetry::{Degradation, Degraded, Metrics, ModerationMetrics, Subsystem};

/// How often the held queue is checked.
const HELD_INTERVAL: Duration = Duration::from_secs(1);

/// How often metrics and writers are checked.
const METRICS_INTERVAL: Duration = Duration::from_secs(1);

/// Applies sanctions to open connections. Runs until `stop` is cancelled or the sender is dropped.
pub(super) async fn apply_sanction_events(
    mut effects: Receiver<SanctionEvent>,
    rooms: Arc<Rooms>,
    stop: CancellationToken,
) {
    loop {
        let effect = tokio::select! {
            effect = effects.recv() => effect,
            () = stop.cancelled() => return,
        };
        match effect {
            Some(SanctionEvent::Imposed(sanction)) => rooms.apply_sanction(&sanction, false).await,
            Some(SanctionEvent::Lifted(sanction)) => rooms.apply_sanction(&sanction, true).await,
            None => return,
        }
    }
}

/// Resolves held messages that have expired. Runs until `stop` is cancelled.
pub(super) async fn expire_held(
    moderation: Arc<ModerationService>,
    rooms: Arc<Rooms>,
    unanswered: ExpiryAction,
    stop: CancellationToken,
) {
    loop {
        tokio::select! {
            () = tokio::time::sleep(HELD_INTERVAL) => {}
            () = stop.cancelled() => return,
        }
        for held in moderation.state().held().expired(Timestamp::now()) {
            resolve_expired(&moderation, &rooms, unanswered, held).await;
        }
    }
}

async fn resolve_expired(moderation: &ModerationService, rooms: &Rooms, unanswered: ExpiryAction, held: HeldMessage) {
    let HeldMessage { recorded, .. } = held;
    let (message, room) = (recorded.decision.message.id, recorded.sender.room.clone());
    let (author, address) = (&recorded.decision.message.author, recorded.sender.address);
    // Drop the message if its author was muted or banned in the meantime.
    let sanctioned = moderation.state().sanctions().strongest(&room, author, address, Timestamp::now()).is_some();
    match if sanctioned { ExpiryAction::Drop } else { unanswered } {
        ExpiryAction::Release => {
            moderation.record_detached(Actor::Relay, Some(room.clone()), ActKind::Released { message });
            if let Some(room) = rooms.find(room.as_str()) {
                // Fails if the relay is shutting down or the room was removed: nobody is left to receive it.
                let _ended = room.release(recorded).await;
            }
        }
        ExpiryAction::Drop => {
            moderation.record_detached(Actor::Relay, Some(room), ActKind::Refused { message });
            if let Some(member) = recorded.sender.connection {
                let text = "no moderator reviewed your message in time; it was not sent";
                rooms.notify(member, Notice::Refused(Reason::new(ReasonCode::HeldRefused, text))).await;
            }
        }
    }
}

/// Updates the moderation metrics. Runs until `stop` is cancelled.
pub(super) async fn update_metrics(moderation: Arc<ModerationService>, metrics: Arc<Metrics>, stop: CancellationToken) {
    loop {
        let state = moderation.state();
        let store = state.store_figures().unwrap_or_default();
        let audit = moderation.audit().map(|audit| audit.stats());
        let count = |of: fn(&AuditStats) -> &AtomicU64| audit.map_or(0, |stats| of(stats).load(Ordering::Relaxed));
        metrics.set_moderation(&ModerationMetrics {
            held: state.held().len() as u64,
            sanctions: state.sanctions().unlifted_count() as u64,
            store_errors: store.errors,
            audit_written: count(|stats| &stats.written),
            audit_lost: count(|stats| &stats.lost),
            audit_errors: count(|stats| &stats.errors),
            unlogged_acts: count(|stats| &stats.unlogged_acts),
        });
        tokio::select! {
            () = tokio::time::sleep(METRICS_INTERVAL) => {}
            () = stop.cancelled() => return,
        }
    }
}

/// Tracks whether the moderation store and the audit log can be written. Runs until `stop` is cancelled.
pub(super) async fn watch_writers(
    moderation: Arc<ModerationService>,
    config: Config,
    degraded: Arc<Degraded>,
    stop: CancellationToken,
) {
    let state = moderation.state();
    loop {
        tokio::select! {
            () = tokio::time::sleep(METRICS_INTERVAL) => {}
            () = stop.cancelled() => return,
        }
        let store = state.store_error().map(|failure| subsystems::store_degradation(&config.store, &failure));
        // A successful write shows that the file works; a store that could not be opened never writes.
        let works = state.store_figures().is_some_and(|stats| stats.written > 0);
        update_degraded(&degraded, Subsystem::Store, store, works);
        let Some(audit) = moderation.audit() else { continue };
        let failure = audit.failure().map(|failure| subsystems::audit_degradation(&config.audit, &failure));
        update_degraded(&degraded, Subsystem::Audit, failure, true);
    }
}

/// Reports a failure once, even if later attempts fail with other errors.
fn update_degraded(degraded: &Degraded, subsystem: Subsystem, failure: Option<Degradation>, works: bool) {
    match (degraded.contains(subsystem), failure) {
        (false, Some(failure)) => degraded.begin(failure),
        (true, None) if works => degraded.end(subsystem),
        _ => {}
    }
}

/// Writes the remaining state and audit log lines, each within its own timeout.
pub(super) async fn flush(moderation: &ModerationService) {
    let audit = async {
        match moderation.audit() {
            Some(audit) => audit.close().await,
            None => true,
        }
    };
    let (state, audit) = tokio::join!(moderation.state().close(), audit);
    if let Err(error) = state {
        tracing::error!(%error, "flushing the moderation store failed");
    }
    if !audit {
        tracing::error!("flushing the audit log failed");
    }
}
