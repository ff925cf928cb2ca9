//! MuHash3072: a digest of a set that can be kept up to date.
//!
//! Elements are hashed to numbers below p = 2^3072 - 1103717 and multiplied;
//! removing one is dividing by it. Equal sets have equal digests, in whatever
//! order they came about. The same as in Bitcoin Core, so that digests of
//! unspent outputs can be compared with those of `gettxoutsetinfo muhash`.
//!
//! Sources: Bellare and Micciancio, "A New Paradigm for Collision-Free
//! Hashing" (1997); Bitcoin Core, `src/crypto/muhash.h`.

mod chacha;
mod number;

use self::number::Num3072;
use crate::codec::{Decode, DecodeError, Encode, Reader};
use crate::hash::sha256;

/// The state of a digest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MuHash3072 {
    /// Product of the elements added.
    numerator: Num3072,
    /// Product of the elements removed; dividing only once, at the end, saves
    /// an inversion for every removal.
    denominator: Num3072,
}

impl MuHash3072 {
    /// Bytes of its encoding.
    pub const SIZE: usize = 2 * Num3072::SIZE;

    /// The empty set.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            numerator: Num3072::ONE,
            denominator: Num3072::ONE,
        }
    }

    /// Adds an element.
    pub fn insert(&mut self, element: &[u8]) {
        self.numerator.multiply(&to_number(element));
    }

    /// Takes an element away. One that was never added may be taken away
    /// first and added later.
    pub fn remove(&mut self, element: &[u8]) {
        self.denominator.multiply(&to_number(element));
    }

    /// The digest, in the byte order of SHA-256; Bitcoin Core shows it
    /// reversed. Takes some milliseconds.
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        let mut quotient = self.numerator;
        quotient.multiply(&self.denominator.inverse());
        sha256(&quotient.to_bytes())
    }
}

impl Default for MuHash3072 {
    fn default() -> Self {
        Self::new()
    }
}

/// Numerator, then denominator, least significant byte first.
impl Encode for MuHash3072 {
    fn encode_to(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.numerator.to_bytes());
        out.extend_from_slice(&self.denominator.to_bytes());
    }

    fn encoded_len(&self) -> usize {
        Self::SIZE
    }
}

impl Decode for MuHash3072 {
    fn decode_from(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let mut number = || {
            Num3072::from_bytes(&reader.array()?).ok_or(DecodeError::InvalidValue {
                what: "number of 3072 bits",
            })
        };
        Ok(Self {
            numerator: number()?,
            denominator: number()?,
        })
    }
}

fn to_number(element: &[u8]) -> Num3072 {
    let key = sha256(element);
    Num3072::reduced(&chacha::keystream(&key))
}

#[cfg(test)]
mod tests;
