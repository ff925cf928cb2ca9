//! What libsecp256k1 alone can do: BIP 340's verification, which begins with
//! the 32 bytes of a key.

use std::time::{Duration, Instant};

use secp256k1::{Keypair, XOnlyPublicKey, schnorr};

/// Signatures over different messages by one key.
pub struct Raw {
    key: [u8; 32],
    signed: Vec<([u8; 32], schnorr::Signature)>,
}

impl Raw {
    pub fn new(count: u32) -> Self {
        let pair = Keypair::from_secret_bytes([7; 32]).unwrap();
        let sign = |number: u32| {
            let mut message = [0; 32];
            message[..4].copy_from_slice(&number.to_le_bytes());
            let signature = schnorr::sign_with_aux_rand(&message, &pair, &[0; 32]);
            (message, signature)
        };
        Self {
            key: pair.x_only_public_key().0.to_byte_array(),
            signed: (0..count).map(sign).collect(),
        }
    }

    /// Checks all of them, spread evenly over `threads`; the time it takes.
    pub fn time(&self, threads: usize) -> Duration {
        let share = self.signed.len().div_ceil(threads);
        let check = |part: &[([u8; 32], schnorr::Signature)]| {
            for (message, signature) in part {
                let key = XOnlyPublicKey::from_byte_array(self.key).unwrap();
                signature.verify(message, &key).unwrap();
            }
        };
        // The first check of a thread is dear, so it is not timed.
        let barrier = std::sync::Barrier::new(threads + 1);
        std::thread::scope(|scope| {
            for part in self.signed.chunks(share) {
                let barrier = &barrier;
                scope.spawn(move || {
                    check(&part[..1]);
                    barrier.wait();
                    check(part);
                    barrier.wait();
                });
            }
            barrier.wait();
            let begin = Instant::now();
            barrier.wait();
            begin.elapsed()
        })
    }
}
