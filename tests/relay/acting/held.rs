//! Held messages.

use serde_json::{Value, json};

use super::{call_json, held_messages, moderated_relay, notice, received_texts};
use crate::support::{Relay, RelayBuilder, line};

const HOLD: &str =
    "[[rule]]\nid = 'links'\nwords = ['look']\nverdict = 'hold'\nreason = 'A moderator looks at this first.'\n";

fn holding() -> RelayBuilder {
    moderated_relay().file("rules.toml", HOLD)
}

#[tokio::test]
async fn a_held_message_reaches_nobody_and_its_sender_is_told() {
    let relay = holding().start().await;
    let mut anna = relay.join_as("QGIS", "anna").await;
    let mut hans = relay.join_as("QGIS", "hans").await;
    anna.drain().await;
    anna.send(line("anna", "look here")).await;
    assert_eq!(anna.drain().await, [notice("Waits for a moderator: A moderator looks at this first.")]);
    assert!(received_texts(&mut hans).await.is_empty());
    let held = held_messages(&relay).await;
    assert_eq!(held.len(), 1);
    assert_eq!((&held[0]["text"], &held[0]["held_by"]), (&json!("look here"), &json!({"rule": "links"})));
    let put = relay.put_line("QGIS", "otto", "look there", &[]).await;
    assert_eq!((put.status, put.json()), (202, json!({"detail": "A moderator looks at this first."})));
}

#[tokio::test]
async fn a_released_message_is_delivered_once_and_a_refused_one_never() {
    let relay = holding().start().await;
    let mut anna = relay.join_as("QGIS", "anna").await;
    anna.drain().await;
    for text in ["look one", "look two", "look three"] {
        anna.send(line("anna", text)).await;
    }
    anna.drain().await;
    let held = held_messages(&relay).await;
    let texts: Vec<&Value> = held.iter().map(|held| &held["text"]).collect();
    assert_eq!(texts, ["look one", "look two", "look three"]);
    let path = |at: usize, what: &str| format!("/moderation/held/{}/{what}", held[at]["id"].as_str().unwrap());
    let released = call_json(&relay, "POST", &path(1, "release"), &Value::Null, 200).await;
    assert_eq!((&released["id"], &released["at"]), (&held[1]["id"], &held[1]["at"]));
    anna.expect(line("anna", "look two")).await;
    call_json(&relay, "POST", &path(0, "refuse"), &json!({"reason": "not here"}), 200).await;
    anna.expect_refusal("not here").await;
    for gone in [path(0, "release"), path(1, "release"), path(1, "refuse")] {
        call_json(&relay, "POST", &gone, &Value::Null, 404).await;
    }
    assert_eq!(held_messages(&relay).await.len(), 1);
    assert!(anna.drain().await.is_empty());
}

#[tokio::test]
async fn when_the_queue_is_full_the_next_message_is_refused() {
    let relay = holding().env("RELAY__MODERATION__HELD__CAPACITY", "2").start().await;
    for (n, status) in [(1, 202), (2, 202), (3, 403)] {
        assert_eq!(relay.put_line("QGIS", "anna", &format!("look {n}"), &[]).await.status, status);
    }
    let last = call_json(&relay, "GET", "/moderation/decisions?limit=1", &Value::Null, 200).await;
    assert_eq!(last["decisions"][0]["reason"]["code"], "hold_unavailable");
}

#[tokio::test]
async fn a_nickname_cannot_wait() {
    let rules = "[[rule]]\nid = 'names'\nfield = 'nickname'\nwords = ['anna']\nverdict = 'hold'\n";
    let relay = moderated_relay().file("rules.toml", rules).start().await;
    let mut anna = relay.join("QGIS").await;
    anna.drain().await;
    anna.send(json!({"author": "internal", "newcomer": "anna"})).await;
    anna.expect_refusal(
        "this nickname would need a moderator's approval, which is not possible for nicknames; choose another one",
    )
    .await;
    assert!(held_messages(&relay).await.is_empty());
}

#[tokio::test]
async fn moderators_are_notified_of_held_messages() {
    let relay = holding().start().await;
    assert_eq!(relay.put_line("QGIS", "anna", "look", &[]).await.status, 202);
    assert_eq!(crate::moderation::notes(&relay, "message_held").await.len(), 1);
}

#[tokio::test]
async fn plugins_and_rules_that_only_observe_hold_nothing() {
    let relay: Relay = moderated_relay().file("rules.toml", &format!("{HOLD}mode = 'observe'\n")).start().await;
    assert_eq!(relay.put_line("QGIS", "anna", "look", &[]).await.status, 200);
    assert!(held_messages(&relay).await.is_empty());
}
