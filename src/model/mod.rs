//! The domain model: names, messages, senders, verdicts.
//!
//! Plain data, used by all other modules. Does no I/O and knows no wire format. A type that leaves the process has one
//! serialised form, which is declared here.

mod act;
mod actor;
mod address;
mod bounds;
mod breaker;
mod content;
mod decision;
pub mod form;
mod guarded;
mod judged_message;
mod level;
mod message;
mod nickname;
mod room_name;
mod sanction;
mod static_name;
mod trace;
mod verdict;

pub use act::{Act, ActKind};
pub use actor::Actor;
pub use address::{Address, AddressHash, MaskedAddress, PlainAddress};
pub use bounds::Bounds;
pub use breaker::Breaker;
pub use content::{Content, Crs, Extent, Image, Layer, PngInfo, Position, ProcessingModel, Script};
pub use decision::{Decision, DecisionView, MissingReason, SenderNotice};
pub use guarded::{GuardedNames, ReservedNames};
pub use judged_message::JudgedMessage;
pub use level::{ActiveLevel, ModerationLevel};
pub use message::{ConnectionId, Message, MessageKind, Notice, RoomEvent, Sender, SenderContext};
pub use nickname::{Nickname, NicknameError, Skeletons};
pub use room_name::{RoomName, RoomNameError, RoomScope};
pub use sanction::{Penalty, Sanction, SanctionKind, Target, plain_target};
pub use trace::{Basis, Match, Mode, Span, TraceStep, deciding_match};
pub use verdict::{Outcome, Reason, ReasonCode, Replacement, Verdict};
