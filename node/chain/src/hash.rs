//! SHA-256 in the three forms the chain uses, and the names it gives things.
//!
//! A hash is kept in the order SHA-256 produced it ("internal" order) and
//! shown reversed, as Bitcoin shows it.

use std::fmt;
use std::str::FromStr;

use sha2::{Digest, Sha256};

use crate::codec::{Decode, DecodeError, Encode, Reader};
use crate::hex::{self, HexError};

/// SHA-256.
#[must_use]
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// SHA-256 of SHA-256: names of headers, transactions and merkle nodes.
#[must_use]
pub fn sha256d(bytes: &[u8]) -> [u8; 32] {
    sha256(&sha256(bytes))
}

/// SHA-256 bound to one purpose, of `parts` one after the other (BIP 340).
#[must_use]
pub fn tagged_hash(tag: &str, parts: &[&[u8]]) -> [u8; 32] {
    let tag_hash = sha256(tag.as_bytes());
    let mut hasher = Sha256::new();
    hasher.update(tag_hash);
    hasher.update(tag_hash);
    for part in parts {
        hasher.update(part);
    }
    hasher.finalize().into()
}

macro_rules! hash_newtype {
    ($(#[$docs:meta])* $name:ident) => {
        $(#[$docs])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
        pub struct $name([u8; 32]);

        impl $name {
            /// All bytes zero: the name of nothing.
            pub const ZERO: Self = Self([0; 32]);

            /// From internal byte order.
            #[must_use]
            pub const fn from_bytes(bytes: [u8; 32]) -> Self {
                Self(bytes)
            }

            /// In internal byte order.
            #[must_use]
            pub const fn to_bytes(self) -> [u8; 32] {
                self.0
            }

            /// In internal byte order.
            #[must_use]
            pub const fn as_bytes(&self) -> &[u8; 32] {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                let mut bytes = self.0;
                bytes.reverse();
                hex::write(formatter, &bytes)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, formatter)
            }
        }

        impl FromStr for $name {
            type Err = HexError;

            fn from_str(text: &str) -> Result<Self, HexError> {
                let mut bytes = hex::decode_array::<32>(text)?;
                bytes.reverse();
                Ok(Self(bytes))
            }
        }

        impl AsRef<[u8]> for $name {
            fn as_ref(&self) -> &[u8] {
                &self.0
            }
        }

        impl Encode for $name {
            fn encode_to(&self, out: &mut Vec<u8>) {
                out.extend_from_slice(&self.0);
            }

            fn encoded_len(&self) -> usize {
                32
            }
        }

        impl Decode for $name {
            fn decode_from(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
                reader.array().map(Self)
            }
        }
    };
}

hash_newtype! {
    /// Name of a block: double SHA-256 of its header.
    BlockHash
}
hash_newtype! {
    /// Name of a transaction: double SHA-256 of its bytes without witnesses.
    Txid
}
hash_newtype! {
    /// Name of a transaction with its witnesses (BIP 141).
    Wtxid
}
hash_newtype! {
    /// Root of a merkle tree over transaction names.
    MerkleRoot
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_digests_are_reproduced() {
        // FIPS 180-2, appendix B.1, and the empty string.
        assert_eq!(
            hex::encode(&sha256(b"abc")),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
        assert_eq!(
            hex::encode(&sha256d(b"")),
            "5df6e0e2761359d30a8275058e299fcc0381534545f55cf43e41983f5d4c9456"
        );
    }

    #[test]
    fn a_tagged_hash_is_its_definition() {
        let tag = sha256(b"TapTweak");
        let mut bytes = tag.to_vec();
        bytes.extend_from_slice(&tag);
        bytes.extend_from_slice(b"onetwo");
        assert_eq!(tagged_hash("TapTweak", &[b"one", b"two"]), sha256(&bytes));
        assert_ne!(
            tagged_hash("TapTweak", &[b"onetwo"]),
            tagged_hash("TapLeaf", &[b"onetwo"])
        );
    }

    #[test]
    fn a_hash_is_shown_reversed_and_read_back() {
        let mut bytes = [0; 32];
        bytes[0] = 0xab;
        let hash = BlockHash::from_bytes(bytes);
        let text = hash.to_string();
        assert!(text.ends_with("00ab"));
        assert_eq!(text.parse(), Ok(hash));
        assert_eq!(format!("{hash:?}"), text);
        assert!("ab".parse::<Txid>().is_err());
    }
}
