//! What a miner works on.

mod select;

use crate::amount::Amount;
use crate::block::{Block, Header};
use crate::codec::compact_size_len;
use crate::hash::{MerkleRoot, Txid, Wtxid};
use crate::height::Height;
use crate::mempool::{Mempool, PoolEntry};
use crate::merkle::{
    named_transaction_root, named_witness_root, witness_commitment, witness_commitment_script,
};
use crate::pow::Target;
use crate::script::Script;
use crate::state::State;
use crate::store::Store;
use crate::time::UnixSeconds;
use crate::transaction::{
    Names, OutPoint, SEQUENCE_FINAL, Transaction, TxIn, TxOut, WITNESS_SCALE_FACTOR, Witness,
};

/// Weight kept free for the frame of a block and the largest coinbase that
/// [`build`] makes.
pub const COINBASE_WEIGHT_RESERVED: u64 = 2_000;

/// The version bits of BIP 9, none of them set.
const BLOCK_VERSION: i32 = 0x2000_0000;

const RESERVED_VALUE: [u8; 32] = [0; 32];

/// A block that lacks nothing but its work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    /// The block, with nonce 0.
    pub block: Block,
    /// Its height.
    pub height: Height,
    /// Fees it collects.
    pub fees: Amount,
    /// What its hash must meet.
    pub target: Target,
}

/// A block on top of the tip, filled from the pool with what pays most for its
/// weight, parents before children. Subsidy and fees go to the taproot output
/// key `reward_key`; `extra_nonce` makes templates differ that are otherwise
/// equal; `tag` names the miner and is cut to fit.
///
/// The pool must have been told of every change of the tip. Then the block,
/// once solved, is valid; only if the clock has gone back by more than the
/// network's future limit must its time be waited for.
pub fn build<S: Store>(
    state: &State<S>,
    pool: &Mempool,
    reward_key: [u8; 32],
    extra_nonce: u64,
    tag: &[u8],
    now: UnixSeconds,
) -> Template {
    let params = state.params();
    let tip = state.tip();
    // The chain ends 31 bits before heights do.
    let height = tip.height.next().unwrap_or(tip.height);
    let room = u64::from(params.block_weight_max).saturating_sub(COINBASE_WEIGHT_RESERVED);
    let chosen = select::select(pool, room);
    // Fees and subsidy are parts of an amount in range.
    let fees = Amount::checked_sum(chosen.iter().map(|entry| entry.fee)).unwrap_or(Amount::ZERO);
    let reward = params.subsidy(height).checked_add(fees).unwrap_or(fees);
    let script = Script::coinbase(height, extra_nonce, tag);
    let (transactions, names) = with_coinbase(script, reward, &reward_key, &chosen);

    let median = state.tree().median_time_past(&tip.hash).unwrap_or_default();
    let bits = state.next_bits(&tip.hash);
    let header = Header {
        version: BLOCK_VERSION,
        previous: tip.hash,
        merkle_root: named_transaction_root(&names).map_or(MerkleRoot::ZERO, |tree| tree.root),
        time: now.max(median.saturating_add(1)),
        bits,
        nonce: 0,
    };
    let block = Block {
        header,
        transactions,
    };
    debug_assert!(block.weight() <= u64::from(params.block_weight_max));
    // The difficulty rule only gives bits that name a target.
    let target = bits.to_target().unwrap_or(params.initial_target);
    Template {
        block,
        height,
        fees,
        target,
    }
}

/// The chosen transactions behind a coinbase that commits to them, and the names
/// of all, the coinbase's without what it carries as a witness.
fn with_coinbase(
    script_sig: Script,
    reward: Amount,
    reward_key: &[u8; 32],
    chosen: &[&PoolEntry],
) -> (Vec<Transaction>, Vec<Names>) {
    let coinbase = Transaction {
        version: 2,
        inputs: vec![TxIn {
            previous_output: OutPoint::NULL,
            script_sig,
            sequence: SEQUENCE_FINAL,
            witness: Witness(vec![RESERVED_VALUE.to_vec()]),
        }],
        outputs: vec![TxOut {
            value: reward,
            script_pubkey: Script::p2tr(reward_key),
        }],
        lock_time: 0,
    };
    let mut transactions = vec![coinbase];
    transactions.extend(chosen.iter().map(|entry| entry.tx.as_ref().clone()));
    let unnamed = Names {
        txid: Txid::ZERO,
        wtxid: Wtxid::ZERO,
    };
    let mut names = vec![unnamed];
    names.extend(chosen.iter().map(|entry| entry.names()));
    // The coinbase itself counts as zero, so it may still change.
    if let Some(root) = named_witness_root(&names) {
        let commitment = witness_commitment(&root, &RESERVED_VALUE);
        transactions[0].outputs.push(TxOut {
            value: Amount::ZERO,
            script_pubkey: witness_commitment_script(&commitment),
        });
    }
    names[0].txid = transactions[0].txid();
    (transactions, names)
}

// The reserve holds the frame and a coinbase with the longest script.
const _: () = {
    let frame = Header::SIZE + compact_size_len(u32::MAX as u64);
    let input = 36 + 1 + crate::script::COINBASE_SCRIPT_BYTES_MAX + 4;
    let outputs = (8 + 1 + 34) + (8 + 1 + 38);
    let base = frame + 4 + 1 + input + 1 + outputs + 4;
    let witness = 2 + 1 + 1 + RESERVED_VALUE.len();
    let weight = base as u64 * WITNESS_SCALE_FACTOR + witness as u64;
    assert!(
        weight <= COINBASE_WEIGHT_RESERVED,
        "the reserve is too small"
    );
};
