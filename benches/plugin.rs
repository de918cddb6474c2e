//! What a plugin costs: a call of each shipped one in its sandbox beside the same filter called natively, the way to
//! the threads of plugins and back, and what it takes to begin. `cargo bench --bench plugin`, after `make plugins`.

// A benchmark that cannot begin ends in a panic.
#![allow(clippy::expect_used, missing_docs)]

#[path = "plugin/stage.rs"]
mod stage;

use std::collections::VecDeque;
use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use criterion::{Criterion, criterion_group, criterion_main};
use gischat_filter::Filter as Native;
use gischat_filter::testing::Harness;
use gischat_relay::filter::plugin::Plugins;
use gischat_relay::filter::rate::{self, Limit, Rate};
use gischat_relay::filter::shape::{self, Shape};
use gischat_relay::filter::{Chain, Filter, Judgement, Purpose};
use gischat_relay::model::{Decision, Outcome};
use gischat_relay::sandbox::{Library, Sandbox};
use gischat_relay::telemetry::Metrics;

use stage::{Said, Shipped, sender};

/// The filters written in Rust.
const RUST: [&str; 3] = ["link-guard", "calm-caps", "flood-guard"];
/// Longest text, in code points.
const LONGEST: usize = 255;

/// A call of each plugin by itself, on the sandbox's own threads, without the way there.
fn calls(criterion: &mut Criterion) {
    let shipped = Shipped::open();
    let mut group = criterion.benchmark_group("call");
    for name in RUST.into_iter().chain(["polite-words", "quiet-hours"]) {
        if shipped.entry(name).is_some() {
            group.bench_function(name, |b| b.iter_custom(|calls| shipped.ask(&[name], Said::Harmless, calls)));
        }
    }
    group.bench_function("three in Rust", |b| b.iter_custom(|calls| shipped.ask(&RUST, Said::Harmless, calls)));
    group.bench_function("link-guard, a link", |b| {
        b.iter_custom(|calls| shipped.ask(&["link-guard"], Said::Link, calls));
    });
    group.bench_function("calm-caps, shouted", |b| {
        b.iter_custom(|calls| shipped.ask(&["calm-caps"], Said::Shouted, calls));
    });
    group.finish();
}

/// The same filters as functions of this program.
fn natives(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("native");
    for (title, said) in [("link-guard", Said::Harmless), ("link-guard, a link", Said::Link)] {
        group.bench_function(title, |b| {
            b.iter_custom(|calls| native::<link_guard::LinkGuard>("link-guard", said, calls));
        });
    }
    for (title, said) in [("calm-caps", Said::Harmless), ("calm-caps, shouted", Said::Shouted)] {
        group.bench_function(title, |b| {
            b.iter_custom(|calls| native::<calm_caps::CalmCaps>("calm-caps", said, calls));
        });
    }
    group.bench_function("flood-guard", |b| {
        b.iter_custom(|calls| native::<flood_guard::FloodGuard>("flood-guard", Said::Harmless, calls));
    });
    group.finish();
}

/// How long `calls` of a filter take that runs natively, in the harness of its kit.
fn native<F: Native>(name: &str, said: Said, calls: u64) -> Duration {
    let mut harness = Harness::<F>::new(stage::settings(name));
    let mut took = Duration::ZERO;
    for batch in stage::batches(calls) {
        let messages: Vec<_> = batch.map(|n| stage::native(&mut harness, said, n)).collect();
        let began = Instant::now();
        for message in &messages {
            let _verdict = black_box(harness.check_message(message));
        }
        took += began.elapsed();
    }
    took
}

/// The way of a message through the chain, by the threads of plugins: what a shard hands over, and when it has it back.
fn hops(criterion: &mut Criterion) {
    let shipped = Shipped::open();
    let mut group = criterion.benchmark_group("hop");
    group.bench_function("of nothing", |b| {
        b.iter(|| shipped.block_on(shipped.spawn(async {})));
    });
    for (title, names) in [("one in Rust", &RUST[..1]), ("three in Rust", &RUST[..])] {
        let hop = Hop::new(&shipped, names);
        group.bench_function(title, |b| b.iter_custom(|messages| hop.send(&shipped, messages, 1)));
        group.bench_function(format!("{title}, 64 under way"), |b| {
            b.iter_custom(|messages| hop.send(&shipped, messages, 64));
        });
    }
    group.finish();
}

/// A chain with some plugins at its end.
struct Hop {
    chain: Chain,
    _folder: Shipped,
}

impl Hop {
    fn new(shipped: &Shipped, names: &[&str]) -> Self {
        let folder = shipped.only(names);
        let bounds = shape::Config {
            min_author_length: 3,
            max_author_length: 32,
            max_message_length: LONGEST,
            max_avatar_length: 128,
        };
        let limit = Limit { per_second: std::num::NonZeroU32::MAX, burst: std::num::NonZeroU32::MAX };
        let rate = rate::Config { enabled: true, connection: limit, nickname: limit, address: limit, room: limit };
        let plugins = Plugins::new(folder.library(), LONGEST);
        let filters: [Box<dyn Filter>; 3] =
            [Box::new(Shape::new(bounds)), Box::new(Rate::new(&rate)), Box::new(plugins)];
        Self { chain: Chain::of(filters, &Metrics::default()), _folder: folder }
    }

    /// How long so many messages take of which `window` are on their way at a time.
    fn send(&self, on: &Shipped, messages: u64, window: usize) -> Duration {
        let mut took = Duration::ZERO;
        for batch in stage::batches(messages) {
            let batch: Vec<_> = batch.map(|n| stage::message(Said::Harmless, n)).collect();
            let mut under_way = VecDeque::with_capacity(window);
            let began = Instant::now();
            for message in batch {
                if under_way.len() == window {
                    under_way.pop_front().map(|judged| on.block_on(judged)).into_iter().for_each(passed);
                }
                let sender = sender();
                let Judgement::Waiting(waiting) = self.chain.judge(message, &sender, Purpose::Judge) else {
                    panic!("a plugin answers later");
                };
                under_way.push_back(on.spawn(async move { waiting.finish(&sender).await }));
            }
            for judged in under_way {
                passed(on.block_on(judged));
            }
            took += began.elapsed();
        }
        took
    }
}

/// What is measured is a message that nobody objects to, and whose plugins have answered.
fn passed(judged: Result<Decision, tokio::task::JoinError>) {
    let decision = judged.expect("nothing panics");
    assert_eq!(decision.outcome, Outcome::Pass, "{decision:?}");
    let failed = decision.trace.iter().filter_map(|step| step.matched.as_ref()).find_map(stage::failure);
    assert_eq!(failed, None, "a plugin has failed");
}

/// What it takes to begin: an instance more, and all plugins when a relay starts.
fn beginnings(criterion: &mut Criterion) {
    let shipped = Shipped::open();
    let mut group = criterion.benchmark_group("beginning");
    group.sample_size(20);
    for name in RUST.into_iter().chain(["polite-words", "quiet-hours"]) {
        let Some(entry) = shipped.entry(name) else { continue };
        group.bench_function(format!("an instance of {name}"), |b| {
            b.iter(|| {
                let entry = Arc::clone(&entry);
                let anew = async move {
                    let plugin = stage::plugin(&entry);
                    plugin.anew(plugin.manifest().clone()).await.map(drop)
                };
                shipped.block_on(shipped.spawn(anew)).expect("nothing panics").expect("it starts");
            });
        });
    }
    group.bench_function("all shipped plugins, compiled before", |b| {
        b.iter_with_large_drop(|| {
            let config = shipped.config();
            let sandbox = Arc::new(Sandbox::of(&config).expect("a sandbox"));
            let library = shipped.block_on(Library::open(Arc::clone(&sandbox), config)).expect("a folder");
            assert!(library.current().entries.iter().all(|entry| entry.plugin.is_ok()), "{library:?}");
            (sandbox, library)
        });
    });
    group.finish();
}

criterion_group!(benches, natives, calls, hops, beginnings);
criterion_main!(benches);
