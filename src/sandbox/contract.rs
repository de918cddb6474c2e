//! The bindings of the contract, and the validation of answers.

#![allow(clippy::pedantic, missing_docs, missing_debug_implementations, unreachable_pub, reason = "generated code")]

use std::time::Duration;

use super::limits::{MAX_LABEL_BYTES, MAX_LABELS, MAX_REASON_BYTES};
use crate::matching::{self, TextError};
use crate::model::{Outcome, Penalty};

/// Shortest and longest duration of a sanction by a plugin.
const SANCTION_DURATION: [Duration; 2] = [Duration::from_secs(1), Duration::from_hours(24 * 366)];

wasmtime::component::bindgen!({
    path: "sdk/wit",
    world: "filter",
    imports: { default: trappable },
    exports: { default: async },
    with: { "gischat:filter/regex.pattern": super::pattern::Pattern },
});

pub(super) use self::gischat::filter::{clock, log, regex as regexes, room, store, types};

/// A plugin's answer about a message or nickname, within all bounds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PluginAnswer {
    /// What to do with the message.
    pub action: Action,
    /// The reason that the sender sees.
    pub reason: Option<String>,
    /// Labels for moderators.
    pub labels: Vec<String>,
    /// A sanction against the sender.
    pub sanction: Option<Penalty>,
}

/// What to do with a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Pass it on.
    Pass,
    /// Pass it on with this text.
    Replace(String),
    /// Hold it for a moderator.
    Hold,
    /// Show it only to its sender.
    Shadow,
    /// Refuse it.
    Reject,
}

impl Action {
    /// The outcome that the action asks for, without its text.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        match self {
            Self::Pass => Outcome::Pass,
            Self::Replace(_) => Outcome::Replace,
            Self::Hold => Outcome::Hold,
            Self::Shadow => Outcome::Shadow,
            Self::Reject => Outcome::Reject,
        }
    }
}

/// Why an answer is invalid.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AnswerError {
    #[error("its reason is {0} bytes; the limit is {MAX_REASON_BYTES}")]
    Reason(usize),
    #[error("it sets {0} labels; the limit is {MAX_LABELS}")]
    Labels(usize),
    #[error("a label is {0} bytes; it must have 1 to {MAX_LABEL_BYTES}")]
    Label(usize),
    #[error("unknown sanction `{0}`: must be `warn`, `mute`, `kick`, `ban` or `ladder`")]
    Sanction(String),
    #[error("it replaces the text of something without text")]
    Replace,
    #[error("its text {0}")]
    Text(#[from] TextError),
    #[error("its text has {found} characters; the limit is {max_chars}")]
    LongText { found: usize, max_chars: usize },
}

impl PluginAnswer {
    /// Validates a guest's verdict. A replacement text may have at most `max_chars` code points, like the texts that the
    /// filter `shape` lets in; `None` if the message has no text.
    pub(super) fn from_verdict(verdict: types::Verdict, max_chars: Option<usize>) -> Result<Self, AnswerError> {
        let types::Verdict { action, reason, labels, sanction } = verdict;
        if let Some(reason) = reason.as_ref().filter(|reason| reason.len() > MAX_REASON_BYTES) {
            return Err(AnswerError::Reason(reason.len()));
        }
        if labels.len() > MAX_LABELS {
            return Err(AnswerError::Labels(labels.len()));
        }
        if let Some(label) = labels.iter().find(|label| label.is_empty() || label.len() > MAX_LABEL_BYTES) {
            return Err(AnswerError::Label(label.len()));
        }
        let action = match action {
            types::Action::Pass => Action::Pass,
            types::Action::Replace(text) => {
                let max_chars = max_chars.ok_or(AnswerError::Replace)?;
                matching::check_text(&text)?;
                let found = matching::without_closers(&text).chars().count();
                if found > max_chars {
                    return Err(AnswerError::LongText { found, max_chars });
                }
                Action::Replace(matching::balanced(&text).unwrap_or(text))
            }
            types::Action::Hold => Action::Hold,
            types::Action::Shadow => Action::Shadow,
            types::Action::Reject => Action::Reject,
        };
        let sanction = match sanction {
            None => None,
            Some(sanction) => {
                let [shortest, longest] = SANCTION_DURATION;
                let duration = Duration::from_secs(sanction.seconds).clamp(shortest, longest);
                match Penalty::from_name(&sanction.kind, Some(duration)) {
                    None => return Err(AnswerError::Sanction(sanction.kind.chars().take(40).collect())),
                    penalty => penalty,
                }
            }
        };
        Ok(Self { action, reason: reason.filter(|reason| !reason.trim().is_empty()), labels, sanction })
    }
}
