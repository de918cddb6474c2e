//! Tables: how a part of the state is written to one of its own, and read from it.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use redb::{ReadTransaction, ReadableTable as _, TableDefinition, WriteTransaction};

use super::error::TablesError;
use super::record::{self, Record, RecordError};
use super::settings::RuntimeSettings;

/// The format of the file, and the next keys.
pub(super) const META: TableDefinition<'static, &'static str, u64> = TableDefinition::new("gischat-relay moderation");
const SETTINGS: TableDefinition<'static, &'static str, &'static str> = TableDefinition::new("settings");

fn definition<R: Record>() -> TableDefinition<'static, u64, &'static [u8]> {
    TableDefinition::new(R::TABLE)
}

/// The changes of a table; `None` stands for a removed record.
#[derive(Debug)]
pub struct TableChanges<R> {
    /// Whether the items replace the whole table.
    pub replaces_all: bool,
    /// The changed records.
    pub items: Vec<(u64, Option<R>)>,
    /// The next key, if keys are never reused.
    pub next_key: Option<u64>,
}

impl<R> TableChanges<R> {
    /// The keys of the changed records.
    pub fn keys(&self) -> impl Iterator<Item = u64> {
        self.items.iter().map(|(key, _)| *key)
    }
}

/// A part of the state that is persisted in a table.
pub trait Persist: fmt::Debug + Send + Sync {
    /// The rows of the table.
    type Record: Record + fmt::Debug + Send;

    /// Returns what has changed since the last call.
    fn take_changes(&self) -> TableChanges<Self::Record>;

    /// Marks changes as pending again after a failed write.
    fn restore_changes(&self, changes: &TableChanges<Self::Record>);
}

/// A table, with the changes that are being written.
pub(super) trait StoredTable: fmt::Debug + Send {
    /// Takes the changes since the last call.
    fn take_changes(&mut self);

    /// Writes the changes that were taken. The stored next key is `ahead` above the actual one.
    fn write(&self, transaction: &WriteTransaction, ahead: u64) -> Result<(), TablesError>;

    /// Puts the changes back after a failed write.
    fn restore_changes(&mut self);
}

/// The parts of the state that the store persists.
#[derive(Debug, Default)]
pub struct StoredState(pub(super) Vec<Box<dyn StoredTable>>);

impl StoredState {
    /// Adds a part.
    #[must_use]
    pub fn with<P: Persist + 'static>(mut self, part: &Arc<P>) -> Self {
        self.0.push(Box::new(PartTable { part: Arc::clone(part), changes: None }));
        self
    }

    /// Adds the settings.
    #[must_use]
    pub fn with_settings(mut self, settings: &Arc<RuntimeSettings>) -> Self {
        self.0.push(Box::new(SettingsTable { settings: Arc::clone(settings), changes: None }));
        self
    }
}

#[derive(Debug)]
struct PartTable<P: Persist> {
    part: Arc<P>,
    changes: Option<TableChanges<P::Record>>,
}

impl<P: Persist> StoredTable for PartTable<P> {
    fn take_changes(&mut self) {
        self.changes = Some(self.part.take_changes());
    }

    fn write(&self, transaction: &WriteTransaction, ahead: u64) -> Result<(), TablesError> {
        let Some(TableChanges { replaces_all, items, next_key }) = &self.changes else { return Ok(()) };
        if let (Some(name), Some(next)) = (P::Record::NEXT_KEY, next_key) {
            transaction.open_table(META)?.insert(name, next.saturating_add(ahead))?;
        }
        if *replaces_all {
            transaction.delete_table(definition::<P::Record>())?;
        }
        let mut table = transaction.open_table(definition::<P::Record>())?;
        for (key, record) in items {
            match record {
                Some(record) => table.insert(key, record::encode(record)?.as_slice())?,
                None => table.remove(key)?,
            };
        }
        Ok(())
    }

    fn restore_changes(&mut self) {
        if let Some(changes) = self.changes.take() {
            self.part.restore_changes(&changes);
        }
    }
}

#[derive(Debug)]
struct SettingsTable {
    settings: Arc<RuntimeSettings>,
    /// All of them, if one has changed.
    changes: Option<BTreeMap<String, String>>,
}

impl StoredTable for SettingsTable {
    fn take_changes(&mut self) {
        self.changes = self.settings.take_changes();
    }

    fn write(&self, transaction: &WriteTransaction, _: u64) -> Result<(), TablesError> {
        if self.changes.is_some() {
            transaction.delete_table(SETTINGS)?;
        }
        let mut table = transaction.open_table(SETTINGS)?;
        for (key, value) in self.changes.iter().flatten() {
            table.insert(key.as_str(), value.as_str())?;
        }
        Ok(())
    }

    fn restore_changes(&mut self) {
        if self.changes.take().is_some() {
            self.settings.restore_changes();
        }
    }
}

/// The records read from the file at the start.
pub trait Contents: Default {
    /// Reads all tables.
    ///
    /// # Errors
    /// [`TablesError`].
    fn read(tables: &TableReader) -> Result<Self, TablesError>;
}

/// Reads tables.
#[expect(missing_debug_implementations, reason = "a transaction has none")]
pub struct TableReader(pub(super) ReadTransaction);

impl TableReader {
    /// Returns the records of a table with their keys.
    ///
    /// # Errors
    /// [`TablesError`].
    pub fn records<R: Record>(&self) -> Result<Vec<(u64, R)>, TablesError> {
        let mut found = Vec::new();
        for item in self.0.open_table(definition::<R>())?.iter()? {
            let (key, bytes) = item?;
            let key = key.value();
            let named = |RecordError(reason)| RecordError(format!("{} {key} {reason}", R::NAME));
            found.push((key, record::decode(bytes.value()).map_err(named)?));
        }
        Ok(found)
    }

    /// Returns the next key of a table; all records have lower ones.
    ///
    /// # Errors
    /// [`TablesError`].
    pub fn next_key<R: Record>(&self) -> Result<u64, TablesError> {
        let Some(name) = R::NEXT_KEY else { return Ok(0) };
        Ok(self.0.open_table(META)?.get(name)?.map_or(0, |key| key.value()))
    }

    /// Returns the settings.
    ///
    /// # Errors
    /// [`TablesError`].
    pub fn settings(&self) -> Result<BTreeMap<String, String>, TablesError> {
        let mut settings = BTreeMap::new();
        for item in self.0.open_table(SETTINGS)?.iter()? {
            let (key, value) = item?;
            settings.insert(key.value().to_owned(), value.value().to_owned());
        }
        Ok(settings)
    }
}
