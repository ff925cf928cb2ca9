//! What a store keeps of headers and tip, and in which bytes.

use crate::amount::Amount;
use crate::block::Header;
use crate::codec::{Decode, DecodeError, Encode, Reader};
use crate::coins::{CoinStats, Digest, MuHash3072};
use crate::hash::BlockHash;

/// How far a block has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Status {
    /// The header obeys its rules; the body is not here.
    HeaderOnly,
    /// The body is here and fits the header; it was never connected.
    BodyStored,
    /// It was connected once, so it and all its ancestors obey every rule.
    Valid,
    /// It broke a rule.
    Invalid,
    /// It stands on a block that is refused.
    InvalidAncestor,
    /// The operator called it invalid; nobody else is to blame for it.
    Forbidden,
}

impl Status {
    /// Whether the body is in the store and of use.
    #[must_use]
    pub const fn has_body(self) -> bool {
        matches!(self, Self::BodyStored | Self::Valid)
    }

    /// Whether the block cannot be part of the chain.
    #[must_use]
    pub const fn is_invalid(self) -> bool {
        matches!(
            self,
            Self::Invalid | Self::InvalidAncestor | Self::Forbidden
        )
    }
}

impl Encode for Status {
    fn encode_to(&self, out: &mut Vec<u8>) {
        out.push(match self {
            Self::HeaderOnly => 0,
            Self::BodyStored => 1,
            Self::Valid => 2,
            Self::Invalid => 3,
            Self::InvalidAncestor => 4,
            Self::Forbidden => 5,
        });
    }

    fn encoded_len(&self) -> usize {
        1
    }
}

impl Decode for Status {
    fn decode_from(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        match reader.u8()? {
            0 => Ok(Self::HeaderOnly),
            1 => Ok(Self::BodyStored),
            2 => Ok(Self::Valid),
            3 => Ok(Self::Invalid),
            4 => Ok(Self::InvalidAncestor),
            5 => Ok(Self::Forbidden),
            tag => Err(DecodeError::UnknownTag {
                what: "block status",
                tag,
            }),
        }
    }
}

/// A header and what became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoredHeader {
    /// The header.
    pub header: Header,
    /// Order in which the block could first be connected or, while bodies are
    /// missing, in which its header came. The lower of two with equal work is
    /// preferred.
    pub sequence: u64,
    /// How far it has come.
    pub status: Status,
}

impl Encode for StoredHeader {
    fn encode_to(&self, out: &mut Vec<u8>) {
        self.header.encode_to(out);
        out.extend_from_slice(&self.sequence.to_le_bytes());
        self.status.encode_to(out);
    }

    fn encoded_len(&self) -> usize {
        Header::SIZE + 8 + 1
    }
}

impl Decode for StoredHeader {
    fn decode_from(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            header: Header::decode_from(reader)?,
            sequence: reader.u64()?,
            status: Status::decode_from(reader)?,
        })
    }
}

/// The block that the stored coins belong to, and their size.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredTip {
    /// Hash of the tip.
    pub hash: BlockHash,
    /// Number of unspent outputs.
    pub utxo_count: u64,
    /// Their sum.
    pub utxo_total: Amount,
    /// Their digest, not yet finished.
    pub muhash: Digest,
}

impl StoredTip {
    /// A tip and the coins at it.
    #[must_use]
    pub fn new(hash: BlockHash, coins: &CoinStats) -> Self {
        Self {
            hash,
            utxo_count: coins.count,
            utxo_total: coins.total,
            muhash: coins.muhash.clone(),
        }
    }

    /// The coins at the tip.
    #[must_use]
    pub fn coin_stats(&self) -> CoinStats {
        CoinStats {
            count: self.utxo_count,
            total: self.utxo_total,
            muhash: self.muhash.clone(),
        }
    }
}

impl Encode for StoredTip {
    fn encode_to(&self, out: &mut Vec<u8>) {
        self.hash.encode_to(out);
        out.extend_from_slice(&self.utxo_count.to_le_bytes());
        self.utxo_total.encode_to(out);
        self.muhash.encode_to(out);
    }

    fn encoded_len(&self) -> usize {
        32 + 8 + 8 + MuHash3072::SIZE
    }
}

impl Decode for StoredTip {
    fn decode_from(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            hash: BlockHash::decode_from(reader)?,
            utxo_count: reader.u64()?,
            utxo_total: Amount::decode_from(reader)?,
            muhash: Digest::decode_from(reader)?,
        })
    }
}
