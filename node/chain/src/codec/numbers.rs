//! Byte forms of the numbers with a meaning: little-endian, fixed width.

use super::{Decode, DecodeError, Encode, Reader};
use crate::amount::Amount;
use crate::height::Height;
use crate::pow::CompactTarget;
use crate::time::{UnixMillis, UnixSeconds};

macro_rules! little_endian {
    ($($name:ty: $read:ident, $make:expr, $plain:expr;)*) => {$(
        impl Encode for $name {
            fn encode_to(&self, out: &mut Vec<u8>) {
                out.extend_from_slice(&$plain(*self).to_le_bytes());
            }

            fn encoded_len(&self) -> usize {
                size_of::<Self>()
            }
        }

        impl Decode for $name {
            fn decode_from(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
                reader.$read().map($make)
            }
        }
    )*};
}

little_endian! {
    Amount: u64, Amount::from_sat, Amount::to_sat;
    Height: u32, Height, Height::to_u32;
    UnixSeconds: u32, UnixSeconds, UnixSeconds::to_u32;
    UnixMillis: u64, UnixMillis, UnixMillis::to_u64;
    CompactTarget: u32, CompactTarget, CompactTarget::to_u32;
}
