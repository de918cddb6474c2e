//! The parts that the relay runs without, as moderators see them: with reasons and paths.

use serde::Serialize;
use utoipa::ToSchema;

use crate::telemetry::Degradation;

/// A part that the relay runs without.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct DegradedPart {
    /// `plugins`, `cache`, `store` or `audit`.
    #[schema(example = "plugins")]
    part: &'static str,
    /// Why, with the path.
    #[schema(example = "filters: the folder cannot be read: No such file or directory (os error 2)")]
    reason: String,
    /// What does not work because of it.
    consequence: &'static str,
}

impl From<Degradation> for DegradedPart {
    fn from(Degradation { part, reason }: Degradation) -> Self {
        Self { part: part.as_str(), reason: reason.to_string(), consequence: part.consequence() }
    }
}
