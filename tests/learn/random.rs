//! Draws that follow from a seed, which is printed with the line that repeats them.

use minichain_chain::amount::Amount;
use minichain_chain::hash::{Txid, sha256};
use minichain_chain::script::Script;
use minichain_chain::signature::SecretKey;
use minichain_chain::transaction::{OutPoint, Transaction, TxIn, TxOut, Witness};

/// SplitMix64 (Steele, Lea, Flood 2014).
pub struct Random(u64);

impl Random {
    /// Draws for a test; `LEARN_SEED` names another seed.
    pub fn of(test: &str) -> Self {
        let seed = std::env::var("LEARN_SEED")
            .ok()
            .and_then(|seed| seed.parse().ok());
        let seed = seed.unwrap_or(1);
        eprintln!("LEARN_SEED={seed} cargo test --workspace --test learn {test}");
        Self(seed)
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    pub fn index(&mut self, bound: usize) -> usize {
        usize::try_from(self.below(bound as u64)).expect("it fits")
    }

    pub fn word(&mut self) -> u32 {
        u32::try_from(self.next() >> 32).expect("32 bits")
    }

    pub fn bytes32(&mut self) -> [u8; 32] {
        sha256(&self.next().to_le_bytes())
    }

    pub fn key(&mut self) -> SecretKey {
        SecretKey::from_bytes(self.bytes32()).expect("hardly ever none")
    }

    /// Outputs of those keys.
    pub fn coins(&mut self, keys: &[SecretKey]) -> Vec<TxOut> {
        let coin = |key: &SecretKey| TxOut {
            value: Amount::from_sat(1_000_000 + self.below(1_000_000_000_000)),
            script_pubkey: Script::p2tr(&key.output_key()),
        };
        keys.iter().map(coin).collect()
    }

    /// An unsigned transaction of so many inputs.
    pub fn transaction(&mut self, inputs: usize) -> Transaction {
        let outputs = 1 + self.index(3);
        Transaction {
            version: [1, 2][self.index(2)],
            inputs: (0..inputs).map(|_| self.input()).collect(),
            outputs: (0..outputs).map(|_| self.output()).collect(),
            lock_time: [0, self.word()][self.index(2)],
        }
    }

    fn input(&mut self) -> TxIn {
        TxIn {
            previous_output: OutPoint {
                txid: Txid::from_bytes(self.bytes32()),
                vout: self.word() >> 20,
            },
            script_sig: Script::new(),
            sequence: [u32::MAX, self.word()][self.index(2)],
            witness: Witness::new(),
        }
    }

    fn output(&mut self) -> TxOut {
        let key = self.key().output_key();
        let data = self.bytes32();
        TxOut {
            value: Amount::from_sat(self.below(1_000_000)),
            script_pubkey: [Script::p2tr(&key), Script::op_return(&data)][self.index(2)].clone(),
        }
    }
}
