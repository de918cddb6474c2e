//! Moderation: who may moderate ([`Moderators`]), what moderators should know ([`Feed`]), and what is in force because of
//! them ([`State`]). Knows no HTTP.

mod act;
mod config;
mod feed;
mod full;
mod held;
mod levels;
mod moderators;
mod sanctions;
mod state;
mod store;
mod time;
mod tries;

pub use act::{Act, Level, What, cause_json, sanction_json};
pub use config::{Config, Moderator};
pub use feed::{Feed, Kind, MAX_NOTES, Note};
pub use full::Full;
pub use held::{Held, HeldConfig, HeldMessage, WhenUnanswered};
pub use levels::{Levels, SetLevel};
pub use moderators::{Moderators, NoRandomness, Refused, Token};
pub use sanctions::{Ladder, Order, Sanctions, Step, Undone};
pub use state::{State, StoreError};
