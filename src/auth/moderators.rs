//! Authentication: compares tokens with all known ones, and limits failed attempts per address.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use super::Config;
use super::attempts::FailedAttempts;
use super::grant::{AccessTokens, Moderator, TrustedNickname};
use super::token::{Digest, RandomnessError, Token};
use crate::model::{Address, GuardedNames, RoomName};
use crate::settings::ConfigError;

/// The name of the moderator with the token of this run.
const OPERATOR: &str = "operator";

/// All moderators and trusted nicknames, by token.
#[derive(Debug)]
pub struct Moderators {
    /// The moderator with the token of this run, if there is one.
    operator: Option<Moderator>,
    known: RwLock<Arc<AccessTokens>>,
    attempts: FailedAttempts,
}

/// Why a token is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// It belongs to no moderator.
    #[error("this token belongs to no moderator")]
    NotModerator,
    /// It proves no nickname.
    #[error("this token proves no nickname")]
    NotTrusted,
    /// A wrong token, after too many others from this address.
    #[error("too many wrong tokens from this address")]
    TooManyAttempts {
        /// How long the address has to wait.
        retry_after: Duration,
    },
}

/// Why access could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum AccessError {
    /// No token could be generated for this run.
    #[error(transparent)]
    Randomness(#[from] RandomnessError),
    /// The tokens file has errors that it did not have when the configuration was read.
    #[error("invalid tokens file: {}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    File(Vec<ConfigError>),
}

impl Moderators {
    /// Reads the tokens that `config` and its tokens file name, for a relay with these rooms. If there is no moderator,
    /// adds one named `operator` and returns its token of 256 random bits. Blocks on the disk.
    ///
    /// # Errors
    /// [`AccessError`].
    pub fn new(config: &Config, rooms: &[RoomName]) -> Result<(Self, Option<Token>), AccessError> {
        let mut known = AccessTokens::read(config, rooms).map_err(AccessError::File)?;
        let token = if known.moderators.is_empty() { Some(Token::random()?) } else { None };
        let operator = token.as_ref().map(|token| Moderator::admin(OPERATOR.into(), token.digest()));
        known.moderators.extend(operator.clone());
        let known = RwLock::new(Arc::new(known));
        Ok((Self { operator, known, attempts: FailedAttempts::default() }, token))
    }

    /// Returns the moderator with this token.
    ///
    /// # Errors
    /// [`TokenError`]. After ten wrong tokens of any kind within a minute, further wrong tokens of an address are answered
    /// with the time until the end of that minute.
    pub fn authenticate(&self, address: Address, token: &[u8]) -> Result<Moderator, TokenError> {
        self.check_attempt(address, TokenError::NotModerator, || self.known().moderator(&Digest::new(token)).cloned())
    }

    /// Returns the nickname that this token proves; `None` if no trusted nicknames are configured. The header may be
    /// meant for a proxy then, and is not counted as a wrong token.
    ///
    /// # Errors
    /// Like [`Moderators::authenticate`]. The token of a moderator proves no nickname: it does not belong in a chat
    /// client.
    pub fn trusted_nickname(&self, address: Address, token: &[u8]) -> Result<Option<TrustedNickname>, TokenError> {
        let known = self.known();
        if known.trusted.is_empty() {
            return Ok(None);
        }
        let find = || known.trusted_nickname(&Digest::new(token)).cloned();
        self.check_attempt(address, TokenError::NotTrusted, find).map(Some)
    }

    /// Whether an authenticated moderator still has the same grant. For streams, which outlast a call.
    #[must_use]
    pub fn is_still_valid(&self, moderator: &Moderator) -> bool {
        let Moderator { name, scope, rooms, digest } = moderator;
        self.known().moderator(digest).is_some_and(|now| (&now.name, &now.scope, &now.rooms) == (name, scope, rooms))
    }

    /// Reads all tokens that `config` names, for a relay with these rooms, without applying them; see
    /// [`Moderators::replace`]. Blocks on the disk.
    ///
    /// # Errors
    /// Like [`AccessTokens::read`].
    pub fn read(&self, config: &Config, rooms: &[RoomName]) -> Result<AccessTokens, Vec<ConfigError>> {
        AccessTokens::read_with_operator(config, rooms, self.operator.as_ref())
    }

    /// Replaces all tokens. The token of this run stays valid until the relay exits.
    pub fn replace(&self, tokens: AccessTokens) {
        let (moderators, trusted) = (tokens.moderator_count(), tokens.trusted_count());
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(tokens);
        if moderators == 0 {
            tracing::warn!("no moderators are left");
        }
        tracing::info!(moderators, trusted, "tokens loaded");
    }

    /// Returns the names that not everybody may use.
    #[must_use]
    pub fn guarded_names(&self) -> GuardedNames {
        self.known().guarded_names()
    }

    /// Removes addresses whose failed attempts have expired.
    pub fn prune(&self) {
        self.attempts.prune(Instant::now());
    }

    fn known(&self) -> Arc<AccessTokens> {
        Arc::clone(&self.known.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Returns what `find` finds. Counts a failed attempt, unless the address has to wait.
    fn check_attempt<T>(
        &self,
        address: Address,
        wrong: TokenError,
        find: impl FnOnce() -> Option<T>,
    ) -> Result<T, TokenError> {
        // A valid token is accepted first: neighbours at the same address must not be able to lock its owner out. Tokens are
        // random enough that looking each of them up helps nobody to guess one.
        if let Some(found) = find() {
            return Ok(found);
        }
        let now = Instant::now();
        if let Some(retry_after) = self.attempts.retry_after(address, now) {
            return Err(TokenError::TooManyAttempts { retry_after });
        }
        tracing::info!(%address, "wrong token");
        if self.attempts.record_failure(address, now) {
            tracing::warn!(%address, "too many wrong tokens; further ones are refused for the rest of the minute");
        }
        Err(wrong)
    }
}

#[cfg(test)]
mod tests;
