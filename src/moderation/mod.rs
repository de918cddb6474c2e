//! Moderation: who may moderate ([`Moderators`]), and what moderators should know ([`Feed`]), some of it at once
//! ([`alerts`]). Answers no HTTP.

pub mod access;
mod act;
pub mod alerts;
pub mod audit;
mod config;
mod feed;
mod journal;
mod words;

pub use access::{AccessError, Moderator, Moderators, Refused, Scope, Token, Tokens, Trusted};
pub use act::{Act, Level, What, cause_json, sanction_json};
pub use config::Config;
pub use feed::{Feed, Kind, MAX_NOTES, Note};
pub use journal::{Entry, Happened, Journal, MAX_DECISIONS, MAX_MINUTES, Minute, Since};
pub use words::{lifted, refusal, told};
