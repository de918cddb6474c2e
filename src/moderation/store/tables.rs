//! The tables of the database, read and written as a whole.

use std::any::Any;
use std::collections::BTreeMap;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;

use redb::{Database, Durability, ReadableDatabase as _, ReadableTable, TableDefinition, TableError, WriteTransaction};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::StoreError;
use super::file::{FileBackend, LockedFile};
use super::records::{self, HeldRecord, LevelRecord, OffenceRecord, RecordError};
use crate::model::ActiveLevel;
use crate::moderation::HeldMessage;
use crate::moderation::sanctions::OffenceEntry;

/// The format that this version writes.
const FORMAT: u64 = 1;
/// Size of redb's cache. Small, since the state itself is in memory. Bytes.
const CACHE: usize = 4 << 20;

type RecordTable = TableDefinition<'static, u64, &'static [u8]>;
type SettingTable = TableDefinition<'static, &'static str, &'static str>;
const META: TableDefinition<'static, &'static str, u64> = TableDefinition::new("gischat-relay moderation");
const OFFENCES: RecordTable = TableDefinition::new("offences");
const HELD: RecordTable = TableDefinition::new("held");
const LEVELS: RecordTable = TableDefinition::new("levels");
const SETTINGS: SettingTable = TableDefinition::new("settings");

/// The contents of the store.
#[derive(Debug, Default)]
pub(in crate::moderation) struct StoreContents {
    /// The next free id; all offences have lower ids.
    pub(in crate::moderation) next_id: u64,
    pub(in crate::moderation) offences: Vec<OffenceEntry>,
    pub(in crate::moderation) held: Vec<(u64, HeldMessage)>,
    pub(in crate::moderation) levels: Vec<ActiveLevel>,
    pub(in crate::moderation) settings: BTreeMap<String, String>,
}

/// The changes of a table; `None` stands for a removed entry.
#[derive(Debug)]
pub(in crate::moderation) struct TableChanges<V> {
    /// Whether the items replace the whole table.
    pub(in crate::moderation) replaces_all: bool,
    pub(in crate::moderation) items: Vec<(u64, Option<V>)>,
}

impl<V> TableChanges<V> {
    /// The keys of the changed entries.
    pub(in crate::moderation) fn keys(&self) -> impl Iterator<Item = u64> {
        self.items.iter().map(|(number, _)| *number)
    }
}

/// The changes of one transaction.
#[derive(Debug)]
pub(super) struct WriteBatch {
    pub(super) next_id: u64,
    pub(super) offences: TableChanges<OffenceEntry>,
    pub(super) held: TableChanges<HeldMessage>,
    /// All of them, if one has changed.
    pub(super) levels: Option<Vec<ActiveLevel>>,
    /// All of them, if one has changed.
    pub(super) settings: Option<BTreeMap<String, String>>,
}

/// An error of the database or of a record.
#[derive(Debug, thiserror::Error)]
pub(super) enum TablesError {
    #[error(transparent)]
    Redb(#[from] redb::Error),
    #[error("{0}")]
    Record(RecordError),
    #[error("not a moderation store")]
    NotAStore,
    #[error("format {0} is not supported")]
    Format(u64),
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

/// The open database.
#[derive(Debug)]
pub(super) struct Tables {
    locked: LockedFile,
    /// `None` after an error: the database is reopened before the next write.
    database: Option<Database>,
}

impl Tables {
    /// Opens the file and reads all of it.
    ///
    /// The file is first read with an overlay, including redb's repair after a crash. So a damaged or foreign file stays
    /// unchanged.
    pub(super) fn open(locked: LockedFile) -> Result<(Self, StoreContents), StoreError> {
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
    pub(super) fn read(locked: &LockedFile) -> Result<StoreContents, StoreError> {
        let to_error = |error| to_store_error(&locked.path, error);
        let is_new = locked.file.metadata().map_err(|error| to_error(redb::Error::Io(error).into()))?.len() == 0;
        if is_new {
            return Ok(StoreContents::default());
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

    /// Writes a batch durably in one transaction.
    pub(super) fn write(&mut self, batch: &WriteBatch) -> Result<(), TablesError> {
        let database = match self.database.take() {
            Some(database) => database,
            None => catch_panics(|| create(&self.locked))?,
        };
        // redb requires reopening the file after any error.
        self.database = Some(catch_panics(move || {
            let mut transaction = database.begin_write()?;
            transaction.set_durability(Durability::Immediate)?;
            write_batch(&transaction, batch)?;
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

fn create(locked: &LockedFile) -> Result<Database, TablesError> {
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
fn check_magic(locked: &LockedFile) -> Result<(), TablesError> {
    use std::os::unix::fs::FileExt as _;
    let mut start = [0; 4];
    match locked.file.read_exact_at(&mut start, 0) {
        Ok(()) if &start == b"redb" => Ok(()),
        Err(error) if error.kind() != io::ErrorKind::UnexpectedEof => Err(redb::Error::Io(error).into()),
        _ => Err(TablesError::NotAStore),
    }
}

fn read(database: &Database) -> Result<StoreContents, TablesError> {
    let transaction = database.begin_read()?;
    let meta = match transaction.open_table(META) {
        // An empty store.
        Err(TableError::TableDoesNotExist(_)) if transaction.list_tables()?.next().is_none() => {
            return Ok(StoreContents::default());
        }
        Err(TableError::TableDoesNotExist(_) | TableError::TableTypeMismatch { .. }) => {
            return Err(TablesError::NotAStore);
        }
        meta => meta?,
    };
    match meta.get("format")?.map(|format| format.value()) {
        Some(FORMAT) => {}
        Some(format) => return Err(TablesError::Format(format)),
        None => return Err(TablesError::NotAStore),
    }
    let next_id = meta.get("next_id")?.map_or(0, |id| id.value());
    let mut contents = StoreContents { next_id, ..StoreContents::default() };
    for (id, record) in read_records::<OffenceRecord>(&transaction.open_table(OFFENCES)?, "offence")? {
        contents.offences.push(with_record_name("offence", id, record.read(id))?);
    }
    for (number, record) in read_records::<HeldRecord>(&transaction.open_table(HELD)?, "held message")? {
        contents.held.push((number, with_record_name("held message", number, record.read())?));
    }
    for (number, record) in read_records::<LevelRecord>(&transaction.open_table(LEVELS)?, "level")? {
        contents.levels.push(with_record_name("level", number, record.read())?);
    }
    for item in transaction.open_table(SETTINGS)?.iter()? {
        let (key, value) = item?;
        contents.settings.insert(key.value().to_owned(), value.value().to_owned());
    }
    Ok(contents)
}

fn read_records<T: DeserializeOwned>(
    table: &impl ReadableTable<u64, &'static [u8]>,
    what: &str,
) -> Result<Vec<(u64, T)>, TablesError> {
    let mut found = Vec::new();
    for item in table.iter()? {
        let (number, bytes) = item?;
        let number = number.value();
        found.push((number, with_record_name(what, number, records::read(bytes.value()))?));
    }
    Ok(found)
}

fn with_record_name<T>(what: &str, number: u64, read: Result<T, RecordError>) -> Result<T, TablesError> {
    read.map_err(|RecordError(why)| TablesError::Record(RecordError(format!("{what} {number} {why}"))))
}

fn write_batch(transaction: &WriteTransaction, batch: &WriteBatch) -> Result<(), TablesError> {
    let mut meta = transaction.open_table(META)?;
    meta.insert("format", FORMAT)?;
    meta.insert("next_id", batch.next_id)?;
    write_table(transaction, OFFENCES, &batch.offences, |entry| OffenceRecord::from(entry))?;
    write_table(transaction, HELD, &batch.held, |held| HeldRecord::from(held))?;
    let levels = batch.levels.as_ref().map(|levels| (0..).zip(levels.iter().map(Some)).collect());
    let (all, items) = (levels.is_some(), levels.unwrap_or_default());
    write_table(transaction, LEVELS, &TableChanges { replaces_all: all, items }, |level: &&ActiveLevel| {
        LevelRecord::from(*level)
    })?;
    if let Some(settings) = &batch.settings {
        transaction.delete_table(SETTINGS)?;
        let mut table = transaction.open_table(SETTINGS)?;
        for (key, value) in settings {
            table.insert(key.as_str(), value.as_str())?;
        }
    } else {
        transaction.open_table(SETTINGS)?;
    }
    Ok(())
}

fn write_table<V, R: Serialize>(
    transaction: &WriteTransaction,
    table: RecordTable,
    part: &TableChanges<V>,
    record: impl Fn(&V) -> R,
) -> Result<(), TablesError> {
    if part.replaces_all {
        transaction.delete_table(table)?;
    }
    let mut table = transaction.open_table(table)?;
    for (number, value) in &part.items {
        match value {
            Some(value) => table.insert(number, records::write(&record(value))?.as_slice())?,
            None => table.remove(number)?,
        };
    }
    Ok(())
}
