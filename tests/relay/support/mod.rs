//! What the tests need: a relay of one's own, clients, plain HTTP.
//!
//! Every wait has a deadline, and a failure shows what the relay logged.

mod client;
mod http;
pub(crate) mod nginx;
mod process;
pub(crate) mod program;
pub(crate) mod raw;
mod relay;
pub(crate) mod script;

use serde_json::{Value, json};

pub(crate) use client::Client;
pub(crate) use http::{Response, request, send};
pub(crate) use relay::{Relay, RelayBuilder};

/// How long anything that should happen may take.
pub(crate) const PATIENCE: std::time::Duration = std::time::Duration::from_secs(20);

/// An address of this machine that is not the one that clients have otherwise.
pub(crate) const ELSEWHERE: std::net::IpAddr = std::net::IpAddr::V4(std::net::Ipv4Addr::new(127, 0, 0, 2));

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

/// What tells a sender that its message was refused.
pub(crate) fn refusal(reason: &str) -> Value {
    json!({"message": format!("Refused: {reason}"), "author": "moderation", "avatar": "mIconWarning.svg"})
}

/// The refusal of a name that somebody else holds.
pub(crate) const TAKEN: &str = "this name, or one that looks like it, belongs to somebody else in this room";
