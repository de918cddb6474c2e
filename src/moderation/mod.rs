//! Moderation: sanctions, held messages and levels ([`State`]), the history in memory ([`Journal`]) and notes for moderators
//! ([`Feed`]). [`Moderation`] ties them together and to the audit log. The actions of moderators are in `actions`.

mod config;
mod error;
mod feed;
mod handle;
mod held;
mod holding;
mod journal;
mod levels;
mod note;
mod reasons;
mod record;
mod sanctions;
mod state;
mod throttle;
mod time;

pub use config::{Config, WidestPrefix};
pub use error::InsertError;
pub use feed::{Feed, NotePage};
pub use handle::{Moderation, ModerationEvent, PRESET_KEY, SanctionEvent, penalty_requests};
pub use held::{ExpiryAction, FillLevel, HeldConfig, HeldMessage, HeldQueue, Holding, NotHeld};
pub use journal::{
    Journal, JournalEntry, JournalEvent, JournalPage, MAX_DECISION_BYTES, MAX_DECISIONS, MAX_MINUTES, MAX_NOTES,
    MinuteCounts,
};
pub use levels::Levels;
pub use note::{Note, NoteKind};
pub use reasons::{imposed_reason, lifted_reason, refusal_reason};
pub use sanctions::{Ladder, LadderStep, Origin, PenaltyRequest, Sanctions, UndoResult, concerns, is_exempt};

pub use state::{State, probe_store};
pub use time::elapsed;
