//! Joins, leaves and user counts.

use std::slice;

use serde_json::json;

use crate::support::{Client, Relay, exiter, line, nb_users, newcomer};

/// The user count reported over HTTP.
async fn connected(relay: &Relay, room: &str) -> u64 {
    let status = relay.get("/status").await.json();
    let rooms = status["rooms"].as_array().unwrap();
    rooms.iter().find(|entry| entry["name"] == room).unwrap()["nb_connected_users"].as_u64().unwrap()
}

#[tokio::test]
async fn a_join_sends_the_user_count_to_everyone() {
    let relay = Relay::start().await;
    let mut members: Vec<Client> = Vec::new();
    for number in 1..=4 {
        members.push(relay.join("QGIS").await);
        for member in &mut members {
            member.expect(nb_users(number)).await;
        }
    }
    for member in &mut members {
        assert!(member.drain().await.is_empty());
    }
}

#[tokio::test]
async fn the_exiter_event_comes_before_the_user_count() {
    let relay = Relay::start().await;
    let mut jane = relay.join_as("QGIS", "jane").await;
    let hans = relay.join_as("QGIS", "hans").await;
    jane.skip_until(newcomer("hans")).await;
    hans.leave().await;
    jane.expect(exiter("hans")).await;
    jane.expect(nb_users(1)).await;
    assert!(jane.drain().await.is_empty());
}

#[tokio::test]
async fn an_unregistered_connection_leaves_without_an_exiter() {
    let relay = Relay::start().await;
    let mut jane = relay.join_as("QGIS", "jane").await;
    let mut hans = relay.join("QGIS").await;
    hans.send(line("hans", "hello")).await;
    hans.skip_until(line("hans", "hello")).await;
    jane.skip_until(line("hans", "hello")).await;
    hans.leave().await;
    jane.expect(nb_users(1)).await;
    assert!(jane.drain().await.is_empty());
}

#[tokio::test]
async fn a_registration_is_announced_to_everyone() {
    let relay = Relay::start().await;
    let mut hans = relay.join("QGIS").await;
    hans.expect(nb_users(1)).await;
    let mut jane = relay.join("QGIS").await;
    jane.send(newcomer("jane")).await;
    for client in [&mut jane, &mut hans] {
        client.expect(nb_users(2)).await;
        client.expect(newcomer("jane")).await;
    }
    assert_eq!(relay.users("QGIS").await, json!(["jane"]));
}

#[tokio::test]
async fn registering_again_changes_the_nickname() {
    let relay = Relay::start().await;
    let mut jane = relay.join_as("QGIS", "jane").await;
    let mut hans = relay.join("QGIS").await;
    hans.expect(nb_users(2)).await;
    jane.expect(nb_users(2)).await;

    jane.send(newcomer("janet")).await;
    for client in [&mut jane, &mut hans] {
        client.expect(exiter("jane")).await;
        client.expect(newcomer("janet")).await;
    }
    assert_eq!(relay.users("QGIS").await, json!(["janet"]));
    jane.send(line("janet", "hello")).await;
    hans.expect(line("janet", "hello")).await;
    jane.leave().await;
    hans.expect(exiter("janet")).await;
    hans.expect(nb_users(1)).await;
}

#[tokio::test]
async fn a_connection_may_register_another_spelling_of_its_nickname() {
    let relay = Relay::start().await;
    let mut jane = relay.join_as("QGIS", "jane").await;
    jane.send(newcomer("Jane")).await;
    jane.expect(exiter("jane")).await;
    jane.expect(newcomer("Jane")).await;
    assert_eq!(relay.users("QGIS").await, json!(["Jane"]));
}

#[tokio::test]
async fn registering_the_same_nickname_again_is_not_announced() {
    let relay = Relay::start().await;
    let mut jane = relay.join_as("QGIS", "jane").await;
    let mut hans = relay.join("QGIS").await;
    hans.expect(nb_users(2)).await;
    jane.expect(nb_users(2)).await;
    jane.send(newcomer("jane")).await;
    assert!(jane.drain().await.is_empty());
    assert!(hans.drain().await.is_empty());
    assert_eq!(relay.users("QGIS").await, json!(["jane"]));
}

#[tokio::test]
async fn a_refused_registration_keeps_the_old_nickname() {
    let relay = Relay::start().await;
    let mut jane = relay.join_as("QGIS", "jane").await;
    for name in ["x", "internal", "a b"] {
        jane.send(newcomer(name)).await;
        let heard = jane.drain().await;
        assert_eq!((heard.len(), &heard[0]["author"]), (1, &json!("moderation")), "{name}: {heard:?}");
    }
    jane.send(line("jane", "still here")).await;
    jane.expect(line("jane", "still here")).await;
    assert_eq!(relay.users("QGIS").await, json!(["jane"]));
}

#[tokio::test]
async fn a_refused_first_frame_is_answered_after_the_user_count() {
    let relay = Relay::builder().env("ROOM_GENERATION", "auto").start().await;
    let typed = json!({"type": "text", "author": "anna", "avatar": null, "text": ""});
    let (room, channel) = ("/room/QGIS/ws", "/channel/QGIS/ws");
    // A count has just been sent for all but the first.
    let mut clients = Vec::new();
    for (path, frame) in [(room, typed.clone()), (channel, typed), (room, line("anna", "")), (channel, json!([]))] {
        let mut client = Client::connect_with_frames(relay.address(), path, slice::from_ref(&frame)).await;
        let (first, second) = (client.next().await, client.next().await);
        assert_eq!(first["nb_users"], clients.len() + 1, "{path} {frame}: {first}");
        assert!(second.get("nb_users").is_none(), "{path} {frame}: {second}");
        clients.push(client);
    }
}

#[tokio::test]
async fn the_user_count_is_exact_after_clean_and_abrupt_leaves() {
    let relay = Relay::start().await;
    let mut watcher = relay.join("QGIS").await;
    watcher.expect(nb_users(1)).await;
    let (mut clean, mut abrupt) = (Vec::new(), Vec::new());
    for number in 0..6 {
        clean.push(relay.join_as("QGIS", &format!("clean-{number}")).await);
        abrupt.push(relay.join_as("QGIS", &format!("abrupt-{number}")).await);
    }
    watcher.skip_until(newcomer("abrupt-5")).await;
    assert_eq!(connected(&relay, "QGIS").await, 13);

    for (clean, abrupt) in clean.into_iter().zip(abrupt) {
        abrupt.reset();
        clean.leave().await;
    }
    let heard = watcher.skip_until(nb_users(1)).await;
    let exiters = heard.iter().filter(|frame| frame.get("exiter").is_some()).count();
    let numbers = heard.iter().filter_map(|frame| frame["nb_users"].as_u64());
    assert_eq!(exiters, 12);
    assert_eq!(numbers.collect::<Vec<_>>(), (2..=12).rev().collect::<Vec<_>>());
    assert!(watcher.drain().await.is_empty());
    assert_eq!(connected(&relay, "QGIS").await, 1);
    assert_eq!(relay.users("QGIS").await, json!([]));
}

#[tokio::test]
async fn the_user_count_covers_one_room_only() {
    let relay = Relay::start().await;
    let mut jane = relay.join("QGIS").await;
    let mut hans = relay.join("QField").await;
    jane.expect(nb_users(1)).await;
    hans.expect(nb_users(1)).await;
    hans.leave().await;
    assert!(jane.drain().await.is_empty());
    assert_eq!((connected(&relay, "QGIS").await, connected(&relay, "QField").await), (1, 0));
}

#[tokio::test]
async fn users_are_sorted_case_insensitively() {
    let relay = Relay::start().await;
    let mut members = Vec::new();
    for name in ["zoe", "Bob", "anna", "Zack", "_under", "Carl", "bert", "9lives"] {
        members.push(relay.join_as("QGIS", name).await);
    }
    let _unregistered = relay.join("QGIS").await;
    let sorted = json!(["9lives", "_under", "anna", "bert", "Bob", "Carl", "Zack", "zoe"]);
    assert_eq!(relay.users("QGIS").await, sorted);
    assert_eq!(relay.users("QField").await, json!([]));
}
