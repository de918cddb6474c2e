//! Where connections come in and live: the port ([`accept`]), who may come in ([`admission`]) and from where
//! ([`client`]), the WebSocket handshake ([`upgrade`]), and then a [`shard`], a thread that owns sockets and rooms. The
//! rest of the program knows the rooms by their handles ([`rooms`]).

pub mod accept;
pub mod admission;
pub mod client;
pub mod rooms;
pub mod shard;
pub mod upgrade;

use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio_util::task::TaskTracker;

use self::admission::{Admission, Limits};
use crate::filter::rate::Limit;
use crate::intake::Intake;
use crate::settings::{Section, Setting};
use crate::telemetry::Metrics;
use crate::wire;

/// Settings of live connections.
#[derive(Clone, Debug)]
pub struct Config {
    /// Threads that own sockets and rooms; 0: as many as there are processors.
    pub shards: usize,
    /// How often the relay asks a client whether it is there.
    pub ping_interval: Duration,
    /// How long it waits for the answer.
    pub pong_timeout: Duration,
    /// How long one message may take to arrive, from its first byte to its last.
    pub frame_timeout: Duration,
    /// How long a closing connection has to take what is queued and to close its side.
    pub close_timeout: Duration,
    /// How long the holder of a nickname has to answer when its own address wants it back.
    pub reclaim_timeout: Duration,
    /// Longest message, in bytes.
    pub max_frame_bytes: usize,
    /// Memory for unfinished messages of all connections together, in bytes.
    pub max_partial_bytes: usize,
    /// How much may wait for a member before it counts as too slow, in bytes.
    pub outbox_bytes: usize,
    /// WebSockets from one address.
    pub max_per_address: usize,
    /// How many may join from one address.
    pub joins: Limit,
}

impl Config {
    /// The limits of addresses; none of them where limits are not `enabled`.
    #[must_use]
    pub fn limits(&self, enabled: bool) -> Limits {
        Limits { each: enabled.then_some(self.max_per_address), joins: enabled.then_some(self.joins) }
    }

    /// Reads the section.
    pub fn declare(section: &mut Section<'_>) -> Self {
        let shards = section.read(
            Setting::new("shards", 0_usize)
                .doc("Threads that own sockets and rooms; 0: as many as there are processors.")
                .within(0..=255),
        );
        let mut seconds = |key, default: u64, doc| {
            Duration::from_secs(section.read(Setting::new(key, default).doc(doc).within(1..=3_600)))
        };
        let ping_interval = seconds("ping_interval_seconds", 20, "How often a client is asked whether it is there.");
        let pong_timeout = seconds("pong_timeout_seconds", 10, "How long it has to answer before it counts as gone.");
        let frame_timeout = seconds("frame_timeout_seconds", 60, "How long one message may take to arrive.");
        let close_timeout = seconds("close_timeout_seconds", 2, "How long a closing connection has to take its leave.");
        let reclaim_timeout = seconds(
            "reclaim_timeout_seconds",
            2,
            "How long the holder of a nickname has to give a sign of life when its own address wants the name back.",
        );
        let mut bytes =
            |key, default: usize, doc| section.read(Setting::new(key, default).doc(doc).within(1_024..=1_073_741_824));
        Self {
            shards,
            ping_interval,
            pong_timeout,
            frame_timeout,
            close_timeout,
            reclaim_timeout,
            max_frame_bytes: bytes("max_frame_bytes", 8 * 1024 * 1024, "Longest message of a client, in bytes."),
            max_partial_bytes: bytes(
                "max_partial_bytes",
                256 * 1024 * 1024,
                "Memory for messages still arriving, of all connections together, in bytes.",
            ),
            outbox_bytes: bytes(
                "outbox_bytes",
                1024 * 1024,
                "How much may wait for a member, beyond what one round adds, before it is closed as too slow, in bytes.",
            ),
            max_per_address: section.read(
                Setting::new("max_per_address", 1_000_usize)
                    .doc("WebSockets from one address, and as many other connections.")
                    .within(1..=1_000_000)
                    .reloads(),
            ),
            joins: Limit::declare(
                &mut section.section("joins", "How many WebSockets one address may open."),
                NonZeroU32::MIN.saturating_add(19),
                NonZeroU32::MIN.saturating_add(199),
            ),
        }
    }
}

/// What all live connections share.
#[derive(Debug)]
pub struct Live {
    /// The path of a message.
    pub intake: Intake,
    /// Who may come in.
    pub admission: Admission,
    /// The tasks of all connections.
    pub tasks: TaskTracker,
    config: Config,
    wire: wire::Config,
    metrics: Arc<Metrics>,
    partial_bytes: AtomicUsize,
}

impl Live {
    /// No connections yet, and `limits` for addresses.
    #[must_use]
    pub fn new(config: Config, wire: wire::Config, intake: Intake, metrics: Arc<Metrics>, limits: Limits) -> Self {
        Self {
            intake,
            admission: Admission::new(limits),
            tasks: TaskTracker::new(),
            config,
            wire,
            metrics,
            partial_bytes: AtomicUsize::new(0),
        }
    }

    /// Forgets what is kept of senders and addresses that have gone quiet. Takes milliseconds when there are many.
    pub fn prune(&self) {
        self.intake.prune();
        self.admission.prune();
    }

    /// Notes that an unfinished message has grown or shrunk; `false` when there is no memory left for it.
    fn account_partial(&self, before: usize, now: usize) -> bool {
        if now <= before {
            self.partial_bytes.fetch_sub(before - now, Ordering::Relaxed);
            return true;
        }
        let all = self.partial_bytes.fetch_add(now - before, Ordering::Relaxed) + (now - before);
        all <= self.config.max_partial_bytes
    }
}
