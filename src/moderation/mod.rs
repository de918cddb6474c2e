//! Moderation: who may moderate ([`Moderators`]), and what moderators should know ([`Feed`]). Knows no HTTP.

mod act;
pub mod audit;
mod config;
mod feed;
mod journal;
mod moderators;
mod tries;
mod words;

pub use act::{Act, Level, What, cause_json, sanction_json};
pub use config::{Config, Moderator};
pub use feed::{Feed, Kind, MAX_NOTES, Note};
pub use journal::{Entry, Happened, Journal, MAX_DECISIONS, MAX_MINUTES, Minute, Since};
pub use moderators::{Moderators, NoRandomness, Refused, Token};
pub use words::{lifted, refusal, told};
