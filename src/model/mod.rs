//! The domain model: names, messages, senders, verdicts.
//!
//! Plain data, used by all other modules. Does no I/O and knows no wire format.

mod act;
mod address;
mod breaker;
mod decision;
mod judged_message;
mod level;
mod message;
mod nickname;
mod room_name;
mod sanction;
mod verdict;

pub use act::{Act, ActKind, actor_json, level_json, sanction_json};
pub use address::Address;
pub use breaker::Breaker;
pub use decision::{Basis, Decision, DecisionJson, Match, MissingReason, Mode, SenderNotice, Span, TraceStep};
pub use judged_message::JudgedMessage;
pub use level::{ActiveLevel, ModerationLevel};
pub use message::{ConnectionId, Kind, Message, Notice, RoomEvent, Sender, SenderContext};
pub use nickname::{Nickname, NicknameError, Skeletons, is_reserved};
pub use room_name::{RoomName, RoomNameError};
pub use sanction::{Actor, Penalty, Sanction, SanctionKind, Target};
pub use verdict::{Outcome, Reason, ReasonCode, Verdict};
