//! Moderation: sanctions, held messages and levels ([`State`]), and notes for moderators ([`Feed`]).
//! [`ModerationService`] ties them together and to the audit log. Does not depend on HTTP.

mod config;
mod error;
mod feed;
mod held;
mod journal;
mod levels;
mod note;
mod reasons;
mod sanctions;
mod service;
mod state;
mod time;

pub use config::Config;
pub use error::InsertError;
pub use feed::{Feed, NotePage};
pub use held::{ExpiryAction, HeldConfig, HeldMessage, HeldQueue};
pub use journal::{
    Journal, JournalEntry, JournalEvent, JournalPage, MAX_DECISIONS, MAX_MINUTES, MAX_NOTES, MinuteCounts,
};
pub use levels::Levels;
pub use note::{Note, NoteKind};
pub use reasons::{imposed_reason, lifted_reason, refusal_reason};
pub use sanctions::{Ladder, LadderStep, PenaltyRequest, Sanctions, UndoResult};
pub use service::{ModerationService, PRESET_KEY, SanctionEvent, penalty_requests};
pub use state::{State, probe_store};
pub use time::elapsed;
