//! Maps every error to its HTTP status and to the body `{"detail": "…"}`.

use std::time::Duration;

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use super::host::HostError;
use crate::actions::ActionError;
use crate::auth::TokenError;
use crate::filter::rules::PresetError;
use crate::live::admission::AdmissionError;
use crate::live::proxies::ForwardedHeader;
use crate::live::rooms::RoomUnavailable;
use crate::live::shard::ShuttingDown;
use crate::live::upgrade::HandshakeError;
use crate::model::{MissingReason, Notice, Reason, ReasonCode};
use crate::telemetry::EncodeError;

/// An error response.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// There is no room with this name.
    #[error("Room '{0}' not registered")]
    UnknownRoom(String),
    /// There is no channel with this name.
    #[error("Channel '{0}' not registered")]
    UnknownChannel(String),
    /// The path does not exist.
    #[error("no such path; see /docs")]
    PathNotFound,
    /// The path does not exist on the metrics port.
    #[error("no such path; this port serves only /metrics and /healthz")]
    MetricsPathNotFound,
    /// The path exists, but not for this method.
    #[error("method not allowed; see /docs")]
    MethodNotAllowed,
    /// The request comes from a page of an origin that is not allowed.
    #[error("this origin is not allowed")]
    OriginNotAllowed,
    /// The host is invalid, or not the relay's.
    #[error(transparent)]
    Host(#[from] HostError),
    /// The proxy does not report the address of a client that wants to join.
    #[error(
        "the proxy in TRUSTED_PROXIES reports no usable client address in the header {0}; nginx sets it with `{line}`, also \
         in a `location` with other proxy_set_header lines",
        line = .0.nginx_line()
    )]
    UnknownClient(ForwardedHeader),
    /// Metrics are served to local clients and to moderators.
    #[error(
        "metrics are served to moderators, and to clients that connect to localhost on this machine without a proxy; \
         METRICS_LISTEN serves them on a separate port"
    )]
    MetricsForbidden,
    /// The body is longer than this many bytes.
    #[error("the body is longer than {0} bytes")]
    BodyTooLong(usize),
    /// The request timed out.
    #[error("the request timed out")]
    RequestTimeout,
    /// The body is incomplete.
    #[error("the body could not be read")]
    UnreadableBody,
    /// The body is not a message that can be sent this way.
    #[error("{0}")]
    InvalidMessage(String),
    /// The message, or the handshake of a banned client, was rejected.
    #[error("{}", .0.text)]
    Rejected(Reason),
    /// A moderator call without a token.
    #[error("this call requires a moderator token, as `Authorization: Bearer TOKEN`")]
    MissingToken,
    /// The token was not accepted.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// The body, the query or a header is invalid.
    #[error("{0}")]
    InvalidRequest(String),
    /// There is no such member, message, sanction or decision.
    #[error("{0}")]
    NotFound(String),
    /// The request cannot be served at the moment.
    #[error("{0}")]
    Unavailable(String),
    /// The act is in effect, but not persisted: a restart could lose it.
    #[error("{0}")]
    NotPersisted(String),
    /// The token lacks the scope, or is not valid for the room.
    #[error("{0}")]
    Forbidden(String),
    /// The handshake was refused.
    #[error(transparent)]
    Handshake(#[from] HandshakeError),
    /// The relay is shutting down.
    #[error(transparent)]
    ShuttingDown(#[from] ShuttingDown),
    /// A bug. The cause is logged, and not sent.
    #[error("internal error")]
    Internal(#[from] InternalError),
}

/// A state that cannot occur unless the relay has a bug.
#[derive(Debug, thiserror::Error)]
pub enum InternalError {
    /// The request carries no [`ConnectionInfo`](crate::live::accept::ConnectionInfo).
    #[error("a request has no connection info")]
    MissingConnectionInfo,
    /// A message was held or rejected without a reason.
    #[error(transparent)]
    MissingReason(#[from] MissingReason),
    /// The metrics could not be encoded.
    #[error(transparent)]
    EncodeMetrics(#[from] EncodeError),
}

/// The body of every error response.
#[derive(Debug, Serialize, ToSchema)]
pub struct ErrorResponse {
    /// The error, for people.
    #[schema(example = "Room 'x' not registered")]
    pub detail: String,
}

impl From<ActionError> for ApiError {
    fn from(error: ActionError) -> Self {
        match error {
            ActionError::NoSuchSanction(_)
            | ActionError::NotHeld(_)
            | ActionError::NotKept(_)
            | ActionError::NotTripped(_)
            | ActionError::NoSuchMember => Self::NotFound(error.to_string()),
            ActionError::Preset(PresetError::Task(_)) => {
                Self::Unavailable("the rules could not be reloaded".to_owned())
            }
            ActionError::Preset(refused) => Self::InvalidRequest(refused.to_string()),
            ActionError::Full(_) | ActionError::Failed => Self::Unavailable(error.to_string()),
            ActionError::NotPersisted(error) => Self::NotPersisted(error.to_string()),
            ActionError::Room(error) => error.into(),
            ActionError::ShuttingDown(error) => error.into(),
        }
    }
}

/// A frame that is not a message of the protocol.
impl From<Notice> for ApiError {
    fn from(notice: Notice) -> Self {
        match notice {
            Notice::Refused(reason) => Self::Rejected(reason),
            Notice::Uncompliant(reason) | Notice::Held(reason) | Notice::Moderation(reason) => {
                Self::InvalidMessage(reason.text.into_owned())
            }
        }
    }
}

/// A room removed during the request is reported as unknown.
impl From<RoomUnavailable> for ApiError {
    fn from(why: RoomUnavailable) -> Self {
        match why {
            RoomUnavailable::Removed(room) => Self::UnknownRoom(room.to_string()),
            RoomUnavailable::ShuttingDown(ended) => Self::ShuttingDown(ended),
            RoomUnavailable::Internal(panicked) => Self::Unavailable(panicked.to_string()),
        }
    }
}

impl ApiError {
    fn status(&self) -> StatusCode {
        match self {
            Self::UnknownRoom(_)
            | Self::UnknownChannel(_)
            | Self::PathNotFound
            | Self::MetricsPathNotFound
            | Self::NotFound(_) => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::OriginNotAllowed | Self::MetricsForbidden | Self::Forbidden(_) => StatusCode::FORBIDDEN,
            Self::RequestTimeout => StatusCode::REQUEST_TIMEOUT,
            Self::BodyTooLong(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::InvalidMessage(_) | Self::InvalidRequest(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::MissingToken | Self::Token(TokenError::NotModerator | TokenError::NotTrusted) => {
                StatusCode::UNAUTHORIZED
            }
            Self::Rejected(reason) => match reason.code {
                ReasonCode::Malformed
                | ReasonCode::BadAuthor
                | ReasonCode::BadAvatar
                | ReasonCode::BadContent
                | ReasonCode::Empty
                | ReasonCode::TooLong => StatusCode::UNPROCESSABLE_ENTITY,
                ReasonCode::RateLimited => StatusCode::TOO_MANY_REQUESTS,
                ReasonCode::Reserved
                | ReasonCode::CodeNotAllowed
                | ReasonCode::NicknameTaken
                | ReasonCode::NotYourNickname
                | ReasonCode::Rule
                | ReasonCode::Suspicious
                | ReasonCode::Plugin
                | ReasonCode::PluginFailed
                | ReasonCode::Muted
                | ReasonCode::Banned
                | ReasonCode::Kicked
                | ReasonCode::Warned
                | ReasonCode::Lifted
                | ReasonCode::Held
                | ReasonCode::HeldRefused
                | ReasonCode::HoldUnavailable => StatusCode::FORBIDDEN,
            },
            Self::Handshake(HandshakeError::Address(_)) | Self::Token(TokenError::TooManyAttempts { .. }) => {
                StatusCode::TOO_MANY_REQUESTS
            }
            Self::UnreadableBody
            | Self::UnknownClient(_)
            | Self::Host(_)
            | Self::Handshake(HandshakeError::Key | HandshakeError::Repeated(_)) => StatusCode::BAD_REQUEST,
            Self::Handshake(HandshakeError::NotAnUpgrade | HandshakeError::Version) => StatusCode::UPGRADE_REQUIRED,
            Self::ShuttingDown(_) | Self::Unavailable(_) | Self::NotPersisted(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Rejected(reason) => reason.retry_after,
            Self::Handshake(HandshakeError::Address(AdmissionError::TooFast { retry_after }))
            | Self::Token(TokenError::TooManyAttempts { retry_after }) => Some(*retry_after),
            _ => None,
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        if let Self::Internal(error) = &self {
            tracing::error!(%error, "internal error");
        }
        let mut response = (self.status(), Json(ErrorResponse { detail: self.to_string() })).into_response();
        let headers = response.headers_mut();
        if let Some(wait) = self.retry_after() {
            // Rounded up to whole seconds: a client that waits this long must not be refused again.
            let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.status() == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if let Self::Handshake(HandshakeError::NotAnUpgrade | HandshakeError::Version) = self {
            headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
            headers.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
            headers.insert(header::SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
        }
        response
    }
}
