//! All attacks at once, while two rooms chat.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::{MissedTickBehavior, timeout};

use crate::moderation::moderated;
use crate::support::raw::{PING, TEXT, handshake, masked};
use crate::support::{Client, Relay, TIMEOUT, line, newcomer};

/// The rooms that chat. Attackers are in all rooms.
const CHATTING: [&str; 2] = ["QGIS", "QField"];
const ROOMS: [&str; 3] = ["QGIS", "QField", "Maps"];
/// Members of each room that chat, and the time between two lines of one of them.
const SPEAKERS: u8 = 10;
const PACE: Duration = Duration::from_millis(600);
/// Connections of each attack, one after another, from each of its addresses.
const CONNECTIONS: usize = 120;
/// Addresses of each attack, in a network of its own.
const ADDRESSES: u8 = 3;
/// How long an attacker writes to a relay that does not read.
const PATIENCE: Duration = Duration::from_millis(500);

/// What an attacker sends on one connection.
struct Attack {
    /// Sent before anything else. The relay may answer or not.
    opening: fn(room: &str) -> String,
    /// Sent then, as often as the relay takes it, up to [`Attack::times`].
    burst: Vec<u8>,
    times: usize,
}

/// An attack by frames on a WebSocket.
fn frames(times: usize, burst: Vec<u8>) -> Attack {
    Attack { opening: handshake, burst, times }
}

/// An attack by HTTP requests.
fn requests(burst: &str, times: usize) -> Attack {
    Attack { opening: |_| String::new(), burst: burst.as_bytes().to_vec(), times }
}

fn text(frame: &Value) -> Vec<u8> {
    masked(TEXT, frame.to_string().as_bytes())
}

fn each(count: usize, frame: impl Fn(usize) -> Value) -> Vec<u8> {
    (0..count).flat_map(|n| text(&frame(n))).collect()
}

fn put(author: &str, message: &str) -> String {
    let body = json!({"author": author, "message": message, "avatar": ""}).to_string();
    let length = body.len();
    format!(
        "PUT /room/QGIS/message HTTP/1.1\r\nHost: relay\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
    )
}

fn attacks() -> Vec<Attack> {
    // The beginning of a frame of 15 MiB whose end never comes.
    let unfinished = masked(TEXT, &vec![b'x'; 15 << 20])[..4 << 20].to_vec();
    let image = json!({"type": "image", "author": "eve", "avatar": null, "image_data": "A".repeat(200_000)});
    let like = |n| json!({"author": "eve", "liked_author": "anna", "message": format!("http://{n}.example")});
    let wrong_token = "GET /moderation/held HTTP/1.1\r\nHost: relay\r\nAuthorization: Bearer wrong\r\n\r\n";
    vec![
        // Malformed frames, empty texts, pings whose answers nobody reads.
        frames(40, masked(TEXT, b"{}").repeat(500)),
        frames(40, each(500, |n| line(&format!("eve{n}"), ""))),
        frames(40, masked(PING, &[b'x'; 125]).repeat(500)),
        // New names, invisible texts, a name that looks like the relay's.
        frames(10, each(200, |n| newcomer(&format!("eve-{n}")))),
        frames(10, each(200, |n| line(&format!("eve{n}"), "\u{200b}\u{3164}"))),
        frames(10, each(200, |_| line("moder4tion", "hello"))),
        // Texts for moderators, and likes of what nobody said.
        frames(10, each(200, |n| line(&format!("eve{n}"), &format!("look {n}")))),
        frames(10, each(200, like)),
        // Messages without an end, and images that are none.
        frames(1, unfinished),
        frames(20, text(&image)),
        // Many requests, for moderators as well, wrong tokens, and half requests.
        requests(&put("eve", "hello").repeat(50), 10),
        requests(&put("eve", "look here").repeat(50), 10),
        requests(&wrong_token.repeat(50), 10),
        requests("PUT /room/QGIS/message HTTP/1.1\r\nHost: relay\r\nContent-Length: 1000\r\n\r\n{", 1),
    ]
}

async fn connect(from: IpAddr, relay: SocketAddr) -> Option<TcpStream> {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_reuseaddr(true).unwrap();
    socket.bind(SocketAddr::new(from, 0)).unwrap();
    timeout(TIMEOUT, socket.connect(relay)).await.expect("the relay accepts no connection").ok()
}

/// Runs an attack from an address, without ever reading. Returns the bytes that the relay took.
async fn run(attack: Arc<Attack>, connections: usize, from: IpAddr, relay: SocketAddr) -> usize {
    let mut taken = 0;
    for n in 0..connections {
        let Some(mut stream) = connect(from, relay).await else { continue };
        let opening = (attack.opening)(ROOMS[n % ROOMS.len()]);
        let sending = async {
            stream.write_all(opening.as_bytes()).await?;
            for _ in 0..attack.times {
                stream.write_all(&attack.burst).await?;
                taken += attack.burst.len();
            }
            std::io::Result::Ok(())
        };
        // Closed by the relay, or not read any more.
        let _ended = timeout(PATIENCE, sending).await;
    }
    taken
}

/// Runs all attacks at once, with so many connections from each address. Returns the bytes that the relay took.
async fn wave(relay: &Relay, connections: usize) -> usize {
    let mut attackers = Vec::new();
    for (number, attack) in attacks().into_iter().map(Arc::new).enumerate() {
        for host in 1..=ADDRESSES {
            let from = IpAddr::V4(Ipv4Addr::new(127, 100, u8::try_from(number).unwrap(), host));
            let attacker = tokio::spawn(run(Arc::clone(&attack), connections, from, relay.address()));
            attackers.push(attacker);
        }
    }
    let mut taken = 0;
    for attacker in attackers {
        taken += attacker.await.unwrap();
    }
    taken
}

/// Sends numbered lines until told to stop. Returns how many.
async fn speak(mut client: Client, name: String, stop: Arc<AtomicBool>, started: Instant) -> (Client, usize) {
    let mut pace = tokio::time::interval(PACE);
    pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut count = 0;
    while !stop.load(Ordering::Relaxed) {
        // It reads what the others say, as a client does.
        loop {
            tokio::select! {
                _ = pace.tick() => break,
                received = client.next_message() => assert!(received.is_some(), "{name} was disconnected"),
            }
        }
        client.send(line(&name, &format!("map {count} {}", started.elapsed().as_micros()))).await;
        count += 1;
    }
    (client, count)
}

/// Receives the lines of a room until those of all its speakers have come. Returns how long each took.
async fn listen(mut client: Client, room: usize, expected: Arc<AtomicUsize>, started: Instant) -> Vec<Duration> {
    let mut times = Vec::new();
    while times.len() < expected.load(Ordering::Relaxed) {
        let frame = client.next().await;
        let Some(author) = frame["author"].as_str() else { continue };
        let Some(message) = frame["message"].as_str().and_then(|text| text.strip_prefix("map ")) else { continue };
        if author.starts_with(&format!("speaker-{room}-")) {
            let sent = message.split_once(' ').unwrap().1.parse().unwrap();
            times.push(started.elapsed().saturating_sub(Duration::from_micros(sent)));
        }
    }
    times
}

/// Returns the memory once it no longer falls.
async fn settled_memory(relay: &Relay) -> usize {
    let mut looks = tokio::time::interval(Duration::from_millis(500));
    let (mut least, mut unchanged) = (usize::MAX, 0);
    while unchanged < 10 {
        looks.tick().await;
        let now = relay.memory();
        unchanged = if now < least - least / 50 { 0 } else { unchanged + 1 };
        least = least.min(now);
    }
    least
}

/// Joins a room from an address of this network.
async fn join(relay: &Relay, room: usize, host: u8) -> Client {
    let from = IpAddr::V4(Ipv4Addr::new(127, 200, u8::try_from(room).unwrap(), host));
    Client::connect_from(from, relay.address(), &format!("/room/{}/ws", CHATTING[room])).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn under_all_attacks_no_line_of_two_chatting_rooms_is_lost_and_the_memory_comes_back() {
    let hold = "[[rule]]\nid = 'look'\nwords = ['look']\nverdict = 'hold'\n";
    let relay = moderated(Relay::builder()).env("ROOMS", r#"["QGIS", "QField", "Maps"]"#).file("rules.toml", hold);
    let relay = relay.env("RELAY__MODERATION__AUDIT__RECORD", "refusals").env("RELAY__MODERATION__AUDIT__DIR", "audit");
    // Attackers may use up the limits of a room, which is no attack on the relay.
    let relay = relay.env("RELAY__FILTER__RATE__ROOM__BURST", "1000000");
    let relay = relay.env("RELAY__FILTER__RATE__ROOM__PER_SECOND", "1000000");
    let relay = relay.env("LOG_LEVEL", "gischat_relay=info");
    let relay = relay.start().await;
    let (started, stop) = (Instant::now(), Arc::new(AtomicBool::new(false)));
    let (mut listeners, mut speakers) = (Vec::new(), Vec::new());
    for room in 0..CHATTING.len() {
        let expected = Arc::new(AtomicUsize::new(usize::MAX));
        let listener = join(&relay, room, 250).await;
        listeners.push((Arc::clone(&expected), tokio::spawn(listen(listener, room, expected, started))));
        for number in 1..=SPEAKERS {
            let (client, name) = (join(&relay, room, number).await, format!("speaker-{room}-{number}"));
            speakers.push((room, tokio::spawn(speak(client, name, Arc::clone(&stop), started))));
        }
    }
    let cold = relay.memory();
    wave(&relay, CONNECTIONS / 3).await;
    // The relay is warm now: its code, its caches and its history take what they take in service.
    let before = settled_memory(&relay).await;
    let taken = wave(&relay, CONNECTIONS).await;
    let (peak, took) = (relay.peak_memory(), started.elapsed());

    stop.store(true, Ordering::Relaxed);
    let mut said = [0; CHATTING.len()];
    let mut quiet = Vec::new();
    for (room, speaker) in speakers {
        let (client, count) = speaker.await.unwrap();
        said[room] += count;
        quiet.push(client);
    }
    let mut times = Vec::new();
    for ((expected, listener), said) in listeners.into_iter().zip(said) {
        expected.store(said, Ordering::Relaxed);
        // One more frame, so that the listener looks again.
        quiet.push(join(&relay, usize::from(!times.is_empty()), 251).await);
        let heard = timeout(TIMEOUT, listener).await.expect("lines are lost").unwrap();
        assert_eq!(heard.len(), said);
        times.extend(heard);
    }
    times.sort_unstable();
    let p99 = times[times.len() * 99 / 100];
    let mebibytes = |bytes: usize| bytes >> 20;
    eprintln!(
        "soak: {} lines in {:.1} s, p99 {p99:.1?}, at most {:.1?}; {} MiB cold, {} MiB before, {} MiB at the peak, {} MiB right after; {} MiB sent",
        times.len(),
        took.as_secs_f64(),
        times.last().unwrap(),
        mebibytes(cold),
        mebibytes(before),
        mebibytes(peak),
        mebibytes(relay.memory()),
        mebibytes(taken),
    );
    let limit = before + before / 5;
    relay.wait_until(true, async || relay.memory() <= limit).await;
}
