//! Whose a token is: it is compared with all that are known, and wrong ones are slowed down.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use super::grant::{Moderator, Trusted};
use super::token::{Digest, NoRandomness, Token};
use super::tokens::Tokens;
use super::tries::Tries;
use crate::model::{Address, RoomName};
use crate::moderation::Config;
use crate::settings::Fault;

/// The name of the one who has the token of a run.
const OPERATOR: &str = "operator";

/// Those who have a token.
#[derive(Debug)]
pub struct Moderators {
    /// The one who has the token of this run, where there is one.
    operator: Option<Moderator>,
    known: RwLock<Arc<Tokens>>,
    tries: Tries,
}

/// Why a token is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// It is no moderator's.
    #[error("this token is no moderator's")]
    Wrong,
    /// It proves nobody's nickname.
    #[error("this token proves no nickname")]
    ProvesNothing,
    /// Too many wrong ones came from there; not even a right one is looked at.
    #[error("too many wrong tokens came from this address")]
    TooManyTries {
        /// How long to wait.
        retry_after: Duration,
    },
}

/// Why nobody could be let in.
#[derive(Debug, thiserror::Error)]
pub enum AccessError {
    /// There is no token for this run.
    #[error(transparent)]
    NoRandomness(#[from] NoRandomness),
    /// The file of tokens is at fault, which it was not when the configuration was read.
    #[error("the file of tokens is at fault: {}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    File(Vec<Fault>),
}

impl Moderators {
    /// Those that `config` and its file of tokens name, in a relay with these rooms. Where there is no moderator among
    /// them: one called `operator`, with a token of 256 random bits, which comes along. Waits for the disk.
    ///
    /// # Errors
    /// [`AccessError`].
    pub fn of(config: &Config, rooms: &[RoomName]) -> Result<(Self, Option<Token>), AccessError> {
        let mut known = Tokens::read(config, rooms).map_err(AccessError::File)?;
        let token = if known.moderators.is_empty() { Some(Token::random()?) } else { None };
        let operator = token.as_ref().map(|token| Moderator::of_all(OPERATOR.into(), token.digest()));
        known.moderators.extend(operator.clone());
        let known = RwLock::new(Arc::new(known));
        Ok((Self { operator, known, tries: Tries::default() }, token))
    }

    /// The moderator whose token this is.
    ///
    /// # Errors
    /// [`Refused`]. After ten wrong tokens within a minute, of whatever kind, an address has to wait for the end of that
    /// minute.
    pub fn admit(&self, address: Address, token: &[u8]) -> Result<Moderator, Refused> {
        self.look(address, Refused::Wrong, || self.known().moderator(&Digest::of(token)).cloned())
    }

    /// The nickname that this token proves; `None` where no nickname is proven by tokens: then such a header is meant
    /// for somebody else, a proxy for one, and is no wrong one.
    ///
    /// # Errors
    /// As [`Moderators::admit`]. The token of a moderator proves no nickname: it has no business in a chat client.
    pub fn proves(&self, address: Address, token: &[u8]) -> Result<Option<Trusted>, Refused> {
        let known = self.known();
        if known.trusted.is_empty() {
            return Ok(None);
        }
        let find = || known.trusted_by(&Digest::of(token)).cloned();
        self.look(address, Refused::ProvesNothing, find).map(Some)
    }

    /// Whether a moderator who was admitted may still do the same, for what goes on for longer than a call.
    #[must_use]
    pub fn still_admits(&self, moderator: &Moderator) -> bool {
        let Moderator { name, scope, rooms, digest } = moderator;
        self.known().moderator(digest).is_some_and(|now| (&now.name, &now.scope, &now.rooms) == (name, scope, rooms))
    }

    /// Reads all tokens that `config` names, in a relay with these rooms, without putting them in force: that is for
    /// [`Moderators::replace`]. Waits for the disk.
    ///
    /// # Errors
    /// As [`Tokens::read`].
    pub fn read(&self, config: &Config, rooms: &[RoomName]) -> Result<Tokens, Vec<Fault>> {
        Tokens::read_beside(config, rooms, self.operator.as_ref())
    }

    /// Puts these in force in place of those that were. The token of a run stays good until its end.
    pub fn replace(&self, tokens: Tokens) {
        let (moderators, trusted) = (tokens.moderators(), tokens.trusted());
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(tokens);
        if moderators == 0 {
            tracing::warn!("there are no moderators any more");
        }
        tracing::info!(moderators, trusted, "tokens are in force");
    }

    /// Forgets addresses that have stopped trying.
    pub fn prune(&self) {
        self.tries.prune(Instant::now());
    }

    fn known(&self) -> Arc<Tokens> {
        Arc::clone(&self.known.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// What `find` finds, unless the address has to wait.
    fn look<T>(&self, address: Address, wrong: Refused, find: impl FnOnce() -> Option<T>) -> Result<T, Refused> {
        let now = Instant::now();
        if let Some(retry_after) = self.tries.must_wait(address, now) {
            return Err(Refused::TooManyTries { retry_after });
        }
        if let Some(found) = find() {
            return Ok(found);
        }
        tracing::info!(%address, "a wrong token");
        if self.tries.note_wrong(address, now) {
            tracing::warn!(%address, "too many wrong tokens: the address must wait");
        }
        Err(wrong)
    }
}

#[cfg(test)]
mod tests;
