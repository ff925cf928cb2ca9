//! MuHash3072: a digest of a set that can be kept up to date.
//!
//! Elements are hashed to numbers below p = 2^3072 - 1103717 and multiplied;
//! removing one is dividing by it. Equal sets have equal digests, in whatever
//! order they came about. The same as in Bitcoin Core, so that digests of
//! unspent outputs can be compared with those of `gettxoutsetinfo muhash`.
//!
//! Sources: Bellare and Micciancio, "A New Paradigm for Collision-Free
//! Hashing" (1997); Bitcoin Core, `src/crypto/muhash.h`.

mod number;

use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};

use self::number::Num3072;
use super::{Coin, muhash_element};
use crate::codec::{Decode, DecodeError, Encode, Reader};
use crate::hash::sha256;
use crate::transaction::OutPoint;

/// An element that comes to a set or leaves it; hashed only by who computes the
/// digest, perhaps on another thread.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DigestChange {
    element: Vec<u8>,
    kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Insert,
    Remove,
}

impl DigestChange {
    /// The element comes.
    #[must_use]
    pub const fn insert(element: Vec<u8>) -> Self {
        let kind = Kind::Insert;
        Self { element, kind }
    }

    /// The element leaves.
    #[must_use]
    pub const fn remove(element: Vec<u8>) -> Self {
        let kind = Kind::Remove;
        Self { element, kind }
    }

    /// A coin comes to the set of unspent outputs.
    #[must_use]
    pub fn coin_came(outpoint: &OutPoint, coin: &Coin) -> Self {
        Self::insert(muhash_element(outpoint, coin))
    }

    /// A coin leaves the set of unspent outputs.
    #[must_use]
    pub fn coin_went(outpoint: &OutPoint, coin: &Coin) -> Self {
        Self::remove(muhash_element(outpoint, coin))
    }
}

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

    /// What the changes make of the empty set.
    #[must_use]
    pub fn of(changes: &[DigestChange]) -> Self {
        let mut muhash = Self::new();
        for change in changes {
            let number = to_number(&change.element);
            match change.kind {
                Kind::Insert => muhash.numerator.multiply(&number),
                Kind::Remove => muhash.denominator.multiply(&number),
            }
        }
        muhash
    }

    /// Does what was done to the other digest to this one.
    pub fn combine(&mut self, other: &Self) {
        self.numerator.multiply(&other.numerator);
        self.denominator.multiply(&other.denominator);
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
    expand(&sha256(element))
}

fn expand(key: &[u8; 32]) -> Num3072 {
    Num3072::reduced(&key_stream(key))
}

/// `ChaCha20` (RFC 8439, section 2.3) with nonce and first counter zero.
fn key_stream<const N: usize>(key: &[u8; 32]) -> [u8; N] {
    let mut stream = [0; N];
    ChaCha20Rng::from_seed(*key).fill_bytes(&mut stream);
    stream
}

#[cfg(test)]
mod tests;
