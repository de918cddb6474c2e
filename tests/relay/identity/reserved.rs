//! The names of the relay are reserved, with all disguises.

use serde_json::{Value, json};

use crate::support::{Relay, line, nb_users, newcomer, refusal};

const RESERVED: &str = "this nickname is reserved";

/// The names of the file of cases that are refused (`-`), or free (`+`).
fn names(sign: char) -> impl Iterator<Item = &'static str> {
    include_str!("../../cases/reserved-nicknames.txt").lines().filter_map(move |line| line.strip_prefix(sign))
}

#[tokio::test]
async fn reserved_names_cannot_be_registered_or_used() {
    let relay = Relay::builder().env("RATE_LIMITS", "off").start().await;
    let mut witness = relay.join_as("QGIS", "witness").await;
    let mut eve = relay.join("QGIS").await;
    eve.expect(nb_users(2)).await;
    witness.expect(nb_users(2)).await;
    for name in names('-') {
        let said = line(name, "hi");
        let liked = json!({"author": "internal", "message": "hi", "liker_author": name, "liked_author": "witness"});
        for frame in [newcomer(name), said, liked] {
            eve.send(frame.clone()).await;
            assert_eq!(eve.drain().await, [refusal(RESERVED)], "{frame}");
        }
        let put = relay.put_line("QGIS", name, "hi", &[]).await;
        assert_eq!((put.status, put.json()), (403, json!({"detail": RESERVED})), "{name}");
    }
    eve.send(newcomer("internal")).await;
    assert_eq!(eve.drain().await, [refusal(RESERVED)]);
    assert!(witness.drain().await.is_empty());
    assert_eq!(relay.users("QGIS").await, json!(["witness"]));
}

#[tokio::test]
async fn names_that_only_contain_reserved_ones_are_free() {
    let relay = Relay::builder().env("RATE_LIMITS", "off").start().await;
    for name in names('+') {
        let put = relay.put_line("QGIS", name, "hi", &[]).await;
        assert_eq!(put.status, 200, "{name}: {put:?}");
        relay.join_as("QGIS", name).await.leave().await;
    }
}

#[tokio::test]
async fn an_operator_may_reserve_other_names_but_those_of_the_relay_stay() {
    let relay = Relay::builder().env("RELAY__MODERATION__RESERVED_NICKNAMES", "support, GIS-Bot").start().await;
    for (name, status) in
        [("support", 403), ("5upp0rt_1", 403), ("gis-b0t", 403), ("moderation", 403), ("1nternal", 403), ("admin", 200)]
    {
        assert_eq!(relay.put_line("QGIS", name, "hi", &[]).await.status, status, "{name}");
    }
}

#[tokio::test]
async fn a_client_can_only_register_and_like_as_internal() {
    let relay = Relay::start().await;
    let mut witness = relay.join_as("QGIS", "witness").await;
    let mut eve = relay.join("QGIS").await;
    eve.expect(nb_users(2)).await;
    witness.expect(nb_users(2)).await;
    let frames: [(Value, &str); 8] = [
        (json!({"author": "internal", "message": "hi", "avatar": null}), "this nickname is reserved"),
        (json!({"author": "internal"}), "this nickname is reserved"),
        (json!({"author": "internal", "nb_users": 99}), "`nb_users` and `exiter` are reserved for the relay"),
        (json!({"author": "internal", "exiter": "witness"}), "`nb_users` and `exiter` are reserved for the relay"),
        (
            json!({"author": "internal", "newcomer": "eve", "nb_users": 99}),
            "`nb_users` and `exiter` are reserved for the relay",
        ),
        (json!({"author": "internal", "newcomer": null}), "`newcomer` must be a string"),
        (json!({"author": "internal", "newcomer": ["eve"]}), "`newcomer` must be a string"),
        (json!({"author": "internal", "message": "hi", "liked_author": "witness"}), "`liker_author` is missing"),
    ];
    for (frame, reason) in frames {
        eve.send(frame.clone()).await;
        assert_eq!(eve.drain().await, [refusal(reason)], "{frame}");
    }
    assert!(witness.drain().await.is_empty());
    assert_eq!(relay.users("QGIS").await, json!(["witness"]));
}

#[tokio::test]
async fn internal_cannot_be_used_by_put() {
    let relay = Relay::start().await;
    let mut witness = relay.join("QGIS").await;
    witness.expect(nb_users(1)).await;
    for body in [
        json!({"author": "internal", "message": "hi", "avatar": null}),
        newcomer("eve"),
        json!({"author": "internal", "nb_users": 99}),
        json!({"author": "internal", "message": "hi", "liker_author": "eve", "liked_author": "witness"}),
    ] {
        let put = relay.put("/room/QGIS/message", &body.to_string()).await;
        assert!(matches!(put.status, 403 | 422), "{body}: {put:?}");
        assert!(put.json()["detail"].is_string(), "{body}: {put:?}");
    }
    assert!(witness.drain().await.is_empty());
}
