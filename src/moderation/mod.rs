//! Moderation: who may moderate ([`Moderators`]), what moderators should know ([`Feed`]), and what is in force because of
//! them ([`State`]). Knows no HTTP.

pub mod access;
mod act;
pub mod alerts;
pub mod audit;
mod config;
mod desk;
mod feed;
mod full;
mod held;
mod journal;
mod levels;
mod sanctions;
mod state;
mod store;
mod time;
mod words;

pub use access::{AccessError, Moderator, Moderators, Refused, Scope, Token, Tokens, Trusted};
pub use act::{Act, Level, What, cause_json, level_json, sanction_json};
pub use config::Config;
pub use desk::{Desk, Effect, PRESET, orders};
pub use feed::{Feed, Kind, MAX_NOTES, Note};
pub use full::Full;
pub use held::{Held, HeldConfig, HeldMessage, WhenUnanswered};
pub use journal::{Entry, Happened, Journal, MAX_DECISIONS, MAX_MINUTES, Minute, Since};
pub use levels::{Levels, SetLevel};
pub use sanctions::{Ladder, Order, Sanctions, Step, Undone};
pub use state::State;
pub use store::{StoreError, StoreFigures, probe as probe_store};
pub use words::{lifted, refusal, told};
