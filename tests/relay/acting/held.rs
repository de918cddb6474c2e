//! Held messages.

use serde_json::{Value, json};

use super::{call_json, held_messages, moderated_relay, notice, received_texts};
use crate::support::{Client, Relay, RelayBuilder, line};

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

/// The header by which a trusted proxy reports an address.
fn from(ip: &str) -> [(&str, &str); 1] {
    [("x-forwarded-for", ip)]
}

/// The texts of held messages, oldest first.
async fn held_texts(relay: &Relay) -> Vec<String> {
    let held = held_messages(relay).await;
    held.iter().filter_map(|held| held["text"].as_str().map(str::to_owned)).collect()
}

#[tokio::test]
async fn one_address_cannot_fill_the_queue_for_others() {
    let relay = holding().env("RELAY__MODERATION__HELD__CAPACITY", "4").env("TRUSTED_PROXIES", "127.0.0.1");
    let relay = relay.start().await;
    let headers = from("192.0.2.1");
    let mut flooder = Client::try_connect(relay.address(), "/room/QGIS/ws", &headers).await.unwrap();
    flooder.drain().await;
    for n in 1..=4 {
        flooder.send(line("mallory", &format!("look {n}"))).await;
    }
    flooder.drain().await;
    assert_eq!(relay.put_line("QGIS", "anna", "look here", &from("192.0.2.2")).await.status, 202);
    flooder.expect_refusal("this message needs a moderator, and too many messages are held already").await;
    assert_eq!(held_texts(&relay).await, ["look 1", "look 2", "look 3", "look here"]);
    assert_eq!(relay.put_line("QGIS", "eve", "look 5", &from("192.0.2.1")).await.status, 403);
    let notes = crate::moderation::notes(&relay, "held_queue").await;
    let texts: Vec<&str> = notes.iter().filter_map(|note| note["text"].as_str()).collect();
    assert_eq!(
        texts,
        [
            "2 messages held of at most 4; the queue is half full",
            "4 messages held of at most 4; the queue is full: the newest messages of the addresses that have most are \
             refused"
        ]
    );
}

#[tokio::test]
async fn a_ban_or_mute_refuses_the_held_messages_of_its_target() {
    let relay = holding().start().await;
    let mut anna = relay.join_as("QGIS", "anna").await;
    let mut hans = relay.join_as("QGIS", "hans").await;
    anna.drain().await;
    anna.send(line("anna", "look 1")).await;
    hans.send(line("hans", "look 2")).await;
    anna.drain().await;
    hans.drain().await;
    assert_eq!(relay.put_line("QField", "anna", "look 3", &[]).await.status, 202);
    super::impose(&relay, json!({"kind": "warn", "nickname": "anna", "room": "QGIS"})).await;
    assert_eq!(held_texts(&relay).await.len(), 3, "a warning refuses nothing");
    super::impose(&relay, json!({"kind": "mute", "nickname": "anna", "room": "QGIS", "seconds": 60})).await;
    assert_eq!(held_texts(&relay).await, ["look 2", "look 3"]);
    anna.skip_until(crate::support::refusal("you were muted or banned, and your message was not sent")).await;
    super::impose(&relay, json!({"kind": "ban", "address": "127.0.0.1"})).await;
    assert!(held_texts(&relay).await.is_empty());
}

#[tokio::test]
async fn held_messages_are_released_and_refused_by_what_they_have_in_common() {
    let relay = holding().env("TRUSTED_PROXIES", "127.0.0.1").start().await;
    let put = async |room: &str, author: &str, text: &str, ip: &str| {
        assert_eq!(relay.put_line(room, author, text, &from(ip)).await.status, 202);
    };
    for (room, author, text, ip) in [
        ("QGIS", "anna", "look 1", "192.0.2.1"),
        ("QField", "anna", "look 2", "192.0.2.1"),
        ("QGIS", "hans", "look 3", "192.0.2.2"),
        ("QGIS", "otto", "look 4", "192.0.2.3"),
        ("QField", "lisa", "look 5", "192.0.2.4"),
    ] {
        put(room, author, text, ip).await;
    }
    let held = held_messages(&relay).await;
    let id = |at: usize| held[at]["id"].clone();
    let mut client = Client::try_connect(relay.address(), "/room/QGIS/ws", &from("192.0.2.9")).await.unwrap();
    client.drain().await;
    let (release, refuse) = ("/moderation/held/release", "/moderation/held/refuse");
    let done = call_json(&relay, "POST", release, &json!({"author": "hans"}), 200).await;
    assert_eq!(done, json!({"released": [id(2)], "not_held": []}));
    client.expect(line("hans", "look 3")).await;
    let done = call_json(&relay, "POST", refuse, &json!({"address": "192.0.2.1", "reason": "no"}), 200).await;
    assert_eq!(done, json!({"refused": [id(0), id(1)], "not_held": []}));
    let done = call_json(&relay, "POST", refuse, &json!({"ids": [id(3), id(2)]}), 200).await;
    assert_eq!(done, json!({"refused": [id(3)], "not_held": [id(2)]}));
    let done = call_json(&relay, "POST", refuse, &json!({"room": "QGIS"}), 200).await;
    assert_eq!(done, json!({"refused": [], "not_held": []}));
    call_json(&relay, "POST", refuse, &json!({"room": "Nowhere"}), 404).await;
    let done = call_json(&relay, "POST", release, &json!({"rule": "links"}), 200).await;
    assert_eq!(done["released"], json!([id(4)]));
    put("QGIS", "anna", "look 6", "192.0.2.1").await;
    let done = call_json(&relay, "POST", release, &json!({"since": "2000-01-01T00:00:00Z"}), 200).await;
    assert_eq!(done["released"].as_array().map(Vec::len), Some(1));
    for selection in [json!({}), json!({"room": "QGIS", "author": "anna"}), json!({"address": "x"})] {
        call_json(&relay, "POST", release, &selection, 422).await;
    }
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
