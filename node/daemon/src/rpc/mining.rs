//! Methods about mining.

use minichain_api::rpc::{MiningInfo, NextBlock, RpcError};
use minichain_chain::height::Height;
use minichain_chain::pow::CompactTarget;

use super::{Context, network, render};
use crate::difficulty::ratio;
use crate::driver::View;

/// Blocks over which the network's hash rate is estimated.
const ESTIMATE_BLOCKS: u32 = 120;

/// `getmininginfo`.
pub async fn info(context: &Context) -> Result<MiningInfo, RpcError> {
    let stats = context.observer.miner();
    let address = context.reward_address.as_ref().map(ToString::to_string);
    context
        .look(move |view| {
            let state = view.node.state();
            let tip = state.tip();
            let initial = state.params().initial_target;
            let bits = tip.header.bits;
            let relative = |bits: CompactTarget| {
                bits.to_target()
                    .map_or(0.0, |target| ratio(initial, target))
            };
            let next_bits = state.next_bits(&tip.hash);
            let next = NextBlock {
                height: tip.height.0.saturating_add(1),
                bits: render::bits(next_bits),
                difficulty: relative(next_bits),
                target: render::target_hex(next_bits),
            };
            MiningInfo {
                blocks: tip.height.0,
                mining: view.node.is_mining(),
                hashrate: stats.hash_rate,
                hashes: stats.hashes,
                blocksfound: stats.blocks_found,
                difficulty: relative(bits),
                networkhashps: network_hashes_per_second(view),
                pooledtx: view.node.mempool().len() as u64,
                address,
                chain: state.params().network.clone(),
                bits: render::bits(bits),
                target: render::target_hex(bits),
                blockmintxfee: network::least_fee(view),
                next: Some(next),
                warnings: Vec::new(),
            }
        })
        .await
}

/// Work of the last blocks over the time they span, by their headers; 0 until
/// there is any. Genesis is left out, as its time is the file's.
fn network_hashes_per_second(view: &View<'_>) -> f64 {
    let tree = view.node.state().tree();
    let tip = view.node.state().tip();
    let first = Height(tip.height.0.saturating_sub(ESTIMATE_BLOCKS).max(1));
    let Some(first) = tree.ancestor(&tip.hash, first) else {
        return 0.0;
    };
    let seconds = tip.header.time.since(first.header.time);
    match u32::try_from(seconds) {
        Ok(seconds @ 1..) => {
            tip.chainwork.saturating_sub(first.chainwork).to_f64() / f64::from(seconds)
        }
        _ => 0.0,
    }
}
