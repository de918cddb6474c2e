//! A nickname that is proven by a token is kept for its owner.

use serde_json::{Value, json};

use crate::moderation::{call, moderated};
use crate::support::{Client, NICKNAME_TAKEN, OTHER_ADDRESS, Relay, RelayBuilder, exiter, line, newcomer, refusal};

/// Proves the nickname Hans, by `tests/cases/tokens.toml`.
const HANS: &str = "Bearer Zx9-hans-Zx9-hans";
const TOKENS: &str = include_str!("../../cases/tokens.toml");
const LOOK_ALIKES: [&str; 3] = ["Hans", "hans", "HANS"];

fn with(tokens: &str) -> RelayBuilder {
    moderated(Relay::builder())
        .env("RATE_LIMITS", "off")
        .env("RELAY__MODERATION__TOKENS_FILE", "tokens.toml")
        .file("tokens.toml", tokens)
}

async fn owner(relay: &Relay, room: &str) -> Client {
    let path = format!("/room/{room}/ws");
    let mut client = Client::try_connect(relay.address(), &path, &[("authorization", HANS)]).await.unwrap();
    client.drain().await;
    client
}

async fn register(client: &mut Client, name: &str) {
    client.send(newcomer(name)).await;
    client.skip_until(newcomer(name)).await;
}

/// Reads a new tokens file.
async fn reload(relay: &Relay, tokens: &str) {
    let aside = relay.directory().join("aside");
    std::fs::write(&aside, tokens).unwrap();
    std::fs::rename(aside, relay.directory().join("tokens.toml")).unwrap();
    let answer = call(relay, "POST", "/moderation/reload", "").await;
    assert_eq!(answer.status, 200, "{}", answer.body);
}

fn like(liker: &str) -> Value {
    json!({"author": "internal", "message": "hi", "liker_author": liker, "liked_author": "witness"})
}

#[tokio::test]
async fn a_proven_nickname_is_refused_to_strangers_while_its_owner_is_away() {
    let relay = with(TOKENS).start().await;
    let mut witness = relay.join_as("QGIS", "witness").await;
    let mut stranger = relay.join("QGIS").await;
    stranger.drain().await;
    witness.drain().await;
    for name in LOOK_ALIKES {
        for frame in [newcomer(name), line(name, "hi"), like(name)] {
            stranger.send(frame.clone()).await;
            assert_eq!(stranger.drain().await, [refusal(NICKNAME_TAKEN)], "{frame}");
        }
        let put = relay.put_line("QGIS", name, "hi", &[]).await;
        assert_eq!((put.status, put.json()), (403, json!({"detail": NICKNAME_TAKEN})), "{name}");
    }
    assert!(witness.drain().await.is_empty());
    assert_eq!(relay.users("QGIS").await, json!(["witness"]));
}

#[tokio::test]
async fn the_owner_may_use_its_nickname_everywhere() {
    let relay = with(TOKENS).start().await;
    let mut witness = relay.join("QGIS").await;
    let mut hans = owner(&relay, "QGIS").await;
    witness.drain().await;
    hans.send(line("Hans", "unregistered")).await;
    witness.expect(line("Hans", "unregistered")).await;
    let put = relay.put_line("QGIS", "Hans", "by call", &[("Authorization", HANS)]).await;
    assert_eq!(put.status, 200, "{put:?}");
    witness.expect(line("Hans", "by call")).await;
    register(&mut hans, "Hans").await;
    witness.expect(newcomer("Hans")).await;
    hans.send(line("Hans", "registered")).await;
    witness.expect(line("Hans", "registered")).await;
    // Beside the owner's own connection as well.
    let put = relay.put_line("QGIS", "Hans", "by call", &[("Authorization", HANS)]).await;
    assert_eq!(put.status, 200, "{put:?}");
    witness.expect(line("Hans", "by call")).await;
    assert_eq!(relay.put_line("QGIS", "Hans", "by call", &[]).await.status, 403);
}

#[tokio::test]
async fn a_proven_nickname_is_kept_in_its_rooms_only() {
    let relay = with(&format!("{TOKENS}rooms = ['QGIS']\n")).start().await;
    assert_eq!(relay.put_line("QGIS", "hans", "hi", &[]).await.status, 403);
    assert_eq!(relay.put_line("QField", "hans", "hi", &[]).await.status, 200);
    let _stranger = relay.join_as("QField", "Hans").await;
    // There the token proves nothing.
    let mut hans = owner(&relay, "QField").await;
    hans.send(line("Hans", "hi")).await;
    assert_eq!(hans.drain().await, [refusal(NICKNAME_TAKEN)]);
}

#[tokio::test]
async fn a_proof_takes_the_nickname_over_from_another_connection_at_once() {
    // No probe ends within this time.
    let relay = with(TOKENS).env("RELAY__LIVE__RECLAIM_TIMEOUT_SECONDS", "60").start().await;
    let mut watcher = Client::connect_from(OTHER_ADDRESS, relay.address(), "/room/QGIS/ws").await.unwrap();
    let mut first = owner(&relay, "QGIS").await;
    register(&mut first, "Hans").await;
    watcher.skip_until(newcomer("Hans")).await;
    let mut second = owner(&relay, "QGIS").await;
    // What follows in the same packet is not lost.
    second.send_together(&[newcomer("Hans"), line("Hans", "here")]).await;
    watcher.skip_until(exiter("Hans")).await;
    watcher.skip_until(newcomer("Hans")).await;
    watcher.expect(line("Hans", "here")).await;
    let closed = first.wait_for_close().await;
    let reason = "your nickname was taken over by a connection that proves it with a token";
    assert_eq!(closed, Some((1008, reason.to_owned())));
    assert_eq!(relay.users("QGIS").await, json!(["Hans"]));
}

#[tokio::test]
async fn a_reload_takes_a_nickname_from_a_stranger_who_is_told() {
    let relay = with("").start().await;
    let mut witness = relay.join("QGIS").await;
    let mut stranger = relay.join_as("QGIS", "hans").await;
    let mut speaker = relay.join("QGIS").await;
    speaker.send(line("HANS_", "a free name stays free")).await;
    speaker.skip_until(line("HANS_", "a free name stays free")).await;
    stranger.drain().await;
    witness.drain().await;

    reload(&relay, TOKENS).await;
    witness.expect(exiter("hans")).await;
    let told = "your nickname is no longer free: it is reserved, or kept for its owner; choose another one";
    let told = json!({"author": "moderation", "message": told, "avatar": "mIconWarning.svg"});
    let mut heard = stranger.drain().await;
    heard.retain(|frame| *frame == told);
    assert_eq!(heard, [told]);
    for frame in [line("hans", "still me"), newcomer("hans")] {
        stranger.send(frame).await;
        assert_eq!(stranger.drain().await, [refusal(NICKNAME_TAKEN)]);
    }
    assert_eq!(relay.users("QGIS").await, json!([]));
    register(&mut stranger, "another").await;

    let mut hans = owner(&relay, "QGIS").await;
    register(&mut hans, "Hans").await;
    hans.leave().await;
    // Without the entry the nickname is free again.
    let without = TOKENS.split("[[trusted]]").next().unwrap_or_default();
    reload(&relay, without).await;
    assert_eq!(relay.put_line("QGIS", "hans", "free", &[]).await.status, 200);
}
