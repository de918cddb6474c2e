//! Access by token, for moderators and for senders who prove their nickname with a token.
//!
//! Tokens come from the setting `MODERATORS`, in clear, and from a file (`moderation.tokens_file`), as hashes. In both
//! cases only the SHA-256 digest is kept. A slow password hash would not help for the tokens of `gischat-relay token`:
//! 256 random bits cannot be found from a fast hash either. Tokens in `MODERATORS` may be weaker, but their digests are
//! in no file, so they can only be guessed online, where an address gets ten attempts a minute.

mod attempts;
mod config;
mod configured;
mod file;
mod grant;
mod moderators;
mod token;
mod tokens;

pub use config::Config;
pub use configured::{ConfiguredModerator, MAX_MODERATOR_NAME, check_name};
pub use grant::{AccessTokens, Moderator, Scope, TrustedNickname};
pub use moderators::{AccessError, Moderators, TokenError};
pub use token::{RandomnessError, Token};
