//! Who is connected, and who has to go.

use serde_json::{Value, json};

use super::{done, quiet, told};
use crate::support::{Relay, line};

async fn members(relay: &Relay, room: &str) -> Vec<Value> {
    let list = done(relay, "GET", &format!("/moderation/rooms/{room}/members"), &Value::Null, 200).await;
    list["members"].as_array().unwrap().clone()
}

#[tokio::test]
async fn members_are_listed_with_what_is_known_of_them() {
    let relay = quiet().start().await;
    let mut anna = relay.join_as("QGIS", "anna").await;
    let _silent = relay.join("QGIS").await;
    anna.send(line("anna", "hello")).await;
    anna.settle().await;
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
async fn who_is_kicked_is_told_why_and_may_come_back() {
    let relay = quiet().start().await;
    let mut anna = relay.join_as("QGIS", "anna").await;
    let id = members(&relay, "QGIS").await[0]["id"].as_str().unwrap().to_owned();
    let path = format!("/moderation/members/{id}/kick");
    done(&relay, "POST", &path, &json!({"reason": "another name, please"}), 200).await;
    anna.skip_until(told("You are removed from this room; you may come back: another name, please")).await;
    assert_eq!(anna.closed().await.map(|(code, _)| code), Some(1008));
    done(&relay, "POST", &path, &Value::Null, 404).await;
    relay.join_as("QGIS", "anna").await;
}

#[tokio::test]
async fn rules_that_exempt_the_trusted_let_them_speak_as_long_as_they_are_trusted() {
    let rules = "[[rule]]\nid = 'shop'\nwords = ['shop']\nverdict = 'reject'\nreason = 'no'\nexempt = ['trusted']\n";
    let relay = quiet().file("rules.toml", rules).start().await;
    let mut anna = relay.join_as("QGIS", "anna").await;
    anna.settle().await;
    anna.send(line("anna", "shop")).await;
    anna.expect_refusal("no").await;
    let id = members(&relay, "QGIS").await[0]["id"].clone();
    done(&relay, "POST", "/moderation/trusted", &json!({"member": id}), 200).await;
    anna.send(line("anna", "shop")).await;
    anna.expect(line("anna", "shop")).await;
    done(&relay, "DELETE", "/moderation/trusted", &json!({"member": id}), 200).await;
    anna.send(line("anna", "shop")).await;
    anna.expect_refusal("no").await;
}

#[tokio::test]
async fn nothing_is_stored_that_could_be_forgotten() {
    let relay = quiet().start().await;
    done(&relay, "DELETE", "/moderation/rooms/QGIS/last/7", &Value::Null, 404).await;
    done(&relay, "DELETE", "/moderation/rooms/none/last/7", &Value::Null, 404).await;
}
