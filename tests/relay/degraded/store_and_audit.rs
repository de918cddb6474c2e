//! The moderation store and the audit log.

use super::{STORE, audited, expect_agreement, mute, plain};
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
