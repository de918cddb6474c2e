//! Rate limits for messages and joins.
//!
//! Buckets refill while a test runs, by at least one per second. So tests send more than the burst and do not rely on
//! the last message being refused; only a message for an unused bucket is certain to pass.

use serde_json::Value;
use tokio_tungstenite::tungstenite::Error;
use tokio_tungstenite::tungstenite::http::Response as Refused;

use crate::moderation::{call, moderated};
use crate::support::{Client, OTHER_ADDRESS, Relay, RelayBuilder, Response, line, nb_users, newcomer};

/// More messages than any burst in these tests, even if a slow machine takes seconds to send them.
const MANY: usize = 60;

/// Joins from an address that is no trusted proxy.
async fn join_directly(relay: &Relay) -> Client {
    Client::connect_from(OTHER_ADDRESS, relay.address(), "/room/QGIS/ws").await.unwrap()
}

/// A relay with one small bucket, and the others large.
fn with_small(bucket: &str, burst: u32) -> RelayBuilder {
    let mut relay = Relay::builder().env("TRUSTED_PROXIES", "127.0.0.1");
    for name in ["CONNECTION", "NICKNAME", "ADDRESS", "PUT", "ROOM"] {
        let (burst, rate) = if name == bucket { (burst.to_string(), "1") } else { ("100000".into(), "100000") };
        relay = relay
            .env(&format!("RELAY__FILTER__RATE__{name}__BURST"), &burst)
            .env(&format!("RELAY__FILTER__RATE__{name}__PER_SECOND"), rate);
    }
    relay
}

/// Sends messages by `PUT` until one is refused, with nickname and address derived from their number. Returns the
/// refusal and the number of messages that passed.
async fn put_until_refused(
    relay: &Relay,
    author: impl Fn(usize) -> String,
    ip: impl Fn(usize) -> String,
) -> (usize, Response) {
    for number in 0..MANY {
        let ip = ip(number);
        let put = relay.put_line("QGIS", &author(number), "hi", &[("X-Forwarded-For", &ip)]).await;
        if put.status != 200 {
            return (number, put);
        }
    }
    panic!("none of {MANY} messages was refused");
}

fn assert_too_many(put: &Response, whose: &str) {
    assert_eq!(put.status, 429, "{put:?}");
    assert_eq!(put.header("Retry-After"), Some("1"), "{put:?}");
    assert_eq!(put.json()["detail"], format!("too many messages {whose}; try again in 1 s"));
}

/// Sends lines of these authors together and returns what the sender received: refusals and its own lines.
async fn say_at_once(client: &mut Client, author: impl Fn(usize) -> String) -> Vec<Value> {
    let lines: Vec<Value> = (0..MANY).map(|number| line(&author(number), "hi")).collect();
    client.send_together(&lines).await;
    client.drain().await
}

fn is_refusal(frame: &Value, whose: &str) -> bool {
    frame["author"] == "moderation"
        && frame["message"] == format!("Refused: too many messages {whose}; try again in 1 s")
}

#[tokio::test]
async fn a_connection_may_send_its_burst_and_is_the_only_one_told_of_refusals() {
    let relay = with_small("CONNECTION", 3).start().await;
    let mut witness = join_directly(&relay).await;
    witness.expect(nb_users(1)).await;
    let mut jane = join_directly(&relay).await;
    jane.expect(nb_users(2)).await;
    witness.expect(nb_users(2)).await;

    let heard = say_at_once(&mut jane, |number| format!("jane-{number}")).await;
    assert_eq!(heard.len(), MANY);
    let (refused, said): (Vec<_>, Vec<_>) = heard.iter().partition(|frame| frame["author"] == "moderation");
    assert_eq!(heard[..3], [0, 1, 2].map(|number| line(&format!("jane-{number}"), "hi")));
    assert!(refused.iter().all(|frame| is_refusal(frame, "from this connection")), "{refused:?}");
    assert!(!refused.is_empty());
    assert_eq!(witness.drain().await.iter().collect::<Vec<_>>(), said);

    // Another connection and a `PUT` have separate buckets.
    witness.send(line("hans", "hi")).await;
    assert_eq!(witness.drain().await, [line("hans", "hi")]);
    assert_eq!(relay.put_line("QGIS", "curl", "hi", &[]).await.status, 200);
}

#[tokio::test]
async fn a_nickname_has_one_bucket_by_whatever_entrance_and_letter_case() {
    let relay = with_small("NICKNAME", 3).start().await;
    let case = |number: usize| if number.is_multiple_of(2) { "jane".to_owned() } else { "JANE".to_owned() };
    let (passed, refused) = put_until_refused(&relay, case, |number| format!("192.0.2.{number}")).await;
    assert!(passed >= 3);
    assert_too_many(&refused, "under this nickname");
    let mut client = join_directly(&relay).await;
    client.expect(nb_users(1)).await;
    let heard = say_at_once(&mut client, case).await;
    assert!(heard.iter().any(|frame| is_refusal(frame, "under this nickname")), "{heard:?}");
    // The same nickname in another room is a different user.
    assert_eq!(relay.put_line("QField", "jane", "hi", &[]).await.status, 200);
    assert_eq!(relay.put_line("QGIS", "hans", "hi", &[]).await.status, 200);
}

#[tokio::test]
async fn an_address_has_one_bucket_for_all_its_connections_and_rooms() {
    let relay = with_small("ADDRESS", 3).start().await;
    let headers = [("x-forwarded-for", "192.0.2.1")];
    for room in ["/room/QGIS/ws", "/room/QField/ws"] {
        let mut client = Client::try_connect(relay.address(), room, &headers).await.unwrap();
        client.expect(nb_users(1)).await;
        let heard = say_at_once(&mut client, |number| format!("author-{number}")).await;
        assert!(heard.iter().any(|frame| is_refusal(frame, "from this address")), "{heard:?}");
    }
    let elsewhere = [("x-forwarded-for", "192.0.2.2")];
    let mut other = Client::try_connect(relay.address(), "/room/QGIS/ws", &elsewhere).await.unwrap();
    other.send(line("hans", "hi")).await;
    other.skip_until(line("hans", "hi")).await;
}

#[tokio::test]
async fn a_neighbour_at_an_address_silences_neither_by_put_nor_by_connections() {
    let relay = with_small("ADDRESS", 3).env("RELAY__FILTER__RATE__PUT__BURST", "3");
    let relay = relay.env("RELAY__FILTER__RATE__PUT__PER_SECOND", "1").start().await;
    let author = |number| format!("author-{number}");
    let (passed, refused) = put_until_refused(&relay, author, |_| "192.0.2.1".into()).await;
    assert!(passed >= 3);
    assert_too_many(&refused, "by PUT from this address");
    let headers = [("x-forwarded-for", "192.0.2.1")];
    let mut neighbour = Client::try_connect(relay.address(), "/room/QGIS/ws", &headers).await.unwrap();
    say_at_once(&mut neighbour, author).await;
    let mut mary = Client::try_connect(relay.address(), "/room/QGIS/ws", &headers).await.unwrap();
    for text in ["one", "two"] {
        mary.send(line("mary", text)).await;
        mary.skip_until(line("mary", text)).await;
    }
}

#[tokio::test]
async fn clients_of_unknown_address_share_a_bucket_with_nobody_else() {
    let relay = with_small("PUT", 3).start().await;
    let author = |number| format!("author-{number}");
    let (_, refused) = put_until_refused(&relay, author, |_| "\u{e9}".into()).await;
    assert_too_many(&refused, "by PUT from this address");
    // Not even with the proxy itself.
    for ip in ["127.0.0.1", "192.0.2.2"] {
        assert_eq!(relay.put_line("QGIS", "hans", "hi", &[("X-Forwarded-For", ip)]).await.status, 200, "{ip}");
    }
}

#[tokio::test]
async fn the_hosts_of_one_ipv6_network_are_one_address() {
    let relay = with_small("PUT", 3).start().await;
    let author = |number| format!("author-{number}");
    let (_, refused) = put_until_refused(&relay, author, |number| format!("2001:db8:1:2::{number:x}")).await;
    assert_too_many(&refused, "by PUT from this address");
    let elsewhere = [("X-Forwarded-For", "2001:db8:1:3::1")];
    assert_eq!(relay.put_line("QGIS", "hans", "hi", &elsewhere).await.status, 200);
}

#[tokio::test]
async fn a_room_has_one_bucket_for_everybody() {
    let relay = with_small("ROOM", 3).start().await;
    let author = |number| format!("author-{number}");
    let (passed, refused) = put_until_refused(&relay, author, |number| format!("192.0.2.{number}")).await;
    assert!(passed >= 3);
    assert_too_many(&refused, "in this room");
    let mut client = join_directly(&relay).await;
    client.expect(nb_users(1)).await;
    let heard = say_at_once(&mut client, author).await;
    assert!(heard.iter().any(|frame| is_refusal(frame, "in this room")), "{heard:?}");
    assert_eq!(relay.put_line("QField", "hans", "hi", &[]).await.status, 200);
}

#[tokio::test]
async fn an_impostor_does_not_use_up_the_owners_bucket() {
    let relay = with_small("NICKNAME", 3).start().await;
    let mut jane = join_directly(&relay).await;
    jane.send(newcomer("jane")).await;
    jane.skip_until(newcomer("jane")).await;
    for _ in 0..MANY {
        assert_eq!(relay.put_line("QGIS", "jane", "hi", &[]).await.status, 403);
    }
    // Registering took one of three.
    for text in ["one", "two"] {
        jane.send(line("jane", text)).await;
        jane.expect(line("jane", text)).await;
    }
}

#[tokio::test]
async fn without_rate_limits_every_message_is_delivered() {
    let relay = with_small("CONNECTION", 1).env("RATE_LIMITS", "off").start().await;
    let mut jane = join_directly(&relay).await;
    jane.expect(nb_users(1)).await;
    let heard = say_at_once(&mut jane, |_| "jane".into()).await;
    assert_eq!(heard, vec![line("jane", "hi"); MANY]);
}

/// Opens a WebSocket from this address, or returns the response that refused it.
async fn join_from(relay: &Relay, ip: &str) -> Result<Client, Refused<Option<Vec<u8>>>> {
    match Client::try_connect(relay.address(), "/room/QGIS/ws", &[("x-forwarded-for", ip)]).await {
        Ok(mut client) => {
            client.drain().await;
            Ok(client)
        }
        Err(Error::Http(response)) => Err(*response),
        Err(error) => panic!("{error}"),
    }
}

fn detail(refused: &Refused<Option<Vec<u8>>>) -> Value {
    let body: Value = serde_json::from_slice(refused.body().as_deref().unwrap()).unwrap();
    body["detail"].clone()
}

#[tokio::test]
async fn a_closed_connection_frees_a_slot_of_its_address() {
    let relay = moderated(with_small("", 1)).env("RELAY__LIVE__MAX_PER_ADDRESS", "2").start().await;
    let first = join_from(&relay, "192.0.2.1").await.unwrap();
    let _second = join_from(&relay, "192.0.2.1").await.unwrap();
    let refused = join_from(&relay, "192.0.2.1").await.unwrap_err();
    assert_eq!(refused.status(), 429);
    assert_eq!(detail(&refused), "this address holds 2 connections, which is the limit; close one of them first");
    let _elsewhere = join_from(&relay, "192.0.2.2").await.unwrap();

    first.leave().await;
    // The place is free once the connection has ended on both sides.
    relay.wait_until(true, async || join_from(&relay, "192.0.2.1").await.is_ok()).await;
    let metrics = call(&relay, "GET", "/metrics", "").await.body;
    let refusals: Vec<&str> = metrics.lines().filter(|line| line.starts_with("gischat_connections_refused")).collect();
    assert!(!refusals.is_empty() && refusals.iter().all(|line| line.contains("per_address")), "{refusals:?}");
}

#[tokio::test]
async fn an_ipv6_48_has_sixteen_times_the_connections_of_an_address() {
    let relay = with_small("", 1).env("RELAY__LIVE__MAX_PER_ADDRESS", "1").start().await;
    let mut held = Vec::new();
    for block in 0..4 {
        for subnet in 0..4 {
            held.push(join_from(&relay, &format!("2001:db8:1:{:x}::1", block * 256 + subnet)).await.unwrap());
        }
        let refused = join_from(&relay, &format!("2001:db8:1:{:x}::1", block * 256 + 4)).await.unwrap_err();
        assert_eq!(refused.status(), 429);
    }
    let refused = join_from(&relay, "2001:db8:1:ffff::1").await.unwrap_err();
    assert_eq!(detail(&refused), "the network of this address holds 16 connections, which is the limit");
    assert!(join_from(&relay, "2001:db8:2::1").await.is_ok());
}

#[tokio::test]
async fn an_address_that_joins_too_fast_gets_the_waiting_time() {
    let relay = moderated(with_small("", 1))
        .env("RELAY__LIVE__JOINS__BURST", "3")
        .env("RELAY__LIVE__JOINS__PER_SECOND", "1")
        .start()
        .await;
    let mut joined = Vec::new();
    let refused = loop {
        match join_from(&relay, "192.0.2.1").await {
            Ok(client) => joined.push(client),
            Err(refused) => break refused,
        }
        assert!(joined.len() < MANY);
    };
    assert!(joined.len() >= 3);
    assert_eq!(refused.status(), 429);
    assert_eq!(refused.headers()["retry-after"], "1");
    assert_eq!(detail(&refused), "this address opens connections too fast");
    assert!(join_from(&relay, "192.0.2.2").await.is_ok());
    let metrics = call(&relay, "GET", "/metrics", "").await.body;
    assert!(metrics.contains("gischat_connections_refused_total{reason=\"join_rate\"} 1\n"), "{metrics}");
}

#[tokio::test]
async fn without_rate_limits_an_address_joins_as_often_as_it_likes() {
    let relay = with_small("", 1)
        .env("RATE_LIMITS", "off")
        .env("RELAY__LIVE__MAX_PER_ADDRESS", "1")
        .env("RELAY__LIVE__JOINS__BURST", "1")
        .env("RELAY__LIVE__JOINS__PER_SECOND", "1")
        .start()
        .await;
    let mut joined = Vec::new();
    for _ in 0..20 {
        joined.push(join_from(&relay, "192.0.2.1").await.unwrap());
    }
}
