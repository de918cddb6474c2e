//! What stands where in the file, and how it is read and written as a whole.

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
use super::file::{Backing, Locked};
use super::records::{self, HeldRecord, LevelRecord, NoRecord, OffenceRecord};
use crate::moderation::sanctions::Entry;
use crate::moderation::{HeldMessage, SetLevel};

/// The form of the file that this version writes.
const FORMAT: u64 = 1;
/// Bytes of the file that redb keeps in memory. The state itself is in memory.
const CACHE: usize = 4 << 20;

type Numbered = TableDefinition<'static, u64, &'static [u8]>;
type Named = TableDefinition<'static, &'static str, &'static str>;
const META: TableDefinition<'static, &'static str, u64> = TableDefinition::new("gischat-relay moderation");
const OFFENCES: Numbered = TableDefinition::new("offences");
const HELD: Numbered = TableDefinition::new("held");
const LEVELS: Numbered = TableDefinition::new("levels");
const SETTINGS: Named = TableDefinition::new("settings");

/// All that the file holds.
#[derive(Debug, Default)]
pub(in crate::moderation) struct Contents {
    /// No offence has this number or a higher one.
    pub(in crate::moderation) next_id: u64,
    pub(in crate::moderation) offences: Vec<Entry>,
    pub(in crate::moderation) held: Vec<(u64, HeldMessage)>,
    pub(in crate::moderation) levels: Vec<SetLevel>,
    pub(in crate::moderation) settings: BTreeMap<String, String>,
}

/// What of a table is to be written: `None` in place of what is gone.
#[derive(Debug)]
pub(in crate::moderation) struct Part<V> {
    /// Whether these are all there are, and whatever else is there is to go.
    pub(in crate::moderation) all: bool,
    pub(in crate::moderation) items: Vec<(u64, Option<V>)>,
}

impl<V> Part<V> {
    /// The numbers of what was to be written.
    pub(in crate::moderation) fn numbers(&self) -> impl Iterator<Item = u64> {
        self.items.iter().map(|(number, _)| *number)
    }
}

/// What is to be written at once.
#[derive(Debug)]
pub(super) struct Batch {
    pub(super) next_id: u64,
    pub(super) offences: Part<Entry>,
    pub(super) held: Part<HeldMessage>,
    /// All of them, when one has changed.
    pub(super) levels: Option<Vec<SetLevel>>,
    /// All of them, when one has changed.
    pub(super) settings: Option<BTreeMap<String, String>>,
}

/// What is wrong with the file or the disk.
#[derive(Debug, thiserror::Error)]
pub(super) enum Fault {
    #[error(transparent)]
    Redb(#[from] redb::Error),
    #[error("{0}")]
    Record(NoRecord),
    #[error("it is the file of something else")]
    Foreign,
    #[error("its format is {0}")]
    Format(u64),
    #[error("reading it came to no end: {0}")]
    Panicked(String),
}

impl From<NoRecord> for Fault {
    fn from(fault: NoRecord) -> Self {
        Self::Record(fault)
    }
}

macro_rules! from_redb {
    ($($fault:ident),*) => {$(
        impl From<redb::$fault> for Fault {
            fn from(fault: redb::$fault) -> Self {
                Self::Redb(fault.into())
            }
        }
    )*};
}

from_redb!(CommitError, DatabaseError, SetDurabilityError, StorageError, TableError, TransactionError);

/// The file of a store, open.
#[derive(Debug)]
pub(super) struct Tables {
    locked: Locked,
    /// `None` after a fault: it is opened anew before it is written to again.
    database: Option<Database>,
}

impl Tables {
    /// Opens the file and reads all of it.
    ///
    /// It is read on trial first, with all that redb has to mend after a crash. So a file that is damaged, or none of
    /// ours, stays as it is, byte for byte.
    pub(super) fn open(locked: Locked) -> Result<(Self, Contents), StoreError> {
        let contents = Self::read(&locked)?;
        let database = match guarded(|| create(&locked)) {
            Ok(database) => Some(database),
            // The disk may be full. What the file holds is known, and the thread that writes tries again.
            Err(Fault::Redb(redb::Error::Io(_))) => None,
            Err(fault) => return Err(told(&locked.path, fault)),
        };
        Ok((Self { locked, database }, contents))
    }

    /// Reads all of the file and changes no byte of it.
    pub(super) fn read(locked: &Locked) -> Result<Contents, StoreError> {
        let told = |fault| told(&locked.path, fault);
        let is_new = locked.file.metadata().map_err(|fault| told(redb::Error::Io(fault).into()))?.len() == 0;
        if is_new {
            return Ok(Contents::default());
        }
        begins_right(locked).map_err(&told)?;
        let contents = guarded(|| {
            let backing = Backing::on_trial(Arc::clone(&locked.file)).map_err(redb::Error::Io)?;
            let builder = &mut Database::builder();
            let builder = builder.set_cache_size(CACHE).set_check_integrity_on_open(true);
            read(&builder.create_with_backend(backing)?)
        });
        contents.map_err(told)
    }

    /// Writes a batch, all of it or nothing, for good.
    pub(super) fn write(&mut self, batch: &Batch) -> Result<(), Fault> {
        let database = match self.database.take() {
            Some(database) => database,
            None => guarded(|| create(&self.locked))?,
        };
        // Whatever goes wrong, redb wants the file to be opened anew.
        self.database = Some(guarded(move || {
            let mut transaction = database.begin_write()?;
            transaction.set_durability(Durability::Immediate)?;
            put(&transaction, batch)?;
            transaction.commit()?;
            Ok(database)
        })?);
        Ok(())
    }

    /// Closes the file.
    pub(super) fn close(self) -> Result<(), Fault> {
        self.database.map_or(Ok(()), |database| guarded(|| Ok(database.close()?)))
    }
}

/// What a fault means for the file at `path`.
fn told(path: &Path, fault: Fault) -> StoreError {
    let path = path.to_owned();
    match fault {
        // A file that ends too soon is damaged; any other fault of reading it is the disk's.
        Fault::Redb(redb::Error::Io(fault)) if fault.kind() != io::ErrorKind::UnexpectedEof => {
            StoreError::Open { path, fault }
        }
        Fault::Foreign => StoreError::Foreign { path },
        Fault::Format(found) => StoreError::Format { path, found, own: FORMAT },
        fault => StoreError::Damaged { path, why: fault.to_string() },
    }
}

fn create(locked: &Locked) -> Result<Database, Fault> {
    let backing = Backing::new(Arc::clone(&locked.file));
    Ok(Database::builder().set_cache_size(CACHE).create_with_backend(backing)?)
}

/// Nothing that stands in the file is to end the program.
fn guarded<T>(f: impl FnOnce() -> Result<T, Fault>) -> Result<T, Fault> {
    let said = |panic: Box<dyn Any + Send>| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        Fault::Panicked(text.or(panic.downcast_ref::<&str>().copied()).unwrap_or_default().to_owned())
    };
    catch_unwind(AssertUnwindSafe(f)).map_err(said).flatten()
}

/// Whether the file begins as those of redb do. What else is wrong with it is damage.
fn begins_right(locked: &Locked) -> Result<(), Fault> {
    use std::os::unix::fs::FileExt as _;
    let mut begin = [0; 4];
    match locked.file.read_exact_at(&mut begin, 0) {
        Ok(()) if &begin == b"redb" => Ok(()),
        Err(fault) if fault.kind() != io::ErrorKind::UnexpectedEof => Err(redb::Error::Io(fault).into()),
        _ => Err(Fault::Foreign),
    }
}

fn read(database: &Database) -> Result<Contents, Fault> {
    let transaction = database.begin_read()?;
    let meta = match transaction.open_table(META) {
        // A store that nothing was written to yet.
        Err(TableError::TableDoesNotExist(_)) if transaction.list_tables()?.next().is_none() => {
            return Ok(Contents::default());
        }
        Err(TableError::TableDoesNotExist(_) | TableError::TableTypeMismatch { .. }) => return Err(Fault::Foreign),
        meta => meta?,
    };
    match meta.get("format")?.map(|format| format.value()) {
        Some(FORMAT) => {}
        Some(format) => return Err(Fault::Format(format)),
        None => return Err(Fault::Foreign),
    }
    let next_id = meta.get("next_id")?.map_or(0, |id| id.value());
    let mut contents = Contents { next_id, ..Contents::default() };
    for (id, record) in numbered::<OffenceRecord>(&transaction.open_table(OFFENCES)?, "offence")? {
        contents.offences.push(named("offence", id, record.read(id))?);
    }
    for (number, record) in numbered::<HeldRecord>(&transaction.open_table(HELD)?, "held message")? {
        contents.held.push((number, named("held message", number, record.read())?));
    }
    for (number, record) in numbered::<LevelRecord>(&transaction.open_table(LEVELS)?, "level")? {
        contents.levels.push(named("level", number, record.read())?);
    }
    for item in transaction.open_table(SETTINGS)?.iter()? {
        let (key, value) = item?;
        contents.settings.insert(key.value().to_owned(), value.value().to_owned());
    }
    Ok(contents)
}

fn numbered<T: DeserializeOwned>(
    table: &impl ReadableTable<u64, &'static [u8]>,
    what: &str,
) -> Result<Vec<(u64, T)>, Fault> {
    let mut found = Vec::new();
    for item in table.iter()? {
        let (number, bytes) = item?;
        let number = number.value();
        found.push((number, named(what, number, records::read(bytes.value()))?));
    }
    Ok(found)
}

fn named<T>(what: &str, number: u64, read: Result<T, NoRecord>) -> Result<T, Fault> {
    read.map_err(|NoRecord(why)| Fault::Record(NoRecord(format!("{what} {number} {why}"))))
}

fn put(transaction: &WriteTransaction, batch: &Batch) -> Result<(), Fault> {
    let mut meta = transaction.open_table(META)?;
    meta.insert("format", FORMAT)?;
    meta.insert("next_id", batch.next_id)?;
    put_part(transaction, OFFENCES, &batch.offences, |entry| OffenceRecord::from(entry))?;
    put_part(transaction, HELD, &batch.held, |held| HeldRecord::from(held))?;
    let levels = batch.levels.as_ref().map(|levels| (0..).zip(levels.iter().map(Some)).collect());
    let (all, items) = (levels.is_some(), levels.unwrap_or_default());
    put_part(transaction, LEVELS, &Part { all, items }, |level: &&SetLevel| LevelRecord::from(*level))?;
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

fn put_part<V, R: Serialize>(
    transaction: &WriteTransaction,
    table: Numbered,
    part: &Part<V>,
    record: impl Fn(&V) -> R,
) -> Result<(), Fault> {
    if part.all {
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
