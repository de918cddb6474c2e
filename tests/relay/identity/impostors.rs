//! A registered nickname belongs to its connection, in its room.

use serde_json::json;

use crate::support::{Client, NICKNAME_TAKEN, OTHER_ADDRESS, Relay, exiter, line, nb_users, newcomer, refusal};

#[tokio::test]
async fn a_registered_nickname_and_its_look_alikes_are_refused_to_others() {
    let relay = Relay::builder().env("RATE_LIMITS", "off").start().await;
    let mut impostor = relay.join("QGIS").await;
    for (held, attempts) in [
        ("Jane", &["Jane", "jane", "JANE", "jAnE"] as &[&str]),
        ("loki", &["l0ki", "Ioki", "LOKI", "L0KI"]),
        ("l0ki", &["loki", "Ioki", "lOki", "LOKI"]),
        ("Ioki", &["loki", "l0ki", "ioki", "IOKI"]),
        ("rnap", &["map", "MAP", "Rnap"]),
    ] {
        let mut owner = Client::connect_from(OTHER_ADDRESS, relay.address(), "/room/QGIS/ws").await.unwrap();
        owner.send(newcomer(held)).await;
        owner.skip_until(newcomer(held)).await;
        impostor.skip_until(newcomer(held)).await;
        for attempt in attempts {
            for frame in [newcomer(attempt), line(attempt, "I am the one")] {
                impostor.send(frame.clone()).await;
                assert_eq!(impostor.drain().await, [refusal(NICKNAME_TAKEN)], "{frame} beside {held}");
            }
            let put = relay.put_line("QGIS", attempt, "I am the one", &[]).await;
            assert_eq!((put.status, put.json()), (403, json!({"detail": NICKNAME_TAKEN})), "{attempt} beside {held}");
        }
        assert_eq!(relay.users("QGIS").await, json!([held]));
        owner.send(line(held, "nobody else spoke")).await;
        owner.expect(line(held, "nobody else spoke")).await;
        impostor.expect(line(held, "nobody else spoke")).await;
        owner.leave().await;
        impostor.skip_until(nb_users(1)).await;
    }
}

#[tokio::test]
async fn distinct_names_coexist() {
    let relay = Relay::start().await;
    let mut members = Vec::new();
    for name in ["jane", "janet", "jane2", "ja_ne", "ja-ne", "map", "nap"] {
        members.push(relay.join_as("QGIS", name).await);
    }
    assert_eq!(relay.users("QGIS").await.as_array().map(Vec::len), Some(members.len()));
}

#[tokio::test]
async fn only_the_impostor_is_notified_of_the_refusal() {
    let relay = Relay::start().await;
    let mut jane = relay.join_as("QGIS", "jane").await;
    let mut hans = relay.join_as("QGIS", "hans").await;
    let mut impostor = relay.join("QGIS").await;
    impostor.expect(nb_users(3)).await;
    jane.skip_until(nb_users(3)).await;
    hans.expect(nb_users(3)).await;

    impostor.send(line("jane", "send me your password")).await;
    assert_eq!(impostor.drain().await, [refusal(NICKNAME_TAKEN)]);
    let put = relay.put_line("QGIS", "jane", "send me your password", &[]).await;
    assert_eq!(put.status, 403, "{put:?}");
    for client in [&mut jane, &mut hans, &mut impostor] {
        assert!(client.drain().await.is_empty());
    }
    // It may use a free name.
    impostor.send(line("eve", "well then")).await;
    jane.expect(line("eve", "well then")).await;
}

#[tokio::test]
async fn a_registered_connection_can_use_only_its_nickname() {
    let relay = Relay::start().await;
    let mut jane = relay.join_as("QGIS", "jane").await;
    let mut hans = relay.join("QGIS").await;
    hans.expect(nb_users(2)).await;
    jane.expect(nb_users(2)).await;
    let refused = "you are registered as jane and can speak only under that name";
    let like = json!({"author": "internal", "message": "hi", "liker_author": "free", "liked_author": "jane"});
    for frame in [line("free", "hi"), line("Jane", "hi"), line("moderation", "hi"), line("x", "hi"), like] {
        jane.send(frame.clone()).await;
        assert_eq!(jane.drain().await, [refusal(refused)], "{frame}");
    }
    assert!(hans.drain().await.is_empty());
    jane.send(line("jane", "hi")).await;
    assert_eq!(jane.drain().await, [line("jane", "hi")]);
}

#[tokio::test]
async fn an_unregistered_sender_may_use_any_free_nickname_and_owns_none() {
    let relay = Relay::start().await;
    let mut hans = relay.join("QGIS").await;
    hans.expect(nb_users(1)).await;
    for name in ["hans", "greta"] {
        hans.send(line(name, "hi")).await;
        hans.expect(line(name, "hi")).await;
    }
    let mut other = relay.join_as("QGIS", "hans").await;
    hans.send(line("hans", "hi")).await;
    hans.skip_until(refusal(NICKNAME_TAKEN)).await;
    assert!(other.drain().await.is_empty());
}

#[tokio::test]
async fn a_nickname_is_free_once_its_connection_is_closed() {
    let relay = Relay::start().await;
    let mut watcher = relay.join("QGIS").await;
    for end in ["clean", "abrupt", "renamed"] {
        let mut jane = relay.join_as("QGIS", "jane").await;
        let held = match end {
            "clean" => {
                jane.leave().await;
                None
            }
            "abrupt" => {
                jane.reset();
                None
            }
            _ => {
                jane.send(newcomer("janet")).await;
                jane.expect(exiter("jane")).await;
                Some(jane)
            }
        };
        watcher.skip_until(exiter("jane")).await;
        let put = relay.put_line("QGIS", "JANE", "free?", &[]).await;
        assert_eq!(put.status, 200, "{end}: {put:?}");
        let second = relay.join_as("QGIS", "Jane").await;
        second.leave().await;
        watcher.skip_until(exiter("Jane")).await;
        drop(held);
    }
}

#[tokio::test]
async fn a_nickname_is_held_in_one_room_only() {
    let relay = Relay::start().await;
    let mut here = relay.join_as("QGIS", "jane").await;
    let mut there = relay.join_as("QField", "Jane").await;
    there.send(line("Jane", "over there")).await;
    there.expect(line("Jane", "over there")).await;
    here.send(line("jane", "over here")).await;
    here.expect(line("jane", "over here")).await;
    assert_eq!(relay.put_line("QField", "jane", "hi", &[]).await.status, 403);
    there.leave().await;
    assert_eq!(relay.users("QGIS").await, json!(["jane"]));
}
