//! The cost of a message without sockets: the budget of its connection, decode, `shape`, `rate`, encode. `cargo bench` prints the
//! time of each step and of all together.

// Setup failures may panic.
#![allow(clippy::expect_used, missing_docs)]

use std::hint::black_box;
use std::net::IpAddr;
use std::num::NonZeroU32;

use bytes::BytesMut;
use criterion::{Criterion, criterion_group, criterion_main};
use gischat_relay::filter::rate::{self, RateFilter, RateLimit};
use gischat_relay::filter::shape::{self, ShapeFilter};
use gischat_relay::filter::{Chain, Filter, Judgement, Purpose};
use gischat_relay::live::{Budget, InputLimits};
use gischat_relay::model::{Address, ConnectionId, Message, Outcome, RoomEvent, RoomName, Sender, SenderContext};
use gischat_relay::telemetry::Metrics;
use gischat_relay::wire::{self, Generation, v1};

/// A frame of 120 bytes, as the load tool sends it.
const FRAME: &str = concat!(
    r#"{"message":"Has anybody tried the new layer of "#,
    r#"parcels in EPSG:2154 with your new tiles?","#,
    r#""author":"jane","avatar":null}"#
);
/// The default limits of a connection.
const INPUT: InputLimits =
    InputLimits { frames_per_second: 50, frames_burst: 200, kib_per_second: 4_096, kib_burst: 32_768 };
/// Number of senders that take turns, so that `rate` uses many buckets.
const SENDERS: u32 = 1_000;

fn shape() -> Box<dyn Filter> {
    let bounds = shape::Config {
        min_author_length: 3,
        max_author_length: 32,
        max_message_length: 255,
        max_avatar_length: 128,
        content: shape::ContentLimits::default(),
    };
    Box::new(ShapeFilter::new(bounds))
}

/// Limits that the benchmark never reaches, so that every message passes the whole chain.
fn rate() -> Box<dyn Filter> {
    let limit = RateLimit { per_second: NonZeroU32::MAX, burst: NonZeroU32::MAX };
    let config =
        rate::Config { enabled: true, connection: limit, nickname: limit, address: limit, put: limit, room: limit };
    Box::new(RateFilter::new(&config))
}

fn senders() -> Vec<Sender> {
    let room: RoomName = "QGIS".parse().expect("a room name");
    let sender = |n: u32| Sender {
        connection: Some(ConnectionId(u64::from(n))),
        address: Address::from(IpAddr::from(n.to_be_bytes())),
        room: room.clone(),
        context: SenderContext::default(),
    };
    (0..SENDERS).map(sender).collect()
}

fn decoded() -> Message {
    v1::decode(FRAME).expect("a message of v1")
}

fn costs(criterion: &mut Criterion) {
    assert_eq!(FRAME.len(), 120, "the frame is as long as it says");
    let metrics = Metrics::default();
    let senders = senders();
    let message = decoded();

    let (mut budget, mut now) = (Budget::default(), 0);
    criterion.bench_function("charge a frame and its bytes", |b| {
        b.iter(|| {
            now += 20_000;
            budget.charge_bytes(&INPUT, black_box(FRAME.len()), now);
            budget.charge_frame(&INPUT, now)
        });
    });
    criterion.bench_function("decode", |b| b.iter(|| v1::decode(black_box(FRAME))));
    criterion.bench_function("encode", |b| {
        b.iter(|| encode(black_box(&message)));
    });
    for (name, filters) in [("shape", vec![shape()]), ("rate", vec![rate()]), ("shape and rate", vec![shape(), rate()])]
    {
        let chain = Chain::from_filters(filters, &metrics);
        let mut turns = senders.iter().cycle();
        criterion.bench_function(&format!("chain of {name}"), |b| {
            b.iter_batched(
                || (message.clone(), turns.next().expect("there are senders")),
                |(message, sender)| judge(&chain, message, sender),
                criterion::BatchSize::SmallInput,
            );
        });
    }
    let chain = Chain::from_filters([shape(), rate()], &metrics);
    let mut turns = senders.iter().cycle();
    criterion.bench_function("decode, shape, rate, encode", |b| {
        b.iter(|| {
            let sender = turns.next().expect("there are senders");
            let message = judge(&chain, decoded(), sender);
            encode(&message)
        });
    });
}

fn encode(message: &Message) -> BytesMut {
    let mut buffer = BytesMut::new();
    wire::append_event(Generation::V1, RoomEvent::Message(message), &mut buffer);
    buffer
}

fn judge(chain: &Chain, message: Message, sender: &Sender) -> Message {
    match chain.judge(message, sender, Purpose::Judge) {
        Judgement::Ready(decision) if decision.outcome == Outcome::Pass => decision.message,
        other => panic!("the benchmark must not reach a limit or a pending filter: {other:?}"),
    }
}

criterion_group!(benches, costs);
criterion_main!(benches);
