//! Rooms are added and removed while the relay runs.

use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Error;

use super::{WAYS, Way, change, errors, place, reload, with};
use crate::moderation::{call, moderated};
use crate::plugins::{LONG_DEADLINES, guest};
use crate::support::{Client, Relay, line};

fn rooms(names: &[&str]) -> String {
    format!("[instance]\nrooms = {names:?}\n")
}

/// The ids of the members of a room.
async fn members(relay: &Relay, room: &str) -> Vec<u64> {
    let list = call(relay, "GET", &format!("/moderation/rooms/{room}/members"), "").await.json();
    let list = list["members"].as_array().unwrap_or_else(|| panic!("{list}")).clone();
    list.iter().map(|member| member["id"].as_str().unwrap().parse().unwrap()).collect()
}

/// The status that joining a room gets when it is refused.
async fn refused(relay: &Relay, room: &str) -> u16 {
    match Client::try_connect(relay.address(), &format!("/room/{room}/ws"), &[]).await {
        Err(Error::Http(refused)) => refused.status().as_u16(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn an_added_room_exists_after_the_reload_at_its_configured_position() {
    for way in WAYS {
        let relay = with(&rooms(&["QGIS"])).start().await;
        assert_eq!(refused(&relay, "Maps").await, 404);
        change(&relay, &rooms(&["Maps", "QGIS"]), way).await;
        assert_eq!(relay.get("/rooms").await.json(), json!(["Maps", "QGIS"]), "{way:?}");
        let mut jane = relay.join_as("Maps", "jane").await;
        assert_eq!(relay.put_line("Maps", "hans", "hello", &[]).await.status, 200);
        jane.skip_until(line("hans", "hello")).await;
        assert_eq!(relay.users("Maps").await, json!(["jane"]));
        assert_eq!(members(&relay, "Maps").await.len(), 1);
        assert_eq!(relay.count("gischat_room_nicknames{room=\"Maps\"}").await, 1);
        assert_eq!(relay.get("/status").await.json()["rooms"][0]["nb_connected_users"], 1);
    }
}

#[tokio::test]
async fn the_members_of_a_removed_room_are_closed_with_1001_and_nobody_joins_it_any_more() {
    for way in WAYS {
        let relay = with(&rooms(&["QGIS", "Maps"])).start().await;
        let mut stays = relay.join_as("QGIS", "stays").await;
        let mut leaves = relay.join_as("Maps", "leaves").await;
        change(&relay, &rooms(&["QGIS"]), way).await;
        assert_eq!(leaves.wait_for_close().await, Some((1001, "this room was removed".to_owned())), "{way:?}");
        assert_eq!(refused(&relay, "Maps").await, 404);
        assert_eq!(relay.put_line("Maps", "hans", "hello", &[]).await.status, 404);
        assert_eq!(relay.get("/room/Maps/users").await.status, 404);
        assert_eq!(call(&relay, "GET", "/moderation/rooms/Maps/members", "").await.status, 404);
        assert_eq!(relay.get("/rooms").await.json(), json!(["QGIS"]));
        assert!(!relay.get("/metrics").await.body.contains("Maps"));
        // The other room has not noticed.
        stays.send(line("stays", "sentinel")).await;
        stays.expect(line("stays", "sentinel")).await;
    }
}

#[tokio::test]
async fn a_room_that_is_removed_and_added_again_is_empty_and_works() {
    let relay = with(&rooms(&["QGIS", "Maps"])).start().await;
    let mut old = relay.join_as("Maps", "jane").await;
    change(&relay, &rooms(&["QGIS"]), Way::Call).await;
    assert!(old.wait_for_close().await.is_some());
    change(&relay, &rooms(&["QGIS", "Maps"]), Way::Call).await;
    assert_eq!(relay.users("Maps").await, json!([]));
    let mut new = relay.join_as("Maps", "jane").await;
    new.send(line("jane", "hello")).await;
    new.expect(line("jane", "hello")).await;
    assert_eq!(relay.count("gischat_room_nicknames{room=\"Maps\"}").await, 1);
}

#[tokio::test]
async fn a_room_in_another_order_keeps_its_members() {
    let relay = with(&rooms(&["QGIS", "Maps"])).start().await;
    let mut jane = relay.join_as("Maps", "jane").await;
    change(&relay, &rooms(&["Maps", "QGIS"]), Way::Call).await;
    assert_eq!(relay.get("/rooms").await.json(), json!(["Maps", "QGIS"]));
    jane.send(line("jane", "sentinel")).await;
    jane.expect(line("jane", "sentinel")).await;
}

#[tokio::test]
async fn a_message_that_is_judged_while_its_room_is_removed_is_answered_as_one_to_an_unknown_room() {
    let relay = with(&rooms(&["QGIS", "Maps"])).env("RATE_LIMITS", "off");
    let relay = LONG_DEADLINES.into_iter().fold(relay, |relay, (name, value)| relay.env(name, value));
    let relay = relay.plugin("hostile", "limits.deadline_ms = 3000", &guest("hostile")).start().await;
    let mut jane = relay.join_as("Maps", "jane").await;
    // The plugin loops until its deadline.
    jane.send(line("jane", "loop")).await;
    let (put, ()) = tokio::join!(relay.put_line("Maps", "hans", "loop", &[]), async {
        change(&relay, &rooms(&["QGIS"]), Way::Call).await;
    });
    assert_eq!((put.status, put.json()), (404, json!({"detail": "Room 'Maps' not registered"})));
    assert_eq!(jane.wait_for_close().await.map(|(code, _)| code), Some(1001));
    assert_eq!(relay.put_line("QGIS", "hans", "sentinel", &[]).await.status, 200);
}

#[tokio::test]
async fn rooms_that_are_added_go_to_the_shards_that_have_the_fewest() {
    let relay = with(&rooms(&["a"])).env("RELAY__LIVE__SHARDS", "3").start().await;
    change(&relay, &rooms(&["a", "b", "c", "d"]), Way::Call).await;
    let mut shards = Vec::new();
    let mut clients = Vec::new();
    for room in ["a", "b", "c", "d"] {
        clients.push(relay.join(room).await);
        // The number of a connection holds that of its shard.
        shards.push(members(&relay, room).await[0] >> 24 & 0xff);
    }
    assert_eq!(shards, [0, 1, 2, 0]);
}

#[tokio::test]
async fn a_rule_may_name_a_room_that_is_added_with_it() {
    let relay = with(&rooms(&["QGIS"])).start().await;
    let rule = "[[rule]]\nid = 'no'\nwords = ['casino']\nverdict = 'reject'\nrooms = ['Maps']\n";
    place(&relay, "rules.toml", rule);
    assert_eq!(reload(&relay).await.status, 422);
    change(&relay, &rooms(&["QGIS", "Maps"]), Way::Call).await;
    assert_eq!(relay.put_line("Maps", "hans", "casino", &[]).await.status, 403);
    assert_eq!(relay.put_line("QGIS", "anna", "casino", &[]).await.status, 200);
}

#[tokio::test]
async fn a_rule_that_names_a_removed_room_stays_in_force_as_it_was_and_is_named() {
    let rule = "[[rule]]\nid = 'no'\nwords = ['casino']\nverdict = 'reject'\nrooms = ['QGIS', 'Maps']\n";
    let relay = with(&rooms(&["QGIS", "Maps"])).file("rules.toml", rule).start().await;
    place(&relay, "relay.toml", &rooms(&["QGIS"]));
    let answer = reload(&relay).await;
    assert_eq!(answer.status, 422);
    assert!(errors(&answer)[0].starts_with("rules.toml:5: rule `no`: "), "{}", answer.body);
    assert_eq!(answer.json()["settings"]["changed"], json!(["instance.rooms"]));
    assert_eq!(relay.get("/rooms").await.json(), json!(["QGIS"]));
    assert_eq!(relay.put_line("QGIS", "anna", "casino", &[]).await.status, 403);
}

#[tokio::test]
async fn sanctions_of_a_removed_room_apply_again_when_it_returns() {
    let relay = with(&rooms(&["QGIS", "Maps"])).start().await;
    let mute = json!({"kind": "mute", "nickname": "mallory", "room": "Maps", "reason": "enough"}).to_string();
    let answer = call(&relay, "POST", "/moderation/sanctions", &mute).await;
    assert!(answer.status < 300, "{}", answer.body);
    change(&relay, &rooms(&["QGIS"]), Way::Call).await;
    assert_eq!(relay.put_line("QGIS", "mallory", "hello", &[]).await.status, 200);
    let listed: Value = call(&relay, "GET", "/moderation/sanctions", "").await.json();
    assert_eq!(listed["sanctions"][0]["room"], "Maps");
    change(&relay, &rooms(&["QGIS", "Maps"]), Way::Call).await;
    assert_eq!(relay.put_line("Maps", "mallory", "hello", &[]).await.status, 403);
}

#[tokio::test]
async fn settings_without_a_room_change_nothing() {
    let relay = moderated(Relay::builder()).file("relay.toml", &rooms(&["QGIS"])).start().await;
    place(&relay, "relay.toml", &rooms(&[]));
    let answer = reload(&relay).await;
    assert_eq!(answer.status, 422);
    let error = "relay.toml:2: instance.rooms: names 0 rooms; there must be from 1 to 1000";
    assert_eq!(errors(&answer), [error]);
    assert_eq!(relay.get("/rooms").await.json(), json!(["QGIS"]));
}
