//! The redb file: opened, written, compacted.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use minichain_chain::codec::{Encode, encode};
use minichain_chain::store::StoreError;
use redb::{Builder, Database, Durability, ReadableDatabase, Table};

use super::error::{OpenError, on_open, on_open_io, on_use};
use super::pending::Pending;
use super::seal::seal;
use super::tables::{
    BLOCKS, Bytes, COINS, FORMAT_KEY, Fault, HEADERS, META, TIP_KEY, Tables, UNDOS, coin_key,
    explain,
};
use super::{FILE, fresh};
use crate::panic::contained;

/// Format of the tables; another one is refused.
const FORMAT: u32 = 1;
/// Files up to this size are checked wholly on every start; larger ones after
/// a crash only, as that takes long. Their values still carry checksums.
const CHECK_BYTES_MAX: u64 = 64 << 20;

/// The file and a view of its last commit.
pub struct Disk {
    file: PathBuf,
    database: Database,
    /// None only while a commit is under way.
    tables: Option<Arc<Tables>>,
}

impl std::fmt::Debug for Disk {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Disk")
            .field("file", &self.file)
            .finish_non_exhaustive()
    }
}

impl Disk {
    /// Opens or makes the file in `dir`.
    pub fn open(dir: &Path, cache_bytes: u64) -> Result<Self, OpenError> {
        let file = dir.join(FILE);
        let io = |error: std::io::Error| on_open_io(dir, &file, &error);
        std::fs::create_dir_all(dir).map_err(io)?;
        let size = match std::fs::metadata(&file) {
            Ok(metadata) => metadata.len(),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                fresh::make(dir, cache_bytes)?;
                0
            }
            Err(error) => return Err(io(error)),
        };
        Self::from_database(dir, || {
            let mut builder = builder(cache_bytes);
            builder.set_check_integrity_on_open(size <= CHECK_BYTES_MAX);
            builder.create(dir.join(FILE))
        })
    }

    /// As [`Disk::open`], on a backend that tests break on purpose.
    #[cfg(test)]
    pub fn open_backend(dir: &Path, backend: impl redb::StorageBackend) -> Result<Self, OpenError> {
        Self::from_database(dir, || builder(1 << 20).create_with_backend(backend))
    }

    /// All tables as of the last commit. Whoever holds them keeps their pages
    /// from being used again.
    ///
    /// # Errors
    /// A commit failed half-way.
    pub fn tables(&self) -> Result<&Arc<Tables>, StoreError> {
        let tables = self.tables.as_ref();
        tables.ok_or_else(|| on_use(redb::Error::PreviousIo))
    }

    /// Rewrites the file without gaps; bytes before and after.
    pub fn compact(mut self, dir: &Path) -> Result<(u64, u64), OpenError> {
        let io = |error: std::io::Error| on_open_io(dir, &dir.join(FILE), &error);
        let before = std::fs::metadata(&self.file).map_err(io)?.len();
        // A held view would keep its pages where they are.
        self.tables = None;
        let compacted = contained(|| self.database.compact());
        match compacted {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => return Err(on_open(dir, &self.file, error.into())),
            Err(what) => {
                let file = self.file;
                return Err(OpenError::Corrupt { file, what });
            }
        }
        // Closing writes to the file once more.
        drop(self.database);
        let after = std::fs::metadata(&self.file).map_err(io)?.len();
        Ok((before, after))
    }

    /// Writes all of `pending` in one durable transaction.
    pub fn write(&mut self, pending: &Pending) -> Result<(), StoreError> {
        // A held view would keep pages from being used again.
        self.tables = None;
        let result = contained(|| {
            write(&self.database, pending).and_then(|()| Tables::open(&self.database))
        });
        self.tables = Some(Arc::new(explain(result)?));
        Ok(())
    }

    fn from_database(
        dir: &Path,
        open: impl FnOnce() -> Result<Database, redb::DatabaseError>,
    ) -> Result<Self, OpenError> {
        let file = dir.join(FILE);
        // redb may panic on a file that something else has changed.
        let opened = contained(|| {
            let database = open().map_err(redb::Error::from)?;
            make_tables(&database)?;
            let tables = Tables::open(&database)?;
            let format = tables.format()?;
            Ok((database, tables, format))
        });
        match opened {
            Ok(Ok((database, tables, FORMAT))) => Ok(Self {
                file,
                database,
                tables: Some(Arc::new(tables)),
            }),
            Ok(Ok((_, _, found))) => Err(OpenError::Format {
                file,
                found,
                ours: FORMAT,
            }),
            Ok(Err(Fault::Redb(error))) => Err(on_open(dir, &file, error)),
            Ok(Err(Fault::Damaged(what))) | Err(what) => Err(OpenError::Corrupt { file, what }),
        }
    }
}

pub(super) fn builder(cache_bytes: u64) -> Builder {
    let mut builder = Builder::new();
    builder.set_cache_size(usize::try_from(cache_bytes).unwrap_or(usize::MAX));
    builder
}

/// Makes the tables of a new file; leaves others as they are.
pub(super) fn make_tables(database: &Database) -> Result<(), Fault> {
    let transaction = database.begin_read().map_err(redb::Error::from)?;
    let is_new = transaction
        .list_tables()
        .map_err(redb::Error::from)?
        .next()
        .is_none();
    drop(transaction);
    if !is_new {
        return Ok(());
    }
    let transaction = database.begin_write().map_err(redb::Error::from)?;
    {
        let mut meta = transaction.open_table(META).map_err(redb::Error::from)?;
        put(
            &mut meta,
            "meta",
            FORMAT_KEY,
            FORMAT_KEY.as_bytes(),
            FORMAT.to_le_bytes().to_vec(),
        )?;
        transaction.open_table(HEADERS).map_err(redb::Error::from)?;
        transaction.open_table(BLOCKS).map_err(redb::Error::from)?;
        transaction.open_table(UNDOS).map_err(redb::Error::from)?;
        transaction.open_table(COINS).map_err(redb::Error::from)?;
    }
    transaction.commit().map_err(redb::Error::from)?;
    Ok(())
}

fn write(database: &Database, pending: &Pending) -> Result<(), Fault> {
    let mut transaction = database.begin_write().map_err(redb::Error::from)?;
    transaction
        .set_durability(Durability::Immediate)
        .map_err(redb::Error::from)?;
    {
        let mut headers = transaction.open_table(HEADERS).map_err(redb::Error::from)?;
        for (hash, change) in pending.all_headers() {
            change_row(&mut headers, "headers", hash.as_bytes(), change.as_ref())?;
        }
        let mut blocks = transaction.open_table(BLOCKS).map_err(redb::Error::from)?;
        for (hash, block) in pending.all_blocks() {
            change_row(&mut blocks, "blocks", hash.as_bytes(), Some(block.as_ref()))?;
        }
        let mut undos = transaction.open_table(UNDOS).map_err(redb::Error::from)?;
        for (hash, undo) in pending.all_undos() {
            change_row(&mut undos, "undos", hash.as_bytes(), Some(undo))?;
        }
        let mut coins = transaction.open_table(COINS).map_err(redb::Error::from)?;
        for (outpoint, change) in pending.all_coins() {
            change_row(&mut coins, "coins", &coin_key(outpoint), change.as_ref())?;
        }
        if let Some(tip) = pending.tip() {
            let mut meta = transaction.open_table(META).map_err(redb::Error::from)?;
            put(&mut meta, "meta", TIP_KEY, TIP_KEY.as_bytes(), encode(tip))?;
        }
    }
    transaction.commit().map_err(redb::Error::from)?;
    Ok(())
}

fn change_row<const N: usize, T: Encode>(
    table: &mut Table<'_, &'static [u8; N], Bytes>,
    name: &str,
    key: &[u8; N],
    value: Option<&T>,
) -> Result<(), Fault> {
    match value {
        Some(value) => put(table, name, key, key, encode(value)),
        None => {
            table.remove(key).map_err(redb::Error::from)?;
            Ok(())
        }
    }
}

fn put<'k, K: redb::Key + 'static>(
    table: &mut Table<'_, K, Bytes>,
    name: &str,
    key: impl std::borrow::Borrow<K::SelfType<'k>>,
    key_bytes: &[u8],
    value: Vec<u8>,
) -> Result<(), Fault> {
    let sealed = seal(name, key_bytes, value);
    table
        .insert(key, sealed.as_slice())
        .map_err(redb::Error::from)?;
    Ok(())
}

/// Writes another format number into a closed file.
#[cfg(test)]
pub fn set_format(file: &Path, format: u32) {
    let database = Database::open(file).unwrap();
    let transaction = database.begin_write().unwrap();
    let mut meta = transaction.open_table(META).unwrap();
    let value = format.to_le_bytes().to_vec();
    assert!(put(&mut meta, "meta", FORMAT_KEY, FORMAT_KEY.as_bytes(), value).is_ok());
    drop(meta);
    transaction.commit().unwrap();
}
