//! What the tests need: a relay of one's own, clients, plain HTTP.
//!
//! Every wait has a deadline, and a failure shows what the relay logged.

mod client;
mod http;
mod relay;

use serde_json::{Value, json};

pub(crate) use client::Client;
pub(crate) use http::{Response, request};
pub(crate) use relay::{Relay, RelayBuilder};

/// How long anything that should happen may take.
pub(crate) const PATIENCE: std::time::Duration = std::time::Duration::from_secs(20);

/// A chat line of v1 without an avatar.
pub(crate) fn line(author: &str, text: &str) -> Value {
    json!({"message": text, "author": author, "avatar": null})
}

/// What registers a nickname, and what tells the room of it.
pub(crate) fn newcomer(nickname: &str) -> Value {
    json!({"author": "internal", "newcomer": nickname})
}

/// What tells the room that a nickname is gone.
pub(crate) fn exiter(nickname: &str) -> Value {
    json!({"author": "internal", "exiter": nickname})
}

/// What tells the room how many are connected.
pub(crate) fn nb_users(number: usize) -> Value {
    json!({"author": "internal", "nb_users": number})
}
