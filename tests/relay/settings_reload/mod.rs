//! Settings change while the relay runs: by a call, by a signal and by a command.

mod access;
mod bounds;
mod files;
mod load;
mod parts;
mod rooms;

use serde_json::Value;

use crate::moderation::{TOKEN, call, moderated, notes};
use crate::support::program::{Output, relay as program};
use crate::support::{Relay, RelayBuilder, Response};

/// A way to have everything read again.
#[derive(Clone, Copy, Debug)]
enum Way {
    Call,
    Signal,
    Command,
}

const WAYS: [Way; 3] = [Way::Call, Way::Signal, Way::Command];

/// A relay with these settings; no variable overrides those that the tests change.
fn with(settings: &str) -> RelayBuilder {
    moderated(Relay::builder()).env("LOG_LEVEL", "").env("RELAY__FILTER__PRESET", "off").file("relay.toml", settings)
}

/// Replaces a file by renaming, as editors do.
fn place(relay: &Relay, name: &str, text: &str) {
    let aside = relay.directory().join("aside");
    std::fs::write(&aside, text).unwrap();
    std::fs::rename(aside, relay.directory().join(name)).unwrap();
}

/// Replaces the settings file and reloads it in this way, which must succeed.
async fn change(relay: &Relay, settings: &str, way: Way) {
    place(relay, "relay.toml", settings);
    match way {
        Way::Call => {
            let answer = reload(relay).await;
            assert_eq!(answer.status, 200, "{}", answer.body);
        }
        Way::Signal => signal(relay).await,
        Way::Command => {
            let output = command(relay).await;
            assert_eq!((output.status, output.stderr.as_str()), (Some(0), ""), "{output:?}");
        }
    }
}

/// Reloads by a call.
async fn reload(relay: &Relay) -> Response {
    call(relay, "POST", "/moderation/reload", "").await
}

/// Reloads by a signal, and waits until it is done.
async fn signal(relay: &Relay) {
    // Automatic reloads of changed rules are noted too.
    let done = async || {
        let told = notes(relay, "reloaded").await;
        told.iter().filter(|note| note["text"].as_str().unwrap().starts_with("reloaded by a signal")).count()
    };
    let before = done().await;
    relay.signal("HUP");
    relay.wait_until(before + 1, done).await;
}

/// Has everything read again by the command.
async fn command(relay: &Relay) -> Output {
    let (address, directory) = (relay.address().to_string(), relay.directory().to_owned());
    let asked = move || program(&directory, &["reload"], &[("LISTEN", address.as_str()), ("MODERATOR_TOKEN", TOKEN)]);
    tokio::task::spawn_blocking(asked).await.unwrap()
}

/// The errors of an answer.
fn errors(answer: &Response) -> Vec<String> {
    let errors = answer.json()["errors"].as_array().cloned().unwrap_or_default();
    errors.iter().filter_map(Value::as_str).map(str::to_owned).collect()
}
