//! What a header, a transaction and a block must satisfy.
//!
//! Each rule is one small function over plain values and one error variant;
//! [`RULES`] lists their labels. The functions take every limit as an
//! argument, so Bitcoin's own blocks can be run through them; only those that
//! say "this chain" are about minichain networks.

pub mod block;
pub mod header;
pub mod transaction;

pub use self::block::BlockError;
pub use self::header::HeaderError;
pub use self::transaction::TransactionError;

/// The label of every rule, for metrics and logs. Closed: `rule()` of
/// [`HeaderError`], [`TransactionError`] and [`BlockError`] returns one of
/// these.
pub const RULES: &[&str] = &[
    // Headers.
    "bits_malformed",
    "bits_above_limit",
    "proof_of_work",
    "bits_unexpected",
    "time_too_old",
    "time_too_new",
    "height_exhausted",
    "parent_invalid",
    "known_invalid",
    // Transactions.
    "inputs_empty",
    "outputs_empty",
    "transaction_too_heavy",
    "transaction_64_bytes",
    "output_value_range",
    "output_sum_range",
    "inputs_duplicate",
    "coinbase_script_length",
    "input_null",
    "output_script",
    "lock_time",
    "input_missing",
    "coinbase_immature",
    "input_sum_range",
    "overspent",
    "signature",
    // Blocks.
    "block_empty",
    "merkle_root",
    "merkle_mutated",
    "inner_nodes",
    "coinbase_missing",
    "coinbase_extra",
    "witness_reserved",
    "witness_commitment",
    "witness_unexpected",
    "block_too_heavy",
    "double_spend",
    "coinbase_height",
    "fees_range",
    "reward_too_high",
];
