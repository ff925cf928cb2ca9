//! Random payments, blocks and reorgs against a pool that recomputes
//! everything from scratch; and every template is a valid block.

use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::sync::Arc;

use minichain_chain::block::Block;
use minichain_chain::hash::Txid;
use minichain_chain::mempool::{ENTRY_OVERHEAD_BYTES, Mempool, MempoolLimits, PoolEntry, Totals};
use minichain_chain::params::Params;
use minichain_chain::state::{Acceptance, State};
use minichain_chain::store::MemoryStore;
use minichain_chain::template::{self, COINBASE_WEIGHT_RESERVED};
use minichain_chain::transaction::{OutPoint, Transaction};
use proptest::prelude::*;
use proptest::sample::Index;

use crate::common::pay::pay;
use crate::common::{Branch, accept, key, naive, open_with, params, solve};

#[derive(Clone, Debug)]
enum Step {
    /// Spend outputs of chain or pool, spent ones now and then among them.
    Pay {
        inputs: Vec<Index>,
        outputs: u64,
        fee: u64,
    },
    /// Solve the template.
    Mine,
    /// A block from elsewhere that spends one output in its own way.
    MineRival { input: Index },
    /// A heavier branch of empty blocks replaces the last ones.
    Reorg { depth: Index },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let pay = (
        prop::collection::vec(any::<Index>(), 1..3),
        1..4_u64,
        0..3_000_u64,
    )
        .prop_map(|(inputs, outputs, fee)| Step::Pay {
            inputs,
            outputs,
            fee,
        });
    let step = prop_oneof![
        14 => pay,
        2 => Just(Step::Mine),
        1 => any::<Index>().prop_map(|input| Step::MineRival { input }),
        1 => any::<Index>().prop_map(|depth| Step::Reorg { depth }),
    ];
    prop::collection::vec(step, 1..60)
}

fn limits() -> MempoolLimits {
    MempoolLimits {
        bytes_max: 16_000,
        ancestors_max: 4,
        min_fee_rate_sat_per_kvb: 100,
    }
}

/// Room for about four payments in a block.
fn network() -> Params {
    Params {
        block_weight_max: 4_000,
        ..params()
    }
}

#[derive(Clone)]
struct Waiting {
    tx: Transaction,
    fee: u64,
}

/// Transactions in the order they came; all else is searched for.
#[derive(Clone, Default)]
struct Naive(Vec<Waiting>);

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
    fn bytes(&self) -> u64 {
        self.0
            .iter()
            .map(|one| one.tx.total_size() + ENTRY_OVERHEAD_BYTES)
            .sum()
    }

    /// Positions of a transaction and all it depends on.
    fn ancestors(&self, tx: &Waiting) -> BTreeSet<usize> {
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
    fn descendants(&self, position: usize) -> BTreeSet<usize> {
        let depends = |index: &usize| self.ancestors(&self.0[*index]).contains(&position);
        (0..self.0.len()).filter(depends).collect()
    }

    fn sum(&self, positions: impl IntoIterator<Item = usize>) -> (u64, u64) {
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
    fn accept(&mut self, tx: &Transaction, chain: &Branch, is_new: bool) -> bool {
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
        let wanted = waiting.tx.total_size() + ENTRY_OVERHEAD_BYTES;
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

    fn on_tip_changed(
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
    fn select(&self, mut room: u64) -> Vec<Txid> {
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

    fn mining_order(&self) -> Vec<Txid> {
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

struct World {
    state: State<MemoryStore>,
    pool: Mempool,
    naive: Naive,
    chain: Branch,
    /// Every output ever made, with its value.
    outputs: Vec<(OutPoint, u64)>,
}

impl World {
    fn new() -> Self {
        let params = network();
        let chain = Branch::new(&params);
        let mut world = Self {
            state: open_with(params),
            pool: Mempool::new(limits()),
            naive: Naive::default(),
            chain,
            outputs: Vec::new(),
        };
        let genesis = world.chain.tip().transactions[0].clone();
        world.note(&genesis);
        world
    }

    fn note(&mut self, tx: &Transaction) {
        for (vout, output) in (0_u32..).zip(&tx.outputs) {
            let made = (tx.outpoint(vout), output.value.to_sat());
            if output.script_pubkey.is_p2tr().is_some() && !self.outputs.contains(&made) {
                self.outputs.push(made);
            }
        }
    }

    fn step(&mut self, step: &Step) {
        match step {
            Step::Pay {
                inputs,
                outputs,
                fee,
            } => self.pay(inputs, *outputs, *fee),
            Step::Mine => self.mine(),
            Step::MineRival { input } => self.mine_rival(input),
            Step::Reorg { depth } => self.reorg(depth),
        }
    }

    fn pay(&mut self, inputs: &[Index], outputs: u64, fee: u64) {
        // The young ones are more interesting.
        let window = self.outputs.len().min(14);
        let offset = self.outputs.len() - window;
        let inputs: BTreeSet<_> = inputs
            .iter()
            .map(|one| offset + one.index(window))
            .collect();
        let inputs: Vec<_> = inputs.into_iter().map(|one| self.outputs[one]).collect();
        let value: u64 = inputs.iter().map(|(_, value)| value).sum();
        if value < fee + outputs {
            return;
        }
        let each = (value - fee) / outputs;
        let mut values = vec![each; usize::try_from(outputs).expect("small")];
        values[0] += value - fee - each * outputs;
        let tx = pay(&inputs, &values);
        let is_expected = self.naive.accept(&tx, &self.chain, true);
        let result = self
            .pool
            .accept(Arc::new(tx.clone()), &self.state)
            .expect("the store works");
        assert_eq!(result.is_ok(), is_expected, "{result:?}");
        if is_expected {
            self.note(&tx);
        }
    }

    /// The template is the naive selection and a valid block.
    fn mine(&mut self) {
        let now = self.chain.tip().header.time.saturating_add(5);
        let output_key = key().output_key();
        let template = template::build(&self.state, &self.pool, output_key, 1, b"model", now);
        let mut block = template.block;
        let chosen: Vec<_> = block.transactions[1..]
            .iter()
            .map(Transaction::txid)
            .collect();
        let weight_max = u64::from(self.chain.params.block_weight_max);
        assert_eq!(
            chosen,
            self.naive.select(weight_max - COINBASE_WEIGHT_RESERVED)
        );
        assert!(block.weight() <= weight_max);
        solve(&mut block.header);
        self.extend(block);
    }

    fn mine_rival(&mut self, input: &Index) {
        let coins = naive::coins_after(&self.chain.blocks);
        let height = self.chain.height().to_u32() + 1;
        let maturity = self.chain.params.coinbase_maturity;
        let spendable: Vec<_> = coins
            .iter()
            .filter(|(_, coin)| !coin.is_coinbase || coin.height.to_u32() + maturity <= height)
            .map(|(outpoint, coin)| (*outpoint, coin.output.value.to_sat()))
            .filter(|(_, value)| *value > 10)
            .collect();
        if spendable.is_empty() {
            return;
        }
        let coin = spendable[input.index(spendable.len())];
        let tx = pay(&[coin], &[coin.1 - 7]);
        let block = self.chain.next(&[tx]);
        self.extend(block);
    }

    fn extend(&mut self, block: Block) {
        let block = self.chain.push(block);
        for tx in &block.transactions {
            self.note(tx);
        }
        self.hand_over(&block);
        assert_eq!(self.state.tip().hash, block.hash());
    }

    fn reorg(&mut self, depth: &Index) {
        let height = self.chain.height().to_u32();
        if height == 0 {
            return;
        }
        let depth = 1 + u32::try_from(depth.index(height.min(4) as usize)).expect("small");
        let tag = self.chain.tag + 1;
        self.chain = self.chain.fork(height - depth, tag);
        self.chain.mine_empty(depth + 1);
        for block in self.chain.blocks[(height - depth) as usize + 1..].to_vec() {
            self.hand_over(&block);
        }
        assert_eq!(self.state.tip().hash, self.chain.tip().hash());
    }

    fn hand_over(&mut self, block: &Arc<Block>) {
        match accept(&mut self.state, block) {
            Acceptance::TipChanged {
                disconnected,
                connected,
                rejected,
            } => {
                assert_eq!(rejected, []);
                self.naive
                    .on_tip_changed(&disconnected, &connected, &self.chain);
                let followed = self
                    .pool
                    .on_tip_changed(&disconnected, &connected, &self.state);
                followed.expect("the store works");
            }
            Acceptance::SideBranch { .. } => {}
            other => panic!("unexpected: {other:?}"),
        }
    }

    fn check(&self) {
        let order: Vec<_> = self
            .pool
            .iter_by_fee_rate()
            .map(|entry| entry.txid)
            .collect();
        assert_eq!(order, self.naive.mining_order());
        assert_eq!(self.pool.len(), self.naive.0.len());
        assert_eq!(self.pool.bytes(), self.naive.bytes());
        assert!(self.pool.bytes() <= limits().bytes_max);
        let vbytes: u64 = self.naive.0.iter().map(|one| one.tx.vsize()).sum();
        assert_eq!(self.pool.vbytes(), vbytes);
        for (position, one) in self.naive.0.iter().enumerate() {
            let entry = self.pool.entry(&one.tx.txid()).expect("both have it");
            assert_eq!(entry.fee.to_sat(), one.fee);
            check_totals(
                entry,
                &entry.ancestors,
                &self.naive,
                &self.naive.ancestors(one),
            );
            check_totals(
                entry,
                &entry.descendants,
                &self.naive,
                &self.naive.descendants(position),
            );
            for input in &one.tx.inputs {
                assert_eq!(self.pool.spender(&input.previous_output), Some(entry.txid));
            }
        }
    }
}

fn check_totals(entry: &PoolEntry, totals: &Totals, naive: &Naive, positions: &BTreeSet<usize>) {
    let (fees, vsize) = naive.sum(positions.iter().copied());
    let found = (totals.count, totals.fees.to_sat(), totals.vsize);
    assert_eq!(found, (positions.len(), fees, vsize), "{}", entry.txid);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn pool_equals_the_naive_one_and_templates_are_valid(steps in steps()) {
        let mut world = World::new();
        for step in &steps {
            world.step(step);
            world.check();
        }
    }
}
