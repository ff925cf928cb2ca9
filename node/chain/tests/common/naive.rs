//! The dumbest models: everything from scratch, nothing kept up to date.

use std::collections::BTreeMap;
use std::sync::Arc;

use minichain_chain::amount::Amount;
use minichain_chain::block::Block;
use minichain_chain::codec::encode;
use minichain_chain::coins::{Coin, MuHash3072};
use minichain_chain::height::Height;
use minichain_chain::params::Params;
use minichain_chain::transaction::OutPoint;

pub type Coins = BTreeMap<OutPoint, Coin>;

/// The unspent outputs after a chain of valid blocks, genesis first.
pub fn coins_after(blocks: &[Arc<Block>]) -> Coins {
    let mut coins = Coins::new();
    for (height, block) in (0_u32..).zip(blocks) {
        for (index, tx) in block.transactions.iter().enumerate() {
            if index > 0 {
                for input in &tx.inputs {
                    let spent = coins.remove(&input.previous_output);
                    assert!(spent.is_some(), "a valid block spends what exists");
                }
            }
            for (vout, output) in (0_u32..).zip(&tx.outputs) {
                if output.script_pubkey.as_bytes().first() == Some(&0x6a) {
                    continue;
                }
                let coin = Coin {
                    output: output.clone(),
                    height: Height(height),
                    is_coinbase: index == 0 && height > 0,
                };
                coins.insert(
                    OutPoint {
                        txid: tx.txid(),
                        vout,
                    },
                    coin,
                );
            }
        }
    }
    coins
}

pub fn total(coins: &Coins) -> Amount {
    let values = coins.values().map(|coin| coin.output.value);
    Amount::checked_sum(values).expect("a chain's coins are in range")
}

/// The digest of a set, written down from Bitcoin Core's description: name,
/// index, twice the height plus the coinbase flag, value, script.
pub fn muhash(coins: &Coins) -> [u8; 32] {
    let mut muhash = MuHash3072::new();
    for (outpoint, coin) in coins {
        let mut element = outpoint.txid.to_bytes().to_vec();
        element.extend_from_slice(&outpoint.vout.to_le_bytes());
        let code = coin.height.to_u32() * 2 + u32::from(coin.is_coinbase);
        element.extend_from_slice(&code.to_le_bytes());
        element.extend_from_slice(&coin.output.value.to_sat().to_le_bytes());
        element.extend_from_slice(&encode(&coin.output.script_pubkey));
        muhash.insert(&element);
    }
    muhash.digest()
}

/// What a chain of valid blocks destroyed: outputs that cannot be spent, and
/// what coinbases left unclaimed.
pub fn burned(params: &Params, blocks: &[Arc<Block>]) -> Amount {
    let mut burned = 0;
    for height in 1..blocks.len() {
        let before = coins_after(&blocks[..height]);
        let block = &blocks[height];
        let made: u64 = made_by(block, |_| true);
        let unspendable = made_by(block, |script| script.first() == Some(&0x6a));
        let mut spent = 0;
        let mut inside = BTreeMap::new();
        for tx in &block.transactions {
            for input in tx
                .inputs
                .iter()
                .filter(|input| !input.previous_output.is_null())
            {
                let outpoint = input.previous_output;
                let value = before.get(&outpoint).map(|coin| coin.output.value);
                spent += value
                    .or(inside.get(&outpoint).copied())
                    .expect("it exists")
                    .to_sat();
            }
            for (vout, output) in (0_u32..).zip(&tx.outputs) {
                inside.insert(
                    OutPoint {
                        txid: tx.txid(),
                        vout,
                    },
                    output.value,
                );
            }
        }
        let height = Height(u32::try_from(height).expect("a test's chain is short"));
        burned += params.subsidy(height).to_sat() + spent - made + unspendable;
    }
    Amount::from_sat(burned)
}

fn made_by(block: &Block, is_counted: impl Fn(&[u8]) -> bool) -> u64 {
    let outputs = block.transactions.iter().flat_map(|tx| &tx.outputs);
    outputs
        .filter(|output| is_counted(output.script_pubkey.as_bytes()))
        .map(|output| output.value.to_sat())
        .sum()
}
