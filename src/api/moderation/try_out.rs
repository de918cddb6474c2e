//! Trial runs of the filter chain.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde::Deserialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::caller::Caller;
use crate::api::Api;
use crate::api::error::{ApiError, ErrorResponse};
use crate::api::request::{RequestOrigin, parse_json, read_body};
use crate::model::{Message, MessageKind, Sender, SenderContext};
use crate::wire::{Generation, typed};

/// A message to try: either `author` and `text`, or a `frame`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct TryRequest {
    /// The room.
    #[schema(example = "QGIS")]
    room: String,
    /// The nickname of the sender.
    #[schema(example = "jane")]
    author: Option<String>,
    /// The text.
    #[schema(example = "hello")]
    text: Option<String>,
    /// A message of any kind, as a client of v3 sends it.
    #[schema(value_type = Option<Object>)]
    frame: Option<Box<RawValue>>,
}

impl TryRequest {
    /// Returns the name of the room and the message.
    fn into_message(self) -> Result<(String, Message), ApiError> {
        let invalid = |text: &str| Err(ApiError::InvalidRequest(text.to_owned()));
        let message = match (self.author, self.text, self.frame) {
            (Some(author), Some(text), None) => Message::new(author, MessageKind::Text { avatar: None, text }),
            (None, None, Some(frame)) => match typed::decode(Generation::V3, frame.get())? {
                Some(message) => message,
                None => return invalid("`frame` is of a kind that only the relay sends"),
            },
            (_, _, Some(_)) => return invalid("a message is either `author` and `text`, or a `frame`"),
            (None, _, None) => return invalid("missing field `author`"),
            (Some(_), None, None) => return invalid("missing field `text`"),
        };
        Ok((self.room, message))
    }
}

/// Run a message through the filters without any effect.
///
/// It passes the same filters as any other, but it is not delivered, rate limits are neither applied nor charged,
/// plugins do not remember it, and nothing is counted. An image is decoded first, as when it is sent.
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
    let request: TryRequest = parse_json(&read_body(body, api.max_frame_bytes).await?)?;
    let (room, message) = request.into_message()?;
    let room = api.rooms.find(&room).ok_or(ApiError::UnknownRoom(room))?;
    caller.require_room(Some(room.name()))?;
    let (address, context) = (origin.client.address(), SenderContext::default());
    let message = api.live.with_image_encoded(address, Generation::Relay, message).await?;
    let sender = Sender { connection: None, address, room: room.name().clone(), context };
    let decision = room.try_out(sender, message).await?;
    Ok(Json(decision.view_with_place(room.name())).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(body: &str) -> Result<Message, String> {
        let request = parse_json::<TryRequest>(body).map_err(|error| error.to_string())?;
        request.into_message().map(|(_, message)| message).map_err(|error| error.to_string())
    }

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
            let error = message(body).unwrap_err();
            assert!(error.starts_with(named), "{body}: {error}");
        }
        assert!(message(r#" {"room":"QGIS","author":"jane","text":"x"} "#).is_ok());
    }

    #[test]
    fn a_message_of_any_kind_is_a_frame_of_v3() {
        let position =
            r#"{"type":"position","author":"jane","avatar":null,"crs_wkt":"","crs_authid":"EPSG:4326","x":1,"y":2}"#;
        assert_eq!(message(&format!(r#"{{"room":"QGIS","frame":{position}}}"#)).unwrap().kind.as_str(), "position");
        for (body, named) in [
            (r#"{"room":"QGIS","frame":{"text":"x"}}"#, "`type` is missing"),
            (r#"{"room":"QGIS","frame":7}"#, "must be a JSON object"),
            (r#"{"room":"QGIS","frame":{"type":"text","author":"jane"}}"#, "`text` is missing"),
            (r#"{"room":"QGIS","frame":{"type":"nb_users"}}"#, "`frame` is of a kind that only the relay sends"),
            (r#"{"room":"QGIS","text":"x","frame":{}}"#, "a message is either `author` and `text`, or a `frame`"),
        ] {
            let error = message(body).unwrap_err();
            assert!(error.contains(named), "{body}: {error}");
        }
    }
}
