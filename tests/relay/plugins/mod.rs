//! Plugins: what they may do, what they cannot, and what becomes of files that are none.
//!
//! `tests/guests/hostile` does what a message tells it to; `make guests` builds it and the others there.

mod asked;
mod embedded;
mod files;
mod hostile;
mod reload;
mod unbuilt;
mod verdicts;

use std::path::Path;

use serde_json::{Value, json};

use crate::support::{Relay, RelayBuilder, Response};

/// The component of a plugin for tests.
pub(crate) fn guest(name: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/guests").join(name).join("filter.wasm");
    std::fs::read(&path).unwrap_or_else(|fault| panic!("{}: {fault}; `make guests` builds it", path.display()))
}

/// With deadlines that a busy machine keeps, but where a manifest says otherwise.
fn patient(relay: RelayBuilder) -> RelayBuilder {
    PATIENT.into_iter().fold(relay, |relay, (name, value)| relay.env(name, value))
}

/// The settings for that.
pub(crate) const PATIENT: [(&str, &str); 4] = [
    ("RELAY__FILTER__PLUGINS__DEADLINE_MS", "10000"),
    ("RELAY__FILTER__PLUGINS__MAX_DEADLINE_MS", "10000"),
    ("RELAY__FILTER__PLUGINS__START_WAIT_MS", "600000"),
    // What is said to a plugin is said again and again.
    ("RELAY__FILTER__PRESET", "off"),
];

/// What is said to a sender when a plugin could not answer.
const FAILED: &str = "A filter of this instance cannot be asked now; please try again later.";

/// A relay with the hostile plugin under this manifest.
fn hostile(manifest: &str) -> RelayBuilder {
    patient(Relay::with()).env("RATE_LIMITS", "off").plugin("hostile", manifest, &guest("hostile"))
}

/// Says something in the room QGIS.
async fn say(relay: &Relay, text: &str) -> Response {
    relay.put_line("QGIS", "jane", text, &[]).await
}

/// What a refused message gets.
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
