//! Frames of v2 and v3 that are refused or ignored, as data: each file in `tests/cases/typed` is a table of cases.
//!
//! All cases of a file run against one relay, in each generation, with a new sender and a bystander. The sender must
//! receive exactly the expected answer and stay connected, and the bystander must receive nothing.

use std::path::Path;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::support::{Client, Relay};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    case: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    /// The claim.
    name: String,
    /// The frame.
    frame: String,
    /// Replaces `@` in the frame by a text, repeated.
    grow: Option<Grow>,
    /// The generations in which it is tried.
    #[serde(default = "both")]
    generations: Vec<String>,
    /// The reason of the `uncompliant`; the frame is ignored without one.
    reason: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Grow {
    with: String,
    times: usize,
}

fn both() -> Vec<String> {
    vec!["v2".to_owned(), "v3".to_owned()]
}

impl Case {
    fn text(&self) -> String {
        match &self.grow {
            Some(Grow { with, times }) => self.frame.replace('@', &with.repeat(*times)),
            None => self.frame.clone(),
        }
    }
}

async fn join(relay: &Relay, generation: &str) -> Client {
    let path = if generation == "v2" { "/room/QGIS/ws" } else { "/channel/QGIS/ws" };
    let mut client = Client::connect(relay.address(), path).await;
    client.drain().await;
    client
}

async fn play(file: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/typed").join(file);
    let table: Table = toml::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let relay = Relay::builder()
        .env("ROOM_GENERATION", "v2")
        .env("RATE_LIMITS", "off")
        .env("RELAY__FILTER__PRESET", "off")
        .start()
        .await;
    let mut bystander = join(&relay, "v3").await;
    bystander.send(json!({"type": "newcomer", "newcomer": "bystander"})).await;
    bystander.drain().await;
    let mut failures = Vec::new();
    for case in &table.case {
        for generation in &case.generations {
            let mut sender = join(&relay, generation).await;
            bystander.drain().await;
            sender.send_text(&case.text()).await;
            let mut answers = sender.drain().await;
            let heard = bystander.drain().await;
            for answer in &mut answers {
                if generation == "v3" {
                    let members = answer.as_object_mut().unwrap();
                    assert!(members.remove("id").is_some() && members.remove("timestamp").is_some(), "{}", case.name);
                }
            }
            let wanted: Vec<Value> =
                case.reason.iter().map(|reason| json!({"type": "uncompliant", "reason": reason})).collect();
            if answers != wanted || !heard.is_empty() {
                failures.push(format!("{} in {generation}: {answers:?}; the bystander: {heard:?}", case.name));
            }
            sender.leave().await;
        }
    }
    assert!(failures.is_empty(), "{file}: {failures:#?}");
    assert_eq!(relay.connected().await, 1);
}

#[tokio::test]
async fn a_frame_that_is_not_part_of_the_protocol_is_uncompliant() {
    play("uncompliant.toml").await;
}

#[tokio::test]
async fn a_field_that_is_missing_or_of_the_wrong_type_is_named() {
    play("fields.toml").await;
}

#[tokio::test]
async fn a_value_beyond_a_limit_is_refused_with_field_and_limit() {
    play("limits.toml").await;
}

#[tokio::test]
async fn a_text_or_name_that_shows_nothing_or_disturbs_clients_is_refused() {
    play("harmful.toml").await;
}

#[tokio::test]
async fn a_layer_that_clients_could_not_load_is_refused() {
    play("layers.toml").await;
}

#[tokio::test]
async fn an_image_that_is_none_is_refused() {
    play("images.toml").await;
}

#[tokio::test]
async fn frames_that_only_the_relay_sends_are_ignored() {
    play("ignored.toml").await;
}
