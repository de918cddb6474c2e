//! The tables of the database, read and written as a whole.

use std::any::Any;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;

use redb::{Database, Durability, ReadableDatabase as _, TableError};

use super::error::{StoreError, TablesError};
use super::file::{FileBackend, StoreFile};
use super::table::{Contents, META, StoredState, TableReader};

/// The format that this version writes. A change that older versions cannot read, or would misread, needs a new number.
const FORMAT: u64 = 2;
/// The oldest format that this version reads.
const OLDEST_FORMAT: u64 = 1;
/// Size of redb's cache, in bytes. Small, since the state itself is in memory.
const CACHE: usize = 4 << 20;

/// The open database.
#[derive(Debug)]
pub(super) struct Tables {
    locked: StoreFile,
    /// `None` after an error: the database is reopened before the next write.
    database: Option<Database>,
}

impl Tables {
    /// Opens the file and reads all of it.
    ///
    /// The file is first read with an overlay, including redb's repair after a crash. So a damaged or foreign file stays
    /// unchanged.
    pub(super) fn open<C: Contents>(locked: StoreFile) -> Result<(Self, C), StoreError> {
        let contents = Self::read(&locked)?;
        let database = match catch_panics(|| create(&locked)) {
            Ok(database) => Some(database),
            // The disk may be full. The contents are known, and the writer thread retries.
            Err(TablesError::Redb(redb::Error::Io(_))) => None,
            Err(error) => return Err(to_store_error(&locked.path, error)),
        };
        Ok((Self { locked, database }, contents))
    }

    /// Reads all of the file without changing it.
    pub(super) fn read<C: Contents>(locked: &StoreFile) -> Result<C, StoreError> {
        let to_error = |error| to_store_error(&locked.path, error);
        let is_new = locked.file.metadata().map_err(|error| to_error(redb::Error::Io(error).into()))?.len() == 0;
        if is_new {
            return Ok(C::default());
        }
        check_magic(locked).map_err(&to_error)?;
        let contents = catch_panics(|| {
            let backing = FileBackend::with_overlay(Arc::clone(&locked.file)).map_err(redb::Error::Io)?;
            let builder = &mut Database::builder();
            let builder = builder.set_cache_size(CACHE).set_check_integrity_on_open(true);
            read(&builder.create_with_backend(backing)?)
        });
        contents.map_err(to_error)
    }

    /// Writes the changes of a state durably in one transaction. The next keys are stored `ahead` above the actual ones.
    pub(super) fn write(&mut self, state: &StoredState, ahead: u64) -> Result<(), TablesError> {
        let database = match self.database.take() {
            Some(database) => database,
            None => catch_panics(|| create(&self.locked))?,
        };
        // redb requires reopening the file after any error.
        self.database = Some(catch_panics(move || {
            let mut transaction = database.begin_write()?;
            transaction.set_durability(Durability::Immediate)?;
            transaction.open_table(META)?.insert("format", FORMAT)?;
            for table in &state.0 {
                table.write(&transaction, ahead)?;
            }
            transaction.commit()?;
            Ok(database)
        })?);
        Ok(())
    }

    /// Closes the file.
    pub(super) fn close(self) -> Result<(), TablesError> {
        self.database.map_or(Ok(()), |database| catch_panics(|| Ok(database.close()?)))
    }
}

/// Converts an error for the file at `path`.
fn to_store_error(path: &Path, error: TablesError) -> StoreError {
    let path = path.to_owned();
    match error {
        // An unexpected end of file is damage; any other I/O error is the disk's.
        TablesError::Redb(redb::Error::Io(error)) if error.kind() != io::ErrorKind::UnexpectedEof => {
            StoreError::Open { path, error }
        }
        TablesError::NotAStore => StoreError::NotAStore { path },
        TablesError::Format(found) => StoreError::Format { path, found, own: FORMAT },
        error => StoreError::Damaged { path, reason: error.to_string() },
    }
}

fn create(locked: &StoreFile) -> Result<Database, TablesError> {
    let backing = FileBackend::new(Arc::clone(&locked.file));
    Ok(Database::builder().set_cache_size(CACHE).create_with_backend(backing)?)
}

/// Turns a panic of redb on damaged contents into an error.
fn catch_panics<T>(f: impl FnOnce() -> Result<T, TablesError>) -> Result<T, TablesError> {
    let to_error = |panic: Box<dyn Any + Send>| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        TablesError::Panicked(text.or(panic.downcast_ref::<&str>().copied()).unwrap_or_default().to_owned())
    };
    catch_unwind(AssertUnwindSafe(f)).map_err(to_error).flatten()
}

/// Checks that the file starts like a redb database. Any other defect counts as damage.
fn check_magic(locked: &StoreFile) -> Result<(), TablesError> {
    use std::os::unix::fs::FileExt as _;
    let mut start = [0; 4];
    match locked.file.read_exact_at(&mut start, 0) {
        Ok(()) if &start == b"redb" => Ok(()),
        Err(error) if error.kind() != io::ErrorKind::UnexpectedEof => Err(redb::Error::Io(error).into()),
        _ => Err(TablesError::NotAStore),
    }
}

fn read<C: Contents>(database: &Database) -> Result<C, TablesError> {
    let transaction = database.begin_read()?;
    let format = match transaction.open_table(META) {
        // An empty store.
        Err(TableError::TableDoesNotExist(_)) if transaction.list_tables()?.next().is_none() => {
            return Ok(C::default());
        }
        Err(TableError::TableDoesNotExist(_) | TableError::TableTypeMismatch { .. }) => {
            return Err(TablesError::NotAStore);
        }
        meta => meta?.get("format")?.map(|format| format.value()),
    };
    match format {
        Some(OLDEST_FORMAT..=FORMAT) => C::read(&TableReader(transaction)),
        Some(format) => Err(TablesError::Format(format)),
        None => Err(TablesError::NotAStore),
    }
}
