//! The contract's types as Rust has them, and an answer checked against its bounds.

#![allow(clippy::pedantic, missing_docs, missing_debug_implementations, unreachable_pub, reason = "generated code")]

use std::time::Duration;

use super::limits::{MAX_LABEL_BYTES, MAX_LABELS, MAX_REASON_BYTES};
use crate::model::Penalty;

/// The longest and the shortest that a plugin can have somebody muted or banned.
const SANCTION: [Duration; 2] = [Duration::from_secs(1), Duration::from_hours(24 * 366)];

wasmtime::component::bindgen!({
    path: "sdk/wit",
    world: "filter",
    imports: { default: trappable },
    exports: { default: async },
    with: { "gischat:filter/regex.pattern": super::pattern::Pattern },
});

pub(super) use self::gischat::filter::{clock, log, regex as regexes, room, store, types};

/// What a plugin says of a message, within all bounds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// What is to be done.
    pub action: Action,
    /// For the sender.
    pub reason: Option<String>,
    /// For moderators.
    pub labels: Vec<String>,
    /// A consequence that it asks for.
    pub sanction: Option<Penalty>,
}

/// What a plugin wants done with a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Nothing.
    Pass,
    /// Another text.
    Replace(String),
    /// A moderator is to look at it.
    Hold,
    /// Only its sender sees it.
    Shadow,
    /// It is refused.
    Reject,
}

/// Why an answer is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OutOfBounds {
    #[error("its reason is {0} bytes long, of {MAX_REASON_BYTES}")]
    Reason(usize),
    #[error("it puts {0} labels on a message, of {MAX_LABELS}")]
    Labels(usize),
    #[error("a label is {0} bytes long, of {MAX_LABEL_BYTES}, or empty")]
    Label(usize),
    #[error("it asks for the sanction `{0}`, and there are only `warn`, `mute`, `kick`, `ban` and `ladder`")]
    Sanction(String),
    #[error("it replaces what has no text")]
    Replace,
    #[error("it replaces the text with an empty one")]
    EmptyText,
    #[error("its text has {found} characters, of {longest}")]
    LongText { found: usize, longest: usize },
}

impl Answer {
    /// Takes a guest's verdict, if it is within bounds. A text that it writes may have `longest` code points, where there
    /// is a text at all; one that `shape` would not let in does not come in this way either.
    pub(super) fn checked(verdict: types::Verdict, longest: Option<usize>) -> Result<Self, OutOfBounds> {
        let types::Verdict { action, reason, labels, sanction } = verdict;
        if let Some(reason) = reason.as_ref().filter(|reason| reason.len() > MAX_REASON_BYTES) {
            return Err(OutOfBounds::Reason(reason.len()));
        }
        if labels.len() > MAX_LABELS {
            return Err(OutOfBounds::Labels(labels.len()));
        }
        if let Some(label) = labels.iter().find(|label| label.is_empty() || label.len() > MAX_LABEL_BYTES) {
            return Err(OutOfBounds::Label(label.len()));
        }
        let action = match action {
            types::Action::Pass => Action::Pass,
            types::Action::Replace(text) => {
                let longest = longest.ok_or(OutOfBounds::Replace)?;
                match text.chars().count() {
                    _ if text.trim().is_empty() => return Err(OutOfBounds::EmptyText),
                    found if found > longest => return Err(OutOfBounds::LongText { found, longest }),
                    _ => Action::Replace(text),
                }
            }
            types::Action::Hold => Action::Hold,
            types::Action::Shadow => Action::Shadow,
            types::Action::Reject => Action::Reject,
        };
        let sanction = match sanction {
            None => None,
            Some(sanction) => {
                let [shortest, longest] = SANCTION;
                let lasts = Duration::from_secs(sanction.seconds).clamp(shortest, longest);
                match Penalty::of_name(&sanction.kind, Some(lasts)) {
                    None => return Err(OutOfBounds::Sanction(sanction.kind.chars().take(40).collect())),
                    penalty => penalty,
                }
            }
        };
        Ok(Self { action, reason: reason.filter(|reason| !reason.trim().is_empty()), labels, sanction })
    }
}
