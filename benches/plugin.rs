//! The cost of plugins: a call of each shipped plugin in its sandbox compared with a native call of the same filter, the
//! round trip to the plugin threads, and the start of instances. `cargo bench --bench plugin`, after `make plugins`.

// A benchmark that cannot be set up panics.
#![allow(clippy::expect_used, missing_docs)]

#[path = "plugin/fixture.rs"]
mod fixture;

use std::collections::VecDeque;
use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use criterion::{Criterion, criterion_group, criterion_main};
use gischat_filter::Filter as Native;
use gischat_filter::testing::Harness;
use gischat_relay::filter::plugin::PluginFilter;
use gischat_relay::filter::rate::{self, RateFilter, RateLimit};
use gischat_relay::filter::shape::{self, ShapeFilter};
use gischat_relay::filter::{Chain, Filter, Judgement, Purpose};
use gischat_relay::model::{Decision, Outcome};
use gischat_relay::sandbox::{Library, Sandbox};
use gischat_relay::telemetry::Metrics;

use fixture::{ShippedPlugins, TextKind, sender};

/// The filters written in Rust.
const RUST: [&str; 3] = ["link-guard", "calm-caps", "flood-guard"];
/// Longest text, in code points.
const MAX_TEXT: usize = 255;

/// Measures a call of each plugin on the plugin threads, without the round trip.
fn sandboxed_calls(criterion: &mut Criterion) {
    let shipped = ShippedPlugins::open();
    let mut group = criterion.benchmark_group("call");
    for name in RUST.into_iter().chain(["polite-words", "quiet-hours"]) {
        if shipped.entry(name).is_some() {
            group.bench_function(name, |b| {
                b.iter_custom(|calls| shipped.time_calls(&[name], TextKind::Harmless, calls));
            });
        }
    }
    group.bench_function("three in Rust", |b| {
        b.iter_custom(|calls| shipped.time_calls(&RUST, TextKind::Harmless, calls));
    });
    group.bench_function("link-guard, a link", |b| {
        b.iter_custom(|calls| shipped.time_calls(&["link-guard"], TextKind::Link, calls));
    });
    group.bench_function("calm-caps, shouted", |b| {
        b.iter_custom(|calls| shipped.time_calls(&["calm-caps"], TextKind::Shouted, calls));
    });
    group.finish();
}

/// Measures native calls of the same filters.
fn native_calls(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("native");
    for (title, kind) in [("link-guard", TextKind::Harmless), ("link-guard, a link", TextKind::Link)] {
        group.bench_function(title, |b| {
            b.iter_custom(|calls| time_native_calls::<link_guard::LinkGuard>("link-guard", kind, calls));
        });
    }
    for (title, kind) in [("calm-caps", TextKind::Harmless), ("calm-caps, shouted", TextKind::Shouted)] {
        group.bench_function(title, |b| {
            b.iter_custom(|calls| time_native_calls::<calm_caps::CalmCaps>("calm-caps", kind, calls));
        });
    }
    group.bench_function("flood-guard", |b| {
        b.iter_custom(|calls| time_native_calls::<flood_guard::FloodGuard>("flood-guard", TextKind::Harmless, calls));
    });
    group.finish();
}

/// Returns how long `calls` native calls of a filter take, in the test harness of the kit.
fn time_native_calls<F: Native>(name: &str, kind: TextKind, calls: u64) -> Duration {
    let mut harness = Harness::<F>::new(fixture::settings(name));
    let mut took = Duration::ZERO;
    for batch in fixture::batches(calls) {
        let messages: Vec<_> = batch.map(|n| fixture::native(&mut harness, kind, n)).collect();
        let began = Instant::now();
        for message in &messages {
            let _verdict = black_box(harness.check_message(message));
        }
        took += began.elapsed();
    }
    took
}

/// Measures the round trip of a message from a shard to the plugin threads and back.
fn round_trips(criterion: &mut Criterion) {
    let shipped = ShippedPlugins::open();
    let mut group = criterion.benchmark_group("hop");
    group.bench_function("of nothing", |b| {
        b.iter(|| shipped.block_on(shipped.spawn(async {})));
    });
    for (title, names) in [("one in Rust", &RUST[..1]), ("three in Rust", &RUST[..])] {
        let chain = PluginChain::new(&shipped, names);
        group.bench_function(title, |b| b.iter_custom(|messages| chain.send(&shipped, messages, 1)));
        group.bench_function(format!("{title}, 64 under way"), |b| {
            b.iter_custom(|messages| chain.send(&shipped, messages, 64));
        });
    }
    group.finish();
}

/// A chain that ends with some plugins.
struct PluginChain {
    chain: Chain,
    _plugins: ShippedPlugins,
}

impl PluginChain {
    fn new(shipped: &ShippedPlugins, names: &[&str]) -> Self {
        let plugins = shipped.subset(names);
        let bounds = shape::Config {
            min_author_length: 3,
            max_author_length: 32,
            max_message_length: MAX_TEXT,
            max_avatar_length: 128,
            content: shape::ContentLimits::default(),
        };
        let limit = RateLimit { per_second: std::num::NonZeroU32::MAX, burst: std::num::NonZeroU32::MAX };
        let rate =
            rate::Config { enabled: true, connection: limit, nickname: limit, address: limit, put: limit, room: limit };
        let filter = PluginFilter::new(plugins.library(), MAX_TEXT);
        let filters: [Box<dyn Filter>; 3] =
            [Box::new(ShapeFilter::new(bounds)), Box::new(RateFilter::new(&rate)), Box::new(filter)];
        Self { chain: Chain::from_filters(filters, &Metrics::default()), _plugins: plugins }
    }

    /// Returns how long `messages` messages take, with `window` of them in flight.
    fn send(&self, on: &ShippedPlugins, messages: u64, window: usize) -> Duration {
        let mut took = Duration::ZERO;
        for batch in fixture::batches(messages) {
            let batch: Vec<_> = batch.map(|n| fixture::message(TextKind::Harmless, n)).collect();
            let mut in_flight = VecDeque::with_capacity(window);
            let began = Instant::now();
            for message in batch {
                if in_flight.len() == window {
                    in_flight.pop_front().map(|judged| on.block_on(judged)).into_iter().for_each(assert_passed);
                }
                let sender = sender();
                let Judgement::Pending(waiting) = self.chain.judge(message, &sender, Purpose::Judge) else {
                    panic!("a plugin answers later");
                };
                in_flight.push_back(on.spawn(async move { waiting.finish(&sender).await }));
            }
            for judged in in_flight {
                assert_passed(on.block_on(judged));
            }
            took += began.elapsed();
        }
        took
    }
}

/// Asserts that all filters passed the message and that its plugins answered.
fn assert_passed(judged: Result<Decision, tokio::task::JoinError>) {
    let decision = judged.expect("nothing panics");
    assert_eq!(decision.outcome, Outcome::Pass, "{decision:?}");
    let failed = decision.trace.iter().filter_map(|step| step.matched.as_ref()).find_map(fixture::failure);
    assert_eq!(failed, None, "plugin failed");
}

/// Measures the start of an instance, and of all plugins as at the start of a relay.
fn starts(criterion: &mut Criterion) {
    let shipped = ShippedPlugins::open();
    let mut group = criterion.benchmark_group("beginning");
    group.sample_size(20);
    for name in RUST.into_iter().chain(["polite-words", "quiet-hours"]) {
        let Some(entry) = shipped.entry(name) else { continue };
        group.bench_function(format!("an instance of {name}"), |b| {
            b.iter(|| {
                let entry = Arc::clone(&entry);
                let instance = async move {
                    let plugin = fixture::plugin(&entry);
                    plugin.with_manifest(plugin.manifest().clone()).await.map(drop)
                };
                shipped.block_on(shipped.spawn(instance)).expect("nothing panics").expect("it starts");
            });
        });
    }
    group.bench_function("all shipped plugins, compiled before", |b| {
        b.iter_with_large_drop(|| {
            let config = shipped.config();
            let sandbox = Arc::new(Sandbox::from_config(&config).expect("a sandbox"));
            let library = shipped.block_on(Library::open(Arc::clone(&sandbox), config)).expect("a folder");
            assert!(library.current().entries.iter().all(|entry| entry.plugin.is_ok()), "{library:?}");
            (sandbox, library)
        });
    });
    group.finish();
}

criterion_group!(benches, native_calls, sandboxed_calls, round_trips, starts);
criterion_main!(benches);
