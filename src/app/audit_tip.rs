//! Keeps the position and hash of the last line of the audit log in the moderation store, so that the next start notices
//! a log whose end is missing.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::audit::{Audit, LogTip};
use crate::moderation::{Moderation, State};

/// The key in the store: `FILE:LINE HASH FOLDER`.
const TIP_KEY: &str = "audit_tip";
/// How often the store gets the last line. After a crash, lines since then may be missing without a notice.
const INTERVAL: Duration = Duration::from_secs(10);

/// Returns how the log in a folder differs from the one that the store knows. `None` if it has the last line, or the store
/// knows of no log in this folder.
pub(super) fn check(state: &State, dir: &Path) -> Option<String> {
    let stored = state.setting(TIP_KEY)?;
    let (tip, folder) = split(&stored)?;
    if folder != dir.to_string_lossy() {
        return None;
    }
    let error = tip.verify(dir).err()?;
    Some(format!("{}: the end of the audit log is missing or was changed: {error}", dir.display()))
}

/// Puts the last line into the store. The store writes it soon.
pub(super) fn keep(state: &State, audit: &Audit) {
    let Some(tip) = audit.tip() else { return };
    let value = format!("{tip} {}", audit.dir().to_string_lossy());
    if state.setting(TIP_KEY).as_deref() != Some(&value) {
        state.set_setting(TIP_KEY, &value);
    }
}

/// Puts the last line into the store from time to time. Runs until `stop` is cancelled.
pub(super) async fn run(moderation: Arc<Moderation>, stop: CancellationToken) {
    loop {
        tokio::select! {
            () = tokio::time::sleep(INTERVAL) => {}
            () = stop.cancelled() => return,
        }
        if let Some(audit) = moderation.audit() {
            keep(moderation.state(), audit);
        }
    }
}

/// Splits a value into the tip, of two words, and the folder.
fn split(value: &str) -> Option<(LogTip, &str)> {
    let (place, rest) = value.split_once(' ')?;
    let (hash, folder) = rest.split_once(' ')?;
    Some((format!("{place} {hash}").parse().ok()?, folder))
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::store;

    #[test]
    fn a_log_is_compared_only_in_the_folder_that_the_store_knows() {
        let (dir, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let state = State::open(&crate::moderation::Config::default(), &store::Config::default(), Timestamp::now());
        let state = state.unwrap();
        assert_eq!(check(&state, dir.path()), None, "no line is known");
        let hash = "ab".repeat(32);
        state.set_setting(TIP_KEY, &format!("audit-2026-11-23.2.jsonl:7 {hash} {}", dir.path().display()));
        assert_eq!(check(&state, other.path()), None);
        let missing = check(&state, dir.path()).unwrap();
        assert!(
            missing.ends_with("audit-2026-11-23.2.jsonl, which had the last line, was removed or moved away"),
            "{missing}"
        );
    }
}
