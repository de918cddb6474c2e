//! Moderation: access for moderators ([`Moderators`]), notes for them ([`Feed`]), and sanctions, held messages and
//! levels ([`State`]). [`ModerationService`] ties them together. Does not depend on HTTP.

pub mod access;
mod act;
pub mod alerts;
pub mod audit;
mod config;
mod error;
mod feed;
mod held;
mod journal;
mod levels;
mod reasons;
mod sanctions;
mod service;
mod state;
mod store;
mod time;

pub use access::{AccessError, AccessTokens, Moderator, Moderators, Scope, Token, TokenError, TrustedNickname};
pub use act::{Act, ActKind, ModerationLevel, actor_json, level_json, sanction_json};
pub use config::Config;
pub use error::InsertError;
pub use feed::{Feed, MAX_NOTES, Note, NoteKind};
pub use held::{ExpiryAction, HeldConfig, HeldMessage, HeldQueue};
pub use journal::{Journal, JournalEntry, JournalEvent, JournalPage, MAX_DECISIONS, MAX_MINUTES, MinuteCounts};
pub use levels::{ActiveLevel, Levels};
pub use reasons::{imposed_reason, lifted_reason, refusal_reason};
pub use sanctions::{Ladder, LadderStep, PenaltyRequest, Sanctions, UndoResult};
pub use service::{ModerationService, PRESET_KEY, SanctionEvent, penalty_requests};
pub use state::State;
pub use store::{StoreError, StoreStats, probe as probe_store};
pub use time::elapsed;
