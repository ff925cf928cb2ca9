//! What is needed to take a block off again.

use super::Coin;
use crate::codec::{Decode, DecodeError, Encode, Reader, list_len, put_list};

/// Coins that a block spent, in the order of its inputs, the coinbase's left
/// out.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Undo {
    /// The coins.
    pub spent: Vec<Coin>,
}

/// Height and flag, value, empty script.
const COIN_BYTES_MIN: usize = 4 + 8 + 1;
const COINS_MAX: usize = 1_000_000;

impl Encode for Undo {
    fn encode_to(&self, out: &mut Vec<u8>) {
        put_list(out, &self.spent);
    }

    fn encoded_len(&self) -> usize {
        list_len(&self.spent)
    }
}

impl Decode for Undo {
    fn decode_from(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            spent: reader.list(COINS_MAX, COIN_BYTES_MIN)?,
        })
    }
}
