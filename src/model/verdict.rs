//! Verdicts of filters, their outcomes and their reasons.

use std::borrow::Cow;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The verdict of one filter on a message. A rejection is a verdict, not an error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Continue with the next filter.
    Pass,
    /// Continue with this text instead.
    Replace(String),
    /// Hold it until a moderator has decided.
    Hold(Reason),
    /// Show it to its sender alone, without a notice.
    Shadow(Reason),
    /// Refuse it and notify its sender.
    Reject(Reason),
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

/// The outcome for a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// Broadcast unchanged.
    Pass,
    /// Broadcast with another text.
    Replace,
    /// Held for a moderator.
    Hold,
    /// Shown to its sender alone.
    Shadow,
    /// Refused.
    Reject,
}

impl Outcome {
    /// The stable name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Replace => "replace",
            Self::Hold => "hold",
            Self::Shadow => "shadow",
            Self::Reject => "reject",
        }
    }

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

/// The stable codes of reasons, for programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ReasonCode {
    /// The frame is not a valid message of the protocol.
    Malformed,
    /// The author's name has the wrong length or contains forbidden characters.
    BadAuthor,
    /// The text is empty or blank.
    Empty,
    /// The text is too long.
    TooLong,
    /// The avatar is too long or not a plain file name.
    BadAvatar,
    /// The name is reserved for the relay.
    Reserved,
    /// The name or a look-alike belongs to another connection in the room.
    NicknameTaken,
    /// The sender registered a different nickname.
    NotYourNickname,
    /// Too many messages in a short time.
    RateLimited,
    /// A rule matched.
    Rule,
    /// The message matches suspiciously many rules.
    Suspicious,
    /// A plugin refused it.
    Plugin,
    /// A plugin failed, and its failure policy is to reject.
    PluginFailed,
    /// The sender is muted.
    Muted,
    /// The sender is banned.
    Banned,
    /// The sender's connection is closed; it may reconnect.
    Kicked,
    /// The sender is warned.
    Warned,
    /// A sanction on the sender was lifted.
    Lifted,
    /// The message is held for a moderator.
    Held,
    /// A moderator refused a held message, or its hold expired.
    HeldRefused,
    /// The message should be held but cannot be: it is a registration, or the queue is full.
    HoldUnavailable,
}

impl ReasonCode {
    /// All codes.
    pub const ALL: [Self; 21] = [
        Self::Malformed,
        Self::BadAuthor,
        Self::Empty,
        Self::TooLong,
        Self::BadAvatar,
        Self::Reserved,
        Self::NicknameTaken,
        Self::NotYourNickname,
        Self::RateLimited,
        Self::Rule,
        Self::Suspicious,
        Self::Plugin,
        Self::PluginFailed,
        Self::Muted,
        Self::Banned,
        Self::Kicked,
        Self::Warned,
        Self::Lifted,
        Self::Held,
        Self::HeldRefused,
        Self::HoldUnavailable,
    ];

    /// Returns the code with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|code| code.as_str() == name)
    }

    /// The stable name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::BadAuthor => "bad_author",
            Self::Empty => "empty",
            Self::TooLong => "too_long",
            Self::BadAvatar => "bad_avatar",
            Self::Reserved => "reserved",
            Self::NicknameTaken => "nickname_taken",
            Self::NotYourNickname => "not_your_nickname",
            Self::RateLimited => "rate_limited",
            Self::Rule => "rule",
            Self::Suspicious => "suspicious",
            Self::Plugin => "plugin",
            Self::PluginFailed => "plugin_failed",
            Self::Muted => "muted",
            Self::Banned => "banned",
            Self::Kicked => "kicked",
            Self::Warned => "warned",
            Self::Lifted => "lifted",
            Self::Held => "held",
            Self::HeldRefused => "held_refused",
            Self::HoldUnavailable => "hold_unavailable",
        }
    }
}

impl Serialize for ReasonCode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for ReasonCode {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // A code of another version is no reason to lose a message or a line of a log.
        Ok(Self::from_name(&String::deserialize(deserializer)?).unwrap_or(Self::Held))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_code_is_found_by_its_name() {
        for code in ReasonCode::ALL {
            assert_eq!(ReasonCode::from_name(code.as_str()), Some(code));
        }
    }
}
