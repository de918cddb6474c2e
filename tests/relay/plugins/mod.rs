//! Plugins: capabilities, limits, and invalid files.
//!
//! `tests/guests/hostile` is a scriptable plugin that follows instructions in messages; `make guests` builds all
//! guests.

mod embedded;
mod files;
mod hostile;
mod reload;
mod subscriptions;
mod unbuilt;
mod verdicts;

use std::path::Path;

use serde_json::{Value, json};

use crate::support::{Relay, RelayBuilder, Response};

/// The component of a test plugin.
pub(crate) fn guest(name: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/guests").join(name).join("filter.wasm");
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}; `make guests` builds it", path.display()))
}

/// Sets long default deadlines, for busy machines.
pub(crate) fn with_long_deadlines(relay: RelayBuilder) -> RelayBuilder {
    LONG_DEADLINES.into_iter().fold(relay, |relay, (name, value)| relay.env(name, value))
}

/// Settings with long deadlines.
pub(crate) const LONG_DEADLINES: [(&str, &str); 4] = [
    ("RELAY__FILTER__PLUGINS__DEADLINE_MS", "10000"),
    ("RELAY__FILTER__PLUGINS__MAX_DEADLINE_MS", "10000"),
    ("RELAY__FILTER__PLUGINS__START_WAIT_MS", "600000"),
    // Tests repeat the same message.
    ("RELAY__FILTER__PRESET", "off"),
];

/// The reason sent when a plugin fails.
const FAILED: &str = "A filter of this instance is temporarily unavailable; please try again later.";

/// A relay with the hostile plugin and this manifest.
fn hostile(manifest: &str) -> RelayBuilder {
    with_long_deadlines(Relay::builder()).env("RATE_LIMITS", "off").plugin("hostile", manifest, &guest("hostile"))
}

/// Sends a message to the room QGIS.
async fn say(relay: &Relay, text: &str) -> Response {
    relay.put_line("QGIS", "jane", text, &[]).await
}

/// The detail of an error response.
fn detail(response: &Response) -> Value {
    response.json()["detail"].clone()
}

/// A message must be refused with this text.
async fn expect_refusal(relay: &Relay, text: &str, reason: &str) {
    let answer = say(relay, text).await;
    assert_eq!((answer.status, detail(&answer)), (403, json!(reason)), "{text}: {}", answer.body);
}

/// A message must be let through with this text.
async fn expect_pass(relay: &Relay, text: &str, heard: &str) {
    let answer = say(relay, text).await;
    assert_eq!(answer.status, 200, "{text}: {}", answer.body);
    assert_eq!(answer.json()["message"], json!(heard), "{text}");
}
