//! Acts happen one after the other, and each to its end.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use super::console::Console;
use super::{call_json, impose, moderated_relay};
use crate::moderation::{TOKEN, call};
use crate::support::Relay;

/// Callers that hang up.
const CALLERS: u64 = 40;

/// Sends a call and hangs up without waiting for the response.
async fn hang_up_after(relay: &Relay, body: &Value) {
    let body = body.to_string();
    let call = format!(
        "POST /moderation/sanctions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let mut stream = TcpStream::connect(relay.address()).await.unwrap();
    stream.write_all(call.as_bytes()).await.unwrap();
}

/// The ids of the sanctions in force.
async fn in_force(relay: &Relay) -> BTreeSet<u64> {
    let listed = call_json(relay, "GET", "/moderation/sanctions", &Value::Null, 200).await;
    listed["sanctions"].as_array().unwrap().iter().map(|sanction| sanction["id"].as_u64().unwrap()).collect()
}

#[tokio::test]
async fn an_act_of_a_caller_that_hangs_up_is_recorded_and_in_effect_or_neither() {
    // With an audit log, an act waits for the disk before it takes effect.
    let relay = moderated_relay()
        .env("RELAY__MODERATION__AUDIT__RECORD", "refusals")
        .env("RELAY__MODERATION__AUDIT__DIR", "audit")
        .start()
        .await;
    let mut console = Console::open(&relay, None).await;
    for number in 0..CALLERS {
        hang_up_after(&relay, &json!({"kind": "mute", "nickname": format!("anna{number}"), "seconds": 600})).await;
    }
    // One that is carried out in any case.
    impose(&relay, json!({"kind": "mute", "nickname": "hans", "seconds": 600})).await;
    let mut recorded = BTreeSet::new();
    while recorded.is_empty() || recorded != in_force(&relay).await {
        let event = console.next().await.expect("no act for each sanction, and no sanction for each act");
        recorded.insert(event.json()["sanction"]["id"].as_u64().unwrap());
    }
}

#[tokio::test]
async fn a_mute_does_not_wait_for_a_reload() {
    let relay = moderated_relay().file("relay.toml", "").start().await;
    let path = relay.directory().join("relay.toml");
    let mut console = Console::open(&relay, None).await;
    // A reload waits until its files are stable. This one keeps changing until the mute is in effect.
    for _ in 0..5 {
        let writing = async {
            loop {
                std::fs::write(&path, "#".repeat(1 + usize::from(path.metadata().unwrap().len() == 1))).unwrap();
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let reloading = call(&relay, "POST", "/moderation/reload", "");
        let muting = async {
            while console.next().await.unwrap().json()["act"] != "reload" {}
            impose(&relay, json!({"kind": "mute", "nickname": "anna", "seconds": 600})).await;
        };
        tokio::select! {
            biased;
            () = muting => return,
            // The machine kept this test from writing, so the file was stable indeed.
            _ = reloading => {}
            () = writing => unreachable!(),
        }
    }
    panic!("each reload ended before the mute");
}

#[tokio::test]
async fn a_reload_by_a_signal_is_an_act_of_the_relay() {
    let relay = moderated_relay().start().await;
    let mut console = Console::open(&relay, None).await;
    relay.signal("HUP");
    let act = console.next().await.unwrap().json();
    assert_eq!((&act["act"], &act["by"]), (&json!("reload"), &json!({"relay": "relay"})));
}
