//! The tables of the redb file, read and written.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use minichain_chain::block::Block;
use minichain_chain::codec::{Decode, Encode, decode, encode};
use minichain_chain::coins::{Coin, Undo};
use minichain_chain::hash::BlockHash;
use minichain_chain::store::{StoreError, StoredHeader, StoredTip};
use minichain_chain::transaction::OutPoint;
use redb::{
    Builder, Database, Durability, ReadOnlyTable, ReadableDatabase, Table, TableDefinition,
};

use super::FILE;
use super::error::{OpenError, on_open, on_open_io, on_use};
use super::pending::Pending;
use super::seal::{seal, unseal};
use crate::panic::contained;

/// Format of the tables; another one is refused.
const FORMAT: u32 = 1;
/// Files up to this size are checked wholly on every start; larger ones after
/// a crash only, as that takes long. Their values still carry checksums.
const CHECK_BYTES_MAX: u64 = 64 << 20;

type Bytes = &'static [u8];
type HashTable = TableDefinition<'static, &'static [u8; 32], Bytes>;

const META: TableDefinition<'static, &'static str, Bytes> = TableDefinition::new("meta");
const HEADERS: HashTable = TableDefinition::new("headers");
const BLOCKS: HashTable = TableDefinition::new("blocks");
const UNDOS: HashTable = TableDefinition::new("undos");
const COINS: TableDefinition<'static, &'static [u8; 36], Bytes> = TableDefinition::new("coins");
const FORMAT_KEY: &str = "format";
const TIP_KEY: &str = "tip";

/// The file and a view of its last commit.
pub struct Disk {
    file: PathBuf,
    database: Database,
    /// None only while a commit is under way.
    tables: Option<Tables>,
}

/// All tables as of one commit.
struct Tables {
    meta: ReadOnlyTable<&'static str, Bytes>,
    headers: ReadOnlyTable<&'static [u8; 32], Bytes>,
    blocks: ReadOnlyTable<&'static [u8; 32], Bytes>,
    undos: ReadOnlyTable<&'static [u8; 32], Bytes>,
    coins: ReadOnlyTable<&'static [u8; 36], Bytes>,
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
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => 0,
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

    /// Every header.
    pub fn headers(&self) -> Result<BTreeMap<BlockHash, StoredHeader>, StoreError> {
        self.read(|tables| {
            let mut headers = BTreeMap::new();
            for row in tables
                .headers
                .range::<&[u8; 32]>(..)
                .map_err(redb::Error::from)?
            {
                let (key, value) = row.map_err(redb::Error::from)?;
                let hash = BlockHash::from_bytes(*key.value());
                let stored: StoredHeader = open_value("headers", key.value(), value.value())?;
                if stored.header.hash() != hash {
                    return Err(Fault::Damaged(format!(
                        "the header {hash} hashes otherwise"
                    )));
                }
                headers.insert(hash, stored);
            }
            Ok(headers)
        })
    }

    /// The tip.
    pub fn tip(&self) -> Result<Option<StoredTip>, StoreError> {
        self.read(|tables| {
            let value = tables.meta.get(TIP_KEY).map_err(redb::Error::from)?;
            value
                .map(|value| open_value("meta", TIP_KEY.as_bytes(), value.value()))
                .transpose()
        })
    }

    /// A block.
    pub fn block(&self, hash: &BlockHash) -> Result<Option<Arc<Block>>, StoreError> {
        self.read(|tables| get(&tables.blocks, "blocks", hash.as_bytes()))
            .map(|block: Option<Block>| block.map(Arc::new))
    }

    /// A block's undo data.
    pub fn undo(&self, hash: &BlockHash) -> Result<Option<Undo>, StoreError> {
        self.read(|tables| get(&tables.undos, "undos", hash.as_bytes()))
    }

    /// A coin.
    pub fn coin(&self, outpoint: &OutPoint) -> Result<Option<Coin>, StoreError> {
        self.read(|tables| get(&tables.coins, "coins", &coin_key(outpoint)))
    }

    /// Writes all of `pending` in one durable transaction.
    pub fn write(&mut self, pending: &Pending) -> Result<(), StoreError> {
        // A held view would keep pages from being used again.
        self.tables = None;
        let result =
            contained(|| write(&self.database, pending).and_then(|()| tables(&self.database)));
        self.tables = Some(explain(result)?);
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
            let tables = tables(&database)?;
            let format = read_format(&tables)?;
            Ok((database, tables, format))
        });
        match opened {
            Ok(Ok((database, tables, FORMAT))) => Ok(Self {
                file,
                database,
                tables: Some(tables),
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

    fn read<T>(&self, look: impl FnOnce(&Tables) -> Result<T, Fault>) -> Result<T, StoreError> {
        match &self.tables {
            Some(tables) => explain(contained(|| look(tables))),
            None => Err(on_use(redb::Error::PreviousIo)),
        }
    }
}

/// What went wrong inside.
enum Fault {
    Redb(redb::Error),
    Damaged(String),
}

impl From<redb::Error> for Fault {
    fn from(error: redb::Error) -> Self {
        Self::Redb(error)
    }
}

/// What a look or a write brought, in the chain's words.
fn explain<T>(result: Result<Result<T, Fault>, String>) -> Result<T, StoreError> {
    match result {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(Fault::Redb(error))) => Err(on_use(error)),
        Ok(Err(Fault::Damaged(what))) | Err(what) => Err(StoreError::corrupt(what)),
    }
}

fn builder(cache_bytes: u64) -> Builder {
    let mut builder = Builder::new();
    builder.set_cache_size(usize::try_from(cache_bytes).unwrap_or(usize::MAX));
    builder
}

/// Makes the tables of a new file; leaves others as they are.
fn make_tables(database: &Database) -> Result<(), Fault> {
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

fn tables(database: &Database) -> Result<Tables, Fault> {
    let transaction = database.begin_read().map_err(redb::Error::from)?;
    Ok(Tables {
        meta: transaction.open_table(META).map_err(redb::Error::from)?,
        headers: transaction.open_table(HEADERS).map_err(redb::Error::from)?,
        blocks: transaction.open_table(BLOCKS).map_err(redb::Error::from)?,
        undos: transaction.open_table(UNDOS).map_err(redb::Error::from)?,
        coins: transaction.open_table(COINS).map_err(redb::Error::from)?,
    })
}

fn read_format(tables: &Tables) -> Result<u32, Fault> {
    let damaged = || Fault::Damaged("the format number is missing or damaged".to_owned());
    let value = tables
        .meta
        .get(FORMAT_KEY)
        .map_err(redb::Error::from)?
        .ok_or_else(damaged)?;
    unseal("meta", FORMAT_KEY.as_bytes(), value.value())
        .and_then(|bytes| bytes.try_into().ok())
        .map(u32::from_le_bytes)
        .ok_or_else(damaged)
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

/// Transaction id and output number, sorted as outpoints are.
fn coin_key(outpoint: &OutPoint) -> [u8; 36] {
    let mut key = [0; 36];
    key[..32].copy_from_slice(outpoint.txid.as_bytes());
    key[32..].copy_from_slice(&outpoint.vout.to_be_bytes());
    key
}

fn get<const N: usize, T: Decode>(
    table: &ReadOnlyTable<&'static [u8; N], Bytes>,
    name: &str,
    key: &[u8; N],
) -> Result<Option<T>, Fault> {
    let value = table.get(key).map_err(redb::Error::from)?;
    value
        .map(|value| open_value(name, key, value.value()))
        .transpose()
}

fn open_value<T: Decode>(table: &str, key: &[u8], sealed: &[u8]) -> Result<T, Fault> {
    let shown = || minichain_chain::hex::encode(key);
    let bytes = unseal(table, key, sealed).ok_or_else(|| {
        Fault::Damaged(format!("the checksum of {} in `{table}` is wrong", shown()))
    })?;
    decode(bytes).map_err(|error| {
        Fault::Damaged(format!("{} in `{table}` does not decode: {error}", shown()))
    })
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
