//! How a v1 client learns that its message was refused: `V1_NOTICES`.

use serde_json::{Value, json};

use crate::support::{Client, Relay, line, nb_users, refusal};

/// Refused frames and an unknown one, each with the notice that the relay sends.
fn bad_frames() -> [(String, &'static str, bool); 5] {
    [
        (line("x", "hi").to_string(), "`author` has 1 character; 3 to 32 are allowed", true),
        (r#"{"author":"jane"}"#.to_owned(), "`message` is missing", true),
        ("junk".to_owned(), "a frame must be a JSON object", false),
        ("[1,2]".to_owned(), "a frame must be a JSON object", false),
        (
            r#"{"type":"text"}"#.to_owned(),
            "this connection speaks generation v1 of the protocol, whose frames have no `type`",
            false,
        ),
    ]
}

async fn relay_and_client(setting: &str) -> (Relay, Client) {
    let relay = Relay::builder().env("V1_NOTICES", setting).env("RATE_LIMITS", "off").start().await;
    let mut client = relay.join("QGIS").await;
    client.expect(nb_users(1)).await;
    (relay, client)
}

/// Asserts that a v1 client does not misread the frame.
fn assert_harmless(frame: &Value) {
    for key in ["nb_users", "newcomer", "exiter", "liker_author", "liked_author"] {
        assert!(frame.get(key).is_none(), "{frame}");
    }
    if frame["author"] != "internal" {
        assert!(
            frame["author"].is_string() && frame["message"].is_string() && frame.get("avatar").is_some(),
            "{frame}"
        );
    }
}

#[tokio::test]
async fn visible_notices_are_chat_lines_and_only_for_frames_of_the_protocol() {
    let (_relay, mut client) = relay_and_client("visible").await;
    for (frame, reason, of_the_protocol) in bad_frames() {
        client.send_text(&frame).await;
        let heard = client.drain().await;
        let wanted: Vec<Value> = of_the_protocol.then(|| refusal(reason)).into_iter().collect();
        assert_eq!(heard, wanted, "{frame}");
        heard.iter().for_each(assert_harmless);
    }
}

#[tokio::test]
async fn internal_notices_are_frames_that_old_clients_ignore() {
    let (_relay, mut client) = relay_and_client("internal").await;
    for (frame, reason, _) in bad_frames() {
        client.send_text(&frame).await;
        let heard = client.drain().await;
        assert_eq!(heard, [json!({"author": "internal", "uncompliant": reason})], "{frame}");
        heard.iter().for_each(assert_harmless);
    }
}

#[tokio::test]
async fn without_notices_the_relay_is_silent() {
    let (relay, mut client) = relay_and_client("off").await;
    for (frame, _, _) in bad_frames() {
        client.send_text(&frame).await;
    }
    assert!(client.drain().await.is_empty());
    // HTTP clients are told regardless.
    assert_eq!(relay.put_line("QGIS", "x", "hi", &[]).await.status, 422);
    client.send(line("jane", "still here")).await;
    client.expect(line("jane", "still here")).await;
}
