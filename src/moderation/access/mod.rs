//! Who may do what with a token: moderators, and senders whose nickname a token proves.
//!
//! Two places name them: the setting `MODERATORS`, with the tokens themselves, and a file (`moderation.tokens_file`),
//! with hashes alone. What is kept of a token is its SHA-256 digest in both cases. A digest that is slow to compute, as
//! passwords need, would gain nothing for the tokens of `gischat-relay token`: nobody finds one of 256 random bits from
//! its hash, however fast that is computed. Tokens in `MODERATORS` may be weaker, and their digests are in no file: all
//! that is left is to try them here, where ten wrong ones a minute are the end of it.

mod file;
mod grant;
mod moderators;
mod named;
mod token;
mod tokens;
mod tries;

pub use grant::{Moderator, Rooms, Scope, Trusted};
pub use moderators::{AccessError, Moderators, Refused};
pub use named::{MAX_NAME, Named, check_name};
pub use token::{NoRandomness, Token};
pub use tokens::Tokens;

pub(super) use named::check as check_named;
