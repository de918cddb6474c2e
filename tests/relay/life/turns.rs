//! A sender of much does not delay the others: the relay reads them in turns.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use tokio::net::TcpSocket;
use tokio::time::timeout;

use crate::support::raw::{PING, RawClient, TEXT, masked};
use crate::support::{Relay, TIMEOUT, line};

/// Connections of the flood, all from one address.
const FLOODERS: usize = 150;
const FLOODER: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 9, 1, 1));
/// Bytes that each of them sends at once: they fit into the relay's receive buffer.
const BURST: usize = 40_000;

/// The state of established connections in `/proc/net/tcp`.
const ESTABLISHED: &str = "01";

/// Bytes of the flood that have arrived at the relay, but that it has not read.
fn unread(relay: &Relay) -> usize {
    let hex = |ip: IpAddr| match ip {
        IpAddr::V4(ip) => format!("{:08X}", u32::from_ne_bytes(ip.octets())),
        IpAddr::V6(_) => panic!("{ip}"),
    };
    let (local, remote) = (format!("{}:{:04X}", hex(relay.address().ip()), relay.address().port()), hex(FLOODER));
    let connections = std::fs::read_to_string("/proc/net/tcp").unwrap();
    let queue = |line: &str| {
        let columns: Vec<&str> = line.split_whitespace().collect();
        let is_flooder = columns[1] == local && columns[2].starts_with(&remote) && columns[3] == ESTABLISHED;
        let (_, receiving) = columns[4].split_once(':')?;
        is_flooder.then(|| usize::from_str_radix(receiving, 16).unwrap())
    };
    connections.lines().skip(1).filter_map(queue).sum()
}

async fn join_from_flooder(relay: &Relay) -> RawClient {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(SocketAddr::new(FLOODER, 0)).unwrap();
    RawClient::from_stream(socket.connect(relay.address()).await.unwrap()).join_room("QGIS").await
}

#[tokio::test]
async fn a_ping_is_answered_before_the_relay_has_read_half_of_what_another_address_sent_first() {
    let relay = Relay::builder().env("RELAY__LIVE__SHARDS", "1").start().await;
    let mut flooders = Vec::new();
    for _ in 0..FLOODERS {
        flooders.push(join_from_flooder(&relay).await);
    }
    let mut jane = RawClient::join(relay.address(), "QField").await;
    assert_eq!(jane.until_pong(b"all have joined").await.len(), 1);
    // Lines that are refused because they say nothing.
    let frame = masked(TEXT, line("eve", "").to_string().as_bytes());
    let burst = frame.repeat(BURST / frame.len());

    // A process that is stopped reads nothing, so that the ping is behind all of that.
    relay.signal("STOP");
    relay.wait_until(true, async || relay.is_stopped()).await;
    for flooder in &mut flooders {
        flooder.send(&burst).await;
    }
    let sent = FLOODERS * burst.len();
    let arrived = async {
        while unread(&relay) < sent {
            tokio::task::yield_now().await;
        }
    };
    timeout(TIMEOUT, arrived).await.expect("the flood does not fit into the receive buffers");
    jane.send(&masked(PING, b"here")).await;
    relay.signal("CONT");
    jane.until_pong(b"here").await;
    let unread = unread(&relay);
    assert!(unread > sent / 2, "{unread} of {sent} bytes are left");
}
