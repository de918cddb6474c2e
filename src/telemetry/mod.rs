//! What operators see from outside: log lines ([`logging`]) and figures ([`Metrics`]).

pub mod logging;
mod metrics;
mod quantiles;

pub use logging::Config;
pub use metrics::{Histogram, Metrics, Moderation, RoomGauges};
pub use quantiles::Quantiles;
