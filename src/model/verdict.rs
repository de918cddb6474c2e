//! Verdicts of filters, their outcomes and their reasons.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Content;
use crate::names::named;

/// The verdict of one filter on a message. A rejection is a verdict, not an error.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// Continue with the next filter.
    Pass,
    /// Continue with this instead.
    Replace(Replacement),
    /// Hold it until a moderator has decided.
    Hold(Reason),
    /// Show it to its sender alone, without a notice.
    Shadow(Reason),
    /// Refuse it and notify its sender.
    Reject(Reason),
}

/// The text or content with which a message continues.
#[derive(Clone, Debug, PartialEq)]
pub enum Replacement {
    /// Another text, for a message that has one.
    Text(String),
    /// Another content of the same kind.
    Content(Arc<Content>),
}

impl From<&str> for Replacement {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl Verdict {
    /// The outcome, without text and reason.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        match self {
            Self::Pass => Outcome::Pass,
            Self::Replace(_) => Outcome::Replace,
            Self::Hold(_) => Outcome::Hold,
            Self::Shadow(_) => Outcome::Shadow,
            Self::Reject(_) => Outcome::Reject,
        }
    }
}

named! {
    /// The outcome for a message.
    pub enum Outcome {
        /// Broadcast unchanged.
        Pass = "pass",
        /// Broadcast with another text or a rounded place.
        Replace = "replace",
        /// Held for a moderator.
        Hold = "hold",
        /// Shown to its sender alone.
        Shadow = "shadow",
        /// Refused.
        Reject = "reject",
    }
}

impl Outcome {
    /// Index for counters by outcome: pass, replace, hold, shadow, reject.
    #[must_use]
    pub fn index(self) -> usize {
        match self {
            Self::Pass => 0,
            Self::Replace => 1,
            Self::Hold => 2,
            Self::Shadow => 3,
            Self::Reject => 4,
        }
    }

    /// When several rules match, the strongest outcome wins. Higher is stronger.
    #[must_use]
    pub fn strength(self) -> u8 {
        match self {
            Self::Pass => 0,
            Self::Replace => 1,
            Self::Shadow => 2,
            Self::Hold => 3,
            Self::Reject => 4,
        }
    }
}

/// Why a message was not accepted unchanged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    /// Stable, for programs.
    pub code: ReasonCode,
    /// For the sender: one sentence that names the thing and the limit.
    pub text: Cow<'static, str>,
    /// When to retry, for temporary refusals. Only of use to the sender at that time.
    #[serde(skip)]
    pub retry_after: Option<Duration>,
}

impl Reason {
    /// Creates a reason without a retry time.
    pub fn new(code: ReasonCode, text: impl Into<Cow<'static, str>>) -> Self {
        Self { code, text: text.into(), retry_after: None }
    }
}

named! {
    /// The stable codes of reasons, for programs.
    pub enum ReasonCode {
        /// The frame is not a valid message of the protocol.
        Malformed = "malformed",
        /// The author's name has the wrong length or contains forbidden characters.
        BadAuthor = "bad_author",
        /// The text is empty or blank.
        Empty = "empty",
        /// The text is too long.
        TooLong = "too_long",
        /// The avatar is too long or not a plain file name.
        BadAvatar = "bad_avatar",
        /// An image, geodata or code is invalid.
        BadContent = "bad_content",
        /// Code from a sender that is not trusted.
        CodeNotAllowed = "code_not_allowed",
        /// The name is reserved for the relay.
        Reserved = "reserved",
        /// The name or a look-alike belongs to another connection in the room.
        NicknameTaken = "nickname_taken",
        /// The sender registered a different nickname.
        NotYourNickname = "not_your_nickname",
        /// Too many messages in a short time.
        RateLimited = "rate_limited",
        /// A rule matched.
        Rule = "rule",
        /// The message matches suspiciously many rules.
        Suspicious = "suspicious",
        /// A plugin refused it.
        Plugin = "plugin",
        /// A plugin failed, and its failure policy is to reject.
        PluginFailed = "plugin_failed",
        /// The sender is muted.
        Muted = "muted",
        /// The sender is banned.
        Banned = "banned",
        /// The sender's connection is closed; it may reconnect.
        Kicked = "kicked",
        /// The sender is warned.
        Warned = "warned",
        /// A sanction on the sender was lifted.
        Lifted = "lifted",
        /// A moderator refused a held message, or its hold expired.
        HeldRefused = "held_refused",
        /// The message should be held but cannot be: it is a registration, or the queue is full.
        HoldUnavailable = "hold_unavailable",
        /// The message is held for a moderator.
        // A code of another version is no reason to lose a message or a line of a log.
        #[serde(other)]
        Held = "held",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_code_of_another_version_is_read_as_held() {
        for code in ReasonCode::ALL {
            assert_eq!(serde_json::from_value::<ReasonCode>(code.as_str().into()).unwrap(), code);
        }
        assert_eq!(serde_json::from_str::<ReasonCode>("\"off_topic\"").unwrap(), ReasonCode::Held);
    }
}
