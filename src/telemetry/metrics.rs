//! Prometheus metrics.
//!
//! Per-member events are counted once per round, never one by one. Labels never contain user input: rooms, filters and
//! outcomes come from the configuration and the code.

use std::sync::{Mutex, PoisonError};

pub use prometheus::Histogram;
use prometheus::core::{Collector, Opts};
use prometheus::{
    HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Registry, TextEncoder,
    exponential_buckets,
};

use crate::model::{Outcome, RoomName};

/// All metrics of a relay.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    build_info: IntGaugeVec,
    sockets: IntGauge,
    room_connections: IntGaugeVec,
    room_nicknames: IntGaugeVec,
    messages: IntCounterVec,
    closed: IntCounterVec,
    refused_connections: IntCounterVec,
    alerts: IntCounterVec,
    deliveries: IntCounter,
    filter_seconds: HistogramVec,
    round_seconds: Histogram,
    moderation: Mutex<ModerationMetrics>,
}

#[derive(Debug)]
struct ModerationMetrics {
    held: IntGauge,
    sanctions: IntGauge,
    store_errors: IntCounter,
    audit_written: IntCounter,
    audit_lost: IntCounter,
    audit_errors: IntCounter,
    unlogged_acts: IntCounter,
}

/// The metrics could not be encoded.
#[derive(Debug, thiserror::Error)]
#[error("the metrics could not be encoded: {0}")]
pub struct EncodeError(prometheus::Error);

/// The metrics of one room. The room updates them.
#[derive(Clone, Debug)]
pub struct RoomGauges {
    /// Current connections.
    pub connections: IntGauge,
    /// Current registered nicknames.
    pub nicknames: IntGauge,
}

/// The values of the moderation metrics. Totals count from the start of the relay; `held` and `sanctions` are current.
#[derive(Clone, Copy, Debug, Default)]
pub struct ModerationTotals {
    /// Held messages.
    pub held: u64,
    /// Mutes and bans in force, including those that ended in the last minute.
    pub sanctions: u64,
    /// Store transactions that failed and were retried.
    pub store_errors: u64,
    /// Audit log lines written.
    pub audit_written: u64,
    /// Audit log lines lost.
    pub audit_lost: u64,
    /// Audit log writes that failed and were retried.
    pub audit_errors: u64,
    /// Acts of moderators that took effect, but may be missing in the audit log.
    pub unlogged_acts: u64,
}

impl Metrics {
    /// Creates the metrics of `version`, run in `environment`.
    #[must_use]
    pub fn new(version: &'static str, environment: &str) -> Self {
        let metrics = Self::default();
        metrics.set_build(version, environment);
        metrics
    }

    /// Sets the version and the environment.
    pub fn set_build(&self, version: &'static str, environment: &str) {
        self.build_info.reset();
        self.build_info.with_label_values(&[version, environment]).set(1);
    }

    /// Sets the moderation metrics. A total that is lower than before is ignored.
    pub fn set_moderation(&self, now: &ModerationTotals) {
        let moderation = self.moderation.lock().unwrap_or_else(PoisonError::into_inner);
        let gauge = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
        moderation.held.set(gauge(now.held));
        moderation.sanctions.set(gauge(now.sanctions));
        for (counter, value) in [
            (&moderation.store_errors, now.store_errors),
            (&moderation.audit_written, now.audit_written),
            (&moderation.audit_lost, now.audit_lost),
            (&moderation.audit_errors, now.audit_errors),
            (&moderation.unlogged_acts, now.unlogged_acts),
        ] {
            counter.inc_by(value.saturating_sub(counter.get()));
        }
    }

    /// Returns the histogram of the time per message of the filter `filter`.
    #[must_use]
    pub fn filter_seconds(&self, filter: &'static str) -> Histogram {
        self.filter_seconds.with_label_values(&[filter])
    }

    /// Returns the metrics of a room.
    #[must_use]
    pub fn room(&self, room: &RoomName) -> RoomGauges {
        let labels = [room.as_str()];
        RoomGauges {
            connections: self.room_connections.with_label_values(&labels),
            nicknames: self.room_nicknames.with_label_values(&labels),
        }
    }

    /// Drops the metrics of a removed room.
    pub fn forget_room(&self, room: &RoomName) {
        // A room without metrics has nothing to drop.
        for gauges in [&self.room_connections, &self.room_nicknames] {
            let _missing = gauges.remove_label_values(&[room.as_str()]);
        }
    }

    /// Counts a message by its outcome and the filter that decided it. Without one, the label is `none`.
    pub fn count_message(&self, outcome: Outcome, by: Option<&'static str>) {
        self.messages.with_label_values(&[outcome.as_str(), by.unwrap_or("none")]).inc();
    }

    /// Counts a round of a room that wrote `deliveries` frames to its members.
    pub fn count_round(&self, deliveries: usize, took: std::time::Duration) {
        self.deliveries.inc_by(deliveries as u64);
        self.round_seconds.observe(took.as_secs_f64());
    }

    /// Counts a TCP connection that was opened (`1`) or closed (`-1`).
    pub fn count_socket(&self, change: i64) {
        self.sockets.add(change);
    }

    /// Counts a WebSocket that the relay closed with this code.
    pub fn count_close(&self, code: u16) {
        self.closed.with_label_values(&[code.to_string().as_str()]).inc();
    }

    /// Counts a refused connection; `reason` is one of a few fixed words.
    pub fn count_refused_connection(&self, reason: &'static str) {
        self.refused_connections.with_label_values(&[reason]).inc();
    }

    /// Counts an alert; `outcome` is one of a few fixed words.
    pub fn count_alert(&self, outcome: &'static str) {
        self.alerts.with_label_values(&[outcome]).inc();
    }

    /// Encodes all metrics in the Prometheus text format, version 0.0.4.
    ///
    /// # Errors
    /// [`EncodeError`], which no valid metric causes.
    pub fn encode(&self) -> Result<String, EncodeError> {
        TextEncoder::new().encode_to_string(&self.registry.gather()).map_err(EncodeError)
    }
}

/// Creates metrics and registers them. It panics for invalid or duplicate names, which are all constants; a test creates
/// all metrics.
struct Registrar(Registry);

#[expect(clippy::expect_used, reason = "names and labels are constants")]
impl Registrar {
    fn register<M: Collector + Clone + 'static>(&self, metric: prometheus::Result<M>) -> M {
        let metric = metric.expect("a valid metric");
        self.0.register(Box::new(metric.clone())).expect("a unique name");
        metric
    }

    fn gauge(&self, name: &str, help: &str) -> IntGauge {
        self.register(IntGauge::with_opts(Opts::new(name, help).namespace("gischat")))
    }

    fn gauges(&self, name: &str, help: &str, labels: &[&str]) -> IntGaugeVec {
        self.register(IntGaugeVec::new(Opts::new(name, help).namespace("gischat"), labels))
    }

    fn counter(&self, name: &str, help: &str) -> IntCounter {
        self.register(IntCounter::with_opts(Opts::new(name, help).namespace("gischat")))
    }

    fn counters(&self, name: &str, help: &str, labels: &[&str]) -> IntCounterVec {
        self.register(IntCounterVec::new(Opts::new(name, help).namespace("gischat"), labels))
    }

    /// Options of a histogram with `count` buckets from `first` seconds up, each twice as wide as the previous one.
    fn histogram(name: &str, help: &str, first: f64, count: usize) -> HistogramOpts {
        let buckets = exponential_buckets(first, 2.0, count).expect("valid buckets");
        HistogramOpts::new(name, help).namespace("gischat").buckets(buckets)
    }
}

impl Default for Metrics {
    fn default() -> Self {
        let registrar = Registrar(Registry::new());
        // A filter takes from a tenth of a microsecond up to the longest deadline of a plugin, 10 s; a round up to 2 s.
        let filter = Registrar::histogram("filter_duration_seconds", "Time per message of each filter", 1e-7, 28);
        let round =
            Registrar::histogram("round_duration_seconds", "Time to write a round of a room to its members", 1e-6, 22);
        Self {
            build_info: registrar.gauges(
                "build_info",
                "Version and environment of this relay",
                &["version", "environment"],
            ),
            sockets: registrar.gauge("connections", "Current network connections of all kinds"),
            room_connections: registrar.gauges(
                "room_connections",
                "Current WebSocket connections in the room",
                &["room"],
            ),
            room_nicknames: registrar.gauges(
                "room_nicknames",
                "Current connections with a registered nickname in the room",
                &["room"],
            ),
            messages: registrar.counters(
                "messages_total",
                "Messages by outcome and by the filter that decided",
                &["outcome", "filter"],
            ),
            closed: registrar.counters("websockets_closed_total", "WebSockets closed by the relay", &["code"]),
            refused_connections: registrar.counters("connections_refused_total", "Refused connections", &["reason"]),
            alerts: registrar.counters(
                "alerts_total",
                "Alerts that were delivered, failed or were suppressed",
                &["outcome"],
            ),
            deliveries: registrar.counter("deliveries_total", "Frames written or queued for members"),
            filter_seconds: registrar.register(HistogramVec::new(filter, &["filter"])),
            round_seconds: registrar.register(Histogram::with_opts(round)),
            moderation: Mutex::new(ModerationMetrics {
                held: registrar.gauge("held_messages", "Messages held for a moderator"),
                sanctions: registrar
                    .gauge("sanctions", "Mutes and bans in force, including those that ended in the last minute"),
                store_errors: registrar
                    .counter("store_errors_total", "Store transactions that failed and were retried"),
                audit_written: registrar.counter("audit_lines_written_total", "Audit log lines written"),
                audit_lost: registrar.counter("audit_lines_lost_total", "Audit log lines lost"),
                audit_errors: registrar.counter("audit_errors_total", "Audit log writes that failed and were retried"),
                unlogged_acts: registrar
                    .counter("unlogged_acts_total", "Moderator actions without a confirmed audit log entry"),
            }),
            registry: registrar.0,
        }
    }
}

#[cfg(test)]
mod tests;
