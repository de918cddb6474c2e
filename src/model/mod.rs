//! The words of the relay as plain data: names, messages, senders, verdicts.
//!
//! Owns what every other module talks about. Does no I/O and knows no wire format.

mod address;
mod brake;
mod decision;
mod message;
mod nickname;
mod recorded;
mod room_name;
mod sanction;
mod verdict;

pub use address::Address;
pub use brake::Brake;
pub use decision::{Basis, Decision, Match, Mode, Outcome, Record, Span, Step};
pub use message::{Event, Facts, Kind, Message, Notice, Sender, SenderId};
pub use nickname::{Looks, Nickname, NicknameFault, is_reserved};
pub use recorded::Recorded;
pub use room_name::{RoomName, RoomNameFault};
pub use sanction::{Cause, Penalty, Sanction, SanctionKind, Target};
pub use verdict::{Code, Reason, Verdict};
