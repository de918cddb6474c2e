//! Unavailable parts as shown to moderators, with reasons and paths.

use serde::Serialize;
use utoipa::ToSchema;

use crate::telemetry::Degradation;

/// An unavailable part.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct DegradedPartJson {
    /// `plugins`, `cache`, `store` or `audit`.
    #[schema(example = "plugins")]
    part: &'static str,
    /// The reason, with the path.
    #[schema(example = "filters: the folder cannot be read: No such file or directory (os error 2)")]
    reason: String,
    /// The functions that are unavailable without it.
    consequence: &'static str,
}

impl From<Degradation> for DegradedPartJson {
    fn from(Degradation { subsystem: part, reason }: Degradation) -> Self {
        Self { part: part.as_str(), reason: reason.to_string(), consequence: part.consequence() }
    }
}
