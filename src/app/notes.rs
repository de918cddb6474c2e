//! What happens to plugins and to the parts of the relay becomes notes for moderators.

use std::sync::Arc;

use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio_util::sync::CancellationToken;

use super::parts;
use crate::live::rooms::Rooms;
use crate::moderation::{Feed, Kind};
use crate::sandbox::{self, Event, Library, What};
use crate::telemetry::{Change, Changes, Degradation};

/// What the rooms in the manifests of plugins are held against.
pub(super) struct Known {
    pub(super) library: Arc<Library>,
    pub(super) config: sandbox::Config,
    pub(super) rooms: Arc<Rooms>,
}

impl Known {
    /// Warns of rooms that a plugin is to filter and that are not there.
    fn warn_of_rooms(&self, plugin: &str) {
        let catalog = self.library.current();
        let Some(entry) = catalog.entry(plugin) else { return };
        let rooms = self.rooms.list();
        let is_room = |name: &str| rooms.iter().any(|room| room.name().as_str() == name);
        for text in parts::unknown_rooms(entry, &self.config, is_room) {
            tracing::warn!(plugin, "{text}");
        }
    }
}

/// Notes which parts do not work and which work again, until told to stop.
pub(super) async fn take_degraded(mut changes: Changes, feed: Arc<Feed>, stop: CancellationToken) {
    loop {
        let news = tokio::select! {
            news = changes.next() => news,
            () = stop.cancelled() => return,
        };
        let Some(news) = news else { return };
        for change in news {
            match change {
                Change::Began(Degradation { part, reason }) => {
                    let text = format!("{}: {reason}; {}", part.as_str(), part.consequence());
                    feed.note(Kind::Degraded, &text, None);
                }
                Change::Ended(part) => feed.note(Kind::Recovered, &format!("{}: it works again", part.as_str()), None),
            }
        }
    }
}

/// Notes what happens, until told to stop or nothing can happen any more.
pub(super) async fn take(mut events: Receiver<Event>, known: Known, feed: Arc<Feed>, stop: CancellationToken) {
    loop {
        let event = tokio::select! {
            event = events.recv() => event,
            () = stop.cancelled() => return,
        };
        match event {
            Ok(Event { plugin, what }) => {
                if what == What::Loaded {
                    known.warn_of_rooms(&plugin);
                }
                let (kind, text) = words(&what);
                feed.note(kind, &text, Some(plugin));
            }
            Err(RecvError::Lagged(lost)) => {
                feed.note(Kind::NotesLost, &format!("{lost} notes of plugins are lost: too many came at once"), None);
            }
            Err(RecvError::Closed) => return,
        }
    }
}

fn words(what: &What) -> (Kind, String) {
    match what {
        What::Loaded => (Kind::PluginLoaded, "it is loaded".to_owned()),
        What::NotLoaded(why) => (Kind::PluginNotLoaded, format!("it could not be loaded: {why}")),
        What::Gone => (Kind::PluginGone, "it is gone".to_owned()),
        What::SetAside { rest, failure } => {
            let seconds = rest.as_secs();
            (
                Kind::PluginSetAside,
                format!("it failed too often and is set aside for {seconds} s; the last time: {failure}"),
            )
        }
        What::WellAgain => (Kind::PluginWell, "it is well again".to_owned()),
    }
}
