//! Random block trees, handed over in random order, against a model that
//! recomputes everything from scratch.

use std::collections::BTreeSet;
use std::sync::Arc;

use minichain_chain::amount::Amount;
use minichain_chain::block::Block;
use minichain_chain::hash::BlockHash;
use minichain_chain::height::Height;
use minichain_chain::params::Params;
use minichain_chain::state::{Acceptance, HeaderAcceptance, LEG_COINS, State};
use minichain_chain::store::{MemoryStore, Store};
use minichain_chain::transaction::{OutPoint, Transaction};
use proptest::prelude::*;
use proptest::sample::Index;

use crate::common::pay::pay;
use crate::common::{Branch, COIN, NOW, accept, naive, open_with, params};

/// What is wrong with a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flaw {
    None,
    Reward,
    MissingInput,
    Signature,
}

#[derive(Clone, Debug)]
pub struct Plan {
    /// Which earlier block it stands on; late ones are preferred.
    parent: Index,
    is_near_the_end: bool,
    flaw: Flaw,
    /// Which coins it spends.
    spends: Vec<Index>,
}

pub fn plans() -> impl Strategy<Value = Vec<Plan>> {
    let flaw = prop_oneof![
        12 => Just(Flaw::None),
        1 => Just(Flaw::Reward),
        1 => Just(Flaw::MissingInput),
        1 => Just(Flaw::Signature),
    ];
    let plan = (
        any::<Index>(),
        prop::bool::weighted(0.8),
        flaw,
        prop::collection::vec(any::<Index>(), 0..3),
    );
    let plan = plan.prop_map(|(parent, is_near_the_end, flaw, spends)| Plan {
        parent,
        is_near_the_end,
        flaw,
        spends,
    });
    prop::collection::vec(plan, 1..28)
}

/// A block, its way from the genesis block, and whether it obeys every rule.
pub struct Known {
    pub branch: Branch,
    pub is_valid: bool,
}

pub fn grow(params: &Params, plans: &[Plan]) -> Vec<Known> {
    let mut tree = vec![Known {
        branch: Branch::new(params),
        is_valid: true,
    }];
    for (number, plan) in plans.iter().enumerate() {
        let window = if plan.is_near_the_end {
            tree.len().min(3)
        } else {
            tree.len()
        };
        let parent = &tree[tree.len() - 1 - plan.parent.index(window)];
        let mut branch = parent.branch.clone();
        branch.tag = number as u64 + 1;
        let is_valid = parent.is_valid && plan.flaw == Flaw::None;
        let block = make_block(&branch, plan, parent.is_valid);
        branch.push(block);
        tree.push(Known { branch, is_valid });
    }
    tree
}

fn make_block(branch: &Branch, plan: &Plan, has_coins: bool) -> Block {
    let height = branch.height().next().expect("a test's chain is short");
    let mut transactions = if has_coins {
        payments(branch, height, plan)
    } else {
        Vec::new()
    };
    match plan.flaw {
        Flaw::None => {}
        Flaw::Reward => {
            let subsidy = branch.params.subsidy(height).to_sat();
            return branch.next_taking(Amount::from_sat(subsidy + 30 * COIN), &transactions);
        }
        Flaw::MissingInput => {
            let nowhere = OutPoint {
                vout: 77,
                ..crate::common::allocation(0)
            };
            transactions.push(pay(&[(nowhere, COIN)], &[COIN]));
        }
        Flaw::Signature => {
            let mut tx = pay(
                &[(
                    OutPoint {
                        vout: 7,
                        ..crate::common::allocation(0)
                    },
                    10 * COIN,
                )],
                &[1],
            );
            tx.inputs[0].witness.0[0][0] ^= 1;
            // Where that coin is spent already, an input is missing instead.
            transactions.push(tx);
        }
    }
    branch.next(&transactions)
}

fn payments(branch: &Branch, height: Height, plan: &Plan) -> Vec<Transaction> {
    let maturity = branch.params.coinbase_maturity;
    let mut coins: Vec<_> = naive::coins_after(&branch.blocks)
        .into_iter()
        .filter(|(outpoint, coin)| {
            // The last allocation is kept for broken signatures.
            outpoint.vout != 7
                && (!coin.is_coinbase || height.to_u32() >= coin.height.to_u32() + maturity)
                && coin.output.value.to_sat() > 1_000
        })
        .map(|(outpoint, coin)| (outpoint, coin.output.value.to_sat()))
        .collect();
    let mut payments = Vec::new();
    for spend in &plan.spends {
        let coin = coins.swap_remove(spend.index(coins.len()));
        let half = coin.1 / 2;
        let tx = pay(&[coin], &[half, half - 10]);
        // Its change may be spent in the same block.
        coins.push((tx.outpoint(0), half));
        payments.push(tx);
        if coins.is_empty() {
            break;
        }
    }
    payments
}

/// How the blocks are handed over.
#[derive(Clone, Copy, Debug)]
enum Delivery {
    /// All headers first, as when catching up.
    HeadersFirst,
    /// Blocks only; orphans are handed over again.
    BlocksOnly,
}

struct Model<'a> {
    tree: &'a [Known],
    arrived: BTreeSet<BlockHash>,
    tip: usize,
}

impl Model<'_> {
    fn hash(&self, index: usize) -> BlockHash {
        self.tree[index].branch.tip().hash()
    }

    fn height(&self, index: usize) -> u32 {
        self.tree[index].branch.height().to_u32()
    }

    fn is_usable(&self, index: usize) -> bool {
        let known = &self.tree[index];
        let way = &known.branch.blocks[1..];
        known.is_valid && way.iter().all(|block| self.arrived.contains(&block.hash()))
    }

    /// Every block has the same work, so the highest wins, and the tip stays
    /// among equals.
    fn possible_tips(&self) -> Vec<usize> {
        let usable: Vec<_> = (0..self.tree.len())
            .filter(|index| self.is_usable(*index))
            .collect();
        let best = usable
            .iter()
            .map(|index| self.height(*index))
            .max()
            .expect("genesis is usable");
        if self.height(self.tip) == best {
            return vec![self.tip];
        }
        usable
            .into_iter()
            .filter(|index| self.height(*index) == best)
            .collect()
    }

    fn check(&mut self, state: &State<MemoryStore>) {
        let tip = state.tip().hash;
        let possible = self.possible_tips();
        let found = possible
            .iter()
            .copied()
            .find(|index| self.hash(*index) == tip);
        self.tip = found.unwrap_or_else(|| panic!("tip {tip} is not among {possible:?}"));
        check_coins(state, &self.tree[self.tip].branch);
    }
}

/// Coins and counts equal those computed from scratch.
pub fn check_coins(state: &State<MemoryStore>, branch: &Branch) {
    let expected = naive::coins_after(&branch.blocks);
    let found = state.store().coins();
    assert!(
        found.eq(expected.iter()),
        "the stored coins are not those of the chain"
    );
    let stats = state.coin_stats();
    assert_eq!(stats.count, expected.len() as u64);
    assert_eq!(stats.total, naive::total(&expected));
    assert_eq!(state.tip().height, branch.height());
    for (height, block) in (0_u32..).zip(&branch.blocks) {
        assert_eq!(state.active_at(Height(height)), Some(block.hash()));
    }
    assert_eq!(state.active_at(Height(branch.height().to_u32() + 1)), None);
}

/// What takes longer to compute.
pub fn check_digest_and_supply(state: &State<MemoryStore>, branch: &Branch) {
    let info = state.utxo_info();
    assert_eq!(info.hash, branch.tip().hash());
    assert_eq!(
        info.muhash,
        naive::muhash(&naive::coins_after(&branch.blocks))
    );
    let burned = naive::burned(&branch.params, &branch.blocks);
    let supply = branch.params.supply_at(info.height);
    assert_eq!(info.total.checked_add(burned), Some(supply));
}

/// A reopened store gives the same state.
pub fn check_reopened(state: &State<MemoryStore>) {
    let reopened = State::open(state.params().clone(), state.store().clone()).expect("it opens");
    assert_eq!(reopened.tip().hash, state.tip().hash);
    assert_eq!(reopened.utxo_info(), state.utxo_info());
    let describe = |state: &State<MemoryStore>| {
        let entries = state.tree().iter();
        entries
            .map(|one| {
                (
                    one.hash,
                    one.height,
                    one.chainwork,
                    one.sequence,
                    one.status,
                    one.is_connectable,
                )
            })
            .collect::<Vec<_>>()
    };
    assert_eq!(describe(&reopened), describe(state));
    let best = |state: &State<MemoryStore>| state.tree().best_header().chainwork;
    assert_eq!(best(&reopened), best(state));
    assert_eq!(reopened.store().tip(), state.store().tip());
}

fn deliver(tree: &[Known], mut order: Vec<usize>, delivery: Delivery, leg_coins: usize) {
    let mut state = open_with(params());
    state.set_leg_coins(leg_coins);
    let mut model = Model {
        tree,
        arrived: BTreeSet::new(),
        tip: 0,
    };
    if matches!(delivery, Delivery::HeadersFirst) {
        for known in &tree[1..] {
            let header = known.branch.tip().header;
            assert_eq!(state.accept_header(header, NOW), Ok(HeaderAcceptance::New));
        }
    }
    loop {
        let before = order.len();
        let mut orphans = Vec::new();
        for index in order {
            let block: &Arc<Block> = tree[index].branch.tip();
            match accept(&mut state, block) {
                Acceptance::Orphan { .. } => orphans.push(index),
                Acceptance::Invalid(_) => assert!(!tree[index].is_valid),
                Acceptance::Mutated(error) => panic!("{error}"),
                _ => {
                    model.arrived.insert(block.hash());
                }
            }
            while state.advance().expect("memory does not fail").is_some() {}
            model.check(&state);
        }
        if orphans.len() == before {
            // Headers above invalid blocks are not remembered, so what stands
            // higher stays without a parent.
            assert!(orphans.iter().all(|index| !tree[*index].is_valid));
            break;
        }
        order = orphans;
    }
    check_digest_and_supply(&state, &tree[model.tip].branch);
    check_reopened(&state);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

    #[test]
    fn tip_coins_and_digest_equal_the_model(
        (plans, order) in plans().prop_flat_map(|plans| {
            let order = Just((1..=plans.len()).collect::<Vec<_>>()).prop_shuffle();
            (Just(plans), order)
        }),
        headers_first in any::<bool>(),
        leg_coins in prop::sample::select(vec![0, 6, LEG_COINS]),
    ) {
        let tree = grow(&params(), &plans);
        let delivery =
            if headers_first { Delivery::HeadersFirst } else { Delivery::BlocksOnly };
        deliver(&tree, order, delivery, leg_coins);
    }
}
