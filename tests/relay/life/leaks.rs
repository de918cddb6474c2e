//! Two thousand connections leave nothing behind.

use futures_util::StreamExt;
use futures_util::stream;

use crate::support::raw::{CLOSE, RawClient, Received, handshake, masked};
use crate::support::{Relay, newcomer};

const CONNECTIONS: usize = 2_000;
const AT_ONCE: usize = 50;

/// Connects two thousand clients, and then checks that nothing is left of them.
async fn come_and_go(visit: impl AsyncFn(&Relay, usize)) {
    let relay = Relay::builder().env("RATE_LIMITS", "off").start().await;
    // The first connection opens files that stay open permanently.
    assert_eq!(relay.connected().await, 0);
    let connections = async || relay.metric("gischat_connections").await;
    relay.wait_until(1.0, connections).await;
    // The metrics request is counted as well, and may be closed before or after its response is read.
    let files = async || relay.open_files();
    let before = settled(&relay).await;

    stream::iter(0..CONNECTIONS).for_each_concurrent(AT_ONCE, async |number| visit(&relay, number).await).await;

    relay.wait_until(0, async || relay.connected().await).await;
    relay.wait_until(1.0, connections).await;
    relay.wait_until(before, files).await;
    for gauge in ["gischat_room_connections{room=\"QGIS\"}", "gischat_room_nicknames{room=\"QGIS\"}"] {
        relay.wait_until(0.0, async || relay.metric(gauge).await).await;
    }
}

/// The number of open files, once it is no longer affected by earlier requests.
async fn settled(relay: &Relay) -> usize {
    let mut before = relay.open_files();
    for _ in 0..20 {
        relay.get("/healthz").await;
        before = before.min(relay.open_files());
    }
    before
}

async fn register(relay: &Relay, number: usize) -> RawClient {
    let mut client = RawClient::join(relay.address(), "QGIS").await;
    let newcomer = newcomer(&format!("visitor-{number}"));
    client.send_json(&newcomer).await;
    while client.next_json().await != newcomer {}
    client
}

#[tokio::test]
async fn clients_that_close_properly_leave_nothing_behind() {
    come_and_go(async |relay, number| {
        let mut client = register(relay, number).await;
        client.send(&masked(CLOSE, &1000_u16.to_be_bytes())).await;
        let all = client.read_frames().await;
        assert!(matches!(&all[..], [.., close, Received::End] if close.is_close(1000)), "{all:?}");
    })
    .await;
}

#[tokio::test]
async fn clients_that_reset_their_connections_leave_nothing_behind() {
    come_and_go(async |relay, number| register(relay, number).await.reset()).await;
}

#[tokio::test]
async fn clients_that_vanish_during_their_handshake_leave_nothing_behind() {
    come_and_go(async |relay, number| {
        let mut client = RawClient::connect(relay.address()).await;
        let handshake = handshake("QGIS");
        // Some are cut off, some leave before the response, some during an incomplete frame.
        let unfinished = [handshake.as_bytes(), b"\x81\xfe\x10"].concat();
        let sent = match number % 4 {
            0 => &b""[..],
            1 => &handshake.as_bytes()[..handshake.len() / 2],
            2 => handshake.as_bytes(),
            _ => &unfinished,
        };
        client.send(sent).await;
        if number % 8 < 4 {
            client.reset();
        }
    })
    .await;
}
