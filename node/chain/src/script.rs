//! Scripts as opaque bytes, with the few forms the chain gives a meaning:
//! taproot outputs (BIP 341), data carriers, and the coinbase (BIP 34).
//! Nothing here executes a script.

use std::fmt;

use crate::codec::{Decode, DecodeError, Encode, Reader, put_var_bytes, var_bytes_len};
use crate::height::Height;
use crate::hex;

/// Longest script that is read from bytes. A block cannot hold a longer one.
pub const SCRIPT_BYTES_MAX: usize = 4_000_000;

/// Longest coinbase input script a block may carry (Bitcoin's bound).
pub const COINBASE_SCRIPT_BYTES_MAX: usize = 100;

/// Shortest coinbase input script a block may carry (Bitcoin's bound).
pub const COINBASE_SCRIPT_BYTES_MIN: usize = 2;

const OP_0: u8 = 0x00;
const OP_PUSHDATA1: u8 = 0x4c;
const OP_PUSHDATA2: u8 = 0x4d;
const OP_PUSHDATA4: u8 = 0x4e;
const OP_1: u8 = 0x51;
const OP_16: u8 = 0x60;
const OP_RETURN: u8 = 0x6a;

/// Script bytes, uninterpreted.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Script(pub Vec<u8>);

impl Script {
    /// No bytes.
    #[must_use]
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// A copy of `bytes`.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Self {
        Self(bytes.to_vec())
    }

    /// The bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Number of bytes.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are no bytes.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The taproot output locked to `output_key`: `OP_1 <32 bytes>`. The key
    /// is the tweaked one; see [`crate::signature::SecretKey::output_key`].
    #[must_use]
    pub fn p2tr(output_key: &[u8; 32]) -> Self {
        let mut bytes = Vec::with_capacity(34);
        bytes.extend_from_slice(&[OP_1, 32]);
        bytes.extend_from_slice(output_key);
        Self(bytes)
    }

    /// The output key, if this is a taproot output.
    #[must_use]
    pub fn is_p2tr(&self) -> Option<[u8; 32]> {
        match self.0.split_first_chunk::<2>() {
            Some(([OP_1, 32], key)) => key.try_into().ok(),
            _ => None,
        }
    }

    /// An output that carries `data` and can never be spent.
    #[must_use]
    pub fn op_return(data: &[u8]) -> Self {
        let mut bytes = vec![OP_RETURN];
        push_data(&mut bytes, data);
        Self(bytes)
    }

    /// Whether the script starts with `OP_RETURN`, hence is unspendable.
    #[must_use]
    pub fn is_op_return(&self) -> bool {
        self.0.first() == Some(&OP_RETURN)
    }

    /// The input script of a coinbase: the height (BIP 34), a number that
    /// makes blocks of one template differ, and free bytes that name the
    /// miner. `tag` is cut so that the script stays within
    /// [`COINBASE_SCRIPT_BYTES_MAX`].
    #[must_use]
    pub fn coinbase(height: Height, extra_nonce: u64, tag: &[u8]) -> Self {
        let mut bytes = Vec::with_capacity(COINBASE_SCRIPT_BYTES_MAX);
        push_number(&mut bytes, height.0);
        push_data(&mut bytes, &extra_nonce.to_le_bytes());
        // One byte is the length in front of the tag.
        let room = COINBASE_SCRIPT_BYTES_MAX - bytes.len() - 1;
        let tag = &tag[..tag.len().min(room).min(usize::from(OP_PUSHDATA1) - 1)];
        push_data(&mut bytes, tag);
        Self(bytes)
    }

    /// The height a coinbase input script starts with, if it is written in
    /// the one form BIP 34 allows.
    #[must_use]
    pub fn coinbase_height(&self) -> Option<Height> {
        let (&first, rest) = self.0.split_first()?;
        match first {
            OP_0 => Some(Height(0)),
            OP_1..=OP_16 => Some(Height(u32::from(first - OP_1) + 1)),
            1..=5 => {
                let number = read_number(rest.get(..usize::from(first))?)?;
                // Small numbers have opcodes of their own.
                (number > 16).then_some(Height(number))
            }
            _ => None,
        }
    }
}

impl fmt::Debug for Script {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        hex::write(formatter, &self.0)
    }
}

impl fmt::Display for Script {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        hex::write(formatter, &self.0)
    }
}

impl From<Vec<u8>> for Script {
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }
}

impl AsRef<[u8]> for Script {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl Encode for Script {
    fn encode_to(&self, out: &mut Vec<u8>) {
        put_var_bytes(out, &self.0);
    }

    fn encoded_len(&self) -> usize {
        var_bytes_len(&self.0)
    }
}

impl Decode for Script {
    fn decode_from(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        reader.var_bytes(SCRIPT_BYTES_MAX).map(Self::from_bytes)
    }
}

/// Appends the shortest push of `data`.
fn push_data(script: &mut Vec<u8>, data: &[u8]) {
    let length = (data.len() as u64).to_le_bytes();
    match data.len() {
        0..=0x4b => script.push(length[0]),
        0x4c..=0xff => script.extend_from_slice(&[OP_PUSHDATA1, length[0]]),
        0x100..=0xffff => script.extend_from_slice(&[OP_PUSHDATA2, length[0], length[1]]),
        _ => {
            script.push(OP_PUSHDATA4);
            script.extend_from_slice(&length[..4]);
        }
    }
    script.extend_from_slice(data);
}

/// Appends a non-negative script number by its shortest push.
fn push_number(script: &mut Vec<u8>, number: u32) {
    match u8::try_from(number) {
        Ok(0) => script.push(OP_0),
        Ok(small @ 1..=16) => script.push(OP_1 + small - 1),
        _ => {
            let little_endian = u64::from(number).to_le_bytes();
            let significant = 8 - (u64::from(number).leading_zeros() / 8) as usize;
            // The top bit is a sign; a number that has it set takes one more byte.
            let sign_bit = little_endian[significant - 1] & 0x80 != 0;
            push_data(
                script,
                &little_endian[..significant + usize::from(sign_bit)],
            );
        }
    }
}

/// Reads a script number that is not negative and has no needless byte.
fn read_number(bytes: &[u8]) -> Option<u32> {
    let (&last, lower) = bytes.split_last()?;
    let negative = last & 0x80 != 0;
    let needless = last == 0 && lower.last().is_none_or(|byte| byte & 0x80 == 0);
    if negative || needless || bytes.len() > 5 {
        return None;
    }
    let mut padded = [0; 8];
    padded[..bytes.len()].copy_from_slice(bytes);
    u32::try_from(u64::from_le_bytes(padded)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn taproot_scripts_are_recognised_by_their_exact_shape() {
        let key = [7; 32];
        let script = Script::p2tr(&key);
        assert_eq!(script.is_p2tr(), Some(key));
        assert_eq!(Script::from_bytes(&script.0[..33]).is_p2tr(), None);
        assert_eq!(Script([script.0.as_slice(), &[0]].concat()).is_p2tr(), None);
        assert_eq!(Script([&[0x52], &script.0[1..]].concat()).is_p2tr(), None);
        assert_eq!(Script::new().is_p2tr(), None);
    }

    #[test]
    fn data_carriers_use_the_shortest_push() {
        assert_eq!(Script::op_return(b"hi").0, [0x6a, 2, b'h', b'i']);
        assert_eq!(Script::op_return(&[1; 76]).0[..3], [0x6a, 0x4c, 76]);
        assert_eq!(Script::op_return(&[1; 256]).0[..4], [0x6a, 0x4d, 0, 1]);
        assert_eq!(
            Script::op_return(&vec![1; 65_536]).0[..6],
            [0x6a, 0x4e, 0, 0, 1, 0]
        );
        assert!(Script::op_return(b"").is_op_return());
        assert!(!Script::new().is_op_return());
    }

    #[test]
    fn every_kind_of_height_is_read_back() {
        for height in [
            0,
            1,
            16,
            17,
            127,
            128,
            255,
            256,
            32_767,
            32_768,
            840_000,
            u32::MAX,
        ] {
            let script = Script::coinbase(Height(height), 1, b"tag");
            assert_eq!(script.coinbase_height(), Some(Height(height)), "{height}");
            assert!(script.len() >= COINBASE_SCRIPT_BYTES_MIN);
        }
    }

    #[test]
    fn a_long_tag_is_cut_to_the_coinbase_bound() {
        for height in [0, 17, u32::MAX] {
            let script = Script::coinbase(Height(height), u64::MAX, &[9; 500]);
            assert!(script.len() <= COINBASE_SCRIPT_BYTES_MAX);
            assert_eq!(script.coinbase_height(), Some(Height(height)));
        }
    }

    #[test]
    fn heights_in_another_than_the_shortest_form_are_refused() {
        let refused: [&[u8]; 8] = [
            &[],
            &[0x01, 0x10],                         // 16 has its own opcode
            &[0x02, 0x7f, 0x00],                   // needless zero
            &[0x01, 0x80],                         // negative zero
            &[0x02, 0xff, 0x80],                   // negative
            &[0x03, 0x01],                         // ends early
            &[0x4c, 0x01, 0x20],                   // longer push
            &[0x05, 0x00, 0x00, 0x00, 0x00, 0x01], // above 32 bits
        ];
        for bytes in refused {
            assert_eq!(
                Script::from_bytes(bytes).coinbase_height(),
                None,
                "{bytes:?}"
            );
        }
    }
}
