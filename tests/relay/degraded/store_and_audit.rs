//! The moderation store and the audit log.

use super::{STORE, audited, expect_agreement, mute, plain};
use crate::moderation::notes;
use crate::support::program::relay;
use crate::support::{Relay, RelayBuilder};

/// Mutes a nickname as jane, and asserts that the mute is in effect.
async fn expect_to_mute(relay: &Relay, nickname: &str) {
    mute(relay, nickname).await;
    assert_eq!(relay.put_line("QGIS", nickname, "hello", &[]).await.status, 403);
}

#[tokio::test]
async fn a_store_below_a_file_leaves_the_state_in_memory() {
    let relay = plain().env(STORE, "blocked/moderation.db").file("blocked", "");
    let problem = "blocked/moderation.db: the moderation store cannot be opened (moderation.store): Not a directory (os error 20)";
    let relay = expect_agreement(relay, "store", problem).await;
    expect_to_mute(&relay, "otto").await;
}

#[tokio::test]
async fn a_store_in_a_missing_folder_leaves_the_state_in_memory() {
    let problem = "nowhere/moderation.db: the moderation store cannot be opened (moderation.store): \
                   No such file or directory (os error 2)";
    expect_agreement(plain().env(STORE, "nowhere/moderation.db"), "store", problem).await;
}

#[tokio::test]
async fn a_folder_in_place_of_the_store_leaves_the_state_in_memory() {
    let relay = plain().env(STORE, "moderation.db").file("moderation.db/file", "");
    let problem = "moderation.db: the moderation store cannot be opened (moderation.store): \
                   Is a directory (os error 21)";
    expect_agreement(relay, "store", problem).await;
}

#[tokio::test]
async fn a_damaged_store_is_left_as_it_is_and_the_state_lives_in_memory() {
    let damaged = [b"redb\x1a\x0a\xa9\x0d\x0a".to_vec(), vec![0xff; 10_000]].concat();
    let relay = plain().env(STORE, "moderation.db").file_bytes("moderation.db", &damaged);
    let problem = relay.check().stderr;
    assert!(problem.starts_with("moderation.db: the file is damaged and left unchanged: "), "{problem}");
    let relay = expect_agreement(relay, "store", problem.trim_end()).await;
    expect_to_mute(&relay, "otto").await;
    let store = relay.directory().join("moderation.db");
    relay.signal("TERM");
    assert_eq!(std::fs::read(&store).unwrap(), damaged);
}

#[tokio::test]
async fn another_kind_of_file_is_not_a_store() {
    let relay = plain().env(STORE, "notes.txt").file("notes.txt", "remember the milk");
    let problem = "notes.txt: not a moderation store; the file is left unchanged, name another one as moderation.store";
    let relay = expect_agreement(relay, "store", problem).await;
    assert_eq!(std::fs::read_to_string(relay.directory().join("notes.txt")).unwrap(), "remember the milk");
}

#[tokio::test]
async fn a_file_in_place_of_the_audit_folder_leaves_the_relay_without_a_log() {
    let relay = audited(plain(), "audit").file("audit", "");
    let problem = "audit: the audit log cannot be opened: no file can be written there: Not a directory (os error 20)";
    expect_agreement_of_audit(relay, problem).await;
}

#[tokio::test]
async fn an_audit_folder_below_a_file_leaves_the_relay_without_a_log() {
    let relay = audited(plain(), "blocked/a/audit").file("blocked", "");
    let problem =
        "blocked/a/audit: the audit log cannot be opened: no file can be written there: Not a directory (os error 20)";
    expect_agreement_of_audit(relay, problem).await;
}

#[tokio::test]
async fn an_invalid_key_leaves_the_relay_without_an_audit_log() {
    let relay = audited(plain(), "audit").file("audit/key", "sesame");
    let problem = "audit: the audit log cannot be opened: reading its key failed: the file does not contain a key; remove it to \
                   create a new one (older hashes cannot be linked to new ones then)";
    expect_agreement_of_audit(relay, problem).await;
}

async fn expect_agreement_of_audit(relay: RelayBuilder, problem: &str) {
    let relay = expect_agreement(relay, "audit", problem).await;
    expect_to_mute(&relay, "otto").await;
}

/// A relay that keeps its audit log and its store in a folder.
fn kept_in(folder: &std::path::Path) -> RelayBuilder {
    let path = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    audited(plain(), &path("audit")).env(STORE, &path("moderation.db"))
}

/// Runs a relay that records a message, and returns the log file.
async fn run_once(folder: &std::path::Path) -> std::path::PathBuf {
    let relay = kept_in(folder).start().await;
    assert_eq!(relay.put_line("QGIS", "otto", "hello", &[]).await.status, 200);
    relay.signal("TERM");
    assert!(relay.wait().0.success());
    let files = std::fs::read_dir(folder.join("audit")).unwrap().map(|file| file.unwrap().path());
    files.filter(|path| path.extension().is_some_and(|end| end == "jsonl")).max().unwrap()
}

#[tokio::test]
async fn the_next_start_notes_that_the_last_line_of_the_audit_log_is_missing() {
    let folder = tempfile::tempdir().unwrap();
    let file = run_once(folder.path()).await;
    let text = std::fs::read_to_string(&file).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    std::fs::write(&file, lines[..lines.len() - 1].join("\n") + "\n").unwrap();
    let relay = kept_in(folder.path()).start().await;
    relay.wait_until(1, async || notes(&relay, "audit_cut").await.len()).await;
    let note = notes(&relay, "audit_cut").await.remove(0);
    let name = file.file_name().unwrap().to_str().unwrap();
    let said = format!(
        "{}: the end of the audit log is missing or was changed: {name} ends before line {}, which was the last one",
        folder.path().join("audit").display(),
        lines.len()
    );
    assert_eq!(note["text"], said);
}

#[tokio::test]
async fn an_audit_log_that_goes_on_where_it_ended_is_not_noted() {
    let folder = tempfile::tempdir().unwrap();
    run_once(folder.path()).await;
    let relay = kept_in(folder.path()).start().await;
    mute(&relay, "otto").await;
    assert_eq!(notes(&relay, "audit_cut").await.len(), 0);
}

#[tokio::test]
async fn check_searches_an_audit_log_for_a_hash_that_is_kept_elsewhere() {
    let folder = tempfile::tempdir().unwrap();
    let file = run_once(folder.path()).await;
    let text = std::fs::read_to_string(&file).unwrap();
    let last: serde_json::Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
    let head = last["hash"].as_str().unwrap();
    let check = || relay(folder.path(), &["check", "--audit", "audit", "--head", head], &[]);
    let found = check();
    let name = file.file_name().unwrap().to_str().unwrap();
    let place = format!("{name}:{}", text.lines().count());
    assert_eq!(found.status, Some(0), "{found:?}");
    assert!(
        found.stdout.contains(&format!("the hash is that of {place}, and nothing before it was changed")),
        "{found:?}"
    );
    let cut = text.trim_end().rsplit_once('\n').unwrap().0.to_owned() + "\n";
    std::fs::write(&file, cut).unwrap();
    let missing = check();
    assert_eq!(missing.status, Some(1), "{missing:?}");
    assert!(missing.stdout.contains("the last lines are missing, or the log was rewritten"), "{missing:?}");
}
