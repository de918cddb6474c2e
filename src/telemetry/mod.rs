//! What operators see from outside: log lines ([`logging`]), figures ([`Metrics`]), and which parts of the relay do not
//! work ([`Degraded`]).

mod build;
mod degraded;
pub mod logging;
mod metrics;
mod quantiles;

pub use degraded::{Change, Changes, Degradation, Degraded, Part};
pub use logging::Config;
pub use metrics::{Histogram, Metrics, Moderation, RoomGauges};
pub use quantiles::Quantiles;
