//! The rules of one network, as plain values.
//!
//! A node builds [`Params`] from its genesis file, passes them through
//! [`Params::check`] once, and every rule takes what it needs from them. The
//! genesis block commits to all of them, so nodes that differ in any part away
//! at the first exchange of genesis hashes.

mod check;

pub use self::check::ParamsError;

use crate::amount::{Amount, MAX_MONEY};
use crate::block::{Block, Header};
use crate::codec::{Encode, put_compact_size, put_var_bytes};
use crate::difficulty::Rule;
use crate::hash::{BlockHash, MerkleRoot, tagged_hash};
use crate::height::Height;
use crate::merkle::transaction_root;
use crate::pow::{CompactTarget, Target};
use crate::script::Script;
use crate::signature::SecretKey;
use crate::time::UnixSeconds;
use crate::transaction::{OutPoint, SEQUENCE_FINAL, Transaction, TxIn, TxOut, Witness};

/// Halvings after which nothing is left of any 64-bit reward.
const HALVINGS_MAX: u32 = 64;

const PARAMS_TAG: &str = "minichain/params";
const DEV_ACCOUNT_TAG: &str = "minichain/dev-account";
const GENESIS_MESSAGE: &[u8] = b"minichain genesis";

/// What a block may create.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reward {
    /// Reward of block 1.
    pub initial: Amount,
    /// Blocks after which the reward halves; 0: never.
    pub halving_interval: u32,
}

/// Coins that exist from the start, spendable at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Allocation {
    /// Name of the account; for people only, but part of the genesis hash.
    pub account: String,
    /// How much.
    pub amount: Amount,
    /// Taproot output key that may spend it.
    pub output_key: [u8; 32],
}

/// What a header must show to count as work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Proof {
    /// A hash that meets the header's target.
    #[default]
    Hash,
    /// Nothing: whoever names the target is believed. For networks inside a
    /// simulator, which draws by lot who finds a block when. No genesis file
    /// can ask for it, the network's name must say it (see
    /// [`SIMULATED_PREFIX`]), and the genesis hash commits to it.
    Simulated,
}

/// What the name of every network with [`Proof::Simulated`] begins with.
pub const SIMULATED_PREFIX: &str = "sim-";

/// Every rule of a network that two nodes must share.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Params {
    /// Name of the network: 1 to 32 letters, digits or `-`.
    pub network: String,
    /// Human-readable part of addresses (BIP 173): 1 to 16 lower-case letters.
    pub address_prefix: String,
    /// Time of the genesis block.
    pub genesis_time: UnixSeconds,
    /// Wanted seconds between blocks.
    pub spacing_s: u32,
    /// How the next block's bits follow from the past.
    pub difficulty: Rule,
    /// Target of block 1, as 32-bit `bits` can express it.
    pub initial_target: Target,
    /// The easiest target a header may have, as `bits` can express it.
    pub pow_limit: Target,
    /// Seconds a block's time may be ahead of the local clock.
    pub future_limit_s: u32,
    /// What a block may create.
    pub reward: Reward,
    /// Blocks before a coinbase output may be spent: an output of height h is
    /// spendable from height h + maturity on.
    pub coinbase_maturity: u32,
    /// Weight of a block at most (BIP 141).
    pub block_weight_max: u32,
    /// Coins that exist from the start.
    pub allocations: Vec<Allocation>,
    /// What counts as work.
    pub proof: Proof,
}

impl Params {
    /// Returns the parameters if a network can run on them.
    ///
    /// # Errors
    /// [`ParamsError`] names the field, what is wrong with it, and what would
    /// be right.
    pub fn check(self) -> Result<Self, ParamsError> {
        check::check(&self)?;
        Ok(self)
    }

    /// Bits of block 1.
    #[must_use]
    pub fn initial_bits(&self) -> CompactTarget {
        self.initial_target.to_compact()
    }

    /// What the block at `height` may create besides its fees. The schedule
    /// stops where the coins in existence would exceed
    /// [`crate::amount::MAX_MONEY`].
    #[must_use]
    pub fn subsidy(&self, height: Height) -> Amount {
        let before = height
            .previous()
            .map_or(Amount::ZERO, |previous| self.supply_at(previous));
        // The supply never falls with the height.
        self.supply_at(height)
            .checked_sub(before)
            .filter(|_| height != Height::GENESIS)
            .unwrap_or(Amount::ZERO)
    }

    /// Allocations and subsidies up to and with the block at `height`: the
    /// total of all unspent outputs, plus what was burned in unspendable
    /// outputs or left unclaimed by coinbases.
    #[must_use]
    pub fn supply_at(&self, height: Height) -> Amount {
        let allocated = self.allocated();
        let room = MAX_MONEY.to_sat().saturating_sub(allocated);
        let mined = u64::try_from(self.scheduled(height)).unwrap_or(u64::MAX);
        Amount::from_sat(allocated + mined.min(room))
    }

    /// The first block. Its outputs are the allocations, in order, followed by
    /// an unspendable one that commits to all parameters. It carries no work.
    #[must_use]
    pub fn genesis_block(&self) -> Block {
        let transactions = vec![self.genesis_transaction()];
        let root = transaction_root(&transactions).map_or(MerkleRoot::ZERO, |tree| tree.root);
        Block {
            header: Header {
                version: 1,
                previous: BlockHash::ZERO,
                merkle_root: root,
                time: self.genesis_time,
                bits: self.initial_bits(),
                nonce: 0,
            },
            transactions,
        }
    }

    /// Hash of the first block; names the network.
    #[must_use]
    pub fn genesis_hash(&self) -> BlockHash {
        self.genesis_block().hash()
    }

    /// Hash of all parameters.
    #[must_use]
    pub fn commitment(&self) -> [u8; 32] {
        tagged_hash(PARAMS_TAG, &[&self.canonical_bytes()])
    }

    fn allocated(&self) -> u64 {
        let sum = self
            .allocations
            .iter()
            .fold(0_u64, |sum, one| sum.saturating_add(one.amount.to_sat()));
        sum.min(MAX_MONEY.to_sat())
    }

    /// The bare schedule's sum over the heights from 1 to `height`.
    fn scheduled(&self, height: Height) -> u128 {
        let initial = self.reward.initial.to_sat();
        let interval = u64::from(self.reward.halving_interval);
        let last = u64::from(height.to_u32());
        if interval == 0 {
            return u128::from(initial) * u128::from(last);
        }
        (0..HALVINGS_MAX)
            .take_while(|era| u64::from(*era) * interval <= last)
            .map(|era| {
                let begin = (u64::from(era) * interval).max(1);
                let end = (u64::from(era) + 1) * interval;
                let blocks = end.min(last + 1).saturating_sub(begin);
                u128::from(initial >> era) * u128::from(blocks)
            })
            .sum()
    }

    fn genesis_transaction(&self) -> Transaction {
        let allocated = self.allocations.iter().map(|one| TxOut {
            value: one.amount,
            script_pubkey: Script::p2tr(&one.output_key),
        });
        let commitment = TxOut {
            value: Amount::ZERO,
            script_pubkey: Script::op_return(&self.commitment()),
        };
        Transaction {
            version: 2,
            inputs: vec![TxIn {
                previous_output: OutPoint::NULL,
                script_sig: Script::coinbase(Height::GENESIS, 0, GENESIS_MESSAGE),
                sequence: SEQUENCE_FINAL,
                witness: Witness::new(),
            }],
            outputs: allocated.chain([commitment]).collect(),
            lock_time: 0,
        }
    }

    /// Every field in declaration order; texts and lists with their length in
    /// front, so that two different sets never give the same bytes.
    fn canonical_bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        put_var_bytes(&mut out, self.network.as_bytes());
        put_var_bytes(&mut out, self.address_prefix.as_bytes());
        self.genesis_time.encode_to(&mut out);
        out.extend_from_slice(&self.spacing_s.to_le_bytes());
        let (rule, parameter) = match self.difficulty {
            Rule::Asert { half_life_s } => (0_u8, half_life_s),
            Rule::Lwma { window } => (1, window),
            Rule::Fixed => (2, 0),
        };
        out.push(rule);
        out.extend_from_slice(&parameter.to_le_bytes());
        out.extend_from_slice(&self.initial_target.to_u256().to_le_bytes());
        out.extend_from_slice(&self.pow_limit.to_u256().to_le_bytes());
        out.extend_from_slice(&self.future_limit_s.to_le_bytes());
        self.reward.initial.encode_to(&mut out);
        out.extend_from_slice(&self.reward.halving_interval.to_le_bytes());
        out.extend_from_slice(&self.coinbase_maturity.to_le_bytes());
        out.extend_from_slice(&self.block_weight_max.to_le_bytes());
        put_compact_size(&mut out, self.allocations.len() as u64);
        for allocation in &self.allocations {
            put_var_bytes(&mut out, allocation.account.as_bytes());
            allocation.amount.encode_to(&mut out);
            out.extend_from_slice(&allocation.output_key);
        }
        // Real networks say nothing, so their genesis hashes are what they
        // were before there was a choice.
        if self.proof == Proof::Simulated {
            out.push(1);
        }
        out
    }
}

/// The secret key of an account whose owner is a published seed. Whoever has
/// the seed and the account's name may spend; for devnets only.
#[must_use]
pub fn dev_account_key(public_seed: &[u8; 32], account: &str) -> SecretKey {
    let mut attempt = 0_u32;
    loop {
        let parts: [&[u8]; 3] = [public_seed, &attempt.to_le_bytes(), account.as_bytes()];
        // One hash in 2^128 is no secret key; the next one then is.
        if let Ok(key) = SecretKey::from_bytes(tagged_hash(DEV_ACCOUNT_TAG, &parts)) {
            return key;
        }
        attempt = attempt.wrapping_add(1);
    }
}
