//! What is known of a decision that was made.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::path::Path;
use std::sync::Arc;

use serde_json::Value;

use crate::model::{Address, Code, Message, Outcome, Recorded, Sender};
use crate::moderation::audit::LoggedDecision;

/// What stands as the filter where it was not the chain that decided, but whose name it was.
const IDENTITY: &str = "identity";

/// A decision that was made, with what it takes to come to it again.
#[derive(Clone, Debug)]
pub struct Past {
    /// The message as it came.
    pub message: Message,
    /// Who sent it, with what the room knew of it then.
    pub sender: Sender,
    /// What became of it.
    pub was: Arc<Was>,
    /// Where it stands.
    pub origin: Origin,
}

/// What became of a message.
#[derive(Clone, Debug, PartialEq)]
pub struct Was {
    /// In one word.
    pub outcome: Outcome,
    /// The filter that decided.
    pub by: Option<String>,
    /// The code of the reason.
    pub code: Option<String>,
    /// The text of the reason, if it is known.
    pub reason: Option<String>,
    /// The text that was put in place of its own.
    pub sent: Option<String>,
    /// What each filter answered, as [`Step`](crate::model::Step)s are written.
    pub trace: Vec<Value>,
    /// Whether nothing of it is missing, so that texts and traces can be compared.
    pub whole: bool,
}

/// Where something stands: a line of a file, or the memory of the relay.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin(Option<(Arc<Path>, u64)>);

impl Origin {
    /// A line of a file, from 1 on.
    #[must_use]
    pub fn line(file: &Arc<Path>, line: u64) -> Self {
        Self(Some((Arc::clone(file), line)))
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Some((file, 0)) => write!(f, "{}", file.display()),
            Some((file, line)) => write!(f, "{}:{line}", file.display()),
            None => f.write_str("in memory"),
        }
    }
}

/// Why something cannot be replayed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Unfit {
    /// The log does not hold the text.
    NoText,
    /// The log holds but the beginning of the text.
    CutText,
    /// Not the chain has decided, but whose name it was.
    Identity,
    /// The relay could not log it.
    Lost,
    /// The file ends within the line.
    CutLine,
    /// It is no line of a log.
    BadLine,
    /// The file cannot be read.
    BadFile,
    /// A filter gave no answer.
    NoAnswer,
}

impl Unfit {
    /// What is wrong, in words.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NoText => "the text was not logged",
            Self::CutText => "the text was logged in part",
            Self::Identity => "refused for whose name it was, not by the chain",
            Self::Lost => "not logged: the disk was full or slow",
            Self::CutLine => "the line is cut",
            Self::BadLine => "no line of an audit log",
            Self::BadFile => "a file that cannot be read",
            Self::NoAnswer => "a filter gave no answer",
        }
    }
}

impl Past {
    /// A line of a log. `whole`: the log holds texts in full.
    ///
    /// # Errors
    /// Why it cannot be replayed.
    pub fn of_log(line: LoggedDecision, whole: bool, origin: Origin) -> Result<Self, Unfit> {
        if line.by.as_deref() == Some(IDENTITY) && line.trace.is_empty() {
            return Err(Unfit::Identity);
        }
        let message = line.message().ok_or(if line.cut { Unfit::CutText } else { Unfit::NoText })?;
        let connection = line.sender.connection;
        let sender =
            Sender { connection, address: address(line.sender.address), room: line.room.clone(), facts: line.facts() };
        let LoggedDecision { outcome, by, code, reason, sent, trace, .. } = line;
        let was = Arc::new(Was { outcome, by, code, reason, sent, trace, whole });
        Ok(Self { message, sender, was, origin })
    }

    /// A decision in memory.
    ///
    /// # Errors
    /// Why it cannot be replayed.
    pub fn of_memory(recorded: &Recorded) -> Result<Self, Unfit> {
        let Recorded { decision, sender } = recorded;
        if decision.by == Some(IDENTITY) && decision.trace.is_empty() {
            return Err(Unfit::Identity);
        }
        let mut message = decision.message.clone();
        let sent = decision.original.clone().and_then(|original| message.replace_text(original));
        // Plain data can always be written.
        let trace = decision.trace.iter().map(|step| serde_json::to_value(step).unwrap_or_default()).collect();
        let reason = decision.reason.as_ref();
        let was = Was {
            outcome: decision.outcome,
            by: decision.by.map(str::to_owned),
            code: reason.map(|reason| Code::as_str(reason.code).to_owned()),
            reason: reason.map(|reason| reason.text.to_string()),
            sent,
            trace,
            whole: true,
        };
        Ok(Self { message, sender: sender.clone(), was: Arc::new(was), origin: Origin::default() })
    }

    /// Whether the chain has decided. Otherwise the name was somebody else's after all, and the chain has seen it none
    /// the less.
    #[must_use]
    pub fn is_of_chain(&self) -> bool {
        self.was.by.as_deref() != Some(IDENTITY)
    }
}

/// An address that stands for the hash of one: the first half of an IPv6 address, of which each counts as one.
pub(super) fn address(hash: u64) -> Address {
    Address::from(IpAddr::V6(Ipv6Addr::from_bits(u128::from(hash) << 64)))
}

/// Such an address as it stands in a log.
#[cfg(test)]
pub(super) fn hash(address: Address) -> String {
    match address.ip() {
        IpAddr::V6(ip) => format!("{:016x}", ip.to_bits() >> 64),
        IpAddr::V4(ip) => panic!("{ip} stands for no hash"),
    }
}
