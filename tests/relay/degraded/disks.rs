//! Disks that are full or cannot be written, in a mount namespace of the relay's own.

use serde_json::json;

use super::{STORE, audited, expect_agreement, expect_degraded, expect_problems, logged, mute, plain};
use crate::support::RelayBuilder;

/// Runs the relay with a full disk of 512 KiB at `disk`, which already contains a file `key`.
const FULL: &str = "mount -t tmpfs -o size=512k tmpfs disk || exit 1; \
                    if test -e key; then mkdir disk/audit && cp key disk/audit; fi; \
                    cat /dev/zero > disk/others 2> /dev/null; exec \"$@\"";

/// Runs the relay where the folder `disk` cannot be written.
const READ_ONLY: &str = "mount --bind disk disk && mount -o remount,bind,ro disk && exec \"$@\"";

/// Runs the relay with a separate disk, prepared by a script; `None` if nothing can be mounted.
fn on_disk(relay: RelayBuilder, script: &str) -> Option<RelayBuilder> {
    std::fs::create_dir_all(relay.directory().join("disk")).unwrap();
    let trial = std::process::Command::new("unshare").args(["-rm", "mount", "-t", "tmpfs", "tmpfs", "/mnt"]).status();
    if !trial.is_ok_and(|status| status.success()) {
        eprintln!("not tested: no disk can be mounted here");
        return None;
    }
    Some(relay.runner(&["unshare", "-rm", "sh", "-c", script, "sh"]))
}

#[tokio::test]
async fn a_full_disk_keeps_the_audit_log_waiting_until_there_is_room() {
    let key = json!({"key": "5a".repeat(32), "since": "2900-01-01T00:00:00Z"}).to_string();
    let Some(relay) = on_disk(audited(plain(), "disk/audit").file("key", &key), FULL) else { return };
    let problem = "disk/audit: the audit log cannot be opened: no file can be written there: \
                   No space left on device (os error 28)";
    expect_problems(&relay.check(), &[problem]);
    let relay = relay.start().await;
    expect_degraded(&relay, &["audit"]).await;
    let told = logged(&relay, "subsystem unavailable; the relay runs degraded");
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(told[0]["reason"], json!(problem));
    // The disk as the relay sees it.
    let disk = format!("/proc/{}/root{}/disk", relay.pid(), relay.directory().display());
    std::fs::remove_file(format!("{disk}/others")).unwrap();
    relay.wait_until(true, async || relay.get("/status").await.json().get("degraded").is_none()).await;
    mute(&relay, "otto").await;
    let written = std::fs::read_dir(format!("{disk}/audit")).unwrap().map(|file| file.unwrap().path());
    let logs: Vec<_> = written.filter(|path| path.extension().is_some_and(|end| end == "jsonl")).collect();
    assert!(std::fs::read_to_string(&logs[0]).unwrap().contains("otto"), "{logs:?}");
}

#[tokio::test]
async fn a_full_disk_leaves_the_relay_without_a_new_audit_log() {
    let Some(relay) = on_disk(audited(plain(), "disk/audit"), FULL) else { return };
    let problem = "disk/audit: the audit log cannot be opened: no file can be written there: \
                   No space left on device (os error 28)";
    expect_agreement(relay, "audit", problem).await;
}

#[tokio::test]
async fn a_full_disk_leaves_the_relay_without_a_new_store() {
    let Some(relay) = on_disk(plain().env(STORE, "disk/moderation.db"), FULL) else { return };
    let problem = "disk/moderation.db: the moderation store cannot be opened (moderation.store): \
                   No space left on device (os error 28)";
    expect_problems(&relay.check(), &[problem]);
    let relay = relay.start().await;
    expect_degraded(&relay, &["store"]).await;
    assert_eq!(logged(&relay, "subsystem unavailable; the relay runs degraded").len(), 1);
}

#[tokio::test]
async fn sanctions_apply_even_if_the_store_cannot_be_written() {
    let directory = tempfile::tempdir().unwrap();
    let kept = directory.path().join("moderation.db");
    let relay = plain().env(STORE, kept.to_str().unwrap()).start().await;
    mute(&relay, "otto").await;
    relay.signal("TERM");
    assert!(relay.wait().0.success());
    let bytes = std::fs::read(&kept).unwrap();
    let relay = plain().env(STORE, "disk/moderation.db").file_bytes("disk/moderation.db", &bytes);
    let Some(relay) = on_disk(relay, READ_ONLY) else { return };
    let problem = "disk/moderation.db: the moderation store cannot be opened (moderation.store): \
                   Read-only file system (os error 30)";
    expect_problems(&relay.check(), &[problem]);
    let relay = relay.start().await;
    expect_degraded(&relay, &["store"]).await;
    assert_eq!(relay.put_line("QGIS", "otto", "hello", &[]).await.status, 403, "the mute of before holds");
    mute(&relay, "emma").await;
    assert_eq!(std::fs::read(relay.directory().join("disk/moderation.db")).unwrap(), bytes);
}
