//! All known tokens, as digests.

use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use super::Config;
use super::file;
use super::grant::{AccessTokens, Moderator, TrustedNickname};
use super::token::Digest;
use crate::model::{ReservedNames, RoomName};
use crate::settings::{ConfigError, read_text};

/// The mode bit that lets everybody write a file.
const WORLD_WRITABLE: u32 = 0o002;

impl AccessTokens {
    /// Reads the tokens of the configuration and of the file that it names, up to 1 MiB. `rooms` are the rooms of the
    /// relay. Blocks on the disk.
    ///
    /// The hashes in the file need not be secret, so the file may be world-readable. A user who can write it can become
    /// a moderator, so a world-writable file logs a warning.
    ///
    /// # Errors
    /// All errors of the file, each with its line. None contains a part of a token.
    pub fn read(config: &Config, rooms: &[RoomName]) -> Result<Self, Vec<ConfigError>> {
        Self::read_with_operator(config, rooms, None)
    }

    /// Like [`AccessTokens::read`], with the moderator of this run added.
    pub(super) fn read_with_operator(
        config: &Config,
        rooms: &[RoomName],
        operator: Option<&Moderator>,
    ) -> Result<Self, Vec<ConfigError>> {
        let named =
            config.moderators.iter().map(super::ConfiguredModerator::to_moderator).chain(operator.cloned()).collect();
        let reserved = ReservedNames::new(config.reserved_nicknames.iter().map(String::as_str));
        match &config.tokens_file {
            None => Ok(Self { moderators: named, trusted: Vec::new(), reserved }),
            Some(path) => {
                let text = read_file(path).map_err(|error| vec![error])?;
                file::parse(path, &text, rooms, named, reserved)
            }
        }
    }

    /// Returns the number of moderators.
    #[must_use]
    pub fn moderator_count(&self) -> usize {
        self.moderators.len()
    }

    /// Returns the number of trusted nicknames.
    #[must_use]
    pub fn trusted_count(&self) -> usize {
        self.trusted.len()
    }

    /// Returns the moderator with this token. Compares all digests, so that timing reveals nothing.
    pub(super) fn moderator(&self, digest: &Digest) -> Option<&Moderator> {
        find(&self.moderators, digest, |moderator| &moderator.digest)
    }

    /// Like [`AccessTokens::moderator`], for trusted nicknames.
    pub(super) fn trusted_nickname(&self, digest: &Digest) -> Option<&TrustedNickname> {
        find(&self.trusted, digest, |trusted| &trusted.digest)
    }
}

fn find<'a, T>(all: &'a [T], digest: &Digest, of: fn(&T) -> &Digest) -> Option<&'a T> {
    let mut found = None;
    for (at, one) in all.iter().enumerate() {
        if of(one).constant_time_eq(digest) {
            found = Some(at);
        }
    }
    found.and_then(|at| all.get(at))
}

/// Reads the tokens file.
fn read_file(path: &Path) -> Result<String, ConfigError> {
    let config_error = |text: &str| ConfigError::in_file(path, text);
    let missing = || config_error("does not exist, but is named by moderation.tokens_file");
    match path.metadata() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(missing()),
        Err(error) => return Err(config_error(&format!("cannot be read: {error}"))),
        // Opening a pipe would block.
        Ok(metadata) if !metadata.is_file() => return Err(config_error("is not a regular file")),
        Ok(metadata) if metadata.permissions().mode() & WORLD_WRITABLE != 0 => {
            tracing::warn!(file = %path.display(), "tokens file is world-writable");
        }
        Ok(_) => {}
    }
    read_text(path)?.ok_or_else(missing)
}
