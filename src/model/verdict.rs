//! What a filter says of a message, and why.

use std::borrow::Cow;
use std::time::Duration;

use super::Outcome;

/// What one filter wants done with a message. A refusal is such a value, never an error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Go on with the next filter.
    Pass,
    /// Go on with this text in place of the message's own.
    Replace(String),
    /// Keep it back until a moderator has looked at it.
    Hold(Reason),
    /// Show it to its sender alone, who is not told.
    Shadow(Reason),
    /// Refuse it and tell its sender.
    Reject(Reason),
}

impl Verdict {
    /// What it amounts to, without text and reason.
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

/// Why a message was not let through as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    /// For programs; stable.
    pub code: Code,
    /// For the sender: one sentence that names the thing and the bound.
    pub text: Cow<'static, str>,
    /// When it is worth trying again, for what is refused only now.
    pub retry_after: Option<Duration>,
}

impl Reason {
    /// A reason that will not pass with time.
    pub fn new(code: Code, text: impl Into<Cow<'static, str>>) -> Self {
        Self { code, text: text.into(), retry_after: None }
    }
}

/// The kinds of reason, by names that programs may rely on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Code {
    /// The frame is no message of the protocol.
    Malformed,
    /// The author's name has the wrong length or holds characters that it may not.
    BadAuthor,
    /// The text is empty or blank.
    Empty,
    /// The text is longer than allowed.
    TooLong,
    /// The avatar is too long or no plain file name.
    BadAvatar,
    /// The name is kept for the relay itself.
    Reserved,
    /// The name, or one that looks like it, belongs to somebody else in the room.
    NicknameTaken,
    /// The sender registered under another name than the one it now uses.
    NotYourNickname,
    /// Too many messages in too short a time.
    RateLimited,
    /// A rule of the rules file hit.
    Rule,
    /// It sets off more rules than a message has reason to.
    Suspicious,
    /// A plugin wants it so.
    Plugin,
    /// A plugin could not answer, and its failure policy is to let nothing pass then.
    PluginFailed,
    /// The sender may not speak for a while.
    Muted,
    /// The sender may not come in.
    Banned,
    /// The sender's connection is closed; it may come back.
    Kicked,
    /// The sender is warned.
    Warned,
    /// What was done to the sender is taken back.
    Lifted,
    /// The message waits for a moderator.
    Held,
    /// A moderator has refused a held message, or nobody has looked at it in time.
    HeldRefused,
    /// The message should be held, and cannot be: it is a nickname, or too many wait already.
    HoldUnavailable,
}

impl Code {
    /// All of them.
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

    /// The code of this name.
    #[must_use]
    pub fn of_name(name: &str) -> Option<Self> {
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
