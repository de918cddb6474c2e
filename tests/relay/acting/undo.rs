//! Undoing the acts of a rule or moderator.

use serde_json::{Value, json};

use super::{call_json, held_messages, impose, moderated_relay};
use crate::support::{Relay, line};

const RULES: &str = "[[rule]]\nid = 'loud'\nwords = ['loud']\nverdict = 'reject'\nreason = 'no'\n\
                     sanction = { kind = 'mute', duration = '10m' }\n\
                     [[rule]]\nid = 'look'\nwords = ['look']\nverdict = 'hold'\n";
const BEGINNING: &str = "2000-01-01T00:00:00Z";

async fn undone(relay: &Relay, body: Value) -> Value {
    call_json(relay, "POST", "/moderation/undo", &body, 200).await
}

#[tokio::test]
async fn undoing_a_rule_lifts_its_sanctions_and_no_others() {
    let relay = moderated_relay().file("rules.toml", RULES).start().await;
    assert_eq!(relay.put_line("QGIS", "anna", "loud", &[]).await.status, 403);
    impose(&relay, json!({"kind": "mute", "nickname": "hans", "seconds": 600})).await;
    assert_eq!(relay.put_line("QGIS", "anna", "hello", &[]).await.status, 403);
    let answer = undone(&relay, json!({"rule": "loud", "since": BEGINNING})).await;
    assert_eq!(answer["lifted"].as_array().unwrap().len(), 1, "{answer}");
    assert_eq!(relay.put_line("QGIS", "anna", "hello", &[]).await.status, 200);
    assert_eq!(relay.put_line("QGIS", "hans", "hello", &[]).await.status, 403);
    undone(&relay, json!({"moderator": "jane", "since": BEGINNING})).await;
    assert_eq!(relay.put_line("QGIS", "hans", "hello", &[]).await.status, 200);
}

#[tokio::test]
async fn undoing_a_rule_releases_what_it_held_in_order() {
    let relay = moderated_relay().file("rules.toml", RULES).start().await;
    let mut anna = relay.join_as("QGIS", "anna").await;
    anna.drain().await;
    for text in ["look 1", "look 2", "look 3"] {
        anna.send(line("anna", text)).await;
    }
    anna.drain().await;
    let answer = undone(&relay, json!({"rule": "look", "since": BEGINNING})).await;
    assert_eq!(answer["released"].as_array().unwrap().len(), 3, "{answer}");
    for text in ["look 1", "look 2", "look 3"] {
        anna.expect(line("anna", text)).await;
    }
    assert!(held_messages(&relay).await.is_empty());
}

#[tokio::test]
async fn acts_before_the_given_time_are_not_undone() {
    let relay = moderated_relay().file("rules.toml", RULES).start().await;
    assert_eq!(relay.put_line("QGIS", "anna", "loud", &[]).await.status, 403);
    let answer = undone(&relay, json!({"rule": "loud", "since": "2999-01-01T00:00:00Z"})).await;
    assert_eq!(answer, json!({"lifted": [], "changed": [], "released": []}));
    assert_eq!(relay.put_line("QGIS", "anna", "hello", &[]).await.status, 403);
}

#[tokio::test]
async fn an_undo_requires_an_actor_and_a_time() {
    let relay = moderated_relay().start().await;
    for (body, detail) in [
        (json!({"rule": "a"}), "missing field `since`"),
        (json!({"since": BEGINNING}), "one of `rule`, `plugin` and `moderator`"),
        (json!({"rule": "a", "plugin": "b", "since": BEGINNING}), "one of `rule`, `plugin` and `moderator`"),
        (json!({"rule": "a", "since": "yesterday"}), "`since`: "),
    ] {
        let answer = call_json(&relay, "POST", "/moderation/undo", &body, 422).await;
        assert!(answer["detail"].as_str().unwrap().contains(detail), "{body}: {answer}");
    }
}
