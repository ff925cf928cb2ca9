//! Who a node is and how far it has come.

use minichain_chain::codec::{Decode, DecodeError, Encode, Reader};
use minichain_chain::hash::BlockHash;
use minichain_chain::height::Height;
use minichain_chain::pow::Chainwork;

use super::text::Text;
use crate::limits::{NETWORK_NAME_MAX, USER_AGENT_MAX};

/// Told by both sides in a status exchange. All of it is a claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// Version of the messages the node speaks.
    pub protocol_version: u32,
    /// Name of its network.
    pub network: Text<NETWORK_NAME_MAX>,
    /// Its genesis block, which commits to every rule of the network.
    pub genesis: BlockHash,
    /// Its tip.
    pub tip: BlockHash,
    /// Height of the tip.
    pub height: Height,
    /// Work up to the tip.
    pub chainwork: Chainwork,
    /// What it calls itself.
    pub user_agent: Text<USER_AGENT_MAX>,
}

impl Encode for Status {
    fn encode_to(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.protocol_version.to_le_bytes());
        self.network.encode_to(out);
        self.genesis.encode_to(out);
        self.tip.encode_to(out);
        self.height.encode_to(out);
        out.extend_from_slice(&self.chainwork.to_be_bytes());
        self.user_agent.encode_to(out);
    }

    fn encoded_len(&self) -> usize {
        4 + self.network.encoded_len() + 32 + 32 + 4 + 32 + self.user_agent.encoded_len()
    }
}

impl Decode for Status {
    fn decode_from(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            protocol_version: reader.u32()?,
            network: Text::decode_from(reader)?,
            genesis: BlockHash::decode_from(reader)?,
            tip: BlockHash::decode_from(reader)?,
            height: Height::decode_from(reader)?,
            chainwork: Chainwork::from_be_bytes(reader.array()?),
            user_agent: Text::decode_from(reader)?,
        })
    }
}

/// A status, and a digest of what waits in the mempool: what peers tell each
/// other once they know that both can.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// As ever.
    pub status: Status,
    /// As in [`super::GetInventory`].
    pub pool: [u8; 32],
}

impl Encode for Standing {
    fn encode_to(&self, out: &mut Vec<u8>) {
        self.status.encode_to(out);
        out.extend_from_slice(&self.pool);
    }

    fn encoded_len(&self) -> usize {
        self.status.encoded_len() + 32
    }
}

impl Decode for Standing {
    fn decode_from(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            status: Status::decode_from(reader)?,
            pool: reader.array()?,
        })
    }
}
