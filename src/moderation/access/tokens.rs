//! All tokens that are known, as digests.

use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use super::file;
use super::grant::{Moderator, Trusted};
use super::token::Digest;
use crate::model::RoomName;
use crate::moderation::Config;
use crate::settings::{Fault, Place, read_text};

/// The mode bit by which everybody may write a file.
const WRITTEN_BY_ALL: u32 = 0o002;

/// Everybody who has a token: moderators, and senders whose nickname a token proves.
#[derive(Clone, Debug, Default)]
pub struct Tokens {
    pub(super) moderators: Vec<Moderator>,
    pub(super) trusted: Vec<Trusted>,
}

impl Tokens {
    /// Those of the configuration and of the file that it names, of which at most 1 MiB is read. `rooms` are those of
    /// the relay. Waits for the disk.
    ///
    /// The hashes in the file are no secret worth keeping, so that it may be read by everybody. Whoever may write it
    /// can become a moderator: a file that everybody may write is warned about.
    ///
    /// # Errors
    /// All faults of the file, each with its line and none with a piece of a token.
    pub fn read(config: &Config, rooms: &[RoomName]) -> Result<Self, Vec<Fault>> {
        Self::read_beside(config, rooms, None)
    }

    /// As [`Tokens::read`], beside the moderator of this run.
    pub(super) fn read_beside(
        config: &Config,
        rooms: &[RoomName],
        operator: Option<&Moderator>,
    ) -> Result<Self, Vec<Fault>> {
        let named = config.moderators.iter().map(super::Named::moderator).chain(operator.cloned()).collect();
        match &config.tokens_file {
            None => Ok(Self { moderators: named, trusted: Vec::new() }),
            Some(path) => {
                let text = text(path).map_err(|fault| vec![fault])?;
                file::parse(path, &text, rooms, named)
            }
        }
    }

    /// How many moderators there are.
    #[must_use]
    pub fn moderators(&self) -> usize {
        self.moderators.len()
    }

    /// How many nicknames a token proves.
    #[must_use]
    pub fn trusted(&self) -> usize {
        self.trusted.len()
    }

    /// The one whose token this is. Looks at all of them, so that the time it takes tells nothing.
    pub(super) fn moderator(&self, digest: &Digest) -> Option<&Moderator> {
        find(&self.moderators, digest, |moderator| &moderator.digest)
    }

    /// As [`Tokens::moderator`], of those who are trusted.
    pub(super) fn trusted_by(&self, digest: &Digest) -> Option<&Trusted> {
        find(&self.trusted, digest, |trusted| &trusted.digest)
    }
}

fn find<'a, T>(all: &'a [T], digest: &Digest, of: fn(&T) -> &Digest) -> Option<&'a T> {
    let mut found = None;
    for (at, one) in all.iter().enumerate() {
        if of(one).same(digest) {
            found = Some(at);
        }
    }
    found.and_then(|at| all.get(at))
}

/// The text of the file.
fn text(path: &Path) -> Result<String, Fault> {
    let fault = |text: &str| Fault::new(Place::File(path.to_owned()), text);
    let missing = || fault("does not exist, though moderation.tokens_file names it");
    match path.metadata() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(missing()),
        Err(error) => return Err(fault(&format!("cannot be read: {error}"))),
        // Opening a pipe would wait for somebody to write to it.
        Ok(seen) if !seen.is_file() => return Err(fault("is no file")),
        Ok(seen) if seen.permissions().mode() & WRITTEN_BY_ALL != 0 => {
            tracing::warn!(file = %path.display(), "everybody on this machine may write the file of tokens");
        }
        Ok(_) => {}
    }
    read_text(path)?.ok_or_else(missing)
}
