//! The key with which addresses are hashed.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::net::IpAddr;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::{PoisonError, RwLock};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::chain::{hex, parse};
use crate::model::Address;

/// Its file in the folder of the log.
const FILE: &str = "key";
/// Where a new one is written before it takes the place of the old one.
const NEW: &str = "key.new";
/// Longest file that is read. Bytes.
const MAX_FILE: u64 = 1_024;

/// The key in use. When it has grown as old as the log may be, another one takes its place, and nobody can link hashes
/// made before and after that, or find the address of one made before.
#[derive(Debug)]
pub(super) struct Keys(RwLock<Key>);

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

/// As it stands in the file.
#[derive(Serialize, Deserialize)]
struct Written {
    key: String,
    since: String,
}

impl Keys {
    /// The key of the folder; a new one when there is none or it is older than `days`.
    pub(super) fn of(dir: &Path, now: Timestamp, days: u32) -> io::Result<Self> {
        let key = match Key::read(&dir.join(FILE))? {
            Some(key) if !key.is_old(now, days) => key,
            _ => Key::make(dir, now)?,
        };
        Ok(Self(RwLock::new(key)))
    }

    /// Whether the key of the folder can be read, or a new one is to be made.
    pub(super) fn check(dir: &Path) -> io::Result<()> {
        Key::read(&dir.join(FILE)).map(drop)
    }

    /// Replaces the key when it is older than `days`. What cannot be written is not used.
    pub(super) fn renew(&self, dir: &Path, now: Timestamp, days: u32) -> io::Result<()> {
        if self.0.read().unwrap_or_else(PoisonError::into_inner).is_old(now, days) {
            let key = Key::make(dir, now)?;
            *self.0.write().unwrap_or_else(PoisonError::into_inner) = key;
        }
        Ok(())
    }

    /// Since when it is in use.
    pub(super) fn since(&self) -> Timestamp {
        self.0.read().unwrap_or_else(PoisonError::into_inner).since
    }

    /// The hash of an address: 16 digits.
    pub(super) fn hash(&self, address: Address) -> String {
        let key = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let hash = match address.ip() {
            IpAddr::V4(v4) => blake3::keyed_hash(&key.bytes, &v4.octets()),
            IpAddr::V6(v6) => blake3::keyed_hash(&key.bytes, &v6.octets()),
        };
        hash.to_hex().chars().take(16).collect()
    }
}

impl Key {
    fn is_old(&self, now: Timestamp, days: u32) -> bool {
        now.duration_since(self.since).as_secs() >= i64::from(days) * 86_400
    }

    fn read(path: &Path) -> io::Result<Option<Self>> {
        let file = match File::open(path) {
            Ok(file) => file,
            Err(fault) if fault.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(fault) => return Err(fault),
        };
        let text = io::read_to_string(io::Read::take(file, MAX_FILE))?;
        let written = serde_json::from_str::<Written>(&text).ok();
        let key = written.and_then(|Written { key, since }| {
            Some(Self { bytes: parse(key.as_bytes())?, since: since.parse().ok()? })
        });
        key.map(Some).ok_or_else(|| {
            let text = "it holds no key; remove it, and a new one is made (hashes cannot be linked to older ones then)";
            io::Error::new(io::ErrorKind::InvalidData, text)
        })
    }

    /// Makes one and puts it in the place of the one before.
    fn make(dir: &Path, since: Timestamp) -> io::Result<Self> {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes).map_err(io::Error::other)?;
        let json = serde_json::to_string(&Written { key: hex(&bytes), since: since.to_string() })?;
        let new = dir.join(NEW);
        match fs::remove_file(&new) {
            Err(fault) if fault.kind() != io::ErrorKind::NotFound => return Err(fault),
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
    use std::os::unix::fs::PermissionsExt as _;

    fn address(text: &str) -> Address {
        Address::from(text.parse::<IpAddr>().unwrap())
    }

    fn day(day: i64) -> Timestamp {
        Timestamp::from_second(1_700_000_000 + day * 86_400).unwrap()
    }

    #[test]
    fn an_address_has_one_hash_as_long_as_the_key_is_kept_and_another_after_that() {
        let dir = tempfile::tempdir().unwrap();
        let keys = Keys::of(dir.path(), day(0), 30).unwrap();
        let here = address("192.0.2.7");
        let first = keys.hash(here);
        assert!(first.len() == 16 && first != keys.hash(address("192.0.2.8")));
        let again = Keys::of(dir.path(), day(29), 30).unwrap();
        assert_eq!((again.hash(here), again.since()), (first.clone(), day(0)));
        again.renew(dir.path(), day(29), 30).unwrap();
        assert_eq!(again.hash(here), first);
        again.renew(dir.path(), day(30), 30).unwrap();
        assert_ne!(again.hash(here), first);
        assert_eq!(again.since(), day(30));
        assert_eq!(Keys::of(dir.path(), day(31), 30).unwrap().hash(here), again.hash(here));
        assert_ne!(Keys::of(dir.path(), day(60), 30).unwrap().hash(here), again.hash(here));
    }

    #[test]
    fn the_key_is_readable_for_its_owner_alone_and_not_shown() {
        let dir = tempfile::tempdir().unwrap();
        let keys = Keys::of(dir.path(), day(0), 30).unwrap();
        let file = dir.path().join(FILE);
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        let key = hex(&keys.0.read().unwrap().bytes);
        assert!(fs::read_to_string(&file).unwrap().contains(&key));
        assert!(!format!("{keys:?}").contains(&key));
    }

    #[test]
    fn a_file_that_is_no_key_is_a_fault_and_is_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join(FILE), "sesame").unwrap();
        assert!(Keys::of(dir.path(), day(0), 30).is_err());
        assert_eq!(fs::read_to_string(dir.path().join(FILE)).unwrap(), "sesame");
    }
}
