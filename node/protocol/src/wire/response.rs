//! What a node may answer another.

use std::sync::Arc;

use minichain_chain::block::{Block, Header};
use minichain_chain::codec::{
    Decode, DecodeError, Encode, Reader, compact_size_len, list_len, put_compact_size, put_list,
};

use super::Status;
use crate::limits::{BLOCKS_MAX, HEADERS_MAX};
use crate::output::RequestKind;

/// Header and a transaction count.
const BLOCK_BYTES_MIN: usize = Header::SIZE + 1;

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
}

impl Response {
    /// For counting.
    pub fn kind(&self) -> RequestKind {
        match self {
            Self::Status(_) => RequestKind::Status,
            Self::Headers(_) => RequestKind::Headers,
            Self::Blocks(_) => RequestKind::Blocks,
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
                put_compact_size(out, blocks.len() as u64);
                for block in blocks {
                    block.encode_to(out);
                }
            }
        }
    }

    fn encoded_len(&self) -> usize {
        1 + match self {
            Self::Status(status) => status.encoded_len(),
            Self::Headers(headers) => list_len(headers),
            Self::Blocks(blocks) => {
                compact_size_len(blocks.len() as u64)
                    + blocks
                        .iter()
                        .map(|block| block.encoded_len())
                        .sum::<usize>()
            }
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
            tag => Err(DecodeError::UnknownTag {
                what: "response",
                tag,
            }),
        }
    }
}
