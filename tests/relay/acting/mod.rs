//! What moderators do, and who feels it.

mod held;
mod levels;
mod members;
mod restart;
mod sanctions;
mod stream;
mod undo;

use serde_json::{Value, json};

use crate::moderation::{call, moderated};
use crate::support::{Client, Relay, RelayBuilder};

/// A relay that jane moderates, whose starter rules do not run.
fn quiet() -> RelayBuilder {
    moderated(Relay::with()).env("RELAY__FILTER__PRESET", "off")
}

/// A call of jane with a JSON body that must be answered with this status.
async fn done(relay: &Relay, method: &str, path: &str, body: &Value, status: u16) -> Value {
    let answer = call(relay, method, path, &if body.is_null() { String::new() } else { body.to_string() }).await;
    assert_eq!(answer.status, status, "{method} {path} {body}: {}", answer.body);
    answer.json()
}

/// A sanction that jane imposes.
async fn sanctioned(relay: &Relay, body: Value) -> Value {
    done(relay, "POST", "/moderation/sanctions", &body, 201).await
}

/// What the relay tells a client alone.
fn told(text: &str) -> Value {
    json!({"author": "moderation", "message": text, "avatar": "mIconWarning.svg"})
}

/// The texts of chat lines that a client hears, up to now, those of the relay itself aside.
async fn heard(client: &mut Client) -> Vec<String> {
    let lines = client.settle().await;
    let said = lines.iter().filter(|line| line["author"] != "moderation");
    said.filter_map(|line| line["message"].as_str().map(str::to_owned)).collect()
}

/// The held messages, oldest first.
async fn waiting(relay: &Relay) -> Vec<Value> {
    let held = done(relay, "GET", "/moderation/held", &Value::Null, 200).await;
    held["held"].as_array().unwrap().clone()
}
