//! Checks whether a relay could write the log, without writing to it.

use std::io;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::folder::{self, ChainTip};
use super::key::HashKeys;
use super::{AuditError, Config, Recording};
use crate::file::probe::write_in_or_create;

/// Checks whether the log of `config` could be opened and written. The folder of a running relay passes.
///
/// Creates no folder, changes no file and takes no lock.
///
/// # Errors
/// [`AuditError`], with the step that failed.
pub fn probe(config: &Config) -> Result<(), AuditError> {
    let (Some(dir), Recording::NotPassed | Recording::All) = (&config.dir, config.record) else { return Ok(()) };
    let error = |what| move |source| AuditError { dir: dir.clone(), what, source };
    write_in_or_create(dir).map_err(error("no file can be written there"))?;
    let names = match folder::list(dir) {
        Err(missing) if missing.kind() == io::ErrorKind::NotFound => return Ok(()),
        names => names.map_err(error("the folder cannot be read"))?,
    };
    HashKeys::check(dir).map_err(error("reading its key failed"))?;
    let today = Timestamp::now().to_zoned(TimeZone::UTC).date();
    ChainTip::of_latest_day(dir, &names, today).map(drop).map_err(error("its last file cannot be read"))
}
