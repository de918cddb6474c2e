//! Who may moderate: a token is compared with those of all moderators.

use std::fmt;
use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::config::{Config, Digest, Moderator, digest};
use super::tries::Tries;
use crate::model::Address;

/// The name of the one who has the token of a run.
const OPERATOR: &str = "operator";

/// Those who may moderate.
#[derive(Debug)]
pub struct Moderators {
    known: Vec<Moderator>,
    tries: Tries,
}

/// Why a token is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// It is no moderator's.
    #[error("this token is no moderator's")]
    Wrong,
    /// Too many wrong ones came from there; not even a right one is looked at.
    #[error("too many wrong tokens came from this address")]
    TooManyTries {
        /// How long to wait.
        retry_after: Duration,
    },
}

/// The system gives no random numbers.
#[derive(Debug, thiserror::Error)]
#[error("the system gives no random numbers for the token of this run: {0}")]
pub struct NoRandomness(getrandom::Error);

/// A token in clear, made for one run.
pub struct Token(String);

impl Token {
    fn random() -> Result<Self, NoRandomness> {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes).map_err(NoRandomness)?;
        Ok(Self(URL_SAFE_NO_PAD.encode(bytes)))
    }

    /// The token itself, to be shown to the operator and to nobody else.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token")
    }
}

impl Moderators {
    /// Those that `config` names. Where it names nobody: one called `operator`, with a token of 256 random bits, which
    /// comes along.
    ///
    /// # Errors
    /// [`NoRandomness`].
    pub fn of(config: &Config) -> Result<(Self, Option<Token>), NoRandomness> {
        let (known, token) = if config.moderators.is_empty() {
            let token = Token::random()?;
            let operator = Moderator { name: OPERATOR.into(), digest: digest(token.reveal().as_bytes()) };
            (vec![operator], Some(token))
        } else {
            (config.moderators.clone(), None)
        };
        Ok((Self { known, tries: Tries::default() }, token))
    }

    /// The name of the moderator whose token this is.
    ///
    /// # Errors
    /// [`Refused`]. After ten wrong tokens within a minute an address has to wait for the end of that minute.
    pub fn admit(&self, address: Address, token: &[u8]) -> Result<Moderator, Refused> {
        let now = Instant::now();
        if let Some(retry_after) = self.tries.must_wait(address, now) {
            return Err(Refused::TooManyTries { retry_after });
        }
        if let Some(name) = self.find(&digest(token)) {
            return Ok(name);
        }
        if self.tries.note_wrong(address, now) {
            tracing::warn!(%address, "too many wrong tokens of moderators: the address must wait");
        }
        Err(Refused::Wrong)
    }

    /// Looks at all of them, and at all of each, so that the time it takes tells nothing.
    fn find(&self, digest: &Digest) -> Option<Moderator> {
        let mut found = None;
        for (at, known) in self.known.iter().enumerate() {
            let differences =
                known.digest.iter().zip(digest).fold(0, |all, (one, other)| black_box(all | (one ^ other)));
            if differences == 0 {
                found = Some(at);
            }
        }
        found.and_then(|at| self.known.get(at)).cloned()
    }

    /// Forgets addresses that have stopped trying.
    pub fn prune(&self) {
        self.tries.prune(Instant::now());
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;
    use crate::settings::Value;

    fn address(host: u8) -> Address {
        Address::from(IpAddr::from([192, 0, 2, host]))
    }

    fn moderators(texts: &[&str]) -> Moderators {
        let moderators = texts.iter().map(|text| Moderator::from_text(text).unwrap()).collect();
        Moderators::of(&Config { moderators, ..Config::default() }).unwrap().0
    }

    #[test]
    fn a_token_leads_to_the_name_of_its_moderator() {
        let moderators = moderators(&["jane:0123456789abcdef", "hans:fedcba9876543210"]);
        let name = |token: &str| moderators.admit(address(1), token.as_bytes()).map(|name| name.to_string());
        assert_eq!(name("fedcba9876543210"), Ok("hans".to_owned()));
        assert_eq!(name("0123456789abcdef"), Ok("jane".to_owned()));
        for wrong in ["", "0123456789abcde", "0123456789abcdef0", "jane:0123456789abcdef"] {
            assert_eq!(name(wrong), Err(Refused::Wrong), "{wrong}");
        }
    }

    #[test]
    fn without_moderators_there_is_an_operator_with_another_token_each_time() {
        let [(one, first), (_, second)] = [(), ()].map(|()| Moderators::of(&Config::default()).unwrap());
        let (first, second) = (first.unwrap(), second.unwrap());
        assert_eq!(one.admit(address(1), first.reveal().as_bytes()).as_deref(), Ok(OPERATOR));
        assert_eq!(one.admit(address(1), second.reveal().as_bytes()), Err(Refused::Wrong));
        assert_eq!(first.reveal().len(), 43);
        assert_eq!(format!("{first:?}"), "Token");
    }

    #[test]
    fn after_ten_wrong_tokens_not_even_the_right_one_is_taken_from_that_address() {
        let moderators = moderators(&["jane:0123456789abcdef"]);
        for _ in 0..10 {
            assert_eq!(moderators.admit(address(1), b"wrong"), Err(Refused::Wrong));
        }
        let refused = moderators.admit(address(1), b"0123456789abcdef");
        assert!(matches!(refused, Err(Refused::TooManyTries { .. })), "{refused:?}");
        assert!(moderators.admit(address(2), b"0123456789abcdef").is_ok());
    }
}
