//! The one map from what went wrong to a status, and `{"detail": "…"}`, which the clients read.

use std::time::Duration;

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use crate::live::admission::Refused;
use crate::live::rooms::NoAnswer;
use crate::live::shard::Ended;
use crate::live::upgrade::Refusal;
use crate::model::{Code, Reason};
use crate::moderation;

/// Why a call is not answered with what it asked for.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// There is no room of that name.
    #[error("Room '{0}' not registered")]
    UnknownRoom(String),
    /// There is nothing at that path.
    #[error("there is nothing at this address; /docs lists what there is")]
    NoSuchPath,
    /// There is nothing at that path of the port for figures.
    #[error("there are only /metrics and /healthz at this port")]
    NoSuchFigures,
    /// The path is there, but for other methods.
    #[error("this address does not take that method; /docs lists what there is")]
    MethodNotAllowed,
    /// The call comes from a page that may not call.
    #[error("pages of this origin may not connect to this instance")]
    Origin,
    /// Figures are for this machine and for moderators.
    #[error(
        "figures are shown on this machine, or for a moderator's token; METRICS_LISTEN gives them a port of their own"
    )]
    MetricsNotForYou,
    /// The body is longer than allowed.
    #[error("the body is longer than {0} bytes")]
    BodyTooLong(usize),
    /// The request took too long.
    #[error("the request took too long to arrive")]
    TooLate,
    /// The body did not arrive whole.
    #[error("the body could not be read")]
    Body,
    /// The body is no message that can be sent this way.
    #[error("{0}")]
    NotAMessage(String),
    /// The message was refused.
    #[error("{}", .0.text)]
    Refused(Reason),
    /// The message waits for a moderator.
    #[error("{}", .0.text)]
    Held(Reason),
    /// The call is for moderators, and brings no token.
    #[error("this call is for moderators; it needs a header `Authorization: Bearer TOKEN`")]
    NoToken,
    /// The token is not taken.
    #[error(transparent)]
    Token(#[from] moderation::Refused),
    /// The body or the query is not what the call takes.
    #[error("{0}")]
    BadCall(String),
    /// There is nothing of that name or number.
    #[error("{0}")]
    Nothing(String),
    /// It cannot be done now.
    #[error("{0}")]
    Unable(String),
    /// It is done, but not kept: a restart would not know of it.
    #[error("it is in force, but the store could not keep it: {0}")]
    Unsaved(String),
    /// The token's scope or rooms do not reach so far.
    #[error("{0}")]
    NotForYou(String),
    /// The handshake is refused.
    #[error(transparent)]
    Handshake(#[from] Refusal),
    /// The relay is shutting down.
    #[error(transparent)]
    Ended(#[from] Ended),
    /// The server that runs this service does not say who calls. A fault of this program.
    #[error("internal error")]
    NoConnection,
}

/// The body of every answer that is no success.
#[derive(Debug, Serialize, ToSchema)]
pub struct Detail {
    /// What is wrong, in words.
    #[schema(example = "Room 'x' not registered")]
    pub detail: String,
}

/// A room that was removed meanwhile is as unknown as one that was never there.
impl From<NoAnswer> for ApiError {
    fn from(why: NoAnswer) -> Self {
        match why {
            NoAnswer::Removed(room) => Self::UnknownRoom(room.to_string()),
            NoAnswer::Ended(ended) => Self::Ended(ended),
        }
    }
}

impl ApiError {
    fn status(&self) -> StatusCode {
        match self {
            Self::UnknownRoom(_) | Self::NoSuchPath | Self::NoSuchFigures | Self::Nothing(_) => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::Origin | Self::MetricsNotForYou | Self::NotForYou(_) => StatusCode::FORBIDDEN,
            Self::TooLate => StatusCode::REQUEST_TIMEOUT,
            Self::BodyTooLong(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::NotAMessage(_) | Self::BadCall(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::NoToken | Self::Token(moderation::Refused::Wrong | moderation::Refused::ProvesNothing) => {
                StatusCode::UNAUTHORIZED
            }
            Self::Refused(reason) => match reason.code {
                Code::Malformed | Code::BadAuthor | Code::BadAvatar | Code::Empty | Code::TooLong => {
                    StatusCode::UNPROCESSABLE_ENTITY
                }
                Code::RateLimited => StatusCode::TOO_MANY_REQUESTS,
                Code::Reserved
                | Code::NicknameTaken
                | Code::NotYourNickname
                | Code::Rule
                | Code::Suspicious
                | Code::Plugin
                | Code::PluginFailed
                | Code::Muted
                | Code::Banned
                | Code::Kicked
                | Code::Warned
                | Code::Lifted
                | Code::Held
                | Code::HeldRefused
                | Code::HoldUnavailable => StatusCode::FORBIDDEN,
            },
            Self::Held(_) => StatusCode::ACCEPTED,
            Self::Handshake(Refusal::Address(_)) | Self::Token(moderation::Refused::TooManyTries { .. }) => {
                StatusCode::TOO_MANY_REQUESTS
            }
            Self::Body | Self::Handshake(Refusal::Key) => StatusCode::BAD_REQUEST,
            Self::Handshake(Refusal::NotAnUpgrade | Refusal::Version) => StatusCode::UPGRADE_REQUIRED,
            Self::Ended(_) | Self::Unable(_) | Self::Unsaved(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::NoConnection => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Refused(reason) => reason.retry_after,
            Self::Handshake(Refusal::Address(Refused::TooFast { retry_after }))
            | Self::Token(moderation::Refused::TooManyTries { retry_after }) => Some(*retry_after),
            _ => None,
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        if matches!(self, Self::NoConnection) {
            tracing::error!("a request came without its connection's address");
        }
        let mut response = (self.status(), Json(Detail { detail: self.to_string() })).into_response();
        let headers = response.headers_mut();
        if let Some(wait) = self.retry_after() {
            // Whole seconds, rounded up, so that who waits as told is not refused again.
            let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.status() == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if let Self::Handshake(Refusal::NotAnUpgrade | Refusal::Version) = self {
            headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
            headers.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
            headers.insert(header::SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
        }
        response
    }
}
