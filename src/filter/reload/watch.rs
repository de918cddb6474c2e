//! Reloads rules when one of their files changes.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::{ActiveRules, ReadRules, RulesFileStamps, RulesReload, read, restat};
use crate::moderation::NoteKind;

/// How often the files are checked. A change is read once two checks in a row agree, so that a file is not read while
/// it is being written.
const POLL_INTERVAL: Duration = Duration::from_millis(400);

impl RulesReload {
    /// Reloads the rules whenever one of their files changes, until `stop` is cancelled. Watches the rules file and the
    /// word files that it names, including missing ones.
    ///
    /// If the rules file disappears, its rules stay in force, since it is more likely being replaced than removed. An
    /// explicit reload removes them.
    pub async fn watch(self: Arc<Self>, stop: CancellationToken) {
        let Some(current) = &self.rules else { return };
        let mut last = None;
        loop {
            tokio::select! {
                () = tokio::time::sleep(POLL_INTERVAL) => {}
                () = stop.cancelled() => return,
            }
            // If a reload is running, check again next time.
            let Ok(mut last_stamps) = self.last_stamps.try_lock() else { continue };
            let Some(now) = restat(&last_stamps).await else { continue };
            if now != *last_stamps && last.as_ref() == Some(&now) {
                tokio::select! {
                    () = self.reload_changed(current, &now, &mut last_stamps) => {}
                    () = stop.cancelled() => return,
                }
            }
            last = Some(now);
        }
    }

    async fn reload_changed(&self, current: &ActiveRules, now: &RulesFileStamps, last_stamps: &mut RulesFileStamps) {
        let source = current.source();
        let disappeared = |stamps: &RulesFileStamps| {
            stamps.is_file_missing() && (source.file.is_some() || !current.get().stamps().is_file_missing())
        };
        let read = if disappeared(now) {
            ReadRules { stamps: now.clone(), rules: Err(vec![source.missing_file_error().to_string()]) }
        } else {
            read(source.clone(), last_stamps).await
        };
        if disappeared(&read.stamps) && !disappeared(now) {
            // The file was renamed meanwhile.
            return;
        }
        if self.apply(current, read, last_stamps, false).is_ok() {
            let rules = current.get().len();
            tracing::info!(rules, "rules reloaded after a file change");
            self.feed.note(
                NoteKind::Reloaded,
                &format!("rules reloaded after a file change; rules in force: {rules}"),
                None,
            );
        }
    }
}
