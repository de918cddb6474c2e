//! `internal` and `moderation` are reserved, look-alikes included.

use serde_json::{Value, json};

use crate::support::{Relay, line, nb_users, newcomer, refusal};

const RESERVED: &str = "this nickname is reserved";

const DISGUISES: [&str; 12] = [
    "moderation",
    "Moderation",
    "MODERATION",
    "moderati0n",
    "m0deration",
    "rnoderation",
    "moderatlon",
    "Internal",
    "INTERNAL",
    "1nternal",
    "lnternal",
    "interna1",
];

#[tokio::test]
async fn reserved_names_cannot_be_registered_or_used() {
    let relay = Relay::builder().env("RATE_LIMITS", "off").start().await;
    let mut witness = relay.join_as("QGIS", "witness").await;
    let mut eve = relay.join("QGIS").await;
    eve.expect(nb_users(2)).await;
    witness.expect(nb_users(2)).await;
    for name in DISGUISES {
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
async fn names_that_only_begin_like_reserved_ones_are_free() {
    let relay = Relay::start().await;
    let mut members = Vec::new();
    for name in ["international", "internal2", "moderator", "mod", "intern"] {
        members.push(relay.join_as("QGIS", name).await);
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
