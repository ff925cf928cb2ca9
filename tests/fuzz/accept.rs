//! Whole blocks, right and wrong, in any order, into a chain. Bytes are read
//! four at a time: which block the next one stands on, what is wrong with it,
//! what it spends, and how its time moves.

use std::sync::Arc;

use minichain_chain::amount::Amount;
use minichain_chain::block::{Block, Header};
use minichain_chain::coins::MuHash3072;
use minichain_chain::coins::{CoinStats, DigestChange};
use minichain_chain::difficulty::Rule;
use minichain_chain::hash::MerkleRoot;
use minichain_chain::height::Height;
use minichain_chain::merkle::{
    transaction_root, witness_commitment, witness_commitment_script, witness_root,
};
use minichain_chain::params::{Allocation, Params, Proof, Reward, dev_account_key};
use minichain_chain::pow::{CompactTarget, Searcher};
use minichain_chain::script::Script;
use minichain_chain::signature::{SecretKey, sign_all_inputs};
use minichain_chain::state::{Acceptance, State};
use minichain_chain::store::MemoryStore;
use minichain_chain::time::UnixSeconds;
use minichain_chain::transaction::{OutPoint, SEQUENCE_FINAL, Transaction, TxIn, TxOut, Witness};

const BLOCKS_MAX: usize = 40;
const ALLOCATIONS: u32 = 8;
const COIN: u64 = 100_000_000;
const NOW: UnixSeconds = UnixSeconds(1_700_001_000);

/// Bits of the second byte.
mod flaw {
    pub const SPENDS: u8 = 0x01;
    pub const MERKLE: u8 = 0x02;
    pub const REWARD: u8 = 0x04;
    pub const SIGNATURE: u8 = 0x08;
    pub const TWICE: u8 = 0x10;
    pub const BITS: u8 = 0x20;
    pub const HEADER_FIRST: u8 = 0x40;
    pub const LATE: u8 = 0x80;
}

/// A block and its height.
struct Made {
    block: Arc<Block>,
    height: Height,
}

/// The laws: no input panics, the tip never loses work, and coins, digest and
/// a chain opened again agree with one another.
pub fn accept_blocks(bytes: &[u8]) {
    let params = params();
    let mut state = open(&params, MemoryStore::new());
    let mut made = vec![Made {
        block: Arc::new(params.genesis_block()),
        height: Height::GENESIS,
    }];
    let mut late = Vec::new();
    for order in bytes.as_chunks::<4>().0.iter().take(BLOCKS_MAX) {
        let next = make(&params, &made, *order);
        if order[1] & flaw::HEADER_FIRST != 0 {
            let _ = state.accept_header(next.block.header, NOW);
        }
        if order[1] & flaw::LATE != 0 {
            late.push(Arc::clone(&next.block));
        } else {
            take(&mut state, &next.block);
        }
        made.push(next);
    }
    for block in late.iter().rev() {
        take(&mut state, block);
    }
    check(&params, &state);
}

fn take(state: &mut State<MemoryStore>, block: &Arc<Block>) {
    let before = state.tip().chainwork;
    let accepted = state.accept_block(Arc::clone(block), NOW);
    let accepted = accepted.expect("memory does not fail");
    while state.advance().expect("memory does not fail").is_some() {}
    assert!(state.tip().chainwork >= before, "the tip lost work");
    if let Acceptance::TipChanged { connected, .. } = accepted {
        assert!(state.tip().chainwork > before);
        assert!(!connected.is_empty());
    }
}

fn check(params: &Params, state: &State<MemoryStore>) {
    let mut counted = CoinStats::default();
    let mut changes = Vec::new();
    for (outpoint, coin) in state.store().coins() {
        counted.count += 1;
        counted.total = Amount::from_sat(counted.total.to_sat() + coin.output.value.to_sat());
        changes.push(DigestChange::coin_came(outpoint, coin));
    }
    let info = state.utxo_info();
    assert_eq!(
        (info.count, info.total, info.muhash),
        (
            counted.count,
            counted.total,
            MuHash3072::of(&changes).digest()
        )
    );
    let again = open(params, state.store().clone());
    assert_eq!(again.utxo_info(), info);
    let genesis = state.tree().genesis().hash;
    let back = state.utxo_info_at(&genesis).expect("memory does not fail");
    assert_eq!(back, Some(open(params, MemoryStore::new()).utxo_info()));
}

fn open(params: &Params, store: MemoryStore) -> State<MemoryStore> {
    State::open(params.clone(), store).expect("it opens")
}

fn key() -> SecretKey {
    dev_account_key(&[7; 32], "fuzz")
}

fn params() -> Params {
    let target = CompactTarget(0x207f_ffff).to_target().expect("a constant");
    let allocation = |number| Allocation {
        account: format!("account-{number}"),
        amount: Amount::from_sat(COIN),
        output_key: key().output_key(),
    };
    Params {
        network: "fuzz".into(),
        address_prefix: "fuzz".into(),
        genesis_time: UnixSeconds(1_700_000_000),
        spacing_s: 5,
        difficulty: Rule::Fixed,
        initial_target: target,
        pow_limit: target,
        future_limit_s: 15,
        reward: Reward {
            initial: Amount::from_sat(50 * COIN),
            halving_interval: 10,
        },
        coinbase_maturity: 2,
        block_weight_max: 400_000,
        allocations: (0..ALLOCATIONS).map(allocation).collect(),
        proof: Proof::Hash,
    }
}

fn make(params: &Params, made: &[Made], [parent, flaws, spends, time]: [u8; 4]) -> Made {
    let below = &made[made.len() - 1 - usize::from(parent) % made.len()];
    let has = |flaw: u8| flaws & flaw != 0;
    let height = below.height.next().expect("a short chain");
    let mut payments = Vec::new();
    if has(flaw::SPENDS) || has(flaw::SIGNATURE) || has(flaw::TWICE) {
        payments.push(payment(params, made, spends, has(flaw::SIGNATURE)));
    }
    if has(flaw::TWICE) {
        payments.push(payment(params, made, spends, false));
    }
    let more = if has(flaw::REWARD) { 2 * COIN } else { 0 };
    let reward = params.subsidy(height).to_sat() + more;
    // The number keeps blocks with one parent apart.
    let transactions = with_coinbase(height, made.len() as u64, reward, payments);
    let root = transaction_root(&transactions)
        .expect("there is a coinbase")
        .root;
    let step = if time > 250 {
        10_000
    } else {
        u32::from(time % 16)
    };
    let mut header = Header {
        version: 4,
        previous: below.block.hash(),
        merkle_root: if has(flaw::MERKLE) {
            MerkleRoot::ZERO
        } else {
            root
        },
        time: below.block.header.time.saturating_add(step),
        bits: CompactTarget(if has(flaw::BITS) {
            0x207f_fffe
        } else {
            0x207f_ffff
        }),
        nonce: 0,
    };
    let mut searcher = Searcher::new(&header).expect("the bits are a target");
    header.nonce = searcher.search(0..u32::MAX).expect("every second one fits");
    Made {
        block: Arc::new(Block {
            header,
            transactions,
        }),
        height,
    }
}

/// Spends an allocation, or what the first payment of some block made.
fn payment(params: &Params, made: &[Made], spends: u8, is_broken: bool) -> Transaction {
    let allocations = &params.genesis_block().transactions[0];
    let earlier = made[usize::from(spends) % made.len()]
        .block
        .transactions
        .get(1);
    let (outpoint, value) = match earlier {
        Some(tx) if spends >= 128 => (tx.outpoint(0), tx.outputs[0].value.to_sat()),
        _ => (allocations.outpoint(u32::from(spends) % ALLOCATIONS), COIN),
    };
    let output = |sats| TxOut {
        value: Amount::from_sat(sats),
        script_pubkey: Script::p2tr(&key().output_key()),
    };
    let mut tx = Transaction {
        version: 2,
        inputs: vec![TxIn {
            previous_output: outpoint,
            script_sig: Script::new(),
            sequence: SEQUENCE_FINAL,
            witness: Witness::new(),
        }],
        outputs: vec![output(value / 2), output(value / 4)],
        lock_time: 0,
    };
    sign_all_inputs(&mut tx, &[output(value)], &key(), &[0; 32]).expect("one for one");
    if is_broken {
        tx.inputs[0].witness.0[0][9] ^= 1;
    }
    tx
}

fn with_coinbase(
    height: Height,
    number: u64,
    reward: u64,
    payments: Vec<Transaction>,
) -> Vec<Transaction> {
    let coinbase = Transaction {
        version: 2,
        inputs: vec![TxIn {
            previous_output: OutPoint::NULL,
            script_sig: Script::coinbase(height, number, b"fuzz"),
            sequence: SEQUENCE_FINAL,
            witness: Witness(vec![vec![0; 32]]),
        }],
        outputs: vec![TxOut {
            value: Amount::from_sat(reward),
            script_pubkey: Script::p2tr(&key().output_key()),
        }],
        lock_time: 0,
    };
    let mut transactions = vec![coinbase];
    transactions.extend(payments);
    let root = witness_root(&transactions).expect("there is a coinbase");
    transactions[0].outputs.push(TxOut {
        value: Amount::ZERO,
        script_pubkey: witness_commitment_script(&witness_commitment(&root, &[0; 32])),
    });
    transactions
}
