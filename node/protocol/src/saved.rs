//! What of a mempool outlives a clean end, as bytes.
//!
//! The bytes are read again by a program that trusts them little: they carry a
//! magic number, a version, the genesis block and a checksum, counts are bounded
//! before anything is allocated, and every transaction is checked like a new
//! one.

use std::sync::Arc;

use minichain_chain::codec::{
    Decode, DecodeError, Encode, Reader, compact_size_len, decode, encode, put_compact_size,
};
use minichain_chain::hash::{BlockHash, sha256};
use minichain_chain::time::UnixSeconds;
use minichain_chain::transaction::Transaction;

use crate::limits::SAVED_TRANSACTIONS_MAX;

/// Version of the format; another one is not read.
pub const SAVED_VERSION: u32 = 1;

const MAGIC: [u8; 8] = *b"minipool";
const CHECK_BYTES: usize = 32;
/// Time, mark, and the smallest transaction.
const ENTRY_BYTES_MIN: usize = 4 + 1 + 10;

/// A transaction that waited, and what was known of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SavedTransaction {
    /// When it came.
    pub time: UnixSeconds,
    /// Whether this node announces it until it is confirmed.
    pub is_own: bool,
    /// The transaction.
    pub transaction: Arc<Transaction>,
}

/// What waited when a node ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SavedPool {
    /// Genesis block of the node's network.
    pub genesis: BlockHash,
    /// Parents before children; at most [`SAVED_TRANSACTIONS_MAX`].
    pub entries: Vec<SavedTransaction>,
}

/// Why bytes are no saved pool of this network.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SavedPoolError {
    /// They are something else.
    #[error("it is not a saved mempool")]
    Foreign,
    /// They were written by another version.
    #[error("its format version is {found}, this program reads {SAVED_VERSION}")]
    OtherVersion {
        /// Theirs.
        found: u32,
    },
    /// They changed since they were written.
    #[error("its checksum does not fit: it is cut or damaged")]
    Damaged,
    /// They are of another network.
    #[error("it belongs to the network with genesis block {found}")]
    OtherGenesis {
        /// Theirs.
        found: BlockHash,
    },
    /// They fit their checksum and make no sense.
    #[error("it does not decode: {0}")]
    Malformed(#[from] DecodeError),
}

impl SavedPool {
    /// The bytes with their checksum.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = encode(self);
        let check = sha256(&bytes);
        bytes.extend_from_slice(&check);
        bytes
    }

    /// Reads what [`SavedPool::to_bytes`] wrote.
    ///
    /// # Errors
    /// The first thing that is wrong with them.
    pub fn from_bytes(bytes: &[u8], genesis: BlockHash) -> Result<Self, SavedPoolError> {
        let body = bytes.strip_prefix(&MAGIC).ok_or(SavedPoolError::Foreign)?;
        let version = body.first_chunk().ok_or(SavedPoolError::Damaged)?;
        let found = u32::from_le_bytes(*version);
        if found != SAVED_VERSION {
            return Err(SavedPoolError::OtherVersion { found });
        }
        let (content, check) = bytes
            .split_last_chunk::<CHECK_BYTES>()
            .ok_or(SavedPoolError::Damaged)?;
        if sha256(content) != *check {
            return Err(SavedPoolError::Damaged);
        }
        let pool: Self = decode(content)?;
        if pool.genesis != genesis {
            let found = pool.genesis;
            return Err(SavedPoolError::OtherGenesis { found });
        }
        Ok(pool)
    }
}

impl Encode for SavedPool {
    fn encode_to(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&MAGIC);
        out.extend_from_slice(&SAVED_VERSION.to_le_bytes());
        self.genesis.encode_to(out);
        put_compact_size(out, self.entries.len() as u64);
        for entry in &self.entries {
            entry.encode_to(out);
        }
    }

    fn encoded_len(&self) -> usize {
        let entries = self.entries.iter().map(Encode::encoded_len);
        let count = compact_size_len(self.entries.len() as u64);
        MAGIC.len() + 4 + 32 + count + entries.sum::<usize>()
    }
}

impl Decode for SavedPool {
    fn decode_from(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        if reader.array::<8>()? != MAGIC || reader.u32()? != SAVED_VERSION {
            return Err(DecodeError::InvalidValue {
                what: "head of a saved mempool",
            });
        }
        Ok(Self {
            genesis: BlockHash::decode_from(reader)?,
            entries: reader.list(SAVED_TRANSACTIONS_MAX, ENTRY_BYTES_MIN)?,
        })
    }
}

impl Encode for SavedTransaction {
    fn encode_to(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.time.to_u32().to_le_bytes());
        out.push(u8::from(self.is_own));
        self.transaction.encode_to(out);
    }

    fn encoded_len(&self) -> usize {
        4 + 1 + self.transaction.encoded_len()
    }
}

impl Decode for SavedTransaction {
    fn decode_from(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let time = UnixSeconds(reader.u32()?);
        let is_own = match reader.u8()? {
            0 => false,
            1 => true,
            _ => {
                return Err(DecodeError::InvalidValue {
                    what: "mark of a saved transaction",
                });
            }
        };
        let transaction = Arc::new(Transaction::decode_from(reader)?);
        Ok(Self {
            time,
            is_own,
            transaction,
        })
    }
}
