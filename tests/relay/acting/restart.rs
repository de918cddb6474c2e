//! Acts of moderators survive a restart or a crash.

use std::path::Path;

use serde_json::{Value, json};

use super::{call_json, held_messages, impose, moderated_relay};
use crate::support::{Relay, RelayBuilder, line};

fn kept(store: &Path) -> RelayBuilder {
    let hold = "[[rule]]\nid = 'look'\nwords = ['look']\nverdict = 'hold'\n";
    moderated_relay().file("rules.toml", hold).env("RELAY__MODERATION__STORE", store.to_str().unwrap())
}

async fn sanctions(relay: &Relay) -> Value {
    call_json(relay, "GET", "/moderation/sanctions", &Value::Null, 200).await
}

#[tokio::test]
async fn a_relay_that_was_killed_forgets_nothing_that_it_has_acknowledged() {
    let directory = tempfile::tempdir().unwrap();
    let store = directory.path().join("moderation.db");
    let relay = kept(&store).start().await;
    for n in 0..20 {
        impose(&relay, json!({"kind": "mute", "nickname": format!("anna{n}"), "seconds": 600 + n})).await;
    }
    impose(&relay, json!({"kind": "ban", "address": "192.0.2.7"})).await;
    call_json(&relay, "DELETE", "/moderation/sanctions/3", &Value::Null, 200).await;
    call_json(&relay, "PUT", "/moderation/level", &json!({"room": "QGIS", "level": "newcomers"}), 200).await;
    call_json(&relay, "PUT", "/moderation/preset", &json!({"preset": "strict"}), 200).await;
    let before = sanctions(&relay).await;
    assert_eq!(before["sanctions"].as_array().unwrap().len(), 20);
    let level = call_json(&relay, "GET", "/moderation/level", &Value::Null, 200).await;
    relay.signal("KILL");
    drop(relay);

    let relay = kept(&store).start().await;
    assert_eq!(sanctions(&relay).await, before);
    assert_eq!(call_json(&relay, "GET", "/moderation/level", &Value::Null, 200).await, level);
    let preset = call_json(&relay, "GET", "/moderation/preset", &Value::Null, 200).await;
    assert_eq!(preset, json!({"preset": "strict"}));
    assert_eq!(relay.put_line("QField", "anna5", "hello", &[]).await.status, 403);
    let next = impose(&relay, json!({"kind": "mute", "nickname": "otto", "seconds": 60})).await;
    assert!(next["id"].as_u64().unwrap() > 21, "numbers are never used again: {next}");
}

#[tokio::test]
async fn held_messages_wait_on_in_their_order_after_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let store = directory.path().join("moderation.db");
    let relay = kept(&store).start().await;
    for n in 0..5 {
        assert_eq!(relay.put_line("QGIS", "anna", &format!("look {n}"), &[]).await.status, 202);
    }
    let before = held_messages(&relay).await;
    relay.signal("TERM");
    assert!(relay.wait().0.success());

    let relay = kept(&store).start().await;
    let mut hans = relay.join_as("QGIS", "hans").await;
    let after = held_messages(&relay).await;
    assert_eq!(after, before);
    for held in after {
        let path = format!("/moderation/held/{}/release", held["id"].as_str().unwrap());
        call_json(&relay, "POST", &path, &Value::Null, 200).await;
    }
    for n in 0..5 {
        hans.skip_until(line("anna", &format!("look {n}"))).await;
    }
    assert!(held_messages(&relay).await.is_empty());
    relay.signal("KILL");
    drop(relay);
    let relay = kept(&store).start().await;
    assert!(held_messages(&relay).await.is_empty(), "a released message is released again");
    let mut anna = relay.join_as("QGIS", "anna").await;
    anna.drain().await;
    anna.send(line("anna", "hello")).await;
    assert_eq!(anna.drain().await, [line("anna", "hello")]);
}

#[tokio::test]
async fn a_message_that_is_answered_as_held_survives_a_crash_right_after() {
    let directory = tempfile::tempdir().unwrap();
    let store = directory.path().join("moderation.db");
    for n in 0..4 {
        let relay = kept(&store).start().await;
        assert_eq!(held_messages(&relay).await.len(), 2 * n);
        let mut anna = relay.join_as("QGIS", "anna").await;
        anna.drain().await;
        assert_eq!(relay.put_line("QGIS", "hans", "look here", &[]).await.status, 202);
        anna.send(line("anna", "look there")).await;
        let notice = anna.next().await;
        assert!(notice["message"].as_str().unwrap().starts_with("Waits for a moderator"), "{notice}");
        relay.signal("KILL");
    }
}

#[tokio::test]
async fn without_a_store_nothing_is_written() {
    let relay = moderated_relay().start().await;
    impose(&relay, json!({"kind": "mute", "nickname": "anna", "seconds": 600})).await;
    let names: Vec<_> = std::fs::read_dir(relay.directory()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(names.is_empty(), "{names:?}");
}

#[tokio::test]
async fn a_second_relay_does_not_take_the_same_store() {
    let directory = tempfile::tempdir().unwrap();
    let store = directory.path().join("moderation.db");
    let first = kept(&store).start().await;
    let second = kept(&store).start().await;
    impose(&second, json!({"kind": "mute", "nickname": "anna", "seconds": 600})).await;
    assert_eq!(second.get("/status").await.json()["degraded"], json!(["store"]));
    assert_eq!(sanctions(&first).await["sanctions"], json!([]));
}
