//! Blocks and transactions of the network under attack, good and bad.

use std::sync::Arc;

use minichain_api::config::NodeConfig;
use minichain_chain::amount::Amount;
use minichain_chain::block::Block;
use minichain_chain::hash::Txid;
use minichain_chain::mempool::{Mempool, MempoolLimits};
use minichain_chain::merkle::transaction_root;
use minichain_chain::params::{Params, dev_account_key};
use minichain_chain::pow::Searcher;
use minichain_chain::script::Script;
use minichain_chain::signature::sign_all_inputs;
use minichain_chain::state::{Acceptance, State};
use minichain_chain::store::MemoryStore;
use minichain_chain::template;
use minichain_chain::time::UnixSeconds;
use minichain_chain::transaction::{OutPoint, Transaction, TxIn, TxOut, Witness};
use minichain_node::genesis;

use crate::victim::GENESIS;

/// What the genesis block says of alice's key.
const ALICE_SEED: [u8; 32] = [1; 32];
/// And of her money.
const ALICE_SATS: u64 = 100_000_000_000;

/// Makes blocks one second apart.
pub struct Maker {
    state: State<MemoryStore>,
    pool: Mempool,
    number: u64,
    time: UnixSeconds,
}

pub fn params() -> Params {
    let config: NodeConfig = serde_yaml::from_str(GENESIS).expect("a configuration");
    let Ok(params) = genesis::params_for(&config) else {
        panic!("the genesis block is sound")
    };
    params
}

/// Finds a nonce.
pub fn solve(mut block: Block) -> Block {
    let mut searcher = Searcher::new(&block.header).expect("the bits are a target");
    let found = searcher.search(0..u32::MAX);
    block.header.nonce = found.expect("one in twenty fits");
    block
}

/// Has the header say what the body is.
pub fn rooted(mut block: Block) -> Block {
    let tree = transaction_root(&block.transactions);
    block.header.merkle_root = tree.expect("there is a coinbase").root;
    block
}

impl Maker {
    /// `branch` makes the blocks differ from those of other makers.
    pub fn new(branch: u64) -> Self {
        let params = params();
        let time = params.genesis_time;
        let state = State::open(params, MemoryStore::default()).expect("an empty store opens");
        Self {
            state,
            pool: Mempool::new(MempoolLimits::default()),
            number: branch << 32,
            time,
        }
    }

    /// The next block without its nonce.
    pub fn unsolved(&mut self) -> Block {
        self.number += 1;
        self.time = self.time.saturating_add(1);
        let key = dev_account_key(&ALICE_SEED, "alice").output_key();
        let (state, pool) = (&self.state, &self.pool);
        template::build(state, pool, key, self.number, b"foe", self.time).block
    }

    /// Mines and keeps a block that is this much larger than need be.
    pub fn grow(&mut self, ballast: usize) -> Block {
        let mut block = self.unsolved();
        if ballast > 0 {
            block.transactions[0].outputs.push(TxOut {
                value: Amount::ZERO,
                script_pubkey: Script::op_return(&vec![0; ballast]),
            });
        }
        let block = solve(rooted(block));
        let accepted = self
            .state
            .accept_block(Arc::new(block.clone()), block.header.time);
        let accepted = accepted.expect("memory does not fail");
        assert!(
            matches!(accepted, Acceptance::TipChanged { .. }),
            "{accepted:?}"
        );
        block
    }

    /// Mines and keeps so many.
    pub fn mine(&mut self, count: usize) -> Vec<Block> {
        (0..count).map(|_| self.grow(0)).collect()
    }
}

/// Alice's money in the genesis block.
pub fn funds() -> OutPoint {
    params().genesis_block().transactions[0].outpoint(0)
}

/// Alice spends all of an outpoint that may be hers, but for the fee.
pub fn payment(from: OutPoint, lock_time: u32) -> Transaction {
    let alice = dev_account_key(&ALICE_SEED, "alice");
    let output = |sats| TxOut {
        value: Amount::from_sat(sats),
        script_pubkey: Script::p2tr(&alice.output_key()),
    };
    let mut transaction = Transaction {
        version: 2,
        inputs: vec![TxIn {
            previous_output: from,
            script_sig: Script::new(),
            sequence: u32::MAX,
            witness: Witness::new(),
        }],
        outputs: vec![output(ALICE_SATS - 10_000)],
        lock_time,
    };
    let spent = [output(ALICE_SATS)];
    sign_all_inputs(&mut transaction, &spent, &alice, &[3; 32]).expect("one of each");
    transaction
}

/// An outpoint of nobody.
pub fn nowhere() -> OutPoint {
    OutPoint {
        txid: Txid::from_bytes([7; 32]),
        vout: 0,
    }
}
