//! Figures for Prometheus.
//!
//! What happens once for each member is counted once for each round, never member by member. No label ever holds what
//! a user wrote: rooms, filters and outcomes come from the configuration and the code.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::{Family, MetricConstructor};
use prometheus_client::metrics::gauge::Gauge;
pub use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use super::build::Build;
use crate::model::{Outcome, RoomName};
use crate::settings::Swap;

/// All figures of a relay.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    connections: Gauge,
    room_connections: Family<RoomLabel, Gauge>,
    room_members: Family<RoomLabel, Gauge>,
    messages: Family<MessageLabels, Counter>,
    closed: Family<CloseLabel, Counter>,
    refused_connections: Family<WhyLabel, Counter>,
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
struct WhyLabel {
    reason: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct AlertLabel {
    outcome: &'static str,
}

/// Makes histograms with buckets from `first` seconds up, each twice as wide as the one before.
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

/// The figures of one room, kept by the room itself.
#[derive(Clone, Debug, Default)]
pub struct RoomGauges {
    /// Connections now.
    pub connections: Gauge,
    /// Connections with a registered nickname now.
    pub members: Gauge,
}

/// Figures of moderation at some moment.
#[derive(Clone, Copy, Debug, Default)]
pub struct Moderation {
    /// Messages that wait for a moderator.
    pub held: u64,
    /// Mutes and bans in force.
    pub sanctions: u64,
    /// Transactions of the store that failed, and were tried again.
    pub store_faults: u64,
    /// Lines of the audit log that were written.
    pub audit_written: u64,
    /// Lines of the audit log that could not be kept.
    pub audit_lost: u64,
    /// Writes of the audit log that failed, and were tried again.
    pub audit_faults: u64,
    /// Acts of moderators that went on without being known to be in the audit log.
    pub unlogged_acts: u64,
}

impl Moderation {
    /// Names and explanations, in the order of [`Moderation::values`].
    const NAMES: [(&'static str, &'static str); 7] = [
        ("held_messages", "Messages that wait for a moderator"),
        ("sanctions", "Mutes and bans in force, those that ended in the last minute included"),
        ("store_faults", "Transactions of the store that failed since the start, and were tried again"),
        ("audit_lines_written", "Lines of the audit log that were written since the start"),
        ("audit_lines_lost", "Lines of the audit log that could not be kept since the start"),
        ("audit_faults", "Writes of the audit log that failed since the start, and were tried again"),
        ("unlogged_acts", "Acts of moderators that are not known to be in the audit log since the start"),
    ];

    fn values(&self) -> [u64; 7] {
        let Self { held, sanctions, store_faults, audit_written, audit_lost, audit_faults, unlogged_acts } = *self;
        [held, sanctions, store_faults, audit_written, audit_lost, audit_faults, unlogged_acts]
    }
}

impl Metrics {
    /// Shows how moderation stands.
    pub fn show_moderation(&self, now: &Moderation) {
        for (gauge, value) in self.moderation.iter().zip(now.values()) {
            gauge.set(i64::try_from(value).unwrap_or(i64::MAX));
        }
    }

    /// Figures that tell which `version` runs in which `environment`.
    #[must_use]
    pub fn new(version: &str, environment: &str) -> Self {
        let mut metrics = Self::default();
        metrics.set_environment(environment);
        let build = Build { version: version.to_owned(), environment: Arc::clone(&metrics.environment) };
        metrics.registry.register_collector(Box::new(build));
        metrics
    }

    /// Shows another name of the environment from now on.
    pub fn set_environment(&self, environment: &str) {
        self.environment.set(environment.to_owned());
    }

    /// The time that the filter of this name takes for a message.
    #[must_use]
    pub fn filter_seconds(&self, filter: &'static str) -> Histogram {
        self.filter_seconds.get_or_create(&FilterLabel { filter }).clone()
    }

    /// The figures of a room.
    #[must_use]
    pub fn room(&self, room: &RoomName) -> RoomGauges {
        let label = RoomLabel { room: room.to_string() };
        RoomGauges {
            connections: self.room_connections.get_or_create(&label).clone(),
            members: self.room_members.get_or_create(&label).clone(),
        }
    }

    /// Forgets the figures of a room that was removed.
    pub fn forget_room(&self, room: &RoomName) {
        let label = RoomLabel { room: room.to_string() };
        self.room_connections.remove(&label);
        self.room_members.remove(&label);
    }

    /// Counts a message and the filter that decided it, `none` when none objected.
    pub fn count_message(&self, outcome: Outcome, by: Option<&'static str>) {
        let labels = MessageLabels { outcome: outcome.as_str(), filter: by.unwrap_or("none") };
        self.messages.get_or_create(&labels).inc();
    }

    /// Counts a round: what a room said in it, written to its members as `deliveries` frames in all.
    pub fn count_round(&self, deliveries: usize, took: std::time::Duration) {
        self.deliveries.inc_by(deliveries as u64);
        self.round_seconds.observe(took.as_secs_f64());
    }

    /// Counts a connection that came (`+1`) or went (`-1`).
    pub fn count_connection(&self, change: i64) {
        self.connections.inc_by(change);
    }

    /// Counts a WebSocket that the relay closed with this code.
    pub fn count_close(&self, code: u16) {
        self.closed.get_or_create(&CloseLabel { code }).inc();
    }

    /// Counts a connection that was turned away; `reason` is one of a few fixed words.
    pub fn count_refused_connection(&self, reason: &'static str) {
        self.refused_connections.get_or_create(&WhyLabel { reason }).inc();
    }

    /// Counts an alert; `outcome` is one of a few fixed words.
    pub fn count_alert(&self, outcome: &'static str) {
        self.alerts.get_or_create(&AlertLabel { outcome }).inc();
    }

    /// All figures in the OpenMetrics text format.
    #[must_use]
    pub fn text(&self) -> String {
        let mut out = String::new();
        if text::encode(&mut out, &self.registry).is_err() {
            // Writing to a string does not fail.
            tracing::error!("the metrics could not be written as text");
        }
        out
    }
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("gischat");
        // A filter takes from a tenth of a microsecond to milliseconds, a round up to a second.
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
        registry.register("connections", "Network connections now", metrics.connections.clone());
        registry.register("room_connections", "WebSockets in the room now", metrics.room_connections.clone());
        registry.register("room_members", "Registered nicknames in the room now", metrics.room_members.clone());
        registry.register("messages", "Messages by outcome and deciding filter", metrics.messages.clone());
        registry.register("websockets_closed", "WebSockets closed by the relay", metrics.closed.clone());
        registry.register("connections_refused", "Connections turned away", metrics.refused_connections.clone());
        registry.register("alerts", "Alerts that were delivered, failed, or were held back", metrics.alerts.clone());
        registry.register("deliveries", "Frames written or queued for members", metrics.deliveries.clone());
        let filter_seconds = metrics.filter_seconds.clone();
        registry.register_with_unit("filter", "Time a filter took for a message", Unit::Seconds, filter_seconds);
        let round_seconds = metrics.round_seconds.clone();
        registry.register_with_unit(
            "round",
            "Time to write a round of a room to its members",
            Unit::Seconds,
            round_seconds,
        );
        for ((name, help), gauge) in Moderation::NAMES.into_iter().zip(&metrics.moderation) {
            registry.register(name, help, gauge.clone());
        }
        Self { registry, ..metrics }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_named_with_their_unit_and_room() {
        let metrics = Metrics::new("1.2.3", "production");
        metrics.room(&RoomName::parse("Living room").unwrap()).connections.set(4);
        metrics.count_message(Outcome::Reject, Some("shape"));
        metrics.count_round(1_000, std::time::Duration::from_micros(90));
        metrics.filter_seconds("rate").observe(4e-7);
        let text = metrics.text();
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
