//! Warn, mute, kick, ban.

use serde_json::{Value, json};

use super::{call_json, impose, moderated_relay, notice, received_texts};
use crate::support::raw::{RawClient, TEXT, masked};
use crate::support::{Client, OTHER_ADDRESS, Relay, line};

#[tokio::test]
async fn a_muted_sender_is_told_and_cannot_speak_until_the_mute_is_lifted() {
    let relay = moderated_relay().start().await;
    let mut anna = relay.join_as("QGIS", "anna").await;
    let mut hans = relay.join_as("QGIS", "hans").await;
    let mute = json!({"kind": "mute", "nickname": "anna", "room": "QGIS", "seconds": 600, "reason": "be kind"});
    let sanction = impose(&relay, mute).await;
    assert_eq!((&sanction["kind"], &sanction["by"]), (&json!("mute"), &json!({"moderator": "jane"})));
    anna.skip_until(notice("You are muted for 10 minutes: be kind")).await;
    anna.send(line("anna", "hello")).await;
    let refusal = anna.drain().await.remove(0);
    assert!(refusal["message"].as_str().unwrap().starts_with("Refused: you are muted for "), "{refusal}");
    assert!(received_texts(&mut hans).await.is_empty());
    let path = format!("/moderation/sanctions/{}", sanction["id"]);
    call_json(&relay, "DELETE", &path, &Value::Null, 200).await;
    anna.skip_until(notice("You may speak again")).await;
    anna.send(line("anna", "hello again")).await;
    assert_eq!(received_texts(&mut anna).await, ["hello again"]);
    assert_eq!(received_texts(&mut hans).await, ["hello again"]);
    call_json(&relay, "DELETE", &path, &Value::Null, 404).await;
}

#[tokio::test]
async fn a_mute_applies_to_its_room_only_and_to_look_alike_nicknames() {
    let relay = moderated_relay().start().await;
    impose(&relay, json!({"kind": "mute", "nickname": "loki", "room": "QGIS", "seconds": 600})).await;
    for (room, author, status) in [
        ("QGIS", "loki", 403),
        ("QGIS", "L0ki", 403),
        ("QGIS", "Ioki", 403),
        ("QGIS", "lokis", 200),
        ("QField", "loki", 200),
    ] {
        let answer = relay.put_line(room, author, "hello", &[]).await;
        assert_eq!(answer.status, status, "{room} {author}: {}", answer.body);
    }
}

const NO_SPAM: &str = "[[rule]]\nid = 'spam'\nwords = ['casino']\nverdict = 'reject'\n\
                       sanction = { kind = 'mute', duration = '10m' }\n";

#[tokio::test]
async fn nobody_can_have_an_absent_nickname_muted() {
    let relay = moderated_relay().file("rules.toml", NO_SPAM).env("TRUSTED_PROXIES", "127.0.0.1").start().await;
    let (mallory, jane) = ([("x-forwarded-for", "192.0.2.1")], [("x-forwarded-for", "192.0.2.2")]);
    assert_eq!(relay.put_line("QGIS", "jane", "casino", &mallory).await.status, 403);
    let mut registered = Client::try_connect(relay.address(), "/room/QField/ws", &mallory).await.unwrap();
    registered.drain().await;
    registered.send(crate::support::newcomer("jane")).await;
    registered.send(line("jane", "casino")).await;
    registered.drain().await;
    registered.leave().await;
    for room in ["QGIS", "QField"] {
        assert_eq!(relay.put_line(room, "jane", "hello", &mallory).await.status, 403, "{room}: the offender");
        assert_eq!(relay.put_line(room, "jane", "hello", &jane).await.status, 200, "{room}: the owner");
    }
    let listed = call_json(&relay, "GET", "/moderation/sanctions", &Value::Null, 200).await;
    let of = &listed["sanctions"][0];
    assert_eq!((&of["nickname"], &of["address"]), (&json!("jane"), &json!("192.0.2.x")));
}

#[tokio::test]
async fn a_connection_cannot_evade_a_rule_by_changing_its_nickname() {
    let relay = moderated_relay().file("rules.toml", NO_SPAM).start().await;
    let mut mallory = relay.join("QGIS").await;
    let mut hans = relay.join_as("QGIS", "hans").await;
    for name in ["anna", "bert", "carl"] {
        mallory.send(line(name, "casino")).await;
        mallory.drain().await;
    }
    mallory.send(line("dora", "hello")).await;
    let frames = mallory.drain().await;
    let is_refusal =
        |frame: &Value| frame["message"].as_str().is_some_and(|text| text.contains("Refused: you are muted"));
    assert!(frames.iter().any(is_refusal), "{frames:?}");
    hans.send(line("hans", "hello")).await;
    assert_eq!(received_texts(&mut hans).await, ["hello"], "another connection from this address");
}

/// A name of letters that look like no others.
fn name(mut number: usize) -> String {
    const LETTERS: &[u8] = b"bcdfghjkmnprstvwxz";
    let letter = |_| {
        let letter = LETTERS[number % LETTERS.len()];
        number /= LETTERS.len();
        char::from(letter)
    };
    (0..6).map(letter).collect()
}

#[tokio::test]
async fn many_names_of_one_connection_leave_room_for_the_offences_of_others() {
    /// More offences than the relay keeps.
    const NAMES: usize = 91_000;
    let relay = moderated_relay().file("rules.toml", NO_SPAM).env("RATE_LIMITS", "off").start().await;
    let mut mallory = RawClient::join(relay.address(), "QField").await;
    for first in (0..NAMES).step_by(1_000) {
        let frame = |number| masked(TEXT, line(&name(number), "casino").to_string().as_bytes());
        mallory.send(&(first..first + 1_000).flat_map(frame).collect::<Vec<u8>>()).await;
        mallory.until_pong(b"all").await;
    }
    let mut other = Client::connect_from(OTHER_ADDRESS, relay.address(), "/room/QGIS/ws").await.unwrap();
    other.drain().await;
    other.send(line("jane", "casino")).await;
    other.drain().await;
    other.send(line("jane", "hello")).await;
    let frames = other.drain().await;
    assert!(format!("{frames:?}").contains("Refused: you are muted"), "{frames:?}");
}

#[tokio::test]
async fn an_address_ban_reaches_connections_that_are_open_and_those_to_come() {
    let relay = moderated_relay().start().await;
    let mut near = relay.join_as("QGIS", "anna").await;
    let elsewhere = "127.0.0.9".parse().unwrap();
    let mut far = Client::connect_from(elsewhere, relay.address(), "/room/QGIS/ws").await.unwrap();
    far.drain().await;
    impose(&relay, json!({"kind": "ban", "address": "127.0.0.9", "seconds": 3600, "reason": "spam"})).await;
    far.skip_until(notice("You are banned for 1 hour: spam")).await;
    assert_eq!(far.wait_for_close().await.map(|(code, _)| code), Some(1008));
    assert!(Client::connect_from(elsewhere, relay.address(), "/room/QGIS/ws").await.is_err());
    near.send(line("anna", "hello")).await;
    assert_eq!(received_texts(&mut near).await, ["hello"]);
}

#[tokio::test]
async fn a_ban_by_nickname_closes_the_connection_and_blocks_the_nickname() {
    let relay = moderated_relay().start().await;
    let mut anna = relay.join_as("QGIS", "anna").await;
    impose(&relay, json!({"kind": "ban", "nickname": "anna", "room": "QGIS", "seconds": 60})).await;
    assert_eq!(anna.wait_for_close().await.map(|(code, _)| code), Some(1008));
    let mut again = relay.join("QGIS").await;
    again.drain().await;
    again.send(json!({"author": "internal", "newcomer": "Anna"})).await;
    let refusal = again.drain().await.remove(0);
    assert!(refusal["message"].as_str().unwrap().starts_with("Refused: you are banned for "), "{refusal}");
}

#[tokio::test]
async fn a_kick_closes_the_connection_and_a_warning_only_notifies() {
    let relay = moderated_relay().start().await;
    let mut anna = relay.join_as("QGIS", "anna").await;
    impose(&relay, json!({"kind": "warn", "nickname": "anna", "room": "QGIS", "reason": "be kind"})).await;
    anna.skip_until(notice("This is a warning: be kind")).await;
    impose(&relay, json!({"kind": "kick", "nickname": "anna", "room": "QGIS", "reason": "out"})).await;
    anna.skip_until(notice("You are removed from this room; you may come back: out")).await;
    assert_eq!(anna.wait_for_close().await.map(|(code, _)| code), Some(1008));
    relay.join_as("QGIS", "anna").await;
    assert_eq!(call_json(&relay, "GET", "/moderation/sanctions", &Value::Null, 200).await, json!({"sanctions": []}));
}

#[tokio::test]
async fn each_offence_against_a_rule_is_a_step_up_the_ladder() {
    let rules = "[[rule]]\nid = 'no-spam'\nwords = ['spam']\nverdict = 'reject'\nreason = 'no spam'\n\
                 sanction = { kind = 'ladder' }\n";
    let relay = moderated_relay().file("rules.toml", rules).start().await;
    let mut anna = relay.join_as("QGIS", "anna").await;
    anna.send(line("anna", "spam")).await;
    anna.skip_until(notice("This is a warning: no spam")).await;
    anna.send(line("anna", "spam")).await;
    anna.skip_until(notice("You are muted for 1 minute: no spam")).await;
    let sanctions = call_json(&relay, "GET", "/moderation/sanctions", &Value::Null, 200).await;
    let mute = &sanctions["sanctions"][0];
    assert_eq!((&mute["kind"], &mute["step"], &mute["by"]), (&json!("mute"), &json!(1), &json!({"rule": "no-spam"})));
    // A further attempt while muted is not another offence.
    anna.send(line("anna", "spam")).await;
    anna.drain().await;
    assert_eq!(call_json(&relay, "GET", "/moderation/sanctions", &Value::Null, 200).await, sanctions);
}

#[tokio::test]
async fn the_sender_of_a_decision_can_be_sanctioned_by_its_address() {
    let relay = moderated_relay().start().await;
    assert_eq!(relay.put_line("QGIS", "anna", "hello", &[]).await.status, 200);
    let decisions = call_json(&relay, "GET", "/moderation/decisions?limit=1", &Value::Null, 200).await;
    let id = &decisions["decisions"][0]["id"];
    let mute = json!({"kind": "mute", "decision": id, "on": "address", "room": "QGIS", "seconds": 60});
    assert_eq!(impose(&relay, mute).await["address"], "127.0.0.x");
    assert_eq!(relay.put_line("QGIS", "hans", "hello", &[]).await.status, 403);
}

#[tokio::test]
async fn an_invalid_sanction_is_refused_with_its_field() {
    let relay = moderated_relay().start().await;
    for (body, status, detail) in [
        (json!({"kind": "exile", "nickname": "anna"}), 422, "`kind` is `exile`"),
        (json!({"kind": "warn", "nickname": "anna", "seconds": 5}), 422, "a warn has no duration"),
        (json!({"kind": "mute", "nickname": "anna", "seconds": 0}), 422, "the duration is 0 s"),
        (json!({"kind": "mute", "nickname": "anna", "until": "2020-01-01T00:00:00Z"}), 422, "`until` is in the past"),
        (json!({"kind": "mute", "nickname": "an na"}), 422, "`nickname` may hold only"),
        (json!({"kind": "mute", "address": "here"}), 422, "`address` is not an IP address or network"),
        (json!({"kind": "mute"}), 422, "one of `nickname`, `address`, `member` and `decision`"),
        (json!({"kind": "mute", "nickname": "anna", "member": "7"}), 422, "one of `nickname`"),
        (json!({"kind": "mute", "member": "7"}), 404, "no such member"),
        (json!({"kind": "mute", "nickname": "anna", "room": "none"}), 404, "Room 'none' not registered"),
        (json!({"kind": "mute", "nickname": "anna", "reason": "x".repeat(501)}), 422, "`reason` is longer than 500"),
    ] {
        let answer = call_json(&relay, "POST", "/moderation/sanctions", &body, status).await;
        assert!(answer["detail"].as_str().unwrap().contains(detail), "{body}: {answer}");
    }
    let none: [u64; 0] = [];
    assert_eq!(sanction_ids(&relay).await, none);
}

async fn sanction_ids(relay: &Relay) -> Vec<u64> {
    let list = call_json(relay, "GET", "/moderation/sanctions", &Value::Null, 200).await;
    list["sanctions"].as_array().unwrap().iter().map(|sanction| sanction["id"].as_u64().unwrap()).collect()
}

#[tokio::test]
async fn a_ban_of_a_network_keeps_out_all_its_addresses_and_closes_their_connections() {
    let relay = moderated_relay().env("TRUSTED_PROXIES", "127.0.0.1").start().await;
    let join = async |ip: &str| Client::try_connect(relay.address(), "/room/QGIS/ws", &[("x-forwarded-for", ip)]).await;
    for (network, inside, outside) in [
        ("198.51.100.0/24", ["198.51.100.1", "198.51.100.254"], "198.51.101.1"),
        ("2001:db8:1::/48", ["2001:db8:1::1", "2001:db8:1:ffff::1"], "2001:db8:2::1"),
    ] {
        let mut member = join(inside[0]).await.unwrap();
        let body = json!({"kind": "ban", "address": network});
        let ban = call_json(&relay, "POST", "/moderation/sanctions", &body, 201).await;
        assert_eq!(ban["address"], network);
        assert!(member.wait_for_close().await.is_some(), "{network}");
        for ip in inside {
            assert!(join(ip).await.is_err(), "{ip}");
        }
        join(outside).await.unwrap().leave().await;
    }
    let wide = json!({"kind": "ban", "address": "198.51.0.0/16"});
    let refused = call_json(&relay, "POST", "/moderation/sanctions", &wide, 422).await;
    assert_eq!(refused["detail"], "`address` has the prefix /16; /24 to /32 are allowed");
}
