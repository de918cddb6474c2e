//! What would become of a message.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde::Deserialize;
use utoipa::ToSchema;

use super::caller::Caller;
use crate::api::Api;
use crate::api::error::{ApiError, Detail};
use crate::api::request::{From, json, read};
use crate::model::{Facts, Kind, Message, Sender};

/// A message to be tried.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct Trial {
    /// The room that it would be sent to.
    #[schema(example = "QGIS")]
    room: String,
    /// The nickname that it would be sent under.
    #[schema(example = "jane")]
    author: String,
    /// What is said.
    #[schema(example = "hello")]
    text: String,
}

/// See what would become of a message, without any effect.
///
/// It passes the same filters as any other; but nobody hears it, no rate is taken from and none refuses it, no plugin
/// remembers it, and nothing is counted.
#[utoipa::path(
    post, path = "/moderation/try", tag = "moderation", request_body = Trial, security(("moderator" = [])),
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
        (status = 401, body = Detail, description = "No token, or none of a moderator"),
        (status = 403, body = Detail, description = "The token is for other rooms"),
        (status = 404, body = Detail, description = "There is no room of that name"),
        (status = 413, body = Detail, description = "The body is too long"),
        (status = 422, body = Detail, description = "The body is not what this call takes; the detail names the field"),
        (status = 429, body = Detail, description = "Too many wrong tokens; `Retry-After` tells how long to wait"),
    ),
)]
pub(in crate::api) async fn try_out(
    State(api): State<Arc<Api>>,
    from: From,
    Extension(caller): Extension<Caller>,
    body: Body,
) -> Result<Response, ApiError> {
    let Trial { room, author, text } = json(&read(body, api.max_body_bytes).await?)?;
    let room = api.rooms.find(&room).ok_or(ApiError::UnknownRoom(room))?;
    caller.check_place(Some(room.name()))?;
    let (address, facts) = (from.client.address(), Facts::default());
    let sender = Sender { connection: None, address, room: room.name().clone(), facts };
    let decision = room.try_out(sender, Message::new(author, Kind::Text { avatar: None, text })).await?;
    Ok(Json(decision.record(room.name())).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_with_a_body_is_named_with_the_field() {
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
            let fault = json::<Trial>(body).unwrap_err().to_string();
            assert!(fault.starts_with(named), "{body}: {fault}");
        }
        assert!(json::<Trial>(r#" {"room":"QGIS","author":"jane","text":"x"} "#).is_ok());
    }
}
