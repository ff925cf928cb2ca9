//! `scantxoutset`: every coin of some locks, found by reading all.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use minichain_api::rpc::{RpcError, ScanResult, Unspent, code};
use minichain_chain::amount::Amount;
use minichain_chain::coins::Coin;
use minichain_chain::hash::BlockHash;
use minichain_chain::height::Height;
use minichain_chain::hex;
use minichain_chain::script::Script;
use minichain_chain::transaction::OutPoint;
use serde::Deserialize;
use serde_json::{Value, json};

use super::arguments::Arguments;
use super::limits::{Waiting, Watch};
use super::server::internal;
use super::{Context, descriptor, error, outside, render};
use crate::store::Snapshot;

/// Descriptors of one call at most.
const DESCRIPTORS_MAX: usize = 1_000;
/// Coins that are found at most.
const FOUND_MAX: usize = 100_000;
/// Steps of the progress of a scan.
const PROGRESS_STEPS: u32 = 1 << 16;

/// The scan under way, if there is one.
#[derive(Debug, Default)]
pub struct Scanner {
    is_busy: AtomicBool,
    is_aborted: AtomicBool,
    /// Out of [`PROGRESS_STEPS`].
    progress: AtomicU32,
}

/// A descriptor, as itself or in an object.
#[derive(Deserialize)]
#[serde(untagged)]
enum Wanted {
    Text(String),
    Object { desc: String, range: Option<Value> },
}

/// The one place for a scan; free again when dropped.
struct Place(Arc<Scanner>);

struct Found {
    coins: BTreeMap<OutPoint, Coin>,
    read: u64,
}

/// `scantxoutset`.
pub async fn scan(context: &Context, arguments: &Arguments) -> Result<Value, RpcError> {
    let scanner = &context.scanner;
    match arguments.text(0)?.unwrap_or_default() {
        "start" => start(context, arguments).await,
        "abort" => {
            let is_busy = scanner.is_busy.load(Ordering::Relaxed);
            scanner.is_aborted.store(true, Ordering::Relaxed);
            Ok(is_busy.into())
        }
        "status" if scanner.is_busy.load(Ordering::Relaxed) => {
            let steps = scanner.progress.load(Ordering::Relaxed);
            Ok(json!({"progress": u64::from(steps) * 100 / u64::from(PROGRESS_STEPS)}))
        }
        "status" => Ok(Value::Null),
        other => {
            let why = format!("action {other:?} must be start, abort or status");
            Err(error(code::INVALID_PARAMETER, why))
        }
    }
}

async fn start(context: &Context, arguments: &Arguments) -> Result<Value, RpcError> {
    let locks = locks(context, arguments)?;
    let Some(place) = Place::take(&context.scanner) else {
        let why = "a scan is under way already; use action \"abort\" or \"status\"";
        return Err(error(code::INVALID_PARAMETER, why));
    };
    let tip = |view: &crate::driver::View<'_>| {
        let tip = view.node.state().tip();
        Ok((tip.height, tip.hash))
    };
    let ((height, hash), snapshot) = context.snapshot(tip).await?;
    let waiting = Waiting::default();
    let watch = waiting.watch();
    let found = outside(move || find(&snapshot, &locks, &place.0, &watch)).await?;
    let heights = found.coins.values().map(|coin| coin.height).collect();
    let blocks = blocks_at(context, hash, heights).await?;
    let unspents = found.coins.iter();
    let unspents = unspents.map(|(outpoint, coin)| shown(*outpoint, coin, height, &blocks));
    let values = found.coins.values().map(|coin| coin.output.value);
    let answer = ScanResult {
        success: true,
        txouts: found.read,
        height: height.0,
        bestblock: hash.to_string(),
        unspents: unspents.collect(),
        total_amount: render::coins(Amount::checked_sum(values).unwrap_or(Amount::MAX_MONEY)),
    };
    serde_json::to_value(answer).map_err(internal)
}

fn locks(context: &Context, arguments: &Arguments) -> Result<BTreeSet<Vec<u8>>, RpcError> {
    let wanted: Vec<Wanted> = arguments.decoded_or_none(1)?.unwrap_or_default();
    if !(1..=DESCRIPTORS_MAX).contains(&wanted.len()) {
        let why = format!("scanobjects must hold 1 to {DESCRIPTORS_MAX} descriptors");
        return Err(error(code::INVALID_PARAMETER, why));
    }
    let lock = |wanted: Wanted| {
        let text = match wanted {
            Wanted::Object { range: Some(_), .. } => {
                let why = "no descriptor here has a range; leave it out";
                return Err(error(code::INVALID_PARAMETER, why));
            }
            Wanted::Text(text) | Wanted::Object { desc: text, .. } => text,
        };
        let script = descriptor::parse(&text, &context.params.address_prefix)?;
        Ok(script.as_bytes().to_vec())
    };
    wanted.into_iter().map(lock).collect()
}

impl Place {
    fn take(scanner: &Arc<Scanner>) -> Option<Self> {
        if scanner.is_busy.swap(true, Ordering::Relaxed) {
            return None;
        }
        scanner.is_aborted.store(false, Ordering::Relaxed);
        scanner.progress.store(0, Ordering::Relaxed);
        Some(Self(Arc::clone(scanner)))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.is_busy.store(false, Ordering::Relaxed);
    }
}

fn find(
    snapshot: &Snapshot,
    locks: &BTreeSet<Vec<u8>>,
    scanner: &Scanner,
    watch: &Watch,
) -> Result<Found, RpcError> {
    let mut found = Found {
        coins: BTreeMap::new(),
        read: 0,
    };
    let mut why_not = None;
    let read = snapshot.each_coin(|outpoint, coin| {
        if scanner.is_aborted.load(Ordering::Relaxed) || !watch.holds() {
            why_not = Some("the scan was aborted".to_owned());
            return ControlFlow::Break(());
        }
        // Coins come in the order of these bytes, which are evenly spread.
        let [high, low, ..] = outpoint.txid.to_bytes();
        let step = u32::from(u16::from_be_bytes([high, low]));
        scanner.progress.store(step, Ordering::Relaxed);
        found.read += 1;
        if locks.contains(coin.output.script_pubkey.as_bytes()) {
            found.coins.insert(outpoint, coin);
        }
        if found.coins.len() > FOUND_MAX {
            why_not = Some(format!(
                "more than {FOUND_MAX} coins match; name fewer locks"
            ));
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(())
    });
    read.map_err(internal)?;
    match why_not {
        Some(why) => Err(error(code::MISC, why)),
        None => Ok(found),
    }
}

/// Blocks below the block that the scan belongs to.
async fn blocks_at(
    context: &Context,
    tip: BlockHash,
    heights: BTreeSet<Height>,
) -> Result<BTreeMap<Height, BlockHash>, RpcError> {
    let look = context.look(move |view| {
        let tree = view.node.state().tree();
        let found = heights.into_iter().filter_map(|height| {
            let block = tree.ancestor(&tip, height)?;
            Some((height, block.hash))
        });
        found.collect()
    });
    look.await
}

fn shown(
    outpoint: OutPoint,
    coin: &Coin,
    tip: Height,
    blocks: &BTreeMap<Height, BlockHash>,
) -> Unspent {
    let script: &Script = &coin.output.script_pubkey;
    Unspent {
        txid: outpoint.txid.to_string(),
        vout: outpoint.vout,
        script_pub_key: hex::encode(script.as_bytes()),
        desc: descriptor::of(script),
        amount: render::coins(coin.output.value),
        coinbase: coin.is_coinbase,
        height: coin.height.0,
        blockhash: blocks.get(&coin.height).map(ToString::to_string),
        confirmations: render::confirmations(tip, coin.height),
    }
}
