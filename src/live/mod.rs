//! Live connections: the HTTP server ([`accept`]), admission limits ([`admission`]), clients ([`client`]) and their
//! addresses behind proxies ([`proxies`]), the WebSocket handshake ([`upgrade`]), and the [`shard`] threads, which own sockets and rooms. Other modules reach the
//! rooms through handles ([`rooms`]).

pub mod accept;
pub mod admission;
pub mod client;
mod images;
mod long_decoding;
mod output_memory;
mod partial_memory;
mod progress;
pub mod proxies;
pub mod rooms;
pub mod shard;
pub mod upgrade;

use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio_util::task::TaskTracker;

use self::admission::{AddressLimits, Admission};
use self::long_decoding::LongDecoding;
use self::output_memory::OutputMemory;
use self::partial_memory::PartialMemory;
pub use self::shard::budget::{Budget, FrameCharge, InputLimits};
pub use self::shard::generation::ClientGeneration;
use crate::filter::rate::RateLimit;
use crate::images::ImagePool;
use crate::intake::Intake;
use crate::model::Address;
use crate::room::LastLimits;
use crate::settings::{Section, Setting};
use crate::telemetry::Metrics;
use crate::wire;

/// Settings of live connections.
#[derive(Clone, Debug)]
pub struct Config {
    /// Number of shard threads; 0 means one per processor.
    pub shards: usize,
    /// Interval between pings.
    pub ping_interval: Duration,
    /// How long to wait for a pong.
    pub pong_timeout: Duration,
    /// How long a message may take from its first to its last byte.
    pub frame_timeout: Duration,
    /// How long a closing connection may take to receive its outbox and close its side.
    pub close_timeout: Duration,
    /// How long the owner of a nickname may take to respond when its own address claims the nickname.
    pub reclaim_timeout: Duration,
    /// How much a connection may send.
    pub input: InputLimits,
    /// Largest message, in bytes.
    pub max_frame_bytes: usize,
    /// Memory for incomplete messages of all connections together, in bytes.
    pub max_partial_bytes: usize,
    /// Maximum size of a member's outbox, in bytes.
    pub outbox_bytes: usize,
    /// Memory for the outboxes of all connections together, in bytes.
    pub max_outbox_bytes: usize,
    /// The last messages that each room keeps.
    pub last_messages: LastLimits,
    /// WebSockets per address.
    pub max_per_address: usize,
    /// Rate of joins per address.
    pub joins: RateLimit,
}

impl Config {
    /// The limits per address; unlimited unless `enabled`.
    #[must_use]
    pub fn address_limits(&self, enabled: bool) -> AddressLimits {
        AddressLimits {
            max_connections: enabled.then_some(self.max_per_address),
            join_rate: enabled.then_some(self.joins),
        }
    }

    /// Declares and reads the settings of the section.
    pub fn declare(section: &mut Section<'_>) -> Self {
        let shards = section.read(
            Setting::new("shards", 0_usize)
                .doc("Number of shard threads, which own sockets and rooms. 0 means one per processor.")
                .within(0..=255),
        );
        let mut seconds = |key, default: u64, doc| {
            Duration::from_secs(section.read(Setting::new(key, default).doc(doc).within(1..=3_600)))
        };
        let ping_interval = seconds("ping_interval_seconds", 20, "Interval between pings to a client, in seconds.");
        let pong_timeout = seconds(
            "pong_timeout_seconds",
            10,
            "Time a client has to answer a ping before it is \
                                                                disconnected, in seconds.",
        );
        let frame_timeout = seconds("frame_timeout_seconds", 60, "Timeout for receiving one message, in seconds.");
        let close_timeout = seconds(
            "close_timeout_seconds",
            2,
            "Time a closing connection has to complete the close \
                                                                 handshake, in seconds.",
        );
        let reclaim_timeout = seconds(
            "reclaim_timeout_seconds",
            2,
            "Time a connection has to answer a ping, in seconds, when a client at the same address reclaims its \
             nickname.",
        );
        let input = InputLimits::declare(&mut section.section(
            "input",
            "How much a connection may send, whatever it is. A connection that sends more bytes is read later. One that \
             sends more frames has further ones dropped, and is closed with 1008 after 200 dropped frames or five \
             seconds. `RATE_LIMITS=off` lifts these limits.",
        ));
        let mut bytes =
            |key, default: usize, doc| section.read(Setting::new(key, default).doc(doc).within(1_024..=1_073_741_824));
        Self {
            shards,
            ping_interval,
            pong_timeout,
            frame_timeout,
            close_timeout,
            reclaim_timeout,
            input,
            max_frame_bytes: bytes("max_frame_bytes", 16 * 1024 * 1024, "Largest message from a client, in bytes."),
            max_partial_bytes: bytes(
                "max_partial_bytes",
                128 * 1024 * 1024,
                "Memory for incomplete messages of all connections together, in bytes. One address may use a quarter \
                 of it, or one message that is larger.",
            ),
            outbox_bytes: bytes(
                "outbox_bytes",
                1024 * 1024,
                "Outbox limit of a connection, in addition to the messages of one round, in bytes. A connection that \
                 exceeds it is closed as too slow.",
            ),
            max_outbox_bytes: bytes(
                "max_outbox_bytes",
                96 * 1024 * 1024,
                "Memory for the outboxes of all connections together, in bytes. Frames that many connections wait for \
                 count once. Beyond it, the address whose outboxes hold most loses its slowest connection.",
            ),
            last_messages: LastLimits {
                messages: section.read(
                    Setting::new("last_messages", 0_usize)
                        .doc(
                            "Number of last messages that each room keeps in memory, for v2 and v3 clients that join \
                             later. 0 keeps none.",
                        )
                        .env(&["MAX_STORED_MESSAGES"])
                        .within(0..=1_000),
                ),
                bytes: section.read(
                    Setting::new("last_messages_bytes", 20_usize * 1024 * 1024)
                        .doc("Memory for the last messages of all rooms together, in bytes. Rooms share it evenly.")
                        .within(1_024..=1_073_741_824),
                ),
            },
            max_per_address: section.read(
                Setting::new("max_per_address", 1_000_usize)
                    .doc(
                        "Maximum number of WebSockets per address. The same limit applies separately to other \
                          connections.",
                    )
                    .within(1..=1_000_000)
                    .reloads(),
            ),
            joins: RateLimit::declare(
                &mut section.section("joins", "Rate limit for opening WebSockets, per address."),
                NonZeroU32::MIN.saturating_add(19),
                NonZeroU32::MIN.saturating_add(199),
            ),
        }
    }
}

/// State shared by all live connections.
#[derive(Debug)]
pub struct Live {
    /// The path of each message.
    pub intake: Intake,
    /// Admission limits.
    pub admission: Admission,
    /// The tasks of all connections.
    pub tasks: TaskTracker,
    config: Config,
    wire: wire::Config,
    metrics: Arc<Metrics>,
    partial: PartialMemory,
    decoding: LongDecoding,
    output: OutputMemory,
    /// Whether [`Config::input`] applies.
    is_input_limited: AtomicBool,
    /// Decodes images; `None` if its threads could not be started.
    images: Option<ImagePool<Address>>,
}

impl Live {
    /// Creates the state without any connections.
    #[must_use]
    pub fn new(
        config: Config,
        wire: wire::Config,
        intake: Intake,
        metrics: Arc<Metrics>,
        limits: AddressLimits,
        images: Option<ImagePool<Address>>,
    ) -> Self {
        let partial = PartialMemory::new(config.max_partial_bytes);
        Self {
            intake,
            admission: Admission::new(limits),
            tasks: TaskTracker::new(),
            config,
            wire,
            metrics,
            partial,
            decoding: LongDecoding::default(),
            output: OutputMemory::default(),
            is_input_limited: AtomicBool::new(limits.max_connections.is_some()),
            images,
        }
    }

    /// Sets the limits per address, and with them whether a connection may send without limit.
    pub fn set_limits(&self, limits: AddressLimits) {
        self.is_input_limited.store(limits.max_connections.is_some(), Ordering::Relaxed);
        self.admission.set_limits(limits);
    }

    /// Returns how much a connection may send; `None` without limit.
    fn input_limits(&self) -> Option<&InputLimits> {
        self.is_input_limited.load(Ordering::Relaxed).then_some(&self.config.input)
    }

    /// Drops state of inactive senders and addresses. Takes milliseconds when there are many.
    pub fn prune(&self) {
        self.intake.prune();
        self.admission.prune();
    }
}
