//! The miner's search against two bare compressions a nonce.

use std::hint::black_box;
use std::time::{Duration, Instant};

use minichain_chain::block::Header;
use minichain_chain::hash::{BlockHash, MerkleRoot};
use minichain_chain::pow::{CompactTarget, Searcher};
use minichain_chain::time::UnixSeconds;
use sha2::block_api::compress256;

use crate::median;

/// What the miner tries between two looks at its orders.
const NONCES_PER_LOOK: u32 = 2_048;
const LOOKS: u32 = 100;
const ROUNDS: usize = 51;

pub fn run() {
    let (mut ratios, mut rates) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let before = bare();
        let search = search();
        let bare = (before + bare()) / 2;
        ratios.push(bare.as_secs_f64() / search.as_secs_f64());
        rates.push(f64::from(LOOKS * NONCES_PER_LOOK) / search.as_secs_f64() / 1e6);
    }
    println!(
        "the search tries {:.2} million nonces a second on one thread, {:.3} of two bare \
         compressions each, medians of {ROUNDS}",
        median(rates),
        median(ratios)
    );
}

fn search() -> Duration {
    let header = Header {
        version: 1,
        previous: BlockHash::ZERO,
        merkle_root: MerkleRoot::from_bytes([1; 32]),
        time: UnixSeconds(1_700_000_000),
        // No nonce here meets it.
        bits: CompactTarget(0x1700_ffff),
        nonce: 0,
    };
    let mut searcher = Searcher::new(&header).unwrap();
    let begin = Instant::now();
    for look in 0..LOOKS {
        let first = look * NONCES_PER_LOOK;
        let found = searcher.search(black_box(first..first + NONCES_PER_LOOK));
        assert_eq!(found, None);
    }
    begin.elapsed()
}

/// The nonce into the block, compress, the digest into the next, compress.
fn bare() -> Duration {
    let (midstate, initial) = (black_box([7_u32; 8]), black_box([9_u32; 8]));
    let (mut tail, mut digest) = ([1_u8; 64], [2_u8; 64]);
    let begin = Instant::now();
    let mut all = 0;
    for nonce in 0..LOOKS * NONCES_PER_LOOK {
        tail[12..16].copy_from_slice(&nonce.to_le_bytes());
        let mut inner = midstate;
        compress256(&mut inner, std::slice::from_ref(&tail));
        for (bytes, word) in digest.chunks_exact_mut(4).zip(inner) {
            bytes.copy_from_slice(&word.to_be_bytes());
        }
        let mut outer = initial;
        compress256(&mut outer, std::slice::from_ref(&digest));
        all |= outer[7];
    }
    black_box(all);
    begin.elapsed()
}
