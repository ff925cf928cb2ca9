//! `getblockstats`.

use minichain_api::rpc::{BlockStats, RpcError, code};
use minichain_chain::amount::Amount;
use minichain_chain::block::Block;
use minichain_chain::coins::Undo;
use minichain_chain::hash::BlockHash;
use minichain_chain::height::Height;
use minichain_chain::time::UnixSeconds;
use minichain_chain::transaction::{Transaction, WITNESS_SCALE_FACTOR};
use serde_json::{Map, Value};

use super::arguments::Arguments;
use super::chain::{BlockChoice, block_choice, chosen, entry, stored};
use super::server::internal;
use super::{Context, error, outside};
use crate::driver::View;
use crate::store::Snapshot;

/// One transaction that is no coinbase.
struct Paid {
    fee: u64,
    weight: u64,
    size: u64,
    rate: u64,
}

/// What the chain knows of the block.
struct Place {
    hash: BlockHash,
    height: Height,
    median: UnixSeconds,
    subsidy: Amount,
}

/// `getblockstats`.
pub async fn block_stats(context: &Context, arguments: &Arguments) -> Result<Value, RpcError> {
    let Some(wanted) = block_choice(arguments, 0)? else {
        return Err(error(code::MISC, "hash_or_height is missing"));
    };
    let selected: Option<Vec<String>> = arguments.decoded_or_none(1)?;
    let (place, snapshot) = context.snapshot(move |view| find(view, &wanted)).await?;
    let stats = outside(move || of_block(&place, &snapshot)).await?;
    let stats = serde_json::to_value(stats).map_err(internal)?;
    match (stats, selected) {
        (Value::Object(all), Some(names)) if !names.is_empty() => select(all, &names),
        (all, _) => Ok(all),
    }
}

fn select(mut all: Map<String, Value>, names: &[String]) -> Result<Value, RpcError> {
    let mut chosen = Map::new();
    for name in names {
        let Some(value) = all.remove(name) else {
            if chosen.contains_key(name) {
                continue;
            }
            let why = format!("no statistic {name:?}; leave stats out to see all");
            return Err(error(code::INVALID_PARAMETER, why));
        };
        chosen.insert(name.clone(), value);
    }
    Ok(Value::Object(chosen))
}

fn find(view: &View<'_>, wanted: &BlockChoice) -> Result<Place, RpcError> {
    let state = view.node.state();
    let hash = chosen(view, wanted)?;
    let height = entry(view, &hash)?.height;
    Ok(Place {
        hash,
        height,
        median: state.tree().median_time_past(&hash).unwrap_or_default(),
        subsidy: state.params().subsidy(height),
    })
}

fn of_block(place: &Place, snapshot: &Snapshot) -> Result<BlockStats, RpcError> {
    let block = stored(snapshot, &place.hash)?;
    let undo = snapshot.undo(&place.hash).map_err(internal)?;
    let undo = undo.ok_or_else(|| {
        let why = "this block was never part of the active chain, so what it spends is not known";
        error(code::MISC, why)
    })?;
    let mut stats = totals(&block, &paid(&block, &undo));
    stats.blockhash = place.hash.to_string();
    stats.height = place.height.0;
    stats.mediantime = place.median.0;
    stats.subsidy = place.subsidy.to_sat();
    Ok(stats)
}

fn paid(block: &Block, undo: &Undo) -> Vec<Paid> {
    let mut spent = undo.spent.iter();
    let payments = block.transactions.iter().skip(1);
    let one = |transaction: &Transaction| {
        let coins = spent.by_ref().take(transaction.inputs.len());
        let come: u64 = coins.map(|coin| coin.output.value.to_sat()).sum();
        let fee = come.saturating_sub(sum_out(transaction));
        let weight = transaction.weight();
        Paid {
            fee,
            weight,
            size: transaction.total_size(),
            rate: fee.saturating_mul(WITNESS_SCALE_FACTOR) / weight.max(1),
        }
    };
    payments.map(one).collect()
}

fn sum_out(transaction: &Transaction) -> u64 {
    let values = transaction.outputs.iter().map(|output| output.value);
    values.map(Amount::to_sat).sum()
}

fn totals(block: &Block, paid: &[Paid]) -> BlockStats {
    let payments = || block.transactions.iter().skip(1);
    let with_witness = || payments().filter(|transaction| transaction.has_witness());
    let sum = |of: fn(&Paid) -> u64| paid.iter().map(of).sum::<u64>();
    let outputs = || block.transactions.iter().flat_map(|one| &one.outputs);
    let ins: usize = payments().map(|one| one.inputs.len()).sum();
    let kept = outputs().filter(|output| !output.script_pubkey.is_op_return());
    let (total_size, total_weight) = (sum(|one| one.size), sum(|one| one.weight));
    let totalfee = sum(|one| one.fee);
    let count = paid.len() as u64;
    let (fees, rates, sizes) = (
        sorted(paid, |one| one.fee),
        sorted(paid, |one| one.rate),
        sorted(paid, |one| one.size),
    );
    BlockStats {
        avgfee: totalfee.checked_div(count).unwrap_or(0),
        avgfeerate: (totalfee.saturating_mul(WITNESS_SCALE_FACTOR))
            .checked_div(total_weight)
            .unwrap_or(0),
        avgtxsize: total_size.checked_div(count).unwrap_or(0),
        blockhash: String::new(),
        feerate_percentiles: percentiles(paid, total_weight),
        height: 0,
        ins: ins as u64,
        maxfee: last(&fees),
        maxfeerate: last(&rates),
        maxtxsize: last(&sizes),
        medianfee: median(&fees),
        mediantime: 0,
        mediantxsize: median(&sizes),
        minfee: first(&fees),
        minfeerate: first(&rates),
        mintxsize: first(&sizes),
        outs: outputs().count() as u64,
        subsidy: 0,
        swtotal_size: with_witness().map(Transaction::total_size).sum(),
        swtotal_weight: with_witness().map(Transaction::weight).sum(),
        swtxs: with_witness().count() as u64,
        time: block.header.time.0,
        total_out: payments().map(sum_out).sum(),
        total_size,
        total_weight,
        totalfee,
        txs: block.transactions.len() as u64,
        utxo_increase: difference(outputs().count(), ins),
        utxo_increase_actual: difference(kept.count(), ins),
    }
}

fn difference(more: usize, less: usize) -> i64 {
    let number = |count| i64::try_from(count).unwrap_or(i64::MAX);
    number(more) - number(less)
}

fn sorted(paid: &[Paid], of: fn(&Paid) -> u64) -> Vec<u64> {
    let mut values: Vec<_> = paid.iter().map(of).collect();
    values.sort_unstable();
    values
}

fn first(sorted: &[u64]) -> u64 {
    sorted.first().copied().unwrap_or(0)
}

fn last(sorted: &[u64]) -> u64 {
    sorted.last().copied().unwrap_or(0)
}

/// The middle one, or the mean of the two middle ones, rounded down.
fn median(sorted: &[u64]) -> u64 {
    match sorted {
        [] => 0,
        _ if sorted.len() % 2 == 1 => sorted[sorted.len() / 2],
        _ => u64::midpoint(sorted[sorted.len() / 2 - 1], sorted[sorted.len() / 2]),
    }
}

/// The rates at which 10, 25, 50, 75 and 90 % of the weight are reached, the
/// lowest rates first.
fn percentiles(paid: &[Paid], total_weight: u64) -> [u64; 5] {
    let mut by_rate: Vec<_> = paid.iter().map(|one| (one.rate, one.weight)).collect();
    by_rate.sort_unstable();
    [10, 25, 50, 75, 90].map(|percent| {
        let mut reached = 0;
        let mut found = by_rate.last().map_or(0, |(rate, _)| *rate);
        for (rate, weight) in &by_rate {
            reached += weight;
            if reached * 100 >= total_weight * percent {
                found = *rate;
                break;
            }
        }
        found
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paid(list: &[(u64, u64)]) -> Vec<Paid> {
        let one = |&(rate, weight)| Paid {
            fee: rate * weight / 4,
            weight,
            size: weight / 2,
            rate,
        };
        list.iter().map(one).collect()
    }

    #[test]
    fn percentiles_weigh_by_weight() {
        let paid = paid(&[(50, 10), (1, 80), (7, 10)]);
        assert_eq!(percentiles(&paid, 100), [1, 1, 1, 1, 7]);
        assert_eq!(percentiles(&[], 0), [0; 5]);
    }

    #[test]
    fn median_is_the_middle_or_the_mean_of_two() {
        assert_eq!(median(&[]), 0);
        assert_eq!(median(&[5]), 5);
        assert_eq!(median(&[5, 8]), 6);
        assert_eq!(median(&[1, 5, 900]), 5);
    }
}
