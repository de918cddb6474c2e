//! Prometheus metrics.
//!
//! Per-member events are counted once per round, never one by one. Labels never contain user input: rooms, filters and
//! outcomes come from the configuration and the code.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::{Family, MetricConstructor};
use prometheus_client::metrics::gauge::Gauge;
pub use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use super::build::BuildInfo;
use crate::model::{Outcome, RoomName};
use crate::settings::Swap;

/// All metrics of a relay.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    connections: Gauge,
    room_connections: Family<RoomLabel, Gauge>,
    room_members: Family<RoomLabel, Gauge>,
    messages: Family<MessageLabels, Counter>,
    closed: Family<CloseLabel, Counter>,
    refused_connections: Family<RefusalLabel, Counter>,
    alerts: Family<AlertLabel, Counter>,
    deliveries: Counter<u64, AtomicU64>,
    filter_seconds: Family<FilterLabel, Histogram, Buckets>,
    round_seconds: Histogram,
    moderation: [Gauge; 7],
    environment: Arc<Swap<String>>,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct RoomLabel {
    room: String,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct MessageLabels {
    outcome: &'static str,
    filter: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct FilterLabel {
    filter: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct CloseLabel {
    code: u16,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct RefusalLabel {
    reason: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct AlertLabel {
    outcome: &'static str,
}

/// Creates histograms with `count` exponential buckets, starting at `first` seconds and doubling.
#[derive(Clone)]
struct Buckets {
    first: f64,
    count: u16,
}

impl fmt::Debug for Buckets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} buckets from {} s", self.count, self.first)
    }
}

impl MetricConstructor<Histogram> for Buckets {
    fn new_metric(&self) -> Histogram {
        Histogram::new(prometheus_client::metrics::histogram::exponential_buckets(self.first, 2.0, self.count))
    }
}

/// The metrics of one room, updated by the room.
#[derive(Clone, Debug, Default)]
pub struct RoomGauges {
    /// Current connections.
    pub connections: Gauge,
    /// Current connections with a registered nickname.
    pub members: Gauge,
}

/// A snapshot of the moderation metrics.
#[derive(Clone, Copy, Debug, Default)]
pub struct ModerationMetrics {
    /// Held messages.
    pub held: u64,
    /// Mutes and bans in force.
    pub sanctions: u64,
    /// Store transactions that failed and were retried.
    pub store_errors: u64,
    /// Audit log lines written.
    pub audit_written: u64,
    /// Audit log lines lost.
    pub audit_lost: u64,
    /// Audit log writes that failed and were retried.
    pub audit_errors: u64,
    /// Moderator actions that took effect without a confirmed audit log entry.
    pub unlogged_acts: u64,
}

impl ModerationMetrics {
    /// Names and help texts, in the order of [`ModerationMetrics::values`].
    const NAMES: [(&'static str, &'static str); 7] = [
        ("held_messages", "Messages held for a moderator"),
        ("sanctions", "Mutes and bans in force, including those that ended in the last minute"),
        ("store_faults", "Store transactions that failed and were retried since the start"),
        ("audit_lines_written", "Audit log lines written since the start"),
        ("audit_lines_lost", "Audit log lines lost since the start"),
        ("audit_faults", "Audit log writes that failed and were retried since the start"),
        ("unlogged_acts", "Moderator actions without a confirmed audit log entry since the start"),
    ];

    fn values(&self) -> [u64; 7] {
        let Self { held, sanctions, store_errors, audit_written, audit_lost, audit_errors, unlogged_acts } = *self;
        [held, sanctions, store_errors, audit_written, audit_lost, audit_errors, unlogged_acts]
    }
}

impl Metrics {
    /// Sets the moderation gauges.
    pub fn set_moderation(&self, now: &ModerationMetrics) {
        for (gauge, value) in self.moderation.iter().zip(now.values()) {
            gauge.set(i64::try_from(value).unwrap_or(i64::MAX));
        }
    }

    /// Creates the metrics, labelled with `version` and `environment` in `build_info`.
    #[must_use]
    pub fn new(version: &str, environment: &str) -> Self {
        let mut metrics = Self::default();
        metrics.set_environment(environment);
        let build = BuildInfo { version: version.to_owned(), environment: Arc::clone(&metrics.environment) };
        metrics.registry.register_collector(Box::new(build));
        metrics
    }

    /// Changes the name of the environment.
    pub fn set_environment(&self, environment: &str) {
        self.environment.set(environment.to_owned());
    }

    /// Returns the histogram of a filter's time per message.
    #[must_use]
    pub fn filter_seconds(&self, filter: &'static str) -> Histogram {
        self.filter_seconds.get_or_create(&FilterLabel { filter }).clone()
    }

    /// Returns the gauges of a room.
    #[must_use]
    pub fn room(&self, room: &RoomName) -> RoomGauges {
        let label = RoomLabel { room: room.to_string() };
        RoomGauges {
            connections: self.room_connections.get_or_create(&label).clone(),
            members: self.room_members.get_or_create(&label).clone(),
        }
    }

    /// Removes the gauges of a room.
    pub fn forget_room(&self, room: &RoomName) {
        let label = RoomLabel { room: room.to_string() };
        self.room_connections.remove(&label);
        self.room_members.remove(&label);
    }

    /// Counts a message by outcome and deciding filter; `none` if no filter objected.
    pub fn count_message(&self, outcome: Outcome, by: Option<&'static str>) {
        let labels = MessageLabels { outcome: outcome.as_str(), filter: by.unwrap_or("none") };
        self.messages.get_or_create(&labels).inc();
    }

    /// Counts a round of a room: `deliveries` frames in total, written within `took`.
    pub fn count_round(&self, deliveries: usize, took: std::time::Duration) {
        self.deliveries.inc_by(deliveries as u64);
        self.round_seconds.observe(took.as_secs_f64());
    }

    /// Counts a connection that opened (`+1`) or closed (`-1`).
    pub fn count_connection(&self, change: i64) {
        self.connections.inc_by(change);
    }

    /// Counts a WebSocket closed by the relay, by close code.
    pub fn count_close(&self, code: u16) {
        self.closed.get_or_create(&CloseLabel { code }).inc();
    }

    /// Counts a refused connection. `reason` is one of a few fixed words.
    pub fn count_refused_connection(&self, reason: &'static str) {
        self.refused_connections.get_or_create(&RefusalLabel { reason }).inc();
    }

    /// Counts an alert. `outcome` is one of a few fixed words.
    pub fn count_alert(&self, outcome: &'static str) {
        self.alerts.get_or_create(&AlertLabel { outcome }).inc();
    }

    /// Encodes all metrics in the OpenMetrics text format.
    #[must_use]
    pub fn encode(&self) -> String {
        let mut out = String::new();
        if text::encode(&mut out, &self.registry).is_err() {
            // Writing to a string does not fail.
            tracing::error!("encoding the metrics failed");
        }
        out
    }
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("gischat");
        // A filter takes 0.1 µs to milliseconds, a round up to a second.
        let filter_buckets = Buckets { first: 1e-7, count: 18 };
        let metrics = Self {
            connections: Gauge::default(),
            room_connections: Family::default(),
            room_members: Family::default(),
            messages: Family::default(),
            closed: Family::default(),
            refused_connections: Family::default(),
            alerts: Family::default(),
            deliveries: Counter::default(),
            filter_seconds: Family::new_with_constructor(filter_buckets),
            round_seconds: Buckets { first: 1e-6, count: 20 }.new_metric(),
            moderation: std::array::from_fn(|_| Gauge::default()),
            environment: Arc::default(),
            registry: Registry::default(),
        };
        registry.register("connections", "Current network connections", metrics.connections.clone());
        registry.register("room_connections", "Current WebSockets in the room", metrics.room_connections.clone());
        registry.register("room_members", "Current registered nicknames in the room", metrics.room_members.clone());
        registry.register("messages", "Messages by outcome and deciding filter", metrics.messages.clone());
        registry.register("websockets_closed", "WebSockets closed by the relay", metrics.closed.clone());
        registry.register("connections_refused", "Refused connections", metrics.refused_connections.clone());
        registry.register("alerts", "Alerts by outcome: delivered, failed or held_back", metrics.alerts.clone());
        registry.register("deliveries", "Frames written or queued for members", metrics.deliveries.clone());
        let filter_seconds = metrics.filter_seconds.clone();
        registry.register_with_unit("filter", "Time of a filter per message", Unit::Seconds, filter_seconds);
        let round_seconds = metrics.round_seconds.clone();
        registry.register_with_unit(
            "round",
            "Time to write a round of a room to its members",
            Unit::Seconds,
            round_seconds,
        );
        for ((name, help), gauge) in ModerationMetrics::NAMES.into_iter().zip(&metrics.moderation) {
            registry.register(name, help, gauge.clone());
        }
        Self { registry, ..metrics }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metrics_have_units_and_labels_in_their_text_form() {
        let metrics = Metrics::new("1.2.3", "production");
        metrics.room(&RoomName::parse("Living room").unwrap()).connections.set(4);
        metrics.count_message(Outcome::Reject, Some("shape"));
        metrics.count_round(1_000, std::time::Duration::from_micros(90));
        metrics.filter_seconds("rate").observe(4e-7);
        let text = metrics.encode();
        for line in [
            "gischat_build_info{version=\"1.2.3\",environment=\"production\"} 1",
            "gischat_room_connections{room=\"Living room\"} 4",
            "gischat_messages_total{outcome=\"reject\",filter=\"shape\"} 1",
            "gischat_deliveries_total 1000",
            "gischat_filter_seconds_count{filter=\"rate\"} 1",
            "gischat_round_seconds_count 1",
        ] {
            assert!(text.lines().any(|l| l == line), "{line} is not in\n{text}");
        }
    }
}
