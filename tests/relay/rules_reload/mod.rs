//! The files of the rules change while the relay runs.

mod breakers;
mod enforced;
mod errors;
mod load;
mod watch;

use serde_json::Value;

use crate::moderation::{call, moderated, notes};
use crate::support::{Relay, RelayBuilder};

/// A file with one rule that refuses this word.
fn refusing(word: &str) -> String {
    format!("[[rule]]\nid = 'no'\nwords = ['{word}']\nverdict = 'reject'\nreason = 'No {word}.'\n")
}

/// A relay with these rules.
fn with_rules(text: &str) -> RelayBuilder {
    without_rules().file("rules.toml", text)
}

fn without_rules() -> RelayBuilder {
    // The starter rules would be counted too.
    let relay = moderated(Relay::builder()).env("RATE_LIMITS", "off").env("RELAY__FILTER__PRESET", "off");
    relay.env("RULES", "Be kind\nSpeak of maps\nNo advertising")
}

/// Writes a file as a shell does: truncates it first.
fn write(relay: &Relay, name: &str, text: &str) {
    let path = relay.directory().join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

/// Writes a temporary file and renames it, as editors do.
fn place(relay: &Relay, name: &str, text: &str) {
    write(relay, "aside", text);
    std::fs::rename(relay.directory().join("aside"), relay.directory().join(name)).unwrap();
}

fn remove(relay: &Relay, name: &str) {
    std::fs::remove_file(relay.directory().join(name)).unwrap();
}

/// The status that a text gets.
async fn status(relay: &Relay, text: &str) -> u16 {
    relay.put_line("QGIS", "anna", text, &[]).await.status
}

/// Waits until a text gets this status.
async fn until(relay: &Relay, text: &str, wanted: u16) {
    relay.wait_until(wanted, async || status(relay, text).await).await;
}

/// The texts of all notes of a kind.
async fn note_texts(relay: &Relay, kind: &str) -> Vec<String> {
    notes(relay, kind).await.iter().map(|note| note["text"].as_str().unwrap().to_owned()).collect()
}

/// Waits until the notes of a kind have these texts. A note follows the change of the rules that it is about.
async fn until_note_texts(relay: &Relay, kind: &str, texts: &[&str]) {
    let texts: Vec<String> = texts.iter().map(ToString::to_string).collect();
    relay.wait_until(texts, async || note_texts(relay, kind).await).await;
}

/// The field `not_in_force` of the rules filter.
async fn not_in_force(relay: &Relay) -> Value {
    let filters = call(relay, "GET", "/moderation/filters", "").await.json();
    let filters = filters["filters"].as_array().unwrap();
    filters.iter().find(|filter| filter["filter"] == "rules").unwrap()["not_in_force"].clone()
}

/// Waits until the rules are not in force because of these errors.
async fn until_not_in_force(relay: &Relay, errors: &[&str]) {
    let errors = Value::from(errors.to_vec());
    relay.wait_until(errors, async || not_in_force(relay).await["errors"].clone()).await;
}
