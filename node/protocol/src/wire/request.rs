//! What a node may ask of another.

use minichain_chain::codec::{Decode, DecodeError, Encode, Reader, list_len, put_list};
use minichain_chain::hash::{BlockHash, Txid};

use super::{Standing, Status};
use crate::limits::{BLOCKS_MAX, LOCATOR_MAX, TRANSACTIONS_MAX};
use crate::output::RequestKind;

/// A question to a peer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// This is my status; what is yours?
    Status(Status),
    /// Which headers follow?
    Headers(GetHeaders),
    /// Give me these blocks.
    Blocks(GetBlocks),
    /// Which transactions wait with you, unless the same wait with me?
    Inventory(GetInventory),
    /// Give me these waiting transactions.
    Transactions(GetTransactions),
    /// This is my standing; what is yours?
    Standing(Standing),
}

/// Asks for the headers behind the first block of the locator that stands in
/// the answerer's active chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GetHeaders {
    /// Hashes from the asker's best header down to genesis, ever sparser; at
    /// most [`LOCATOR_MAX`].
    pub locator: Vec<BlockHash>,
    /// The last header wanted; zero: as many as fit.
    pub stop: BlockHash,
}

/// Asks for blocks by hash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GetBlocks {
    /// 1 to [`BLOCKS_MAX`] hashes. The answer keeps their order and may leave
    /// some out.
    pub hashes: Vec<BlockHash>,
}

/// Asks for the names of what waits in the answerer's mempool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GetInventory {
    /// Digest of the asker's mempool. Where it equals the answerer's, there is
    /// nothing to tell.
    pub digest: [u8; 32],
    /// Where to go on: 0, or what the last answer said.
    pub from: u64,
}

/// Asks for waiting transactions by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GetTransactions {
    /// 1 to [`TRANSACTIONS_MAX`] names. The answer keeps their order and may
    /// leave some out.
    pub txids: Vec<Txid>,
}

impl Request {
    /// For counting.
    pub fn kind(&self) -> RequestKind {
        match self {
            Self::Status(_) | Self::Standing(_) => RequestKind::Status,
            Self::Headers(_) => RequestKind::Headers,
            Self::Blocks(_) => RequestKind::Blocks,
            Self::Inventory(_) => RequestKind::Inventory,
            Self::Transactions(_) => RequestKind::Transactions,
        }
    }
}

impl Encode for Request {
    fn encode_to(&self, out: &mut Vec<u8>) {
        match self {
            Self::Status(status) => {
                out.push(0);
                status.encode_to(out);
            }
            Self::Headers(get) => {
                out.push(1);
                put_list(out, &get.locator);
                get.stop.encode_to(out);
            }
            Self::Blocks(get) => {
                out.push(2);
                put_list(out, &get.hashes);
            }
            Self::Inventory(get) => {
                out.push(3);
                out.extend_from_slice(&get.digest);
                out.extend_from_slice(&get.from.to_le_bytes());
            }
            Self::Transactions(get) => {
                out.push(4);
                put_list(out, &get.txids);
            }
            Self::Standing(standing) => {
                out.push(5);
                standing.encode_to(out);
            }
        }
    }

    fn encoded_len(&self) -> usize {
        1 + match self {
            Self::Status(status) => status.encoded_len(),
            Self::Headers(get) => list_len(&get.locator) + 32,
            Self::Blocks(get) => list_len(&get.hashes),
            Self::Inventory(_) => 32 + 8,
            Self::Transactions(get) => list_len(&get.txids),
            Self::Standing(standing) => standing.encoded_len(),
        }
    }
}

impl Decode for Request {
    fn decode_from(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        match reader.u8()? {
            0 => Ok(Self::Status(Status::decode_from(reader)?)),
            1 => Ok(Self::Headers(GetHeaders {
                locator: reader.list(LOCATOR_MAX, 32)?,
                stop: BlockHash::decode_from(reader)?,
            })),
            2 => {
                let hashes: Vec<BlockHash> = reader.list(BLOCKS_MAX, 32)?;
                if hashes.is_empty() {
                    return Err(DecodeError::InvalidValue {
                        what: "request for no block",
                    });
                }
                Ok(Self::Blocks(GetBlocks { hashes }))
            }
            3 => Ok(Self::Inventory(GetInventory {
                digest: reader.array()?,
                from: reader.u64()?,
            })),
            4 => {
                let txids: Vec<Txid> = reader.list(TRANSACTIONS_MAX, 32)?;
                if txids.is_empty() {
                    return Err(DecodeError::InvalidValue {
                        what: "request for no transaction",
                    });
                }
                Ok(Self::Transactions(GetTransactions { txids }))
            }
            5 => Ok(Self::Standing(Standing::decode_from(reader)?)),
            tag => Err(DecodeError::UnknownTag {
                what: "request",
                tag,
            }),
        }
    }
}
