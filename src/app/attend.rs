//! What follows from what happens at the moderators' desk: open connections feel it, and what waits too long waits no
//! longer.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::mpsc::Receiver;
use tokio_util::sync::CancellationToken;

use super::parts;
use crate::live::rooms::Rooms;
use crate::model::{Cause, Code, Notice, Reason};
use crate::moderation::audit::Figures;
use crate::moderation::{self, Desk, Effect, Feed, Happened, HeldMessage, MAX_NOTES, What, WhenUnanswered};
use crate::telemetry::{Degradation, Degraded, Metrics, Moderation, Part};

/// How often the held queue is looked at.
const HELD_INTERVAL: Duration = Duration::from_secs(1);

/// How often figures are looked at.
const FIGURES_INTERVAL: Duration = Duration::from_secs(1);

/// Has open connections feel sanctions, until told to stop or nothing can come any more.
pub(super) async fn carry_out(mut effects: Receiver<Effect>, rooms: Arc<Rooms>, stop: CancellationToken) {
    loop {
        let effect = tokio::select! {
            effect = effects.recv() => effect,
            () = stop.cancelled() => return,
        };
        match effect {
            Some(Effect::Began(sanction)) => rooms.feel(&sanction, false).await,
            Some(Effect::Lifted(sanction)) => rooms.feel(&sanction, true).await,
            None => return,
        }
    }
}

/// Ends the waiting of held messages whose time is up, until told to stop.
pub(super) async fn expire_held(
    desk: Arc<Desk>,
    rooms: Arc<Rooms>,
    unanswered: WhenUnanswered,
    stop: CancellationToken,
) {
    loop {
        tokio::select! {
            () = tokio::time::sleep(HELD_INTERVAL) => {}
            () = stop.cancelled() => return,
        }
        for held in desk.state().held().expired(Timestamp::now()) {
            end_waiting(&desk, &rooms, unanswered, held).await;
        }
    }
}

async fn end_waiting(desk: &Desk, rooms: &Rooms, unanswered: WhenUnanswered, held: HeldMessage) {
    let HeldMessage { recorded, .. } = held;
    let (message, room) = (recorded.decision.message.id, recorded.sender.room.clone());
    let (author, address) = (&recorded.decision.message.author, recorded.sender.address);
    // Who was muted or banned meanwhile is not heard after all.
    let sanctioned = desk.state().sanctions().verdict(&room, author, address, Timestamp::now()).is_some();
    match if sanctioned { WhenUnanswered::Drop } else { unanswered } {
        WhenUnanswered::Release => {
            desk.write_down_soon(Cause::Relay, What::Released { message, room: room.clone() });
            if let Some(room) = rooms.find(room.as_str()) {
                // A relay that is shutting down, or a room that was removed, has nobody left to hear it.
                let _ended = room.release(recorded).await;
            }
        }
        WhenUnanswered::Drop => {
            desk.write_down_soon(Cause::Relay, What::Refused { message, room });
            if let Some(member) = recorded.sender.connection {
                let text = "no moderator has looked at your message in time; it was not sent";
                rooms.tell(member, Notice::Refused(Reason::new(Code::HeldRefused, text))).await;
            }
        }
    }
}

/// Puts notes for moderators beside what is decided and done, until told to stop.
pub(super) async fn take_notes(feed: Arc<Feed>, desk: Arc<Desk>, stop: CancellationToken) {
    let (mut known, mut newest) = (0, feed.newest());
    // What was noted before somebody listened.
    newest.mark_changed();
    loop {
        tokio::select! {
            changed = newest.changed() => if changed.is_err() { return },
            () = stop.cancelled() => return,
        }
        for note in feed.after(known, MAX_NOTES) {
            known = note.id;
            desk.journal().add(Happened::Note(note));
        }
    }
}

/// Keeps the figures of moderation true, until told to stop.
pub(super) async fn show_figures(desk: Arc<Desk>, metrics: Arc<Metrics>, stop: CancellationToken) {
    loop {
        let state = desk.state();
        let store = state.store_figures().unwrap_or_default();
        let audit = desk.audit().map(|audit| audit.figures());
        let count = |of: fn(&Figures) -> &AtomicU64| audit.map_or(0, |figures| of(figures).load(Ordering::Relaxed));
        metrics.show_moderation(&Moderation {
            held: state.held().len() as u64,
            sanctions: state.sanctions().lasting() as u64,
            store_faults: store.faults,
            audit_written: count(|figures| &figures.written),
            audit_lost: count(|figures| &figures.lost),
            audit_faults: count(|figures| &figures.faults),
            unlogged_acts: count(|figures| &figures.unlogged_acts),
        });
        tokio::select! {
            () = tokio::time::sleep(FIGURES_INTERVAL) => {}
            () = stop.cancelled() => return,
        }
    }
}

/// Notes when the moderation store or the audit log cannot be written, and when they can again, until told to stop.
pub(super) async fn follow_writers(
    desk: Arc<Desk>,
    config: moderation::Config,
    degraded: Arc<Degraded>,
    stop: CancellationToken,
) {
    let state = desk.state();
    loop {
        tokio::select! {
            () = tokio::time::sleep(FIGURES_INTERVAL) => {}
            () = stop.cancelled() => return,
        }
        let store = state.store_failure().map(|failure| parts::store_failure(&config, &failure));
        // What was written tells that the file works; what could not be opened is not written at all.
        let works = state.store_figures().is_some_and(|figures| figures.written > 0);
        follow(&degraded, Part::Store, store, works);
        let Some(audit) = desk.audit() else { continue };
        let failure = audit.failure().map(|failure| parts::audit_failure(&config.audit, &failure));
        follow(&degraded, Part::Audit, failure, true);
    }
}

/// One failure is told once, whatever the attempts after it failed with.
fn follow(degraded: &Degraded, part: Part, failure: Option<Degradation>, works: bool) {
    match (degraded.contains(part), failure) {
        (false, Some(failure)) => degraded.begin(failure),
        (true, None) if works => degraded.end(part),
        _ => {}
    }
}

/// Writes what is left of the state and of the audit log, each within its own few seconds.
pub(super) async fn close(desk: &Desk) {
    let audit = async {
        match desk.audit() {
            Some(audit) => audit.close().await,
            None => true,
        }
    };
    let (state, audit) = tokio::join!(desk.state().close(), audit);
    if let Err(fault) = state {
        tracing::error!(%fault, "what moderators did is not all written");
    }
    if !audit {
        tracing::error!("the last lines of the audit log are not written");
    }
}
