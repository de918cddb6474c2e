//! Rules are read again when one of their files has changed.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::{Current, Prints, Read, RulesReload, print_again, read};
use crate::moderation::Kind;

/// How often the files are looked at. What has changed is read when it looks the same twice in a row: whoever writes a
/// file has then written all of it.
const LOOK: Duration = Duration::from_millis(400);

impl RulesReload {
    /// Reads the rules again whenever one of their files has changed, until told to stop: the rules file, and the files
    /// of words that it names, also those that are not there.
    ///
    /// Rules of which the file vanishes stay in force, as it is more often in the midst of being replaced than to be
    /// taken off. Who asks for the rules to be read takes them off.
    pub async fn watch(self: Arc<Self>, stop: CancellationToken) {
        let Some(current) = &self.rules else { return };
        let mut last = None;
        loop {
            tokio::select! {
                () = tokio::time::sleep(LOOK) => {}
                () = stop.cancelled() => return,
            }
            // Somebody who is reading the files will have seen the change, or it is seen the next time.
            let Ok(mut seen) = self.seen.try_lock() else { continue };
            let Some(now) = print_again(&seen).await else { continue };
            if now != *seen && last.as_ref() == Some(&now) {
                tokio::select! {
                    () = self.changed(current, &now, &mut seen) => {}
                    () = stop.cancelled() => return,
                }
            }
            last = Some(now);
        }
    }

    async fn changed(&self, current: &Current, now: &Prints, seen: &mut Prints) {
        let source = current.source();
        let vanished =
            |prints: &Prints| prints.is_absent() && (source.file.is_some() || !current.get().prints().is_absent());
        let read = if vanished(now) {
            Read { prints: now.clone(), rules: Err(vec![source.gone().to_string()]) }
        } else {
            read(source.clone(), seen).await
        };
        if vanished(&read.prints) && !vanished(now) {
            // It is on its way to another name.
            return;
        }
        if self.take(current, read, seen, false).is_ok() {
            let (rules, what) = (current.get().len(), "the rules were read again, as their files have changed");
            tracing::info!(rules, "{what}");
            self.feed.note(Kind::Reloaded, &format!("{what}; rules in force: {rules}"), None);
        }
    }
}
