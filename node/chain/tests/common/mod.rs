//! Makes networks, blocks and payments at trivial difficulty.

pub mod naive;
pub mod pay;
pub mod store;

use std::sync::Arc;

use minichain_chain::amount::Amount;
use minichain_chain::block::{Block, Header};
use minichain_chain::difficulty::Rule;
use minichain_chain::hash::BlockHash;
use minichain_chain::height::Height;
use minichain_chain::merkle::{
    WITNESS_COMMITMENT_PREFIX, transaction_root, witness_commitment, witness_commitment_script,
    witness_root,
};
use minichain_chain::params::{Allocation, Params, Proof, Reward, dev_account_key};
use minichain_chain::pow::{CompactTarget, Searcher};
use minichain_chain::script::Script;
use minichain_chain::signature::SecretKey;
use minichain_chain::state::{Acceptance, Moved, State};
use minichain_chain::store::{MemoryStore, Store};
use minichain_chain::time::UnixSeconds;
use minichain_chain::transaction::{OutPoint, SEQUENCE_FINAL, Transaction, TxIn, TxOut, Witness};

pub const COIN: u64 = 100_000_000;
pub const SPACING_S: u32 = 5;
pub const FUTURE_LIMIT_S: u32 = 15;
pub const MATURITY: u32 = 3;
pub const ALLOCATIONS: u32 = 8;
pub const GENESIS_TIME: UnixSeconds = UnixSeconds(1_700_000_000);
/// Later than any block of any test.
pub const NOW: UnixSeconds = UnixSeconds(1_700_100_000);

const RESERVED: [u8; 32] = [0; 32];

/// The one key of all tests.
pub fn key() -> SecretKey {
    dev_account_key(&[7; 32], "alice")
}

/// Bits that every second hash meets.
pub fn easy_bits() -> CompactTarget {
    CompactTarget(0x207f_ffff)
}

/// A network with the reward halving every 10 blocks.
pub fn params() -> Params {
    let target = easy_bits().to_target().expect("these bits name a target");
    let allocations = (0..ALLOCATIONS).map(|number| Allocation {
        account: format!("account-{number}"),
        amount: Amount::from_sat(10 * COIN),
        output_key: key().output_key(),
    });
    Params {
        network: "test-net".into(),
        address_prefix: "test".into(),
        genesis_time: GENESIS_TIME,
        spacing_s: SPACING_S,
        difficulty: Rule::Fixed,
        initial_target: target,
        pow_limit: target,
        future_limit_s: FUTURE_LIMIT_S,
        reward: Reward {
            initial: Amount::from_sat(50 * COIN),
            halving_interval: 10,
        },
        coinbase_maturity: MATURITY,
        block_weight_max: 40_000,
        allocations: allocations.collect(),
        proof: Proof::Hash,
    }
}

pub fn open() -> State<MemoryStore> {
    open_with(params())
}

pub fn open_with(params: Params) -> State<MemoryStore> {
    State::open(params, MemoryStore::new()).expect("an empty store opens")
}

/// Outputs of the genesis block, all owned by [`key`].
pub fn allocation(number: u32) -> OutPoint {
    assert!(
        number < ALLOCATIONS,
        "there are only {ALLOCATIONS} allocations"
    );
    params().genesis_block().transactions[0].outpoint(number)
}

/// A chain of blocks from the genesis block on, made outside of any state.
#[derive(Clone, Debug)]
pub struct Branch {
    pub params: Params,
    pub blocks: Vec<Arc<Block>>,
    /// Tells blocks of different branches apart.
    pub tag: u64,
}

impl Branch {
    pub fn new(params: &Params) -> Self {
        let genesis = Arc::new(params.genesis_block());
        Self {
            params: params.clone(),
            blocks: vec![genesis],
            tag: 0,
        }
    }

    /// The same chain up to `height`, to be continued differently.
    pub fn fork(&self, height: u32, tag: u64) -> Self {
        let blocks = self.blocks[..=height as usize].to_vec();
        Self {
            params: self.params.clone(),
            blocks,
            tag,
        }
    }

    pub fn tip(&self) -> &Arc<Block> {
        self.blocks.last().expect("a branch has a genesis block")
    }

    pub fn height(&self) -> Height {
        let height = u32::try_from(self.blocks.len() - 1).expect("a branch is short");
        Height(height)
    }

    pub fn at(&self, height: u32) -> &Arc<Block> {
        &self.blocks[height as usize]
    }

    /// The next block, valid if `transactions` are, not yet appended. Its
    /// coinbase takes the subsidy only and burns the fees.
    pub fn next(&self, transactions: &[Transaction]) -> Block {
        let height = self.height().next().expect("a branch is short");
        let subsidy = self.params.subsidy(height);
        self.next_taking(subsidy, transactions)
    }

    pub fn next_taking(&self, reward: Amount, transactions: &[Transaction]) -> Block {
        let height = self.height().next().expect("a branch is short");
        let mut block = Block {
            header: Header {
                version: 4,
                previous: self.tip().hash(),
                merkle_root: self.tip().header.merkle_root,
                time: self.tip().header.time.saturating_add(SPACING_S),
                bits: self.params.initial_bits(),
                nonce: 0,
            },
            transactions: vec![coinbase(height, self.tag, reward)],
        };
        block.transactions.extend_from_slice(transactions);
        commit_and_solve(&mut block);
        block
    }

    pub fn push(&mut self, block: Block) -> Arc<Block> {
        let block = Arc::new(block);
        self.blocks.push(Arc::clone(&block));
        block
    }

    /// Makes and appends the next block.
    pub fn mine(&mut self, transactions: &[Transaction]) -> Arc<Block> {
        let block = self.next(transactions);
        self.push(block)
    }

    pub fn mine_empty(&mut self, count: u32) {
        for _ in 0..count {
            self.mine(&[]);
        }
    }
}

pub fn coinbase(height: Height, tag: u64, reward: Amount) -> Transaction {
    Transaction {
        version: 2,
        inputs: vec![TxIn {
            previous_output: OutPoint::NULL,
            script_sig: Script::coinbase(height, tag, b"test"),
            sequence: SEQUENCE_FINAL,
            witness: Witness(vec![RESERVED.to_vec()]),
        }],
        outputs: vec![TxOut {
            value: reward,
            script_pubkey: Script::p2tr(&key().output_key()),
        }],
        lock_time: 0,
    }
}

/// Makes the block whole again after its transactions changed.
pub fn commit_and_solve(block: &mut Block) {
    commit_witnesses(block);
    commit_transactions(block);
    solve(&mut block.header);
}

pub fn commit_witnesses(block: &mut Block) {
    block.transactions[0].outputs.retain(|output| {
        !output
            .script_pubkey
            .as_bytes()
            .starts_with(&WITNESS_COMMITMENT_PREFIX)
    });
    let root = witness_root(&block.transactions).expect("there is a coinbase");
    let commitment = witness_commitment(&root, &RESERVED);
    block.transactions[0].outputs.push(TxOut {
        value: Amount::ZERO,
        script_pubkey: witness_commitment_script(&commitment),
    });
}

pub fn commit_transactions(block: &mut Block) {
    let tree = transaction_root(&block.transactions).expect("there is a coinbase");
    block.header.merkle_root = tree.root;
}

pub fn solve(header: &mut Header) {
    let mut searcher = Searcher::new(header).expect("the bits name a target");
    header.nonce = searcher.search(0..u32::MAX).expect("the target is easy");
}

/// Finds a nonce that misses the target.
pub fn unsolve(header: &mut Header) {
    let target = header.bits.to_target().expect("the bits name a target");
    while target.is_met_by(&header.hash()) {
        header.nonce += 1;
    }
}

/// Hands a block in that must become the tip.
pub fn connect<S: Store>(state: &mut State<S>, block: &Arc<Block>) {
    let acceptance = accept(state, block);
    assert!(
        matches!(acceptance, Acceptance::TipChanged { .. }),
        "expected a new tip, got {acceptance:?}"
    );
}

pub fn accept<S: Store>(state: &mut State<S>, block: &Arc<Block>) -> Acceptance {
    state
        .accept_block(Arc::clone(block), NOW)
        .expect("the store works")
}

pub fn connect_all<S: Store>(state: &mut State<S>, branch: &Branch) {
    for block in &branch.blocks[1..] {
        if !state.is_active(&block.hash()) {
            connect(state, block);
        }
    }
}

pub fn hashes(blocks: &[Arc<Block>]) -> Vec<BlockHash> {
    blocks.iter().map(|block| block.hash()).collect()
}

pub fn moved_hashes(blocks: &[Moved]) -> Vec<BlockHash> {
    blocks.iter().map(Moved::hash).collect()
}
