//! Listing, kicking and trusting members.

use serde_json::{Value, json};

use super::{call_json, moderated_relay, notice};
use crate::support::{Relay, line};

async fn members(relay: &Relay, room: &str) -> Vec<Value> {
    let list = call_json(relay, "GET", &format!("/moderation/rooms/{room}/members"), &Value::Null, 200).await;
    list["members"].as_array().unwrap().clone()
}

#[tokio::test]
async fn members_are_listed_with_their_details() {
    let relay = moderated_relay().start().await;
    let mut anna = relay.join_as("QGIS", "anna").await;
    let _silent = relay.join("QGIS").await;
    anna.send(line("anna", "hello")).await;
    anna.drain().await;
    let list = members(&relay, "QGIS").await;
    assert_eq!(list.len(), 2);
    let anna = list.iter().find(|member| member["nickname"] == "anna").unwrap();
    assert_eq!(
        (&anna["registered"], &anna["address"], &anna["trusted"]),
        (&json!(true), &json!("127.0.0.x"), &json!(false))
    );
    assert!(anna["accepted"].as_u64().unwrap() >= 1);
    assert!(members(&relay, "QField").await.is_empty());
}

#[tokio::test]
async fn a_kicked_member_is_told_why_and_may_reconnect() {
    let relay = moderated_relay().start().await;
    let mut anna = relay.join_as("QGIS", "anna").await;
    let id = members(&relay, "QGIS").await[0]["id"].as_str().unwrap().to_owned();
    let path = format!("/moderation/members/{id}/kick");
    call_json(&relay, "POST", &path, &json!({"reason": "another name, please"}), 200).await;
    anna.skip_until(notice("You are removed from this room; you may come back: another name, please")).await;
    assert_eq!(anna.wait_for_close().await.map(|(code, _)| code), Some(1008));
    call_json(&relay, "POST", &path, &Value::Null, 404).await;
    relay.join_as("QGIS", "anna").await;
}

#[tokio::test]
async fn rules_that_exempt_trusted_senders_do_so_only_while_they_are_trusted() {
    let rules = "[[rule]]\nid = 'shop'\nwords = ['shop']\nverdict = 'reject'\nreason = 'no'\nexempt = ['trusted']\n";
    let relay = moderated_relay().file("rules.toml", rules).start().await;
    let mut anna = relay.join_as("QGIS", "anna").await;
    anna.drain().await;
    anna.send(line("anna", "shop")).await;
    anna.expect_refusal("no").await;
    let id = members(&relay, "QGIS").await[0]["id"].clone();
    call_json(&relay, "POST", "/moderation/trusted", &json!({"member": id}), 200).await;
    anna.send(line("anna", "shop")).await;
    anna.expect(line("anna", "shop")).await;
    call_json(&relay, "DELETE", "/moderation/trusted", &json!({"member": id}), 200).await;
    anna.send(line("anna", "shop")).await;
    anna.expect_refusal("no").await;
}

#[tokio::test]
async fn no_stored_message_can_be_deleted() {
    let relay = moderated_relay().start().await;
    call_json(&relay, "DELETE", "/moderation/rooms/QGIS/last/7", &Value::Null, 404).await;
    call_json(&relay, "DELETE", "/moderation/rooms/none/last/7", &Value::Null, 404).await;
}
