//! The tables of the redb file as of one commit, read.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Arc;

use minichain_chain::block::Block;
use minichain_chain::codec::{Decode, decode};
use minichain_chain::coins::{Coin, Undo};
use minichain_chain::hash::{BlockHash, Txid};
use minichain_chain::store::{StoreError, StoredHeader, StoredTip};
use minichain_chain::transaction::OutPoint;
use redb::{Database, ReadOnlyTable, ReadableDatabase, TableDefinition};

use super::error::on_use;
use super::seal::unseal;
use crate::panic::contained;

pub type Bytes = &'static [u8];
type HashTable = TableDefinition<'static, &'static [u8; 32], Bytes>;

pub const META: TableDefinition<'static, &'static str, Bytes> = TableDefinition::new("meta");
pub const HEADERS: HashTable = TableDefinition::new("headers");
pub const BLOCKS: HashTable = TableDefinition::new("blocks");
pub const UNDOS: HashTable = TableDefinition::new("undos");
pub const COINS: TableDefinition<'static, &'static [u8; 36], Bytes> = TableDefinition::new("coins");
pub const FORMAT_KEY: &str = "format";
pub const TIP_KEY: &str = "tip";

/// All tables as of one commit.
pub struct Tables {
    meta: ReadOnlyTable<&'static str, Bytes>,
    headers: ReadOnlyTable<&'static [u8; 32], Bytes>,
    blocks: ReadOnlyTable<&'static [u8; 32], Bytes>,
    undos: ReadOnlyTable<&'static [u8; 32], Bytes>,
    coins: ReadOnlyTable<&'static [u8; 36], Bytes>,
}

/// What went wrong inside.
pub enum Fault {
    Redb(redb::Error),
    Damaged(String),
}

impl From<redb::Error> for Fault {
    fn from(error: redb::Error) -> Self {
        Self::Redb(error)
    }
}

/// What a look or a write brought, in the chain's words.
pub fn explain<T>(result: Result<Result<T, Fault>, String>) -> Result<T, StoreError> {
    match result {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(Fault::Redb(error))) => Err(on_use(error)),
        Ok(Err(Fault::Damaged(what))) | Err(what) => Err(StoreError::corrupt(what)),
    }
}

impl Tables {
    /// The tables as of the last commit.
    pub fn open(database: &Database) -> Result<Self, Fault> {
        let transaction = database.begin_read().map_err(redb::Error::from)?;
        Ok(Self {
            meta: transaction.open_table(META).map_err(redb::Error::from)?,
            headers: transaction.open_table(HEADERS).map_err(redb::Error::from)?,
            blocks: transaction.open_table(BLOCKS).map_err(redb::Error::from)?,
            undos: transaction.open_table(UNDOS).map_err(redb::Error::from)?,
            coins: transaction.open_table(COINS).map_err(redb::Error::from)?,
        })
    }

    /// Number of the format.
    pub fn format(&self) -> Result<u32, Fault> {
        let damaged = || Fault::Damaged("the format number is missing or damaged".to_owned());
        let value = self.meta.get(FORMAT_KEY).map_err(redb::Error::from)?;
        let value = value.ok_or_else(damaged)?;
        unseal("meta", FORMAT_KEY.as_bytes(), value.value())
            .and_then(|bytes| bytes.try_into().ok())
            .map(u32::from_le_bytes)
            .ok_or_else(damaged)
    }

    /// Every header.
    pub fn headers(&self) -> Result<BTreeMap<BlockHash, StoredHeader>, StoreError> {
        self.read(|tables| {
            let mut headers = BTreeMap::new();
            let rows = tables.headers.range::<&[u8; 32]>(..);
            for row in rows.map_err(redb::Error::from)? {
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

    /// Shows coins in the order of keys, as long as `show` wants to go on.
    pub fn each_coin(
        &self,
        mut show: impl FnMut(OutPoint, Coin) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        self.read(|tables| {
            let rows = tables.coins.range::<&[u8; 36]>(..);
            for row in rows.map_err(redb::Error::from)? {
                let (key, value) = row.map_err(redb::Error::from)?;
                let coin = open_value("coins", key.value(), value.value())?;
                if show(outpoint_of(key.value()), coin).is_break() {
                    break;
                }
            }
            Ok(())
        })
    }

    fn read<T>(&self, look: impl FnOnce(&Self) -> Result<T, Fault>) -> Result<T, StoreError> {
        explain(contained(|| look(self)))
    }
}

/// Transaction id and output number, sorted as outpoints are.
pub fn coin_key(outpoint: &OutPoint) -> [u8; 36] {
    let mut key = [0; 36];
    key[..32].copy_from_slice(outpoint.txid.as_bytes());
    key[32..].copy_from_slice(&outpoint.vout.to_be_bytes());
    key
}

fn outpoint_of(key: &[u8; 36]) -> OutPoint {
    let (mut txid, mut vout) = ([0; 32], [0; 4]);
    txid.copy_from_slice(&key[..32]);
    vout.copy_from_slice(&key[32..]);
    OutPoint {
        txid: Txid::from_bytes(txid),
        vout: u32::from_be_bytes(vout),
    }
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
