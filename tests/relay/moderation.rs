//! The calls of moderators.

mod alerts;
mod feed;
mod filters;
mod reload;
mod scopes;
mod tokens;
mod trial;

use crate::support::{Relay, RelayBuilder, Response, request};

/// A moderator and its token.
const MODERATORS: &str = "jane:0123456789abcdef-jane";
pub(crate) const TOKEN: &str = "0123456789abcdef-jane";

/// A sample of calls.
const SAMPLE_CALLS: [(&str, &str); 4] = [
    ("POST", "/moderation/try"),
    ("GET", "/moderation/filters"),
    ("POST", "/moderation/reload"),
    ("GET", "/moderation/feed"),
];

/// Adds the moderator jane.
pub(crate) fn moderated(relay: RelayBuilder) -> RelayBuilder {
    relay.env("MODERATORS", MODERATORS)
}

/// A call with this token and further headers.
pub(crate) async fn call_with(
    relay: &Relay,
    (method, path): (&str, &str),
    token: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> Response {
    let authorization = format!("Bearer {token}");
    let headers = [&[("Authorization", authorization.as_str())], headers].concat();
    request(relay.address(), method, path, &headers, body).await
}

/// A call of jane.
pub(crate) async fn call(relay: &Relay, method: &str, path: &str, body: &str) -> Response {
    call_with(relay, (method, path), TOKEN, &[], body).await
}

/// Tries a text of anna in QGIS.
async fn tried(relay: &Relay, text: &str) -> serde_json::Value {
    let body = serde_json::json!({"room": "QGIS", "author": "anna", "text": text}).to_string();
    let answer = call(relay, "POST", "/moderation/try", &body).await;
    assert_eq!(answer.status, 200, "{text}: {}", answer.body);
    answer.json()
}

/// All notes of a kind.
pub(crate) async fn notes(relay: &Relay, kind: &str) -> Vec<serde_json::Value> {
    let feed = call(relay, "GET", "/moderation/feed?limit=1000", "").await.json();
    feed["notes"].as_array().unwrap().iter().filter(|note| note["kind"] == kind).cloned().collect()
}
