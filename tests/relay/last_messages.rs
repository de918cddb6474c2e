//! The last messages of a room, and held contents.

use serde_json::{Value, json};

use crate::support::{Client, Relay, Response, request};

const TOKEN: &str = "a-token-of-a-moderator-1";

async fn start() -> Relay {
    Relay::builder()
        .env("MAX_STORED_MESSAGES", "2")
        .env("MODERATORS", &format!("mona:{TOKEN}"))
        .env("RELAY__FILTER__PRESET", "off")
        .start()
        .await
}

async fn moderate(relay: &Relay, method: &str, path: &str) -> Response {
    request(relay.address(), method, path, &[("Authorization", &format!("Bearer {TOKEN}"))], "").await
}

/// Joins and returns the texts that the client receives at once.
async fn texts_on_joining(relay: &Relay, path: &str) -> Vec<String> {
    let mut client = Client::connect(relay.address(), path).await;
    let frames = client.drain().await;
    assert_eq!(frames[0]["type"], "nb_users", "{frames:?}");
    let texts = frames[1..].iter().map(|frame| frame["text"].as_str().unwrap().to_owned()).collect();
    client.leave().await;
    texts
}

#[tokio::test]
async fn joining_clients_get_the_last_messages_without_those_taken_back() {
    let relay = start().await;
    let mut ids = Vec::new();
    for text in ["one", "two", "three"] {
        let body = json!({"author": "jane", "text": text}).to_string();
        let put = relay.put("/channel/QGIS/text", &body).await;
        ids.push(put.json()["id"].as_str().unwrap().to_owned());
    }
    assert_eq!(texts_on_joining(&relay, "/channel/QGIS/ws").await, ["two", "three"]);
    let forgotten = format!("/moderation/rooms/QGIS/last/{}", ids[1]);
    assert_eq!(moderate(&relay, "DELETE", &forgotten).await.status, 204);
    assert_eq!(texts_on_joining(&relay, "/channel/QGIS/ws").await, ["three"]);
    assert_eq!(moderate(&relay, "DELETE", &forgotten).await.status, 404);
    let last = relay.get("/room/QGIS/last").await.json();
    assert_eq!(last, json!([{"type": "text", "author": "jane", "avatar": null, "text": "three"}]));
}

#[tokio::test]
async fn a_moderator_can_read_the_code_of_a_held_script() {
    let relay = start().await;
    let mut jane = Client::connect(relay.address(), "/channel/QGIS/ws").await;
    let id = "11111111-2222-4333-8444-555555555555";
    jane.send(json!({"type": "script", "author": "jane", "name": "hello", "raw_pycode": "print('hello')", "id": id}))
        .await;
    let answers = jane.drain().await;
    let notice: &Value = answers.last().unwrap();
    let reason = "Waits for a moderator: a script can contain code, which a moderator reviews";
    assert_eq!((&notice["type"], &notice["reason"]), (&json!("uncompliant"), &json!(reason)));
    let held = moderate(&relay, "GET", &format!("/moderation/held/{id}")).await.json();
    assert_eq!((&held["raw_pycode"], &held["id"]), (&json!("print('hello')"), &json!(id)));
    let listed = moderate(&relay, "GET", "/moderation/held").await.json();
    assert_eq!(listed["held"][0]["content"], json!({"name": "hello"}));
}
