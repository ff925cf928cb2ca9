//! Random payments, blocks and reorgs against a pool that recomputes
//! everything from scratch; and every template is a valid block.

use std::collections::BTreeSet;
use std::sync::Arc;

use minichain_chain::block::Block;
use minichain_chain::mempool::{Mempool, PoolEntry, Totals};
use minichain_chain::params::Params;
use minichain_chain::state::{Acceptance, Moved, State};
use minichain_chain::store::MemoryStore;
use minichain_chain::template::{self, COINBASE_WEIGHT_RESERVED};
use minichain_chain::time::UnixSeconds;
use minichain_chain::transaction::{OutPoint, Transaction};
use proptest::prelude::*;
use proptest::sample::Index;

use crate::common::pay::pay;
use crate::common::{Branch, NOW, accept, key, naive, open_with, params, solve};
use crate::naive_pool::{Naive, limits};

#[derive(Clone, Debug)]
enum Step {
    /// Spend outputs of chain or pool, spent ones now and then among them.
    Pay {
        inputs: Vec<Index>,
        outputs: u64,
        fee: u64,
    },
    /// Time passes, and the pool drops what came too long ago.
    Wait { seconds: u32 },
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
        prop_oneof![0..3_000_u64, 0..20_000_u64],
    )
        .prop_map(|(inputs, outputs, fee)| Step::Pay {
            inputs,
            outputs,
            fee,
        });
    let step = prop_oneof![
        14 => pay,
        1 => (1..300_u32).prop_map(|seconds| Step::Wait { seconds }),
        2 => Just(Step::Mine),
        1 => any::<Index>().prop_map(|input| Step::MineRival { input }),
        1 => any::<Index>().prop_map(|depth| Step::Reorg { depth }),
    ];
    prop::collection::vec(step, 1..60)
}

/// Room for about four payments in a block.
fn network() -> Params {
    Params {
        block_weight_max: 4_000,
        ..params()
    }
}

struct World {
    state: State<MemoryStore>,
    pool: Mempool,
    naive: Naive,
    chain: Branch,
    now: UnixSeconds,
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
            now: NOW,
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
            Step::Wait { seconds } => self.wait(*seconds),
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
        let is_expected = self.naive.accept(&tx, &self.chain, self.now, true);
        let shared = Arc::new(tx.clone());
        let foretold = self.pool.check(&shared, &self.state);
        let result = self.pool.accept(shared, &self.state, self.now);
        assert_eq!(foretold, result);
        let result = result.expect("the store works");
        assert_eq!(result.is_ok(), is_expected, "{result:?}");
        if is_expected {
            self.note(&tx);
        }
    }

    fn wait(&mut self, seconds: u32) {
        self.now = self.now.saturating_add(seconds);
        let before: BTreeSet<_> = self.pool.txids().collect();
        let gone: BTreeSet<_> = self.pool.expire(self.now).into_iter().collect();
        let after: BTreeSet<_> = self.pool.txids().collect();
        assert_eq!(&before - &gone, after);
        self.naive.expire(self.now);
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
        let new_blocks = self.chain.blocks.split_off((height - depth) as usize + 1);
        self.chain.blocks.extend_from_slice(&new_blocks);
        for block in &new_blocks {
            self.hand_over(block);
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
                let (left, came) = (self.blocks(&disconnected), self.blocks(&connected));
                self.naive
                    .on_tip_changed(&left, &came, &self.chain, self.now);
                let followed =
                    self.pool
                        .on_tip_changed(&disconnected, &connected, &self.state, self.now);
                followed.expect("the store works");
            }
            Acceptance::SideBranch { .. } => {}
            other => panic!("unexpected: {other:?}"),
        }
    }

    fn blocks(&self, moved: &[Moved]) -> Vec<Arc<Block>> {
        let blocks = moved.iter().map(|moved| moved.block(&self.state));
        blocks.collect::<Result<_, _>>().expect("the store works")
    }

    fn check(&self) {
        let order: Vec<_> = self
            .pool
            .iter_by_fee_rate()
            .map(|entry| entry.txid)
            .collect();
        assert_eq!(order, self.naive.mining_order());
        assert_eq!(self.pool.len(), self.naive.all.len());
        assert_eq!(self.pool.bytes(), self.naive.bytes());
        assert_eq!(
            self.pool.min_fee_rate_sat_per_kvb(),
            self.naive.floor.max(limits().min_fee_rate_sat_per_kvb)
        );
        let arrivals: Vec<_> = self
            .pool
            .iter_by_arrival(0)
            .map(|entry| entry.txid)
            .collect();
        let expected: Vec<_> = self.naive.all.iter().map(|one| one.tx.txid()).collect();
        assert_eq!(arrivals, expected);
        assert!(self.pool.bytes() <= limits().bytes_max);
        let vbytes: u64 = self.naive.all.iter().map(|one| one.tx.vsize()).sum();
        assert_eq!(self.pool.vbytes(), vbytes);
        for (position, one) in self.naive.all.iter().enumerate() {
            let entry = self.pool.entry(&one.tx.txid()).expect("both have it");
            assert_eq!((entry.fee.to_sat(), entry.time), (one.fee, one.time));
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
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn pool_equals_the_naive_one_and_templates_are_valid(steps in steps()) {
        let mut world = World::new();
        for step in &steps {
            world.step(step);
            world.check();
        }
    }
}
