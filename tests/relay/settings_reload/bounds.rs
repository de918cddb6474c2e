//! Reloading the description of the instance, limits, rates and the log level.

use serde_json::json;

use super::{WAYS, Way, change, with};
use crate::plugins::{LONG_DEADLINES, guest};
use crate::support::{Client, Relay, line};

async fn rules_call(relay: &Relay, key: &str) -> serde_json::Value {
    relay.get("/rules").await.json()[key].clone()
}

#[tokio::test]
async fn the_current_rules_of_conduct_are_served_and_may_be_enforced_by_rules() {
    for way in WAYS {
        let relay = with("[instance]\nrules = 'Be kind'\n").start().await;
        let rule = "[[rule]]\nid = 'no'\nwords = ['casino']\nverdict = 'reject'\nclause = 'No games'\n";
        super::place(&relay, "rules.toml", rule);
        let settings = "[instance]\nrules = '''\nBe kind\nNo games'''\nmain_lang = 'de'\nenvironment = 'staging'\n";
        change(&relay, settings, way).await;
        assert_eq!(rules_call(&relay, "rules").await, "Be kind\nNo games", "{way:?}");
        assert_eq!(rules_call(&relay, "main_lang").await, "de");
        assert_eq!(rules_call(&relay, "enforced").await, json!([{"clause": "No games", "rules": ["no"]}]));
        let figures = relay.get("/metrics").await.body;
        assert!(figures.contains("environment=\"staging\",version="), "{figures}");
    }
}

#[tokio::test]
async fn a_changed_limit_applies_to_the_next_message_and_is_announced() {
    for way in WAYS {
        let relay = with("filter.shape.max_message_length = 5\n").start().await;
        let mut jane = relay.join_as("QGIS", "jane").await;
        jane.send(line("jane", "123456")).await;
        jane.expect_refusal("the message text has 6 characters; at most 5 are allowed").await;
        change(&relay, "filter.shape.max_message_length = 6\n", way).await;
        jane.send(line("jane", "123456")).await;
        jane.expect(line("jane", "123456")).await;
        assert_eq!(rules_call(&relay, "max_message_length").await, 6, "{way:?}");
        assert_eq!(relay.put_line("QGIS", "hans", "1234567", &[]).await.status, 422);
    }
}

#[tokio::test]
async fn plugins_get_the_current_limit() {
    let relay = with("filter.shape.max_message_length = 20\n").env("RATE_LIMITS", "off");
    let relay = LONG_DEADLINES.into_iter().fold(relay, |relay, (name, value)| relay.env(name, value));
    let relay = relay.plugin("hostile", "", &guest("hostile")).start().await;
    let long = format!("replace {}", "x".repeat(12));
    assert_eq!(relay.put_line("QGIS", "hans", &long, &[]).await.status, 200);
    change(&relay, "filter.shape.max_message_length = 30\n", Way::Call).await;
    let longer = format!("replace {}", "x".repeat(22));
    let put = relay.put_line("QGIS", "hans", &longer, &[]).await;
    assert_eq!((put.status, put.json()["message"].clone()), (200, json!("x".repeat(22))));
}

fn rates(connection: u32, room: u32) -> String {
    format!(
        "[filter.rate]\nconnection = {{ per_second = 1, burst = {connection} }}\n\
         nickname = {{ per_second = 1000, burst = 1000 }}\nroom = {{ per_second = 1000, burst = {room} }}\n"
    )
}

/// Sends this many messages together and returns how many were delivered.
async fn heard(client: &mut Client, number: usize) -> usize {
    let lines: Vec<_> = (0..number).map(|n| line("jane", &format!("n{n}"))).collect();
    client.send_together(&lines).await;
    client.drain().await.iter().filter(|frame| frame["author"] == "jane").count()
}

#[tokio::test]
async fn a_changed_rate_takes_effect_immediately() {
    for way in WAYS {
        let relay = with(&rates(3, 1_000)).start().await;
        let mut jane = relay.join("QGIS").await;
        assert!(heard(&mut jane, 50).await < 20);
        change(&relay, &rates(40, 1_000), way).await;
        assert!(heard(&mut jane, 50).await >= 40, "{way:?}");
    }
}

#[tokio::test]
async fn changing_one_limit_does_not_refill_the_buckets_of_another() {
    let relay = with(&rates(30, 1_000)).start().await;
    let mut jane = relay.join("QGIS").await;
    assert!(heard(&mut jane, 50).await >= 30);
    change(&relay, &rates(30, 900), Way::Call).await;
    assert!(heard(&mut jane, 50).await < 20);
}

#[tokio::test]
async fn limits_are_switched_off_and_on_for_messages_joins_and_connections() {
    let limited = |enabled: bool| {
        let rate = format!("[filter.rate]\nenabled = {enabled}\nconnection = {{ per_second = 1, burst = 3 }}\n");
        format!("{rate}[live]\nmax_per_address = 2\n")
    };
    let relay = with(&limited(true)).start().await;
    let mut jane = relay.join("QGIS").await;
    assert!(heard(&mut jane, 30).await < 20);
    let _held = relay.join("QGIS").await;
    let join = async || Client::try_connect(relay.address(), "/room/QGIS/ws", &[]).await;
    assert!(join().await.is_err());
    change(&relay, &limited(false), Way::Call).await;
    assert_eq!(heard(&mut jane, 30).await, 30);
    let _more = [join().await.unwrap(), join().await.unwrap()];
    change(&relay, &limited(true), Way::Call).await;
    assert!(join().await.is_err(), "earlier joins count too");
    assert!(heard(&mut jane, 30).await < 20);
}

#[tokio::test]
async fn a_changed_join_rate_takes_effect() {
    let joins = |burst: u32| format!("[live.joins]\nper_second = 1\nburst = {burst}\n");
    let relay = with(&joins(1)).start().await;
    let join = async || Client::try_connect(relay.address(), "/room/QGIS/ws", &[]).await;
    let mut clients = vec![join().await.unwrap()];
    while let Ok(client) = join().await {
        clients.push(client);
        assert!(clients.len() < 20);
    }
    change(&relay, &joins(100), Way::Call).await;
    for _ in 0..50 {
        clients.push(join().await.unwrap());
    }
}

#[tokio::test]
async fn a_changed_log_level_takes_effect_immediately() {
    for way in WAYS {
        let relay = with("log.level = 'info'\n").start().await;
        let debug = |relay: &Relay| relay.log().iter().filter(|line| line.contains("\"DEBUG\"")).count();
        assert_eq!(relay.put_line("QGIS", "x", "hi", &[]).await.status, 422);
        change(&relay, "log.level = 'gischat_relay=debug'\n", way).await;
        assert_eq!(debug(&relay), 0, "{way:?}");
        assert_eq!(relay.put_line("QGIS", "x", "hi", &[]).await.status, 422);
        relay.wait_until(true, async || debug(&relay) > 0).await;
    }
}
