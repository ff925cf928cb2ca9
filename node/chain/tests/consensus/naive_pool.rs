//! A mempool that keeps nothing but a list and searches for all else.

use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::sync::Arc;

use minichain_chain::block::Block;
use minichain_chain::hash::Txid;
use minichain_chain::mempool::{MempoolLimits, memory_bytes};
use minichain_chain::template::COINBASE_WEIGHT_RESERVED;
use minichain_chain::transaction::Transaction;

use crate::common::{Branch, naive};

pub fn limits() -> MempoolLimits {
    MempoolLimits {
        bytes_max: 16_000,
        ancestors_max: 4,
        min_fee_rate_sat_per_kvb: 100,
    }
}

#[derive(Clone)]
pub struct Waiting {
    pub tx: Transaction,
    pub fee: u64,
}

/// Transactions in the order they came; all else is searched for.
#[derive(Clone, Default)]
pub struct Naive(pub Vec<Waiting>);

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

impl Naive {
    pub fn bytes(&self) -> u64 {
        self.0.iter().map(|one| memory_bytes(&one.tx)).sum()
    }

    /// Positions of a transaction and all it depends on.
    pub fn ancestors(&self, tx: &Waiting) -> BTreeSet<usize> {
        let mut found: BTreeSet<_> = (0..self.0.len())
            .filter(|index| self.0[*index].tx == tx.tx)
            .collect();
        loop {
            let more: BTreeSet<_> = (0..self.0.len())
                .filter(|index| {
                    let other = &self.0[*index].tx;
                    tx.spends(other) || found.iter().any(|one| self.0[*one].spends(other))
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
        let depends = |index: &usize| self.ancestors(&self.0[*index]).contains(&position);
        (0..self.0.len()).filter(depends).collect()
    }

    pub fn sum(&self, positions: impl IntoIterator<Item = usize>) -> (u64, u64) {
        let all = positions
            .into_iter()
            .map(|position| self.0[position].rate());
        all.fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1))
    }

    fn keeping_rate(&self, position: usize) -> (u64, u64) {
        higher(
            self.0[position].rate(),
            self.sum(self.descendants(position)),
        )
    }

    fn remove(&mut self, positions: &BTreeSet<usize>) {
        let mut position = 0;
        self.0.retain(|_| {
            position += 1;
            !positions.contains(&(position - 1))
        });
    }

    /// Whether the transaction enters. Its signatures are right and its
    /// amounts add up.
    pub fn accept(&mut self, tx: &Transaction, chain: &Branch, is_new: bool) -> bool {
        let coins = naive::coins_after(&chain.blocks);
        let height = chain.height().to_u32() + 1;
        let mut value_in = 0;
        for input in &tx.inputs {
            let outpoint = input.previous_output;
            let is_taken = self.0.iter().flat_map(|one| &one.tx.inputs);
            if is_taken
                .into_iter()
                .any(|other| other.previous_output == outpoint)
            {
                return false;
            }
            let parent = self.0.iter().find(|one| one.tx.txid() == outpoint.txid);
            let output = match (coins.get(&outpoint), parent) {
                (Some(coin), _) => {
                    if coin.is_coinbase
                        && coin.height.to_u32() + chain.params.coinbase_maturity > height
                    {
                        return false;
                    }
                    &coin.output
                }
                (None, Some(parent)) => &parent.tx.outputs[outpoint.vout as usize],
                (None, None) => return false,
            };
            value_in += output.value.to_sat();
        }
        let value_out: u64 = tx.outputs.iter().map(|output| output.value.to_sat()).sum();
        let fee = value_in - value_out;
        let waiting = Waiting {
            tx: tx.clone(),
            fee,
        };
        let is_known = self.0.iter().any(|one| one.tx == *tx);
        let is_poor = is_new && u128::from(fee) * 1_000 < 100 * u128::from(tx.vsize());
        let ancestors = self.ancestors(&waiting);
        let max = u64::from(chain.params.block_weight_max) - COINBASE_WEIGHT_RESERVED;
        if is_known || is_poor || ancestors.len() + 1 > limits().ancestors_max || tx.weight() > max
        {
            return false;
        }
        self.make_room(&waiting, &ancestors) && {
            self.0.push(waiting);
            true
        }
    }

    /// Lets the worst go one after the other until there is room.
    fn make_room(&mut self, waiting: &Waiting, ancestors: &BTreeSet<usize>) -> bool {
        let wanted = memory_bytes(&waiting.tx);
        let mut order: Vec<_> = (0..self.0.len())
            .filter(|position| !ancestors.contains(position))
            .collect();
        // Among equals the younger goes first.
        order.sort_by(|left, right| {
            compare(self.keeping_rate(*left), self.keeping_rate(*right)).then(right.cmp(left))
        });
        let mut gone = BTreeSet::new();
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
        *self = rest;
        true
    }

    pub fn on_tip_changed(
        &mut self,
        disconnected: &[Arc<Block>],
        connected: &[Arc<Block>],
        chain: &Branch,
    ) {
        if !disconnected.is_empty() {
            let waited = std::mem::take(&mut self.0).into_iter().map(|one| one.tx);
            let left = disconnected
                .iter()
                .rev()
                .flat_map(|block| block.transactions[1..].to_vec());
            for tx in left.chain(waited).collect::<Vec<_>>() {
                self.accept(&tx, chain, false);
            }
            return;
        }
        for tx in connected.iter().flat_map(|block| &block.transactions[1..]) {
            self.0.retain(|one| one.tx != *tx);
            let rivals = (0..self.0.len()).filter(|position| {
                let inputs = &self.0[*position].tx.inputs;
                inputs.iter().any(|input| {
                    tx.inputs
                        .iter()
                        .any(|other| other.previous_output == input.previous_output)
                })
            });
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
            let all = self.ancestors(&self.0[position]);
            all.into_iter()
                .filter(|one| !chosen.contains(one))
                .collect()
        };
        loop {
            let left =
                (0..self.0.len()).filter(|one| !chosen.contains(one) && !passed.contains(one));
            let rate = |position: usize| {
                lower(
                    self.0[position].rate(),
                    self.sum(missing(position, &chosen)),
                )
            };
            let best = left.max_by(|a, b| compare(rate(*a), rate(*b)).then(b.cmp(a)));
            let Some(best) = best else {
                return chosen
                    .into_iter()
                    .map(|one| self.0[one].tx.txid())
                    .collect();
            };
            let package = missing(best, &chosen);
            let weight: u64 = package.iter().map(|one| self.0[*one].tx.weight()).sum();
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
            let one = &self.0[position];
            lower(one.rate(), self.sum(self.ancestors(one)))
        };
        let mut order: Vec<_> = (0..self.0.len()).collect();
        order.sort_by(|left, right| compare(rate(*right), rate(*left)).then(left.cmp(right)));
        order
            .into_iter()
            .map(|position| self.0[position].tx.txid())
            .collect()
    }
}
