//! Trial runs of the filter chain.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde::Deserialize;
use utoipa::ToSchema;

use super::caller::Caller;
use crate::api::Api;
use crate::api::error::{ApiError, ErrorResponse};
use crate::api::request::{RequestOrigin, parse_json, read_body};
use crate::model::{Message, MessageKind, Sender, SenderContext};

/// A message to try.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct TryRequest {
    /// The room.
    #[schema(example = "QGIS")]
    room: String,
    /// The nickname of the sender.
    #[schema(example = "jane")]
    author: String,
    /// The text.
    #[schema(example = "hello")]
    text: String,
}

/// Run a message through the filters without any effect.
///
/// It passes the same filters as any other, but it is not delivered, rate limits are neither applied nor charged,
/// plugins do not remember it, and nothing is counted.
#[utoipa::path(
    post, path = "/moderation/try", tag = "moderation", request_body = TryRequest,
    responses(
        (
            status = 200, body = Object, content_type = "application/json", description = "The decision, with its trace",
            example = json!({
                "id": "0b9a0d1c-53c8-4b3f-8d2c-9b0e6f0a7c11", "at": "2026-01-01T12:00:00.000Z", "room": "QGIS",
                "author": "jane", "kind": "text", "outcome": "reject",
                "reason": {"code": "rule", "text": "No advertising."}, "text": "best casino",
                "trace": [
                    {"filter": "shape", "verdict": "pass", "micros": 0.4},
                    {
                        "filter": "rules", "verdict": "reject", "mode": "enforce", "rule": "no-casino",
                        "source": "rules.toml:1", "span": [5, 11], "micros": 1.9,
                    },
                ],
            }),
        ),
        (status = 404, body = ErrorResponse, description = "No such room"),
        (status = 413, body = ErrorResponse, description = "The body exceeds the limit"),
        (status = 422, body = ErrorResponse, description = "Invalid body; `detail` names the field"),
    ),
)]
pub(in crate::api) async fn try_out(
    State(api): State<Arc<Api>>,
    origin: RequestOrigin,
    Extension(caller): Extension<Caller>,
    body: Body,
) -> Result<Response, ApiError> {
    let TryRequest { room, author, text } = parse_json(&read_body(body, api.max_body_bytes).await?)?;
    let room = api.rooms.find(&room).ok_or(ApiError::UnknownRoom(room))?;
    caller.require_room(Some(room.name()))?;
    let (address, context) = (origin.client.address(), SenderContext::default());
    let sender = Sender { connection: None, address, room: room.name().clone(), context };
    let decision = room.try_out(sender, Message::new(author, MessageKind::Text { avatar: None, text })).await?;
    Ok(Json(decision.view(room.name())).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_in_a_body_name_the_field() {
        for (body, named) in [
            ("", "EOF while parsing a value"),
            ("{", "EOF while parsing an object"),
            ("{}", "missing field `room`"),
            (r#"{"room":"QGIS","author":"jane"}"#, "missing field `text`"),
            (r#"{"room":"QGIS","author":7,"text":"x"}"#, "`author`: invalid type: integer `7`, expected a string"),
            (r#"{"room":"QGIS","author":"jane","text":"x","avatar":null}"#, "`avatar`: unknown field `avatar`"),
            (r#"{"room":"QGIS","author":"jane","text":"x"} more"#, "trailing characters"),
            (r#"{"room":"QGIS","room":"QGIS","author":"jane","text":"x"}"#, "duplicate field `room`"),
        ] {
            let error = parse_json::<TryRequest>(body).unwrap_err().to_string();
            assert!(error.starts_with(named), "{body}: {error}");
        }
        assert!(parse_json::<TryRequest>(r#" {"room":"QGIS","author":"jane","text":"x"} "#).is_ok());
    }
}
