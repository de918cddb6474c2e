//! Background tasks of moderation: tell open connections of sanctions, expire held messages, reload on signals, update
//! metrics.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::Notify;
use tokio::sync::mpsc::Receiver;
use tokio_util::sync::CancellationToken;

use super::{audit_tip, subsystems};
use crate::actions::{Actions, ReloadTrigger};
use crate::audit::AuditStats;
use crate::config::Config;
use crate::live::rooms::Rooms;
use crate::model::Notice;
use crate::moderation::{ExpiryAction, Moderation, ModerationEvent, NoteKind};
use crate::telemetry::{ClockWatch, Degradation, Degraded, Metrics, ModerationTotals, Subsystem};

/// How often the held queue is checked.
const HELD_INTERVAL: Duration = Duration::from_secs(1);

/// How often metrics and writers are checked.
const METRICS_INTERVAL: Duration = Duration::from_secs(1);

/// Tells open connections of the sanctions that rules and plugins impose, and of held messages that are refused. Runs
/// until `stop` is cancelled or the sender is dropped.
pub(super) async fn notify_connections(
    mut events: Receiver<ModerationEvent>,
    rooms: Arc<Rooms>,
    stop: CancellationToken,
) {
    loop {
        let event = tokio::select! {
            event = events.recv() => event,
            () = stop.cancelled() => return,
        };
        let Some(event) = event else { return };
        match event {
            ModerationEvent::Sanction(event) => rooms.enforce(event).await,
            ModerationEvent::Refused(connection, reason) => rooms.notify(connection, Notice::Refused(reason)).await,
        }
    }
}

/// Resolves held messages that have expired. Runs until `stop` is cancelled.
pub(super) async fn expire_held(actions: Arc<Actions>, unanswered: ExpiryAction, stop: CancellationToken) {
    loop {
        tokio::select! {
            () = tokio::time::sleep(HELD_INTERVAL) => {}
            () = stop.cancelled() => return,
        }
        actions.resolve_expired(unanswered).await;
    }
}

/// Reloads on each signal until `stop` is cancelled. Signals during a reload count as one.
pub(super) async fn reload_on_signals(actions: Arc<Actions>, signals: Arc<Notify>, stop: CancellationToken) {
    loop {
        let reloaded = async {
            signals.notified().await;
            actions.reload(ReloadTrigger::Signal).await
        };
        tokio::select! {
            // Errors are logged where they occur.
            _ = reloaded => {}
            // Does not wait for the reload: compiling a plugin may take seconds.
            () = stop.cancelled() => return,
        }
    }
}

/// Updates the moderation metrics. Runs until `stop` is cancelled.
pub(super) async fn update_metrics(moderation: Arc<Moderation>, metrics: Arc<Metrics>, stop: CancellationToken) {
    loop {
        let state = moderation.state();
        let store = state.store_figures().unwrap_or_default();
        let audit = moderation.audit().map(|audit| audit.stats());
        let count = |of: fn(&AuditStats) -> &AtomicU64| audit.map_or(0, |stats| of(stats).load(Ordering::Relaxed));
        metrics.set_moderation(&ModerationTotals {
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

/// Notes that the wall clock was set. Runs until `stop` is cancelled.
pub(super) async fn watch_clock(moderation: Arc<Moderation>, stop: CancellationToken) {
    let mut watch = ClockWatch::default();
    loop {
        if let Some(jump) = watch.read(Timestamp::now(), moderation.since_start()) {
            tracing::warn!(seconds = jump.as_secs(), "the clock has jumped");
            let text =
                format!("the clock has jumped by {} s; the audit log removes nothing for an hour", jump.as_secs());
            moderation.note(NoteKind::ClockJumped, &text);
        }
        tokio::select! {
            () = tokio::time::sleep(METRICS_INTERVAL) => {}
            () = stop.cancelled() => return,
        }
    }
}

/// Tracks whether the moderation store and the audit log can be written. Runs until `stop` is cancelled.
pub(super) async fn watch_writers(
    moderation: Arc<Moderation>,
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

/// Writes the remaining state and audit log lines, each within its own timeout. The store is closed last, with the last line
/// of the log.
pub(super) async fn flush(moderation: &Moderation) {
    let audit = async {
        match moderation.audit() {
            Some(audit) => audit.close().await,
            None => Ok(()),
        }
    };
    // An error is logged when the store closes.
    let (_flushed, audit) = tokio::join!(moderation.state().flush(), audit);
    if let Some(audit) = moderation.audit() {
        audit_tip::keep(moderation.state(), audit);
    }
    if let Err(error) = moderation.state().close().await {
        tracing::error!(%error, "flushing the moderation store failed");
    }
    if let Err(error) = audit {
        tracing::error!(%error, "closing the audit log failed");
    }
}
