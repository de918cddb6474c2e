//! Whether a start could write the log, found without writing to it.

use std::io;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::folder::{self, Standing};
use super::key::Keys;
use super::{AuditError, Config, Recording};
use crate::file::probe::write_in_or_make;

/// Whether the log that `config` names could be opened and written. The folder of a running relay can.
///
/// Makes no folder, changes no file, takes no lock, and leaves nothing behind.
///
/// # Errors
/// [`AuditError`], with what could not be done.
pub fn probe(config: &Config) -> Result<(), AuditError> {
    let (Some(dir), Recording::Refusals | Recording::All) = (&config.dir, config.record) else { return Ok(()) };
    let error = |what| move |source| AuditError { dir: dir.clone(), what, source };
    write_in_or_make(dir).map_err(error("no file can be written there"))?;
    let names = match folder::list(dir) {
        Err(missing) if missing.kind() == io::ErrorKind::NotFound => return Ok(()),
        names => names.map_err(error("the folder cannot be read"))?,
    };
    Keys::check(dir).map_err(error("its key"))?;
    let today = Timestamp::now().to_zoned(TimeZone::UTC).date();
    Standing::before(dir, &names, today).map(drop).map_err(error("its last file cannot be read"))
}
