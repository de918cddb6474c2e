//! Moderation: who may moderate ([`Moderators`]), and what moderators should know ([`Feed`]). Knows no HTTP.

mod act;
mod config;
mod feed;
mod moderators;
mod tries;

pub use act::{Act, Level, What, cause_json, sanction_json};
pub use config::{Config, Moderator};
pub use feed::{Feed, Kind, MAX_NOTES, Note};
pub use moderators::{Moderators, NoRandomness, Refused, Token};
