//! Methods about transactions that wait.

use std::collections::BTreeMap;

use minichain_api::rpc::{MempoolEntryInfo, MempoolFees, MempoolInfo, RpcError, code};
use minichain_chain::amount::Amount;
use minichain_chain::hash::Txid;
use minichain_chain::mempool::PoolEntry;
use serde_json::Value;

use super::arguments::Arguments;
use super::render::coins;
use super::server::internal;
use super::{Context, error, outside};

/// `getmempoolinfo`.
pub async fn info(context: &Context) -> Result<MempoolInfo, RpcError> {
    let maxmempool = context.mempool_bytes_max;
    context
        .look(move |view| {
            let mempool = view.node.mempool();
            let limits = mempool.limits();
            let rate = |sats| coins(Amount::from_sat(sats));
            MempoolInfo {
                loaded: true,
                size: mempool.len() as u64,
                bytes: mempool.vbytes(),
                usage: mempool.bytes(),
                total_fee: coins(mempool.fees()),
                maxmempool,
                mempoolminfee: rate(mempool.min_fee_rate_sat_per_kvb()),
                minrelaytxfee: rate(limits.min_fee_rate_sat_per_kvb),
                incrementalrelayfee: rate(limits.incremental_fee_rate_sat_per_kvb),
                fullrbf: true,
            }
        })
        .await
}

/// `getrawmempool`.
pub async fn raw(context: &Context, arguments: &Arguments) -> Result<Value, RpcError> {
    if arguments.bool(0)?.unwrap_or(false) {
        let entries = context.look(|view| {
            let entries = view.node.mempool().iter_by_fee_rate();
            entries.cloned().collect::<Vec<_>>()
        });
        let entries = entries.await?;
        return outside(move || {
            let entries = entries.iter();
            let named = entries.map(|entry| (entry.txid.to_string(), shown(entry)));
            serde_json::to_value(named.collect::<BTreeMap<_, _>>()).map_err(internal)
        })
        .await;
    }
    let ids: Vec<Txid> = context
        .look(|view| {
            let entries = view.node.mempool().iter_by_fee_rate();
            entries.map(|entry| entry.txid).collect()
        })
        .await?;
    Ok(ids.iter().map(ToString::to_string).collect())
}

/// `getmempoolentry`.
pub async fn entry(context: &Context, arguments: &Arguments) -> Result<MempoolEntryInfo, RpcError> {
    let txid: Txid = arguments.parsed(0)?;
    let found = context.look(move |view| view.node.mempool().entry(&txid).cloned());
    let found = found.await?;
    found.as_ref().map(shown).ok_or_else(|| {
        let why = format!("transaction {txid} is not in the mempool");
        error(code::INVALID_ADDRESS_OR_KEY, why)
    })
}

fn shown(entry: &PoolEntry) -> MempoolEntryInfo {
    let names = |ids: &std::collections::BTreeSet<Txid>| ids.iter().map(Txid::to_string).collect();
    MempoolEntryInfo {
        vsize: entry.vsize,
        weight: entry.weight,
        descendantcount: entry.descendants.count as u64,
        descendantsize: entry.descendants.vsize,
        ancestorcount: entry.ancestors.count as u64,
        ancestorsize: entry.ancestors.vsize,
        wtxid: entry.tx.wtxid().to_string(),
        fees: MempoolFees {
            base: coins(entry.fee),
            modified: coins(entry.fee),
            ancestor: coins(entry.ancestors.fees),
            descendant: coins(entry.descendants.fees),
        },
        depends: names(&entry.parents),
        spentby: names(&entry.children),
    }
}
