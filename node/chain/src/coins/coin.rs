//! One unspent output.

use crate::block::Block;
use crate::codec::{Decode, DecodeError, Encode, Reader};
use crate::hash::Txid;
use crate::height::Height;
use crate::transaction::{OutPoint, Transaction, TxOut};

/// An unspent output and where it was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Coin {
    /// The output.
    pub output: TxOut,
    /// Height of the block that made it.
    pub height: Height,
    /// Whether a coinbase made it, so that it has to mature. Genesis
    /// allocations do not.
    pub is_coinbase: bool,
}

impl Coin {
    /// Twice the height, plus one for a coinbase.
    fn code(&self) -> u32 {
        // Heights end at `rules::header::HEIGHT_MAX`, so the shift loses nothing.
        self.height.to_u32() << 1 | u32::from(self.is_coinbase)
    }
}

/// Four bytes of height and coinbase flag as in Bitcoin Core's
/// `gettxoutsetinfo`, then the output.
impl Encode for Coin {
    fn encode_to(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.code().to_le_bytes());
        self.output.encode_to(out);
    }

    fn encoded_len(&self) -> usize {
        4 + self.output.encoded_len()
    }
}

impl Decode for Coin {
    fn decode_from(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let code = reader.u32()?;
        Ok(Self {
            height: Height(code >> 1),
            is_coinbase: code & 1 == 1,
            output: TxOut::decode_from(reader)?,
        })
    }
}

/// The bytes that stand for an unspent output in the set's digest; Bitcoin
/// Core's `TxOutSer`.
pub(crate) fn muhash_element(outpoint: &OutPoint, coin: &Coin) -> Vec<u8> {
    let mut out = Vec::with_capacity(outpoint.encoded_len() + coin.encoded_len());
    outpoint.encode_to(&mut out);
    coin.encode_to(&mut out);
    out
}

/// The coins a block at `height` makes, in order, unspendable outputs left
/// out, whether or not the block spends them again.
pub(crate) fn created_coins(
    block: &Block,
    height: Height,
) -> impl DoubleEndedIterator<Item = (OutPoint, Coin)> {
    block
        .transactions
        .iter()
        .flat_map(move |tx| transaction_coins(tx, tx.txid(), height))
}

/// The coins one transaction of a block at `height` makes; `txid` is its name.
pub(super) fn transaction_coins(
    tx: &Transaction,
    txid: Txid,
    height: Height,
) -> impl DoubleEndedIterator<Item = (OutPoint, Coin)> {
    let is_coinbase = tx.is_coinbase() && height != Height::GENESIS;
    // A transaction's bytes hold fewer than 2^32 outputs.
    let numbered = (0_u32..=u32::MAX).zip(&tx.outputs).collect::<Vec<_>>();
    numbered
        .into_iter()
        .filter(|(_, output)| !output.script_pubkey.is_op_return())
        .map(move |(vout, output)| {
            let coin = Coin {
                output: output.clone(),
                height,
                is_coinbase,
            };
            (OutPoint { txid, vout }, coin)
        })
}
