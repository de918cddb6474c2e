//! Acts of moderators and their effects.

mod console;
mod format_1;
mod held;
mod levels;
mod members;
mod restart;
mod sanctions;
mod stream;
mod turns;
mod undo;

use serde_json::{Value, json};

use crate::moderation::{call, moderated};
use crate::support::{Client, Relay, RelayBuilder};

/// A relay with the moderator jane and without starter rules.
fn moderated_relay() -> RelayBuilder {
    moderated(Relay::builder()).env("RELAY__FILTER__PRESET", "off")
}

/// Makes a call as jane with a JSON body, and asserts the status.
async fn call_json(relay: &Relay, method: &str, path: &str, body: &Value, status: u16) -> Value {
    let answer = call(relay, method, path, &if body.is_null() { String::new() } else { body.to_string() }).await;
    assert_eq!(answer.status, status, "{method} {path} {body}: {}", answer.body);
    answer.json()
}

/// Imposes a sanction as jane.
async fn impose(relay: &Relay, body: Value) -> Value {
    call_json(relay, "POST", "/moderation/sanctions", &body, 201).await
}

/// A notice to a single client.
fn notice(text: &str) -> Value {
    json!({"author": "moderation", "message": text, "avatar": "mIconWarning.svg"})
}

/// The chat lines that a client has received so far, except those of the relay itself.
async fn received_texts(client: &mut Client) -> Vec<String> {
    let lines = client.drain().await;
    let said = lines.iter().filter(|line| line["author"] != "moderation");
    said.filter_map(|line| line["message"].as_str().map(str::to_owned)).collect()
}

/// The held messages, oldest first.
async fn held_messages(relay: &Relay) -> Vec<Value> {
    let held = call_json(relay, "GET", "/moderation/held", &Value::Null, 200).await;
    held["held"].as_array().unwrap().clone()
}
