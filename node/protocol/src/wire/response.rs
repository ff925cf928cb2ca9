//! What a node may answer another.

use std::sync::Arc;

use minichain_chain::block::{Block, Header};
use minichain_chain::codec::{
    Decode, DecodeError, Encode, Reader, compact_size_len, list_len, put_compact_size, put_list,
};
use minichain_chain::hash::Txid;
use minichain_chain::transaction::Transaction;

use super::{Standing, Status};
use crate::limits::{BLOCKS_MAX, HEADERS_MAX, INVENTORY_MAX, TRANSACTIONS_MAX};
use crate::output::RequestKind;

/// Header and a transaction count.
const BLOCK_BYTES_MIN: usize = Header::SIZE + 1;

/// Version, counts of inputs and outputs, lock time.
const TRANSACTION_BYTES_MIN: usize = 4 + 1 + 1 + 4;

/// An answer to a peer's question of the same kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Response {
    /// The answerer's status.
    Status(Status),
    /// At most [`HEADERS_MAX`] headers, each the parent of the next. Fewer
    /// than that: there are no more.
    Headers(Vec<Header>),
    /// At most [`BLOCKS_MAX`] of the blocks asked for, in the order asked. May
    /// leave blocks out that the answerer lacks or that would make the answer
    /// too large.
    Blocks(Vec<Arc<Block>>),
    /// What waits with the answerer.
    Inventory(Inventory),
    /// At most [`TRANSACTIONS_MAX`] of the transactions asked for, in the order
    /// asked. May leave out those that no longer wait or that would make the
    /// answer too large.
    Transactions(Vec<Arc<Transaction>>),
    /// The answerer's standing.
    Standing(Standing),
}

/// Names of waiting transactions, parents before children.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inventory {
    /// At most [`INVENTORY_MAX`].
    pub txids: Vec<Txid>,
    /// Where the next question is to go on, beyond where this one did; 0: there
    /// are no more.
    pub next: u64,
}

impl Response {
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

impl Encode for Response {
    fn encode_to(&self, out: &mut Vec<u8>) {
        match self {
            Self::Status(status) => {
                out.push(0);
                status.encode_to(out);
            }
            Self::Headers(headers) => {
                out.push(1);
                put_list(out, headers);
            }
            Self::Blocks(blocks) => {
                out.push(2);
                put_all(out, blocks);
            }
            Self::Inventory(inventory) => {
                out.push(3);
                put_list(out, &inventory.txids);
                out.extend_from_slice(&inventory.next.to_le_bytes());
            }
            Self::Transactions(transactions) => {
                out.push(4);
                put_all(out, transactions);
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
            Self::Headers(headers) => list_len(headers),
            Self::Blocks(blocks) => all_len(blocks),
            Self::Inventory(inventory) => list_len(&inventory.txids) + 8,
            Self::Transactions(transactions) => all_len(transactions),
            Self::Standing(standing) => standing.encoded_len(),
        }
    }
}

impl Decode for Response {
    fn decode_from(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        match reader.u8()? {
            0 => Ok(Self::Status(Status::decode_from(reader)?)),
            1 => Ok(Self::Headers(reader.list(HEADERS_MAX, Header::SIZE)?)),
            2 => {
                let blocks: Vec<Block> = reader.list(BLOCKS_MAX, BLOCK_BYTES_MIN)?;
                Ok(Self::Blocks(blocks.into_iter().map(Arc::new).collect()))
            }
            3 => Ok(Self::Inventory(Inventory {
                txids: reader.list(INVENTORY_MAX, 32)?,
                next: reader.u64()?,
            })),
            4 => {
                let all: Vec<Transaction> = reader.list(TRANSACTIONS_MAX, TRANSACTION_BYTES_MIN)?;
                Ok(Self::Transactions(all.into_iter().map(Arc::new).collect()))
            }
            5 => Ok(Self::Standing(Standing::decode_from(reader)?)),
            tag => Err(DecodeError::UnknownTag {
                what: "response",
                tag,
            }),
        }
    }
}

/// As [`put_list`], for items that are shared.
fn put_all<T: Encode>(out: &mut Vec<u8>, items: &[Arc<T>]) {
    put_compact_size(out, items.len() as u64);
    for item in items {
        item.encode_to(out);
    }
}

fn all_len<T: Encode>(items: &[Arc<T>]) -> usize {
    let lengths = items.iter().map(|item| item.encoded_len());
    compact_size_len(items.len() as u64) + lengths.sum::<usize>()
}
