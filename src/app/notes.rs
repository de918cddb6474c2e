//! What happens to plugins becomes notes for moderators.

use std::sync::Arc;

use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio_util::sync::CancellationToken;

use crate::moderation::{Feed, Kind};
use crate::sandbox::{Event, What};

/// Notes what happens, until told to stop or nothing can happen any more.
pub(super) async fn take(mut events: Receiver<Event>, feed: Arc<Feed>, stop: CancellationToken) {
    loop {
        let event = tokio::select! {
            event = events.recv() => event,
            () = stop.cancelled() => return,
        };
        match event {
            Ok(Event { plugin, what }) => {
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
