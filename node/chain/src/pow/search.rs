//! The search for a nonce, with the constant part of the header hashed once.
//!
//! SHA-256 eats 64 bytes at a time. The nonce stands in the second block of
//! the 80-byte header, so the state after the first block (the "midstate") is
//! the same for all nonces, and a try costs two compressions instead of three.

use std::ops::Range;

use sha2::block_api::compress256;

use super::{BitsError, Target};
use crate::block::Header;
use crate::hash::BlockHash;

/// The initial state of SHA-256 (FIPS 180-4, section 5.3.3).
const INITIAL_STATE: [u32; 8] = [
    0x6a09_e667,
    0xbb67_ae85,
    0x3c6e_f372,
    0xa54f_f53a,
    0x510e_527f,
    0x9b05_688c,
    0x1f83_d9ab,
    0x5be0_cd19,
];

const BLOCK_BYTES: usize = 64;

/// Where the nonce stands in the second block.
const NONCE: Range<usize> = 12..16;

/// A header prepared for trying nonces.
#[derive(Debug, Clone)]
pub struct Searcher {
    midstate: [u32; 8],
    /// The header's last 16 bytes with the padding of an 80-byte message.
    tail: [u8; BLOCK_BYTES],
    /// The first digest with the padding of a 32-byte message.
    digest_block: [u8; BLOCK_BYTES],
    target: Target,
    /// The target's highest 32 bits: enough to reject nearly every hash.
    target_top: u32,
}

impl Searcher {
    /// Prepares to search for the target in the header's own bits.
    ///
    /// # Errors
    /// [`BitsError`] if the bits name no target.
    pub fn new(header: &Header) -> Result<Self, BitsError> {
        let target = header.bits.to_target()?;
        let bytes = header.to_bytes();
        let (head, rest) = bytes.split_at(BLOCK_BYTES);
        let mut first = [0; BLOCK_BYTES];
        first.copy_from_slice(head);
        let mut midstate = INITIAL_STATE;
        compress256(&mut midstate, &[first]);
        Ok(Self {
            midstate,
            tail: padded(rest, Header::SIZE),
            digest_block: padded(&[0; 32], 32),
            target,
            target_top: (target.to_u256() >> 224_u32).as_u32(),
        })
    }

    /// The first of `nonces` whose hash meets the target.
    pub fn search(&mut self, nonces: Range<u32>) -> Option<u32> {
        nonces.into_iter().find(|&nonce| self.meets_target(nonce))
    }

    /// The header's hash with this nonce.
    pub fn hash(&mut self, nonce: u32) -> BlockHash {
        BlockHash::from_bytes(to_bytes(&self.state(nonce)))
    }

    fn meets_target(&mut self, nonce: u32) -> bool {
        let state = self.state(nonce);
        // The hash is a little-endian number: its last four bytes weigh most.
        state[7].swap_bytes() <= self.target_top
            && self
                .target
                .is_met_by(&BlockHash::from_bytes(to_bytes(&state)))
    }

    fn state(&mut self, nonce: u32) -> [u32; 8] {
        self.tail[NONCE].copy_from_slice(&nonce.to_le_bytes());
        let mut inner = self.midstate;
        compress256(&mut inner, std::slice::from_ref(&self.tail));
        self.digest_block[..32].copy_from_slice(&to_bytes(&inner));
        let mut outer = INITIAL_STATE;
        compress256(&mut outer, std::slice::from_ref(&self.digest_block));
        outer
    }
}

/// The last block of a message of `message_bytes` that ends with `end`.
fn padded(end: &[u8], message_bytes: usize) -> [u8; BLOCK_BYTES] {
    let mut block = [0; BLOCK_BYTES];
    block[..end.len()].copy_from_slice(end);
    block[end.len()] = 0x80;
    block[BLOCK_BYTES - 8..].copy_from_slice(&(message_bytes as u64 * 8).to_be_bytes());
    block
}

fn to_bytes(state: &[u32; 8]) -> [u8; 32] {
    let mut bytes = [0; 32];
    for (chunk, word) in bytes.chunks_exact_mut(4).zip(state) {
        chunk.copy_from_slice(&word.to_be_bytes());
    }
    bytes
}
