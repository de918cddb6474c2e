//! Records: the rows of a table, as JSON objects with a version.

use std::fmt;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// A row of a table. Its key is a number.
pub trait Record: Serialize + DeserializeOwned {
    /// The name of the table.
    const TABLE: &'static str;
    /// The name of a record in errors.
    const NAME: &'static str;
    /// The version that is written. The fields have aliases and defaults by which older versions are read.
    const VERSION: u32;
    /// The name under which the next key is stored, if keys are never reused.
    const NEXT_KEY: Option<&'static str> = None;
}

/// A record is invalid.
#[derive(Debug, PartialEq, Eq)]
pub struct RecordError(pub(super) String);

impl fmt::Display for RecordError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The version of a record. Format 1 of the store has none.
#[derive(Deserialize)]
struct Version {
    #[serde(default)]
    v: u32,
}

/// A record with its version.
#[derive(Serialize)]
struct Versioned<'a, R> {
    v: u32,
    #[serde(flatten)]
    record: &'a R,
}

/// Returns the bytes of a record.
///
/// # Errors
/// [`RecordError`] if it is not an object.
pub fn encode<R: Record>(record: &R) -> Result<Vec<u8>, RecordError> {
    serde_json::to_vec(&Versioned { v: R::VERSION, record }).map_err(|error| RecordError(error.to_string()))
}

/// Returns the record from its bytes.
///
/// # Errors
/// [`RecordError`], which tells the position of the error, but no contents.
pub fn decode<R: Record>(bytes: &[u8]) -> Result<R, RecordError> {
    let invalid = |error: serde_json::Error| {
        let (column, kind) = (error.column(), error.classify());
        RecordError(format!("is not a record of this version, at column {column} ({kind:?})"))
    };
    let Version { v } = serde_json::from_slice(bytes).map_err(invalid)?;
    if v > R::VERSION {
        return Err(RecordError(format!("has version {v}; this version reads versions up to {}", R::VERSION)));
    }
    serde_json::from_slice(bytes).map_err(invalid)
}
