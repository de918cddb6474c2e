//! Guarantees of shards: one order for all, no lost message, and no leaks after a hundred thousand connections.

use futures_util::future::join_all;
use futures_util::{StreamExt, stream};
use serde_json::Value;

use crate::support::raw::{CLOSE, RawClient, handshake, masked};
use crate::support::{Client, Relay, line};

const MEMBERS: usize = 200;
const SENDERS: usize = 20;
const MESSAGES: usize = 50;

/// Reads frames until `number` chat lines have arrived.
async fn lines(mut client: Client, number: usize) -> Vec<Value> {
    let mut heard = Vec::with_capacity(number);
    while heard.len() < number {
        let frame = client.next().await;
        if frame["author"] != "internal" {
            heard.push(frame);
        }
    }
    heard
}

#[tokio::test]
async fn two_hundred_members_receive_the_messages_of_twenty_in_one_order() {
    let relay = Relay::builder().env("RATE_LIMITS", "off").start().await;
    let mut members = Vec::new();
    for _ in 0..MEMBERS {
        members.push(relay.join("QGIS").await);
    }
    let mut senders = Vec::new();
    for _ in 0..SENDERS {
        senders.push(relay.join("QGIS").await);
    }
    let listening: Vec<_> = members.into_iter().map(|member| tokio::spawn(lines(member, SENDERS * MESSAGES))).collect();
    let talking = senders.iter_mut().enumerate().map(async |(number, sender)| {
        for message in 0..MESSAGES {
            sender.send(line(&format!("sender-{number}"), &format!("message {message}"))).await;
        }
    });
    join_all(talking).await;

    let heard: Vec<Vec<Value>> = join_all(listening).await.into_iter().map(Result::unwrap).collect();
    let first = &heard[0];
    for (member, other) in heard.iter().enumerate() {
        assert!(other == first, "member {member} hears another order than member 0");
    }
    for number in 0..SENDERS {
        let author = format!("sender-{number}");
        let of_one: Vec<&Value> = first.iter().filter(|line| line["author"] == *author).collect();
        let said: Vec<Value> = (0..MESSAGES).map(|n| line(&author, &format!("message {n}"))).collect();
        assert!(of_one.into_iter().eq(&said), "{author} is not received in order");
    }
}

#[tokio::test]
async fn a_hundred_thousand_connections_leave_nothing_behind() {
    const CONNECTIONS: usize = 100_000;
    const AT_ONCE: usize = 64;
    let relay = Relay::builder().env("RATE_LIMITS", "off").env("LOG_LEVEL", "info").start().await;
    let visit = async |number: usize| {
        let mut client = RawClient::connect(relay.address()).await;
        client.send(handshake(if number.is_multiple_of(2) { "QGIS" } else { "QField" }).as_bytes()).await;
        match number % 4 {
            // Disconnects before the response.
            0 => client.reset(),
            1 => {
                client.head().await;
                client.reset();
            }
            2 => {
                client.head().await;
                client.send(&masked(CLOSE, &1000_u16.to_be_bytes())).await;
                client.read_frames().await;
            }
            _ => {
                client.head().await;
            }
        }
    };
    let some = |range| stream::iter(range).for_each_concurrent(AT_ONCE, visit);
    // The first tenth grows all buffers to their final size.
    some(0..CONNECTIONS / 10).await;
    relay.wait_until(0, async || relay.connected().await).await;
    let (memory, files, threads) = (relay.peak_memory(), relay.open_files(), relay.threads());
    some(CONNECTIONS / 10..CONNECTIONS).await;

    relay.wait_until(0, async || relay.connected().await).await;
    relay.wait_until(1.0, async || relay.metric("gischat_connections").await).await;
    relay.wait_until(true, async || relay.open_files() <= files + 1).await;
    // One more may be doing housekeeping.
    assert!(relay.threads() <= threads + 1, "{} threads, {threads} before", relay.threads());
    let grown = relay.peak_memory().saturating_sub(memory);
    assert!(grown < 8 << 20, "the relay grew by {grown} bytes over the last nine tenths");
}
