//! The key of hashes of addresses and images.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::net::IpAddr;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::{PoisonError, RwLock};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::chain::{hex, parse};
use crate::model::{Address, AddressHash};

/// The key file in the folder of the log.
const FILE: &str = "key";
/// A new key is written here before it replaces the old one.
const TEMPORARY_FILE: &str = "key.new";
/// Maximum size of a key file that is read, in bytes.
const MAX_FILE: u64 = 1_024;

/// The key in use. It is replaced after the retention time of the log, so that older hashes can neither be linked to
/// newer ones nor be reversed.
#[derive(Debug)]
pub(super) struct HashKeys(RwLock<Key>);

#[derive(Clone)]
struct Key {
    bytes: [u8; 32],
    since: Timestamp,
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Key").field("since", &self.since).finish_non_exhaustive()
    }
}

/// The contents of the key file.
#[derive(Serialize, Deserialize)]
struct KeyFile {
    key: String,
    since: String,
}

impl HashKeys {
    /// Reads the key of the folder, however old it is. Creates a new one if there is none.
    pub(super) fn open(dir: &Path, now: Timestamp) -> io::Result<Self> {
        let key = match Key::read(&dir.join(FILE))? {
            Some(key) => key,
            None => Key::create(dir, now)?,
        };
        Ok(Self(RwLock::new(key)))
    }

    /// Checks that the key of the folder can be read or is missing.
    pub(super) fn check(dir: &Path) -> io::Result<()> {
        Key::read(&dir.join(FILE)).map(drop)
    }

    /// Replaces the key if it is older than `days`. A key that cannot be written is not used.
    pub(super) fn renew(&self, dir: &Path, now: Timestamp, days: u32) -> io::Result<()> {
        if self.is_expired(now, days) {
            let key = Key::create(dir, now)?;
            *self.0.write().unwrap_or_else(PoisonError::into_inner) = key;
        }
        Ok(())
    }

    /// Whether the key is older than `days`.
    pub(super) fn is_expired(&self, now: Timestamp, days: u32) -> bool {
        self.0.read().unwrap_or_else(PoisonError::into_inner).is_expired(now, days)
    }

    /// Returns since when the key is in use.
    pub(super) fn since(&self) -> Timestamp {
        self.0.read().unwrap_or_else(PoisonError::into_inner).since
    }

    /// Returns the hash of a file, by its digest.
    pub(super) fn hash_digest(&self, digest: &[u8; 32]) -> String {
        let key = self.0.read().unwrap_or_else(PoisonError::into_inner);
        blake3::keyed_hash(&key.bytes, digest).to_hex().chars().take(16).collect()
    }

    /// Returns the hash of an address.
    pub(super) fn hash(&self, address: Address) -> AddressHash {
        let key = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let mut hasher = blake3::Hasher::new_keyed(&key.bytes);
        match address.ip() {
            IpAddr::V4(v4) => hasher.update(&v4.octets()),
            IpAddr::V6(v6) => hasher.update(&v6.octets()),
        };
        if address.is_network() {
            hasher.update(&[address.prefix()]);
        }
        let hash = hasher.finalize();
        AddressHash(hash.as_bytes().iter().take(8).fold(0, |hash, byte| hash << 8 | u64::from(*byte)))
    }
}

impl Key {
    fn is_expired(&self, now: Timestamp, days: u32) -> bool {
        now.duration_since(self.since).as_secs() >= i64::from(days) * 86_400
    }

    fn read(path: &Path) -> io::Result<Option<Self>> {
        let file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let text = io::read_to_string(io::Read::take(file, MAX_FILE))?;
        let written = serde_json::from_str::<KeyFile>(&text).ok();
        let key = written.and_then(|KeyFile { key, since }| {
            Some(Self { bytes: parse(key.as_bytes())?, since: since.parse().ok()? })
        });
        key.map(Some).ok_or_else(|| {
            let text = "the file does not contain a key; remove it to create a new one (older hashes cannot be linked to new ones then)";
            io::Error::new(io::ErrorKind::InvalidData, text)
        })
    }

    /// Creates a key that replaces the previous one.
    fn create(dir: &Path, since: Timestamp) -> io::Result<Self> {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes).map_err(io::Error::other)?;
        let json = serde_json::to_string(&KeyFile { key: hex(&bytes), since: since.to_string() })?;
        let new = dir.join(TEMPORARY_FILE);
        match fs::remove_file(&new) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new)?;
        file.write_all(format!("{json}\n").as_bytes())?;
        file.sync_all()?;
        fs::rename(&new, dir.join(FILE))?;
        File::open(dir)?.sync_all()?;
        Ok(Self { bytes, since })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{address, at};
    use std::os::unix::fs::PermissionsExt as _;

    fn day(day: i64) -> Timestamp {
        at(1_700_000_000 + day * 86_400)
    }

    #[test]
    fn the_hash_of_an_address_changes_with_the_key_only() {
        let dir = tempfile::tempdir().unwrap();
        let keys = HashKeys::open(dir.path(), day(0)).unwrap();
        let here = address(7);
        let first = keys.hash(here);
        assert_ne!(first, keys.hash(address(8)));
        let again = HashKeys::open(dir.path(), day(29)).unwrap();
        assert_eq!((again.hash(here), again.since()), (first, day(0)));
        again.renew(dir.path(), day(29), 30).unwrap();
        assert_eq!(again.hash(here), first);
        again.renew(dir.path(), day(30), 30).unwrap();
        assert_ne!(again.hash(here), first);
        assert_eq!(again.since(), day(30));
        assert_eq!(HashKeys::open(dir.path(), day(99)).unwrap().hash(here), again.hash(here), "the clock may be wrong");
    }

    #[test]
    fn the_key_is_private_and_not_shown() {
        let dir = tempfile::tempdir().unwrap();
        let keys = HashKeys::open(dir.path(), day(0)).unwrap();
        let file = dir.path().join(FILE);
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        let key = hex(&keys.0.read().unwrap().bytes);
        assert!(fs::read_to_string(&file).unwrap().contains(&key));
        assert!(!format!("{keys:?}").contains(&key));
    }

    #[test]
    fn an_invalid_key_file_is_an_error_and_is_left_unchanged() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join(FILE), "sesame").unwrap();
        assert!(HashKeys::open(dir.path(), day(0)).is_err());
        assert_eq!(fs::read_to_string(dir.path().join(FILE)).unwrap(), "sesame");
    }
}
