//! What follows from what happens at the moderators' desk: open connections feel it, and what waits too long waits no
//! longer.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::mpsc::Receiver;
use tokio_util::sync::CancellationToken;

use crate::live::rooms::Rooms;
use crate::model::{Cause, Code, Notice, Reason};
use crate::moderation::{Desk, Effect, HeldMessage, What, WhenUnanswered};

/// How often the held queue is looked at.
const HELD_INTERVAL: Duration = Duration::from_secs(1);

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
    match unanswered {
        WhenUnanswered::Release => {
            desk.write_down_soon(Cause::Relay, What::Released { message, room: room.clone() });
            if let Some(room) = rooms.find(room.as_str()) {
                // A relay that is shutting down has nobody left to hear it.
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
