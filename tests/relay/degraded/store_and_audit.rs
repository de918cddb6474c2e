//! The moderation store and the audit log.

use super::{STORE, audited, expect_agreement, mute, plain};
use crate::support::{Relay, RelayBuilder};

/// jane mutes somebody, which holds.
async fn expect_to_mute(relay: &Relay, nickname: &str) {
    mute(relay, nickname).await;
    assert_eq!(relay.put_line("QGIS", nickname, "hello", &[]).await.status, 403);
}

#[tokio::test]
async fn a_store_below_a_file_leaves_the_state_in_memory() {
    let relay = plain().env(STORE, "blocked/moderation.db").file("blocked", "");
    let problem = "blocked/moderation.db: the file of moderation cannot be opened (moderation.store): Not a directory (os error 20)";
    let relay = expect_agreement(relay, "store", problem).await;
    expect_to_mute(&relay, "otto").await;
}

#[tokio::test]
async fn a_store_in_a_missing_folder_leaves_the_state_in_memory() {
    let problem = "nowhere/moderation.db: the file of moderation cannot be opened (moderation.store): \
                   No such file or directory (os error 2)";
    expect_agreement(plain().env(STORE, "nowhere/moderation.db"), "store", problem).await;
}

#[tokio::test]
async fn a_folder_in_place_of_the_store_leaves_the_state_in_memory() {
    let relay = plain().env(STORE, "moderation.db").file("moderation.db/file", "");
    let problem = "moderation.db: the file of moderation cannot be opened (moderation.store): \
                   Is a directory (os error 21)";
    expect_agreement(relay, "store", problem).await;
}

#[tokio::test]
async fn a_damaged_store_is_left_as_it_is_and_the_state_lives_in_memory() {
    let damaged = [b"redb\x1a\x0a\xa9\x0d\x0a".to_vec(), vec![0xff; 10_000]].concat();
    let relay = plain().env(STORE, "moderation.db").file_of("moderation.db", &damaged);
    let problem = relay.check().stderr;
    assert!(problem.starts_with("moderation.db: is damaged, and left as it is: "), "{problem}");
    let relay = expect_agreement(relay, "store", problem.trim_end()).await;
    expect_to_mute(&relay, "otto").await;
    let store = relay.directory().join("moderation.db");
    relay.signal("TERM");
    assert_eq!(std::fs::read(&store).unwrap(), damaged);
}

#[tokio::test]
async fn a_file_of_something_else_is_no_store() {
    let relay = plain().env(STORE, "notes.txt").file("notes.txt", "remember the milk");
    let problem = "notes.txt: is no file of gischat-relay; it is left as it is. Name another one as moderation.store";
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
async fn a_key_that_is_none_leaves_the_relay_without_a_log() {
    let relay = audited(plain(), "audit").file("audit/key", "sesame");
    let problem = "audit: the audit log cannot be opened: its key: it holds no key; remove it, and a new one is made \
                   (hashes cannot be linked to older ones then)";
    expect_agreement_of_audit(relay, problem).await;
}

async fn expect_agreement_of_audit(relay: RelayBuilder, problem: &str) {
    let relay = expect_agreement(relay, "audit", problem).await;
    expect_to_mute(&relay, "otto").await;
}
