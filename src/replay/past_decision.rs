//! A recorded decision and what is known about it.

use std::borrow::Cow;
use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::path::Path;
use std::sync::Arc;

use crate::audit::LoggedDecision;
use crate::model::{
    Address, AddressHash, ConnectionId, JudgedMessage, Message, Outcome, ReasonCode, Replacement, Sender, TraceStep,
};

/// The filter name of a refusal because the nickname belongs to somebody else; the chain did not decide then.
const IDENTITY: &str = "identity";

/// A recorded decision, with everything needed to judge the message again.
#[derive(Clone, Debug)]
pub struct PastDecision {
    /// The message as received.
    pub message: Message,
    /// The sender, with what the room knew about it at the time.
    pub sender: Sender,
    /// The recorded result.
    pub expected: Arc<DecisionSummary>,
    /// Where the decision was recorded.
    pub origin: DecisionOrigin,
}

/// The result of judging a message, recorded or replayed, in comparable form.
#[derive(Clone, Debug, PartialEq)]
pub struct DecisionSummary {
    /// The outcome.
    pub outcome: Outcome,
    /// The filter that decided.
    pub by: Option<Cow<'static, str>>,
    /// The code of the reason.
    pub code: Option<ReasonCode>,
    /// The text of the reason, if known.
    pub reason: Option<String>,
    /// The replacement text.
    pub sent: Option<String>,
    /// The answer of each filter.
    pub trace: Vec<TraceStep>,
    /// Whether texts and traces are complete and can be compared.
    pub is_complete: bool,
}

/// Where a decision was recorded: a line of a file, or the memory of the relay.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DecisionOrigin(Option<(Arc<Path>, u64)>);

impl DecisionOrigin {
    /// A line of a file, counted from 1; 0 stands for the whole file.
    #[must_use]
    pub fn line(file: &Arc<Path>, line: u64) -> Self {
        Self(Some((Arc::clone(file), line)))
    }
}

impl fmt::Display for DecisionOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Some((file, 0)) => write!(f, "{}", file.display()),
            Some((file, line)) => write!(f, "{}:{line}", file.display()),
            None => f.write_str("in memory"),
        }
    }
}

/// The reason why a log entry cannot be replayed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SkipReason {
    /// The log does not hold the text.
    NoText,
    /// Images, geodata and code are not recorded.
    NotRecorded,
    /// The log holds only the beginning of the text.
    CutText,
    /// The message was refused because of its nickname, not by the chain.
    Identity,
    /// The relay could not log it.
    Lost,
    /// The file ends within the line.
    CutLine,
    /// The line is not one of an audit log.
    BadLine,
    /// The file cannot be read.
    BadFile,
    /// A filter did not answer.
    NoAnswer,
}

impl SkipReason {
    /// Returns a description for reports.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NoText => "the text was not logged",
            Self::NotRecorded => "images, geodata and code are not recorded",
            Self::CutText => "only part of the text was logged",
            Self::Identity => "refused because of its nickname, not by the chain",
            Self::Lost => "not logged: the disk was full or slow",
            Self::CutLine => "the line is cut",
            Self::BadLine => "not a line of an audit log",
            Self::BadFile => "the file cannot be read",
            Self::NoAnswer => "a filter did not answer",
        }
    }
}

impl PastDecision {
    /// Converts a line of a log. `is_complete` tells whether the log holds texts in full.
    ///
    /// # Errors
    /// [`SkipReason`] if it cannot be replayed.
    pub fn from_log(line: LoggedDecision, is_complete: bool, origin: DecisionOrigin) -> Result<Self, SkipReason> {
        if line.by.as_deref() == Some(IDENTITY) && line.trace.is_empty() {
            return Err(SkipReason::Identity);
        }
        let message = line.message().ok_or(match line.kind {
            kind if kind.is_content() => SkipReason::NotRecorded,
            _ if line.cut => SkipReason::CutText,
            _ => SkipReason::NoText,
        })?;
        let sender = Sender {
            connection: line.sender.connection.map(ConnectionId),
            address: address_from_hash(line.sender.address),
            room: line.room.clone(),
            context: line.context(),
        };
        let LoggedDecision { outcome, by, reason, sent, trace, .. } = line;
        let (code, reason) = reason.map_or((None, None), |reason| (Some(reason.code), reason.text));
        let expected = Arc::new(DecisionSummary { outcome, by, code, reason, sent, trace, is_complete });
        Ok(Self { message, sender, expected, origin })
    }

    /// Converts a decision in memory.
    ///
    /// # Errors
    /// [`SkipReason`] if it cannot be replayed.
    pub fn from_memory(recorded: &JudgedMessage) -> Result<Self, SkipReason> {
        let JudgedMessage { decision, sender, .. } = recorded;
        if decision.decided_by == Some(IDENTITY) && decision.trace.is_empty() {
            return Err(SkipReason::Identity);
        }
        if decision.message.content().is_some() {
            return Err(SkipReason::NotRecorded);
        }
        let mut message = decision.message.clone();
        let sent = decision.original.clone().and_then(|original| message.replace(Replacement::Text(original)));
        let reason = decision.reason.as_ref();
        let expected = DecisionSummary {
            outcome: decision.outcome,
            by: decision.decided_by.map(Into::into),
            code: reason.map(|reason| reason.code),
            reason: reason.map(|reason| reason.text.to_string()),
            sent,
            trace: decision.trace.clone(),
            is_complete: true,
        };
        Ok(Self { message, sender: sender.clone(), expected: Arc::new(expected), origin: DecisionOrigin::default() })
    }

    /// Returns whether the chain decided. Otherwise the nickname turned out to be taken after the chain had judged the
    /// message.
    #[must_use]
    pub fn is_decided_by_chain(&self) -> bool {
        self.expected.by.as_deref() != Some(IDENTITY)
    }
}

/// Returns an address that stands for a hashed one. The hash is the /64 prefix, since limits count IPv6 by prefix.
pub(super) fn address_from_hash(AddressHash(hash): AddressHash) -> Address {
    Address::from(IpAddr::V6(Ipv6Addr::from_bits(u128::from(hash) << 64)))
}

/// The inverse of [`address_from_hash`], as written in a log.
#[cfg(test)]
pub(super) fn hash_from_address(address: Address) -> AddressHash {
    match address.ip() {
        IpAddr::V6(ip) => AddressHash(u64::try_from(ip.to_bits() >> 64).unwrap_or(u64::MAX)),
        IpAddr::V4(ip) => panic!("{ip} does not stand for a hash"),
    }
}
