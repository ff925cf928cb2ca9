//! What `getblockstats` answers.

use serde::{Deserialize, Serialize};

/// Sums over a block. Fees are in base units, sizes in bytes; the coinbase
/// counts only where it is said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlockStats {
    /// Mean fee, in base units.
    pub avgfee: u64,
    /// Mean fee rate, in base units a virtual byte.
    pub avgfeerate: u64,
    /// Mean size.
    pub avgtxsize: u64,
    /// Hash.
    pub blockhash: String,
    /// Fee rates below which 10, 25, 50, 75 and 90 % of the weight pay.
    pub feerate_percentiles: [u64; 5],
    /// Height.
    pub height: u32,
    /// Inputs, the coinbase's left out.
    pub ins: u64,
    /// Highest fee.
    pub maxfee: u64,
    /// Highest fee rate.
    pub maxfeerate: u64,
    /// Largest size.
    pub maxtxsize: u64,
    /// Median fee.
    pub medianfee: u64,
    /// Median time of the last 11 blocks.
    pub mediantime: u32,
    /// Median size.
    pub mediantxsize: u64,
    /// Lowest fee.
    pub minfee: u64,
    /// Lowest fee rate.
    pub minfeerate: u64,
    /// Smallest size.
    pub mintxsize: u64,
    /// Outputs.
    pub outs: u64,
    /// New coins, in base units.
    pub subsidy: u64,
    /// Bytes of transactions with witnesses.
    pub swtotal_size: u64,
    /// Their weight.
    pub swtotal_weight: u64,
    /// Their number.
    pub swtxs: u64,
    /// Header time.
    pub time: u32,
    /// Sum of the outputs, the coinbase's left out.
    pub total_out: u64,
    /// Bytes of all transactions but the coinbase.
    pub total_size: u64,
    /// Their weight.
    pub total_weight: u64,
    /// Sum of the fees.
    pub totalfee: u64,
    /// Transactions, coinbase included.
    pub txs: u64,
    /// Outputs less inputs.
    pub utxo_increase: i64,
    /// The same without outputs that cannot be spent.
    pub utxo_increase_actual: i64,
}
