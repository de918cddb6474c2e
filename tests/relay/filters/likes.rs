//! Likes: of something said lately, and of anything else.

use serde_json::{Value, json};

use crate::support::{Client, Relay};

const RULES: &str = "[[rule]]\nid = 'links'\nlinks = 1\nverdict = 'reject'\nsender = { accepted_under = 1 }\n";

fn like(text: &str) -> Value {
    json!({"type": "like", "liker_author": "hans", "liked_author": "jane", "message": text})
}

/// Two members of a room; jane has said one thing before, so the rule does not apply to her.
async fn members(relay: &Relay) -> (Client, Client) {
    let mut jane = Client::connect(relay.address(), "/channel/QGIS/ws").await;
    jane.send(json!({"type": "newcomer", "newcomer": "jane"})).await;
    jane.send(json!({"type": "text", "author": "jane", "text": "hello"})).await;
    jane.drain().await;
    let mut hans = Client::connect(relay.address(), "/channel/QGIS/ws").await;
    hans.send(json!({"type": "newcomer", "newcomer": "hans"})).await;
    hans.drain().await;
    jane.drain().await;
    (jane, hans)
}

#[tokio::test]
async fn a_like_of_a_link_that_was_just_said_is_heard() {
    let relay = Relay::builder().env("ROOM_GENERATION", "auto").file("rules.toml", RULES).start().await;
    let (mut jane, mut hans) = members(&relay).await;
    jane.send(json!({"type": "text", "author": "jane", "text": "see https://example.org/x"})).await;
    jane.drain().await;
    hans.drain().await;
    hans.send(like("see https://example.org/x")).await;
    hans.drain().await;
    assert_eq!(jane.drain().await[0]["type"], "like");
}

#[tokio::test]
async fn a_like_of_a_link_that_nobody_said_is_refused() {
    let relay = Relay::builder().env("ROOM_GENERATION", "auto").file("rules.toml", RULES).start().await;
    let (mut jane, mut hans) = members(&relay).await;
    hans.send(like("buy at https://example.org/spam")).await;
    assert_eq!(hans.drain().await[0]["type"], "uncompliant");
    assert!(jane.drain().await.is_empty());
}

#[tokio::test]
async fn likes_of_contents_as_clients_write_them_are_heard() {
    let relay = Relay::builder().env("ROOM_GENERATION", "auto").file("rules.toml", RULES).start().await;
    let (mut jane, mut hans) = members(&relay).await;
    for text in ["image", "<layer \"x\": 42 features, CRS=EPSG:4326>", "<CRS EPSG:2154>", "<BBOX 1, 2, 3, 4>"] {
        hans.send(like(text)).await;
        hans.drain().await;
        assert_eq!(jane.drain().await[0]["message"], text);
    }
}
