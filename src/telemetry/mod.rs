//! Telemetry for operators: logging ([`logging`]), metrics ([`Metrics`]), and missing subsystems ([`Degraded`]).

mod clock;
mod degraded;
mod log_gate;
pub mod logging;
mod metrics;
mod quantiles;

pub use clock::ClockWatch;
pub use degraded::{Degradation, DegradationChange, DegradationChanges, Degraded, Subsystem};
pub use log_gate::LogGate;
pub use logging::Config;
pub use metrics::{EncodeError, Histogram, Metrics, ModerationTotals, RoomGauges};
pub use quantiles::Quantiles;
