//! Errors of the moderation store.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use super::record::RecordError;

/// The moderation state cannot be read or was not written.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The file cannot be opened, created or read.
    #[error("{}: the moderation store cannot be opened (moderation.store): {error}", path.display())]
    Open {
        /// The path of the file.
        path: PathBuf,
        /// The system's error.
        error: io::Error,
    },
    /// The file system cannot create the file without the risk of replacing another one.
    #[error(
        "{}: the moderation store cannot be created: this file system supports neither hard links nor renaming without \
         replacing ({error}); name a file on another one as moderation.store",
        path.display()
    )]
    NoExclusiveName {
        /// The path of the file.
        path: PathBuf,
        /// The system's error.
        error: io::Error,
    },
    /// The path is not a regular file.
    #[error("{}: moderation.store must be a regular file", path.display())]
    NotAFile {
        /// The path.
        path: PathBuf,
    },
    /// Other users can read the file, and its mode cannot be changed.
    #[error(
        "{}: other users can read or write this file (mode {mode:o}), and its mode cannot be changed ({error}); \
         chown it to the relay's user and chmod it to 600",
        path.display()
    )]
    NotPrivate {
        /// The path of the file.
        path: PathBuf,
        /// The mode of the file.
        mode: u32,
        /// The system's error.
        error: io::Error,
    },
    /// Another relay uses the file.
    #[error("{}: another relay is using this moderation store; each relay needs its own", path.display())]
    Busy {
        /// The path of the file.
        path: PathBuf,
    },
    /// The file was not written by this program.
    #[error("{}: not a moderation store; the file is left unchanged, name another one as moderation.store", path.display())]
    NotAStore {
        /// The path of the file.
        path: PathBuf,
    },
    /// The file was written by an incompatible version.
    #[error("{}: format {found} is not supported, this version reads formats 1 to {own}; the file is left unchanged", path.display())]
    Format {
        /// The path of the file.
        path: PathBuf,
        /// The format of the file.
        found: u64,
        /// The latest format that this version reads.
        own: u64,
    },
    /// The file is damaged.
    #[error(
        "{}: the file is damaged and left unchanged: {reason}; restore a backup, or move it away to start without sanctions",
        path.display()
    )]
    Damaged {
        /// The path of the file.
        path: PathBuf,
        /// The damage.
        reason: String,
    },
    /// The writer thread cannot be started.
    #[error("the writer thread of the moderation store cannot be started: {0}")]
    Thread(io::Error),
    /// The write failed. It is retried.
    #[error("applied, but not yet persisted; see the log")]
    WriteFailed,
    /// The write was not finished in time.
    #[error("applied, but not persisted within {} s", waited.as_secs())]
    TimedOut {
        /// How long the caller waited.
        waited: Duration,
    },
    /// The store is closed.
    #[error("the relay is shutting down")]
    Closed,
}

/// An error of the database or of a record.
#[derive(Debug, thiserror::Error)]
pub enum TablesError {
    /// The database failed.
    #[error(transparent)]
    Redb(#[from] redb::Error),
    /// A record is invalid.
    #[error("{0}")]
    Record(RecordError),
    /// The file was not written by this program.
    #[error("not a moderation store")]
    NotAStore,
    /// The file was written by an incompatible version.
    #[error("format {0} is not supported")]
    Format(u64),
    /// The database panicked.
    #[error("reading the database panicked: {0}")]
    Panicked(String),
}

impl From<RecordError> for TablesError {
    fn from(error: RecordError) -> Self {
        Self::Record(error)
    }
}

macro_rules! from_redb {
    ($($error:ident),*) => {$(
        impl From<redb::$error> for TablesError {
            fn from(error: redb::$error) -> Self {
                Self::Redb(error.into())
            }
        }
    )*};
}

from_redb!(CommitError, DatabaseError, SetDurabilityError, StorageError, TableError, TransactionError);
