//! Blocks: an 80-byte header and the transactions it commits to.

use crate::codec::{Decode, DecodeError, Encode, Reader, compact_size_len, list_len, put_list};
use crate::hash::{BlockHash, MerkleRoot, sha256d};
use crate::pow::CompactTarget;
use crate::time::UnixSeconds;
use crate::transaction::{Transaction, WITNESS_SCALE_FACTOR};

/// Transactions of one block read from bytes; no weight limit admits more.
const TRANSACTIONS_MAX: usize = 100_000;

/// Version, no inputs in witness form, no outputs, lock time.
const TRANSACTION_BYTES_MIN: usize = 4 + 2 + 1 + 1 + 4;

/// What is hashed for proof of work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Header {
    /// Version of the format.
    pub version: i32,
    /// The block below; zero for genesis.
    pub previous: BlockHash,
    /// Commitment to the transactions without witnesses.
    pub merkle_root: MerkleRoot,
    /// When the miner says it was made.
    pub time: UnixSeconds,
    /// The target the hash must meet.
    pub bits: CompactTarget,
    /// What the miner varies.
    pub nonce: u32,
}

impl Header {
    /// Bytes of every header.
    pub const SIZE: usize = 80;

    /// Double SHA-256 of the 80 bytes.
    #[must_use]
    pub fn hash(&self) -> BlockHash {
        BlockHash::from_bytes(sha256d(&self.to_bytes()))
    }

    /// The 80 bytes.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; Self::SIZE] {
        let mut bytes = [0; Self::SIZE];
        bytes[..4].copy_from_slice(&self.version.to_le_bytes());
        bytes[4..36].copy_from_slice(self.previous.as_bytes());
        bytes[36..68].copy_from_slice(self.merkle_root.as_bytes());
        bytes[68..72].copy_from_slice(&self.time.0.to_le_bytes());
        bytes[72..76].copy_from_slice(&self.bits.0.to_le_bytes());
        bytes[76..].copy_from_slice(&self.nonce.to_le_bytes());
        bytes
    }
}

/// A header and its transactions, the coinbase first.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Block {
    /// The header.
    pub header: Header,
    /// The transactions. Bytes may carry none; the rules refuse that.
    pub transactions: Vec<Transaction>,
}

impl Block {
    /// The hash of the header.
    #[must_use]
    pub fn hash(&self) -> BlockHash {
        self.header.hash()
    }

    /// Bytes without any witness.
    #[must_use]
    pub fn base_size(&self) -> u64 {
        self.frame_size()
            + self
                .transactions
                .iter()
                .map(Transaction::base_size)
                .sum::<u64>()
    }

    /// Bytes on the wire.
    #[must_use]
    pub fn total_size(&self) -> u64 {
        self.encoded_len() as u64
    }

    /// Three times the base size plus the total size (BIP 141), in weight
    /// units.
    #[must_use]
    pub fn weight(&self) -> u64 {
        self.frame_size() * WITNESS_SCALE_FACTOR
            + self
                .transactions
                .iter()
                .map(Transaction::weight)
                .sum::<u64>()
    }

    /// Header and transaction count.
    fn frame_size(&self) -> u64 {
        (Header::SIZE + compact_size_len(self.transactions.len() as u64)) as u64
    }
}

impl Encode for Header {
    fn encode_to(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.to_bytes());
    }

    fn encoded_len(&self) -> usize {
        Self::SIZE
    }
}

impl Decode for Header {
    fn decode_from(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            version: reader.i32()?,
            previous: BlockHash::decode_from(reader)?,
            merkle_root: MerkleRoot::decode_from(reader)?,
            time: UnixSeconds::decode_from(reader)?,
            bits: CompactTarget::decode_from(reader)?,
            nonce: reader.u32()?,
        })
    }
}

impl Encode for Block {
    fn encode_to(&self, out: &mut Vec<u8>) {
        self.header.encode_to(out);
        put_list(out, &self.transactions);
    }

    fn encoded_len(&self) -> usize {
        Header::SIZE + list_len(&self.transactions)
    }
}

impl Decode for Block {
    fn decode_from(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            header: Header::decode_from(reader)?,
            transactions: reader.list(TRANSACTIONS_MAX, TRANSACTION_BYTES_MIN)?,
        })
    }
}
