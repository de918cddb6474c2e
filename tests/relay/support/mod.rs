//! Test support: running a relay, WebSocket clients, plain HTTP.
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

/// Time limit for everything that a test waits for.
pub(crate) const TIMEOUT: std::time::Duration = std::time::Duration::from_secs(20);

/// A second loopback address, for clients that must seem to be elsewhere.
pub(crate) const OTHER_ADDRESS: std::net::IpAddr = std::net::IpAddr::V4(std::net::Ipv4Addr::new(127, 0, 0, 2));

/// A v1 chat line without an avatar.
pub(crate) fn line(author: &str, text: &str) -> Value {
    json!({"message": text, "author": author, "avatar": null})
}

/// The frame that registers a nickname, and that announces it to the room.
pub(crate) fn newcomer(nickname: &str) -> Value {
    json!({"author": "internal", "newcomer": nickname})
}

/// The frame that announces that a nickname has left.
pub(crate) fn exiter(nickname: &str) -> Value {
    json!({"author": "internal", "exiter": nickname})
}

/// The frame that announces the number of connections.
pub(crate) fn nb_users(number: usize) -> Value {
    json!({"author": "internal", "nb_users": number})
}

/// The chat line that tells a sender of a refusal.
pub(crate) fn refusal(reason: &str) -> Value {
    json!({"message": format!("Refused: {reason}"), "author": "moderation", "avatar": "mIconWarning.svg"})
}

/// The refusal of a nickname in use.
pub(crate) const NICKNAME_TAKEN: &str =
    "this name, or one that looks like it, belongs to somebody else in this room; choose another one";
