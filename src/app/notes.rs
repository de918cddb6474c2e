//! Turns plugin events and degradation changes into notes for moderators.

use std::sync::Arc;

use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio_util::sync::CancellationToken;

use super::subsystems;
use crate::live::rooms::Rooms;
use crate::moderation::{Feed, NoteKind};
use crate::sandbox::{self, Library, PluginEvent, PluginEventKind};
use crate::telemetry::{Degradation, DegradationChange, DegradationChanges};

/// Checks the rooms named in plugin manifests against the rooms of the relay.
pub(super) struct RoomCheck {
    pub(super) library: Arc<Library>,
    pub(super) config: sandbox::Config,
    pub(super) rooms: Arc<Rooms>,
}

impl RoomCheck {
    /// Warns about rooms that a plugin names but that do not exist.
    fn warn_unknown_rooms(&self, plugin: &str) {
        let catalog = self.library.current();
        let Some(entry) = catalog.entry(plugin) else { return };
        let rooms = self.rooms.list();
        let is_room = |name: &str| rooms.iter().any(|room| room.name().as_str() == name);
        for text in subsystems::unknown_rooms(entry, &self.config, is_room) {
            tracing::warn!(plugin, "{text}");
        }
    }
}

/// Adds a note for each subsystem that goes missing or recovers. Runs until `stop` is cancelled.
pub(super) async fn note_degradation(mut changes: DegradationChanges, feed: Arc<Feed>, stop: CancellationToken) {
    loop {
        let batch = tokio::select! {
            batch = changes.next() => batch,
            () = stop.cancelled() => return,
        };
        let Some(batch) = batch else { return };
        for change in batch {
            match change {
                DegradationChange::Missing(Degradation { subsystem, reason }) => {
                    let text = format!("{subsystem}: {reason}; {}", subsystem.consequence());
                    feed.note(NoteKind::Degraded, &text, None);
                }
                DegradationChange::Recovered(subsystem) => {
                    feed.note(NoteKind::Recovered, &format!("{subsystem}: works again"), None);
                }
            }
        }
    }
}

/// Adds a note for each plugin event. Runs until `stop` is cancelled or the sandbox is dropped.
pub(super) async fn note_plugin_events(
    mut events: Receiver<PluginEvent>,
    room_check: RoomCheck,
    feed: Arc<Feed>,
    stop: CancellationToken,
) {
    loop {
        let event = tokio::select! {
            event = events.recv() => event,
            () = stop.cancelled() => return,
        };
        match event {
            Ok(PluginEvent { plugin, kind: event }) => {
                if event == PluginEventKind::Loaded {
                    room_check.warn_unknown_rooms(&plugin);
                }
                let (kind, text) = describe(&event);
                feed.note(kind, &text, Some(plugin));
            }
            Err(RecvError::Lagged(lost)) => {
                feed.note(NoteKind::NotesLost, &format!("{lost} plugin notes were lost: too many at once"), None);
            }
            Err(RecvError::Closed) => return,
        }
    }
}

fn describe(event: &PluginEventKind) -> (NoteKind, String) {
    match event {
        PluginEventKind::Loaded => (NoteKind::PluginLoaded, "loaded".to_owned()),
        PluginEventKind::LoadFailed(why) => (NoteKind::PluginNotLoaded, format!("not loaded: {why}")),
        PluginEventKind::Removed => (NoteKind::PluginRemoved, "removed".to_owned()),
        PluginEventKind::Suspended { duration, failure } => {
            let seconds = duration.as_secs();
            (NoteKind::PluginSuspended, format!("failed too often; suspended for {seconds} s; last failure: {failure}"))
        }
        PluginEventKind::Recovered => (NoteKind::PluginHealthy, "healthy again".to_owned()),
    }
}
