//! Methods about blocks and the chain.

use std::sync::Arc;

use minichain_api::rpc::{
    BlockInfo, BlockTransaction, BlockchainInfo, ChainTip, HeaderInfo, RpcError, TxOutSetInfo, code,
};
use minichain_chain::block::Block;
use minichain_chain::codec::encode;
use minichain_chain::coins::Undo;
use minichain_chain::hash::BlockHash;
use minichain_chain::height::Height;
use minichain_chain::hex;
use minichain_chain::state::Rewind;
use minichain_chain::store::StoreError;
use minichain_chain::tree::{Entry, Status};
use serde_json::Value;

use super::arguments::Arguments;
use super::render::{self, coins, target_hex};
use super::server::internal;
use super::{Context, error, outside};
use crate::difficulty::ratio;
use crate::driver::View;
use crate::store::Snapshot;

/// Blocks `gettxoutsetinfo` walks back at most.
const REWIND_MAX: u32 = 1_000;

/// `getblockcount`.
pub async fn block_count(context: &Context) -> Result<u32, RpcError> {
    context.look(|view| view.node.state().tip().height.0).await
}

/// `getbestblockhash`.
pub async fn best_block_hash(context: &Context) -> Result<String, RpcError> {
    context
        .look(|view| view.node.state().tip().hash.to_string())
        .await
}

/// `getblockhash`.
pub async fn block_hash(context: &Context, arguments: &Arguments) -> Result<String, RpcError> {
    let height = Height(arguments.u32(0)?.unwrap_or_default());
    let found = context
        .look(move |view| view.node.state().active_at(height))
        .await?;
    found.map(|hash| hash.to_string()).ok_or_else(|| {
        error(
            code::INVALID_PARAMETER,
            format!("the active chain has no block {} yet", height.0),
        )
    })
}

/// `getblockchaininfo`.
pub async fn info(context: &Context) -> Result<BlockchainInfo, RpcError> {
    let size_on_disk = std::fs::metadata(&context.store_file).map_or(0, |file| file.len());
    context
        .look(move |view| {
            let state = view.node.state();
            let (tip, params) = (state.tip(), state.params());
            let sync = view.node.sync();
            let median = state
                .tree()
                .median_time_past(&tip.hash)
                .unwrap_or(tip.header.time);
            BlockchainInfo {
                chain: params.network.clone(),
                blocks: tip.height.0,
                headers: state.tree().best_header().height.0,
                bestblockhash: tip.hash.to_string(),
                bits: render::bits(tip.header.bits),
                target: target_hex(tip.header.bits),
                difficulty: difficulty(view, tip),
                time: tip.header.time.0,
                mediantime: median.0,
                verificationprogress: progress(tip, state.tree().best_header()),
                chainwork: tip.chainwork.to_string(),
                initialblockdownload: sync.is_initial_download,
                size_on_disk,
                pruned: false,
                warnings: Vec::new(),
                genesishash: state.tree().genesis().hash.to_string(),
                spacing: params.spacing_s,
            }
        })
        .await
}

/// `getdifficulty`.
pub async fn tip_difficulty(context: &Context) -> Result<f64, RpcError> {
    context
        .look(|view| difficulty(view, view.node.state().tip()))
        .await
}

fn progress(tip: &Entry, best: &Entry) -> f64 {
    let blocks = |entry: &Entry| f64::from(entry.height.0) + 1.0;
    (blocks(tip) / blocks(best)).min(1.0)
}

/// `getchaintips`.
pub async fn tips(context: &Context) -> Result<Vec<ChainTip>, RpcError> {
    context
        .look(|view| {
            let state = view.node.state();
            let mut leaves = state.tree().leaves();
            // The active tip need not be a leaf: headers may go on from it.
            let tip = state.tip();
            if !leaves.iter().any(|leaf| leaf.hash == tip.hash) {
                leaves.push(tip);
            }
            leaves.sort_by_key(|leaf| (std::cmp::Reverse(leaf.height), leaf.hash));
            leaves
                .into_iter()
                .map(|leaf| chain_tip(view, leaf))
                .collect()
        })
        .await
}

/// `gettxoutsetinfo`.
pub async fn tx_out_set_info(
    context: &Context,
    arguments: &Arguments,
) -> Result<TxOutSetInfo, RpcError> {
    match arguments.text(0)? {
        None | Some("muhash" | "none") => {}
        Some(other) => {
            let why = format!("hash_type {other:?} is not known; muhash or none");
            return Err(error(code::INVALID_PARAMETER, why));
        }
    }
    let wanted = block_choice(arguments, 1)?;
    let look = move |view: &View<'_>| way_back(view, wanted.as_ref());
    let (way, snapshot) = context.snapshot(look).await?;
    let info = outside(move || {
        let lend = |hash: &BlockHash| lent(&snapshot, hash);
        way.run(lend).map_err(internal)
    })
    .await?;
    // Shown as Bitcoin Core shows it, last byte first.
    let muhash: Vec<u8> = info.muhash.iter().rev().copied().collect();
    Ok(TxOutSetInfo {
        height: info.height.0,
        bestblock: info.hash.to_string(),
        txouts: info.count,
        muhash: hex::encode(&muhash),
        total_amount: coins(info.total),
        total_sats: info.total.to_sat(),
    })
}

/// A block of the active chain, named by a height or a hash.
pub enum BlockChoice {
    /// By its height.
    Height(Height),
    /// By its hash.
    Hash(BlockHash),
}

/// The block among the arguments, if there is one.
pub fn block_choice(arguments: &Arguments, index: usize) -> Result<Option<BlockChoice>, RpcError> {
    match arguments.text(index) {
        Ok(None) => Ok(None),
        Ok(Some(_)) => arguments.parsed(index).map(BlockChoice::Hash).map(Some),
        Err(_) => Ok(arguments.u32(index)?.map(Height).map(BlockChoice::Height)),
    }
}

/// The hash of a chosen block; one chosen by height is active.
pub fn chosen(view: &View<'_>, wanted: &BlockChoice) -> Result<BlockHash, RpcError> {
    let state = view.node.state();
    match wanted {
        BlockChoice::Hash(hash) => Ok(*hash),
        BlockChoice::Height(height) => state.active_at(*height).ok_or_else(|| {
            let why = format!(
                "block height {height} is above the tip, {}",
                state.tip().height
            );
            error(code::INVALID_PARAMETER, why)
        }),
    }
}

/// The way from the tip back to a block of the active chain, at most
/// [`REWIND_MAX`] blocks long, so that the answer comes in time.
fn way_back(view: &View<'_>, wanted: Option<&BlockChoice>) -> Result<Rewind, RpcError> {
    let state = view.node.state();
    let hash = match wanted {
        None => state.tip().hash,
        Some(wanted) => chosen(view, wanted)?,
    };
    let height = entry(view, &hash)?.height;
    let depth = state.tip().height.to_u32().saturating_sub(height.to_u32());
    if depth > REWIND_MAX {
        let why =
            format!("the block lies {depth} blocks back; at most {REWIND_MAX} can be rewound");
        return Err(error(code::INVALID_PARAMETER, why));
    }
    state.rewind_to(&hash).ok_or_else(|| {
        error(
            code::INVALID_PARAMETER,
            format!("block {hash} is not on the active chain"),
        )
    })
}

fn lent(snapshot: &Snapshot, hash: &BlockHash) -> Result<(Arc<Block>, Undo), StoreError> {
    let missing = || StoreError::corrupt(format!("block {hash} or its undo data are missing"));
    let block = snapshot.block(hash)?.ok_or_else(missing)?;
    let undo = snapshot.undo(hash)?.ok_or_else(missing)?;
    Ok((block, undo))
}

/// `getblockheader`.
pub async fn block_header(context: &Context, arguments: &Arguments) -> Result<Value, RpcError> {
    let hash: BlockHash = arguments.parsed(0)?;
    if arguments.bool(1)?.unwrap_or(true) {
        let look = move |view: &View<'_>| header_info(view, &hash);
        let (mut header, snapshot) = context.snapshot(look).await?;
        return outside(move || {
            let block = snapshot.block(&hash).map_err(internal)?;
            header.n_tx = block.map_or(0, |block| number_of_transactions(&block));
            serde_json::to_value(header).map_err(internal)
        })
        .await;
    }
    let header = context
        .look(move |view| Ok(entry(view, &hash)?.header))
        .await??;
    Ok(hex::encode(&header.to_bytes()).into())
}

/// `getblock`.
pub async fn block(context: &Context, arguments: &Arguments) -> Result<Value, RpcError> {
    let hash: BlockHash = arguments.parsed(0)?;
    let verbosity = arguments.level(1, 1)?;
    let look = move |view: &View<'_>| header_info(view, &hash);
    let (mut header, snapshot) = context.snapshot(look).await?;
    let params = Arc::clone(&context.params);
    outside(move || {
        let block = stored(&snapshot, &hash)?;
        if verbosity == 0 {
            return Ok(hex::encode(&encode(block.as_ref())).into());
        }
        header.n_tx = number_of_transactions(&block);
        let info = block_info(header, &block, verbosity, &params.address_prefix);
        serde_json::to_value(info).map_err(internal)
    })
    .await
}

fn number_of_transactions(block: &Block) -> u32 {
    u32::try_from(block.transactions.len()).unwrap_or(u32::MAX)
}

fn block_info(header: HeaderInfo, block: &Arc<Block>, verbosity: u32, prefix: &str) -> BlockInfo {
    let tx = block
        .transactions
        .iter()
        .map(|transaction| match verbosity {
            1 => BlockTransaction::Id(transaction.txid().to_string()),
            _ => BlockTransaction::Full(Box::new(render::transaction(transaction, prefix))),
        })
        .collect();
    BlockInfo {
        header,
        size: block.total_size(),
        strippedsize: block.base_size(),
        weight: block.weight(),
        tx,
    }
}

/// A known block, if its body is here.
pub fn stored(snapshot: &Snapshot, hash: &BlockHash) -> Result<Arc<Block>, RpcError> {
    let block = snapshot.block(hash).map_err(internal)?;
    block.ok_or_else(|| {
        error(
            code::MISC,
            "only this block's header is known; its body was not fetched",
        )
    })
}

/// A known header.
pub fn entry<'a>(view: &View<'a>, hash: &BlockHash) -> Result<&'a Entry, RpcError> {
    let found = view.node.state().tree().get(hash);
    found.ok_or_else(|| {
        error(
            code::INVALID_ADDRESS_OR_KEY,
            format!("no block {hash} is known"),
        )
    })
}

/// All that is known of a header; the number of transactions is left at 0.
fn header_info(view: &View<'_>, hash: &BlockHash) -> Result<HeaderInfo, RpcError> {
    let state = view.node.state();
    let entry = entry(view, hash)?;
    let is_active = state.is_active(hash);
    let header = &entry.header;
    let next = if is_active {
        entry.height.next().and_then(|next| state.active_at(next))
    } else {
        None
    };
    let median = state.tree().median_time_past(hash).unwrap_or(header.time);
    Ok(HeaderInfo {
        hash: hash.to_string(),
        confirmations: if is_active {
            render::confirmations(state.tip().height, entry.height)
        } else {
            -1
        },
        height: entry.height.0,
        version: header.version,
        version_hex: format!("{:08x}", header.version),
        merkleroot: header.merkle_root.to_string(),
        time: header.time.0,
        mediantime: median.0,
        nonce: header.nonce,
        bits: render::bits(header.bits),
        target: target_hex(header.bits),
        difficulty: difficulty(view, entry),
        chainwork: entry.chainwork.to_string(),
        n_tx: 0,
        previousblockhash: (entry.height > Height::GENESIS).then(|| header.previous.to_string()),
        nextblockhash: next.map(|hash| hash.to_string()),
    })
}

fn difficulty(view: &View<'_>, entry: &Entry) -> f64 {
    let initial = view.node.state().params().initial_target;
    entry
        .header
        .bits
        .to_target()
        .map_or(0.0, |target| ratio(initial, target))
}

fn chain_tip(view: &View<'_>, leaf: &Entry) -> ChainTip {
    let state = view.node.state();
    let fork = state.tree().fork_point(&leaf.hash, &state.tip().hash);
    let fork_height = fork.map_or(Height::GENESIS, |fork| fork.height);
    let status = match leaf.status {
        _ if state.is_active(&leaf.hash) => "active",
        Status::Valid => "valid-fork",
        Status::BodyStored => "valid-headers",
        Status::HeaderOnly => "headers-only",
        Status::Invalid | Status::InvalidAncestor | Status::Forbidden => "invalid",
    };
    ChainTip {
        height: leaf.height.0,
        hash: leaf.hash.to_string(),
        branchlen: leaf.height.saturating_since(fork_height),
        status: status.to_owned(),
        chainwork: leaf.chainwork.to_string(),
    }
}
