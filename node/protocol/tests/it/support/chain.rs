//! A small network's rules, a maker of valid chains, and signed payments.

use std::sync::Arc;

use minichain_chain::amount::Amount;
use minichain_chain::block::Block;
use minichain_chain::difficulty::Rule;
use minichain_chain::hash::BlockHash;
use minichain_chain::mempool::{Mempool, MempoolLimits};
use minichain_chain::params::{Allocation, Params, Proof, Reward, dev_account_key};
use minichain_chain::pow::{CompactTarget, Searcher};
use minichain_chain::script::Script;
use minichain_chain::signature::{SecretKey, sign_all_inputs};
use minichain_chain::state::{Acceptance, State};
use minichain_chain::store::MemoryStore;
use minichain_chain::template;
use minichain_chain::time::UnixSeconds;
use minichain_chain::transaction::{OutPoint, Transaction, TxIn, TxOut, Witness};
use minichain_protocol::config::{Config, MiningConfig, Timing};

pub const SPACING_S: u32 = 5;
pub const GENESIS_TIME_S: u32 = 1_700_000_000;
pub const ACCOUNTS: usize = 4;

/// Bits that every second hash meets.
const EASY_BITS: CompactTarget = CompactTarget(0x207f_ffff);
const SEED: [u8; 32] = [7; 32];

pub fn params() -> Params {
    named_params("test")
}

/// The same rules under another name: another genesis block.
pub fn named_params(network: &str) -> Params {
    let target = EASY_BITS.to_target().expect("these bits are a target");
    let params = Params {
        network: network.into(),
        address_prefix: "test".into(),
        genesis_time: UnixSeconds(GENESIS_TIME_S),
        spacing_s: SPACING_S,
        difficulty: Rule::Fixed,
        initial_target: target,
        pow_limit: target,
        future_limit_s: 15,
        reward: Reward {
            initial: Amount::from_sat(5_000_000_000),
            halving_interval: 0,
        },
        coinbase_maturity: 10,
        block_weight_max: 4_000_000,
        allocations: (0..ACCOUNTS).map(allocation).collect(),
        proof: Proof::Hash,
    };
    params.check().expect("these rules make a network")
}

fn allocation(index: usize) -> Allocation {
    let account = account_name(index);
    let output_key = account_key(index).output_key();
    Allocation {
        account,
        amount: Amount::from_sat(1_000_000_000),
        output_key,
    }
}

fn account_name(index: usize) -> String {
    format!("account-{index}")
}

pub fn account_key(index: usize) -> SecretKey {
    dev_account_key(&SEED, &account_name(index))
}

pub fn config(mining: bool) -> Config {
    let mining = mining.then(|| MiningConfig {
        output_key: account_key(0).output_key(),
        tag: b"it".to_vec(),
    });
    Config {
        user_agent: "minichain-it/1".into(),
        mining,
        mempool: MempoolLimits::default(),
        timing: Timing::from_spacing_s(SPACING_S),
    }
}

/// The outpoint of an account's allocation.
pub fn allocated(params: &Params, index: usize) -> (OutPoint, TxOut) {
    let genesis = params.genesis_block();
    let coinbase = &genesis.transactions[0];
    let vout = u32::try_from(index).expect("few accounts");
    (coinbase.outpoint(vout), coinbase.outputs[index].clone())
}

/// Moves a whole output of `payer` to `payee`, less `fee_sat`.
pub fn pay(
    (outpoint, output): (OutPoint, TxOut),
    payer: usize,
    payee: usize,
    fee_sat: u64,
) -> Arc<Transaction> {
    let value = Amount::from_sat(output.value.to_sat() - fee_sat);
    let script_pubkey = Script::p2tr(&account_key(payee).output_key());
    let input = TxIn {
        previous_output: outpoint,
        script_sig: Script::new(),
        sequence: u32::MAX,
        witness: Witness::new(),
    };
    let mut transaction = Transaction {
        version: 2,
        inputs: vec![input],
        outputs: vec![TxOut {
            value,
            script_pubkey,
        }],
        lock_time: 0,
    };
    sign_all_inputs(&mut transaction, &[output], &account_key(payer), &[0; 32])
        .expect("one prevout for one input");
    Arc::new(transaction)
}

/// The first output of a transaction.
pub fn first_output(transaction: &Transaction) -> (OutPoint, TxOut) {
    (transaction.outpoint(0), transaction.outputs[0].clone())
}

/// Finds a nonce.
pub fn solve(mut block: Block) -> Arc<Block> {
    let mut searcher = Searcher::new(&block.header).expect("the bits are a target");
    block.header.nonce = searcher
        .search(0..u32::MAX)
        .expect("every second nonce fits");
    Arc::new(block)
}

/// Makes valid blocks, one spacing apart.
pub struct Maker {
    pub state: State<MemoryStore>,
    pub pool: Mempool,
    number: u64,
    pub time: UnixSeconds,
}

impl Maker {
    /// `branch` makes the blocks differ from those of other makers.
    pub fn new(branch: u64) -> Self {
        Self::with(params(), branch)
    }

    pub fn with(params: Params, branch: u64) -> Self {
        let state = State::open(params, MemoryStore::default()).expect("an empty store opens");
        let pool = Mempool::new(MempoolLimits::default());
        Self {
            state,
            pool,
            number: branch << 32,
            time: UnixSeconds(GENESIS_TIME_S),
        }
    }

    /// The next block on the tip, not yet accepted here.
    pub fn next(&mut self) -> Arc<Block> {
        solve(self.unsolved())
    }

    /// The next block without its nonce, one spacing after the last.
    pub fn unsolved(&mut self) -> Block {
        self.number += 1;
        self.time = self.time.saturating_add(SPACING_S);
        let key = account_key(1).output_key();
        template::build(
            &self.state,
            &self.pool,
            key,
            self.number,
            b"maker",
            self.time,
        )
        .block
    }

    /// Mines and keeps `count` blocks.
    pub fn mine(&mut self, count: usize) -> Vec<Arc<Block>> {
        let mut blocks = Vec::new();
        for _ in 0..count {
            let block = self.next();
            self.accept(&block);
            blocks.push(block);
        }
        blocks
    }

    pub fn accept(&mut self, block: &Arc<Block>) {
        let acceptance = self
            .state
            .accept_block(Arc::clone(block), block.header.time);
        let acceptance = acceptance.expect("memory does not fail");
        assert!(
            matches!(acceptance, Acceptance::TipChanged { .. }),
            "{acceptance:?}"
        );
    }

    pub fn tip(&self) -> BlockHash {
        self.state.tip().hash
    }
}
