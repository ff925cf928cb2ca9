//! A mempool that keeps nothing but a list and searches for all else.

use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::sync::Arc;

use minichain_chain::block::Block;
use minichain_chain::hash::Txid;
use minichain_chain::mempool::{FLOOR_HALVING_BLOCKS, MempoolLimits, memory_bytes};
use minichain_chain::template::COINBASE_WEIGHT_RESERVED;
use minichain_chain::time::UnixSeconds;
use minichain_chain::transaction::Transaction;

use crate::common::{Branch, naive};

pub fn limits() -> MempoolLimits {
    MempoolLimits {
        bytes_max: 16_000,
        ancestors_max: 4,
        ancestor_vbytes_max: 700,
        descendants_max: 5,
        descendant_vbytes_max: 800,
        min_fee_rate_sat_per_kvb: 100,
        incremental_fee_rate_sat_per_kvb: 300,
        expiry_s: 600,
    }
}

/// A rate's fee for a size, rounded up.
fn fee_for(rate: u64, vsize: u64) -> u64 {
    (rate * vsize).div_ceil(1_000)
}

#[derive(Clone)]
pub struct Waiting {
    pub tx: Transaction,
    pub fee: u64,
    pub time: UnixSeconds,
}

/// Transactions in the order they came; all else is searched for.
#[derive(Clone, Default)]
pub struct Naive {
    pub all: Vec<Waiting>,
    /// The least rate for 1,000 virtual bytes, if above the operator's.
    pub floor: u64,
    /// Weighted blocks since it last halved.
    blocks: u32,
}

impl Waiting {
    fn rate(&self) -> (u64, u64) {
        (self.fee, self.tx.vsize())
    }

    fn spends(&self, other: &Transaction) -> bool {
        let txid = other.txid();
        self.tx
            .inputs
            .iter()
            .any(|input| input.previous_output.txid == txid)
    }
}

fn compare((fee, size): (u64, u64), (other_fee, other_size): (u64, u64)) -> Ordering {
    (u128::from(fee) * u128::from(other_size)).cmp(&(u128::from(other_fee) * u128::from(size)))
}

fn higher(left: (u64, u64), right: (u64, u64)) -> (u64, u64) {
    if compare(left, right) == Ordering::Less {
        right
    } else {
        left
    }
}

fn lower(left: (u64, u64), right: (u64, u64)) -> (u64, u64) {
    if compare(left, right) == Ordering::Greater {
        right
    } else {
        left
    }
}

/// Whether both spend the same output.
fn is_rival(one: &Transaction, other: &Transaction) -> bool {
    let mut inputs = one.inputs.iter().map(|input| input.previous_output);
    inputs.any(|outpoint| {
        let mut others = other.inputs.iter();
        others.any(|input| input.previous_output == outpoint)
    })
}

impl Naive {
    pub fn bytes(&self) -> u64 {
        self.all.iter().map(|one| memory_bytes(&one.tx)).sum()
    }

    /// Positions of a transaction and all it depends on.
    pub fn ancestors(&self, tx: &Waiting) -> BTreeSet<usize> {
        let mut found: BTreeSet<_> = (0..self.all.len())
            .filter(|index| self.all[*index].tx == tx.tx)
            .collect();
        loop {
            let more: BTreeSet<_> = (0..self.all.len())
                .filter(|index| {
                    let other = &self.all[*index].tx;
                    tx.spends(other) || found.iter().any(|one| self.all[*one].spends(other))
                })
                .chain(found.iter().copied())
                .collect();
            if more == found {
                return found;
            }
            found = more;
        }
    }

    /// Positions of a transaction and all that depends on it.
    pub fn descendants(&self, position: usize) -> BTreeSet<usize> {
        let depends = |index: &usize| self.ancestors(&self.all[*index]).contains(&position);
        (0..self.all.len()).filter(depends).collect()
    }

    pub fn sum(&self, positions: impl IntoIterator<Item = usize>) -> (u64, u64) {
        let all = positions
            .into_iter()
            .map(|position| self.all[position].rate());
        all.fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1))
    }

    fn keeping_rate(&self, position: usize) -> (u64, u64) {
        higher(
            self.all[position].rate(),
            self.sum(self.descendants(position)),
        )
    }

    fn remove(&mut self, positions: &BTreeSet<usize>) {
        let mut position = 0;
        self.all.retain(|_| {
            position += 1;
            !positions.contains(&(position - 1))
        });
    }

    /// Whether the transaction enters. Its signatures are right and its
    /// amounts add up.
    pub fn accept(
        &mut self,
        tx: &Transaction,
        chain: &Branch,
        time: UnixSeconds,
        is_new: bool,
    ) -> bool {
        let max = u64::from(chain.params.block_weight_max) - COINBASE_WEIGHT_RESERVED;
        let is_known = self.all.iter().any(|one| one.tx == *tx);
        if is_known || tx.weight() > max {
            return false;
        }
        let direct: BTreeSet<_> = (0..self.all.len())
            .filter(|position| is_rival(&self.all[*position].tx, tx))
            .collect();
        if !is_new && !direct.is_empty() {
            return false;
        }
        let Some(fee) = self.fee_of(tx, chain) else {
            return false;
        };
        let tx = tx.clone();
        let waiting = Waiting { tx, fee, time };
        if is_new && fee < fee_for(self.floor.max(100), waiting.tx.vsize()) {
            return false;
        }
        let ancestors = self.ancestors(&waiting);
        let mut replaced = BTreeSet::new();
        for position in &direct {
            replaced.extend(self.descendants(*position));
        }
        let is_allowed = direct.is_empty()
            || (direct.is_disjoint(&ancestors)
                && self.may_replace(&waiting, &ancestors, &direct, &replaced));
        if !is_allowed || !self.is_small_family(&waiting, &ancestors, &replaced) {
            return false;
        }
        self.make_room(&waiting, &ancestors, &replaced) && {
            self.all.push(waiting);
            true
        }
    }

    /// What it pays, if all it spends exists and may be spent.
    fn fee_of(&self, tx: &Transaction, chain: &Branch) -> Option<u64> {
        let coins = naive::coins_after(&chain.blocks);
        let height = chain.height().to_u32() + 1;
        let mut value_in = 0;
        for input in &tx.inputs {
            let outpoint = input.previous_output;
            let parent = self.all.iter().find(|one| one.tx.txid() == outpoint.txid);
            let output = match (coins.get(&outpoint), parent) {
                (Some(coin), _) => {
                    let from = coin.height.to_u32() + chain.params.coinbase_maturity;
                    if coin.is_coinbase && from > height {
                        return None;
                    }
                    &coin.output
                }
                (None, Some(parent)) => &parent.tx.outputs[outpoint.vout as usize],
                (None, None) => return None,
            };
            value_in += output.value.to_sat();
        }
        let value_out: u64 = tx.outputs.iter().map(|output| output.value.to_sat()).sum();
        Some(value_in - value_out)
    }

    fn may_replace(
        &self,
        waiting: &Waiting,
        ancestors: &BTreeSet<usize>,
        direct: &BTreeSet<usize>,
        replaced: &BTreeSet<usize>,
    ) -> bool {
        let is_better = direct.iter().all(|position| {
            compare(waiting.rate(), self.all[*position].rate()) == Ordering::Greater
        });
        let is_known = |position: &usize| {
            let parent = &self.all[*position].tx;
            direct.iter().any(|one| self.all[*one].spends(parent))
        };
        let mut parents = ancestors
            .iter()
            .filter(|position| waiting.spends(&self.all[**position].tx));
        let (fees, _) = self.sum(replaced.iter().copied());
        is_better && parents.all(is_known) && waiting.fee >= fees + fee_for(300, waiting.tx.vsize())
    }

    fn is_small_family(
        &self,
        waiting: &Waiting,
        ancestors: &BTreeSet<usize>,
        replaced: &BTreeSet<usize>,
    ) -> bool {
        let limits = limits();
        let fits = |positions: &BTreeSet<usize>, count_max: usize, vbytes_max: u64| {
            let (_, vbytes) = self.sum(positions.iter().copied());
            positions.len() < count_max && vbytes + waiting.tx.vsize() <= vbytes_max
        };
        fits(ancestors, limits.ancestors_max, limits.ancestor_vbytes_max)
            && ancestors.iter().all(|position| {
                let stay = &self.descendants(*position) - replaced;
                fits(&stay, limits.descendants_max, limits.descendant_vbytes_max)
            })
    }

    /// Lets the replaced go, then the worst one after the other until there is
    /// room.
    fn make_room(
        &mut self,
        waiting: &Waiting,
        ancestors: &BTreeSet<usize>,
        replaced: &BTreeSet<usize>,
    ) -> bool {
        let wanted = memory_bytes(&waiting.tx);
        let mut order: Vec<_> = (0..self.all.len())
            .filter(|position| !ancestors.contains(position) && !replaced.contains(position))
            .collect();
        // Among equals the younger goes first.
        order.sort_by(|left, right| {
            compare(self.keeping_rate(*left), self.keeping_rate(*right)).then(right.cmp(left))
        });
        let mut gone = replaced.clone();
        for position in order {
            let mut rest = self.clone();
            rest.remove(&gone);
            if rest.bytes() + wanted <= limits().bytes_max {
                break;
            }
            if gone.contains(&position) {
                continue;
            }
            if compare(self.keeping_rate(position), waiting.rate()) != Ordering::Less {
                return false;
            }
            gone.extend(self.descendants(position));
        }
        let mut rest = self.clone();
        rest.remove(&gone);
        if rest.bytes() + wanted > limits().bytes_max {
            return false;
        }
        for position in &gone - replaced {
            let (fee, vsize) = self.keeping_rate(position);
            let rate = fee * 1_000 / vsize + 300;
            if rate > rest.floor {
                rest.floor = rate;
                rest.blocks = 0;
            }
        }
        *self = rest;
        true
    }

    /// Drops what came too long ago, and all that depends on it.
    pub fn expire(&mut self, now: UnixSeconds) {
        let is_old = |one: &Waiting| now.since(one.time) > i64::from(limits().expiry_s);
        let old = (0..self.all.len()).filter(|position| is_old(&self.all[*position]));
        let gone = old
            .flat_map(|position| self.descendants(position))
            .collect();
        self.remove(&gone);
    }

    fn lower_floor(&mut self) {
        if self.floor == 0 {
            return;
        }
        self.blocks += match self.bytes() * 4 / limits().bytes_max {
            0 => 4,
            1 => 2,
            _ => 1,
        };
        if self.blocks >= FLOOR_HALVING_BLOCKS {
            self.blocks = 0;
            self.floor /= 2;
        }
        if self.floor < 300 / 2 {
            (self.floor, self.blocks) = (0, 0);
        }
    }

    pub fn on_tip_changed(
        &mut self,
        disconnected: &[Arc<Block>],
        connected: &[Arc<Block>],
        chain: &Branch,
        now: UnixSeconds,
    ) {
        for _ in connected {
            self.lower_floor();
        }
        if !disconnected.is_empty() {
            let waited = std::mem::take(&mut self.all).into_iter();
            let waited = waited.map(|one| (one.tx, one.time));
            let left = disconnected
                .iter()
                .rev()
                .flat_map(|block| block.transactions[1..].to_vec())
                .map(|tx| (tx, now));
            for (tx, time) in left.chain(waited).collect::<Vec<_>>() {
                self.accept(&tx, chain, time, false);
            }
            return;
        }
        for tx in connected.iter().flat_map(|block| &block.transactions[1..]) {
            self.all.retain(|one| one.tx != *tx);
            let rivals =
                (0..self.all.len()).filter(|position| is_rival(&self.all[*position].tx, tx));
            let gone = rivals
                .flat_map(|position| self.descendants(position))
                .collect();
            self.remove(&gone);
        }
    }

    /// What a block takes: always the best package, recomputed each time.
    pub fn select(&self, mut room: u64) -> Vec<Txid> {
        let mut chosen: Vec<usize> = Vec::new();
        let mut passed = BTreeSet::new();
        let missing = |position: usize, chosen: &[usize]| -> Vec<usize> {
            let all = self.ancestors(&self.all[position]);
            all.into_iter()
                .filter(|one| !chosen.contains(one))
                .collect()
        };
        loop {
            let left =
                (0..self.all.len()).filter(|one| !chosen.contains(one) && !passed.contains(one));
            let rate = |position: usize| {
                lower(
                    self.all[position].rate(),
                    self.sum(missing(position, &chosen)),
                )
            };
            let best = left.max_by(|a, b| compare(rate(*a), rate(*b)).then(b.cmp(a)));
            let Some(best) = best else {
                return chosen
                    .into_iter()
                    .map(|one| self.all[one].tx.txid())
                    .collect();
            };
            let package = missing(best, &chosen);
            let weight: u64 = package.iter().map(|one| self.all[*one].tx.weight()).sum();
            if weight <= room {
                room -= weight;
                chosen.extend(package);
            } else {
                passed.insert(best);
            }
        }
    }

    pub fn mining_order(&self) -> Vec<Txid> {
        let rate = |position: usize| {
            let one = &self.all[position];
            lower(one.rate(), self.sum(self.ancestors(one)))
        };
        let mut order: Vec<_> = (0..self.all.len()).collect();
        order.sort_by(|left, right| compare(rate(*right), rate(*left)).then(left.cmp(right)));
        order
            .into_iter()
            .map(|position| self.all[position].tx.txid())
            .collect()
    }
}
