//! Methods that look for somebody's coins: which blocks and waiting
//! transactions concern some locks. Bounded in time, and never long at a
//! stretch on the node's thread.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use minichain_api::rpc::{RpcError, SCAN_OBJECTS_MAX, ScanBlocks, ScanMempool, code};
use minichain_chain::block::Block;
use minichain_chain::codec::encode;
use minichain_chain::coins::Undo;
use minichain_chain::height::Height;
use minichain_chain::hex;
use minichain_chain::script::Script;
use minichain_chain::store::Store;
use minichain_chain::transaction::{Transaction, TxOut};
use serde::Deserialize;
use serde_json::Value;

use super::arguments::Arguments;
use super::server::internal;
use super::{Context, descriptor, error};
use crate::driver::View;

/// How long one look may hold the node up.
pub const LOOK: Duration = Duration::from_millis(10);
/// How long one call looks through blocks.
const CALL: Duration = Duration::from_secs(5);

/// Locks that are looked for.
type Locks = BTreeSet<Script>;

/// A lock among the arguments: text, or an object with it, as Bitcoin Core has
/// them.
#[derive(Deserialize)]
#[serde(untagged)]
enum ScanObject {
    Text(String),
    Object { desc: String },
}

/// `scanblocks`.
pub async fn blocks(context: &Context, arguments: &Arguments) -> Result<Value, RpcError> {
    match arguments.text(0)?.unwrap_or_default() {
        "start" => {}
        // Every call ends by itself, so there is never one to ask about.
        "status" => return Ok(Value::Null),
        "abort" => return Ok(false.into()),
        other => {
            let why = format!("action {other:?} is not known; start, status or abort");
            return Err(error(code::INVALID_PARAMETER, why));
        }
    }
    let locks = locks(context, arguments, 1)?;
    let from = arguments.u32(2)?.unwrap_or_default();
    let stop = arguments.u32(3)?;
    check_ignored(arguments)?;
    let began = Instant::now();
    let mut found = ScanBlocks {
        from_height: from,
        to_height: from,
        relevant_blocks: Vec::new(),
        completed: false,
    };
    let mut next = from;
    let mut locks = locks;
    while !found.completed && began.elapsed() < CALL {
        let stretch = context.look(move |view| stretch(view, locks, next, stop));
        let stretch = stretch.await??;
        locks = stretch.locks;
        found.relevant_blocks.extend(stretch.relevant);
        found.completed = stretch.is_last;
        found.to_height = stretch.next.saturating_sub(1).max(from);
        next = stretch.next;
    }
    serde_json::to_value(found).map_err(internal)
}

/// What one look found.
struct Stretch {
    locks: Locks,
    relevant: Vec<String>,
    /// Height to go on at.
    next: u32,
    is_last: bool,
}

fn stretch(
    view: &View<'_>,
    locks: Locks,
    from: u32,
    stop: Option<u32>,
) -> Result<Stretch, RpcError> {
    let state = view.node.state();
    let tip = state.tip().height.0;
    if from > tip {
        let why = format!("start_height {from} is above the tip, {tip}");
        return Err(error(code::MISC, why));
    }
    let stop = stop.unwrap_or(tip).min(tip);
    let began = Instant::now();
    let mut relevant = Vec::new();
    let mut next = from;
    while next <= stop {
        let Some(hash) = state.active_at(Height(next)) else {
            break;
        };
        let block = state.block(&hash).map_err(internal)?;
        let undo = state.store().undo(&hash).map_err(internal)?;
        if block.is_some_and(|block| concerns(&block, undo.as_ref(), &locks)) {
            relevant.push(hash.to_string());
        }
        next += 1;
        if began.elapsed() >= LOOK {
            break;
        }
    }
    Ok(Stretch {
        locks,
        relevant,
        next,
        is_last: next > stop,
    })
}

fn concerns(block: &Block, undo: Option<&Undo>, locks: &Locks) -> bool {
    let mut made = block.transactions.iter().flat_map(|tx| &tx.outputs);
    let mut spent = undo.into_iter().flat_map(|undo| &undo.spent);
    made.any(|output| locks.contains(&output.script_pubkey))
        || spent.any(|coin| locks.contains(&coin.output.script_pubkey))
}

/// `scanmempool`.
pub async fn mempool(context: &Context, arguments: &Arguments) -> Result<ScanMempool, RpcError> {
    let mut locks = locks(context, arguments, 0)?;
    let mut transactions = Vec::new();
    let mut from = Some(0);
    while let Some(sequence) = from {
        let look = context.look(move |view| {
            let found = waiting(view, &locks, sequence)?;
            Ok::<_, RpcError>((locks, found))
        });
        let (back, (found, next)) = look.await??;
        locks = back;
        transactions.extend(found);
        from = next;
    }
    let (params, prefix) = (&context.params, &context.params.address_prefix);
    let (bestblock, height, minfeerate) = context
        .look(|view| {
            let tip = view.node.state().tip();
            let rate = view.node.mempool().min_fee_rate_sat_per_kvb();
            (tip.hash.to_string(), tip.height.0, rate)
        })
        .await?;
    Ok(ScanMempool {
        bestblock,
        height,
        chain: params.network.clone(),
        addressprefix: prefix.clone(),
        coinbasematurity: params.coinbase_maturity,
        minfeerate,
        transactions,
    })
}

/// Relevant transactions from this arrival on, and where to go on.
type Waiting = (Vec<String>, Option<u64>);

fn waiting(view: &View<'_>, locks: &Locks, from: u64) -> Result<Waiting, RpcError> {
    let began = Instant::now();
    let mut found = Vec::new();
    for entry in view.node.mempool().iter_by_arrival(from) {
        if began.elapsed() >= LOOK {
            return Ok((found, Some(entry.sequence)));
        }
        if is_relevant(view, &entry.tx, locks)? {
            found.push(hex::encode(&encode(entry.tx.as_ref())));
        }
    }
    Ok((found, None))
}

fn is_relevant(
    view: &View<'_>,
    transaction: &Transaction,
    locks: &Locks,
) -> Result<bool, RpcError> {
    let is_ours = |output: &TxOut| locks.contains(&output.script_pubkey);
    if transaction.outputs.iter().any(is_ours) {
        return Ok(true);
    }
    for input in &transaction.inputs {
        let place = &input.previous_output;
        let is_spent_of_ours = match view.node.mempool().get(&place.txid) {
            Some(parent) => {
                let output = usize::try_from(place.vout).ok();
                output
                    .and_then(|at| parent.outputs.get(at))
                    .is_some_and(is_ours)
            }
            None => {
                let coin = view.node.state().coin(place).map_err(internal)?;
                coin.is_some_and(|coin| is_ours(&coin.output))
            }
        };
        if is_spent_of_ours {
            return Ok(true);
        }
    }
    Ok(false)
}

fn locks(context: &Context, arguments: &Arguments, index: usize) -> Result<Locks, RpcError> {
    let Some(objects) = arguments.decoded_or_none::<Vec<ScanObject>>(index)? else {
        let why = "scanobjects is missing: a list of addr(ADDRESS) and raw(HEXADECIMAL)";
        return Err(error(code::MISC, why));
    };
    if objects.len() > SCAN_OBJECTS_MAX {
        let given = objects.len();
        let why = format!("{given} scanobjects were given, at most {SCAN_OBJECTS_MAX} are taken");
        return Err(error(code::INVALID_PARAMETER, why));
    }
    let texts = objects.into_iter().map(|object| match object {
        ScanObject::Text(text) | ScanObject::Object { desc: text } => text,
    });
    let prefix = &context.params.address_prefix;
    texts.map(|text| descriptor::parse(&text, prefix)).collect()
}

fn check_ignored(arguments: &Arguments) -> Result<(), RpcError> {
    match arguments.text(4)? {
        None | Some("basic") => Ok(()),
        Some(other) => {
            let why = format!("filtertype {other:?} is not known; basic");
            Err(error(code::INVALID_PARAMETER, why))
        }
    }
}
