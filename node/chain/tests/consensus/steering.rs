//! Blocks called invalid by hand, and given another chance.

use std::collections::BTreeSet;

use minichain_chain::hash::BlockHash;
use minichain_chain::state::{Acceptance, Change, LEG_COINS, State, SteerError};
use minichain_chain::store::{MemoryStore, Status};
use proptest::prelude::*;
use proptest::sample::Index;

use crate::common::pay::pay;
use crate::common::{Branch, COIN, accept, allocation, connect_all, moved_hashes, open, params};
use crate::model::{Known, check_coins, check_digest_and_supply, check_reopened, grow, plans};

fn invalidate(state: &mut State<MemoryStore>, hash: &BlockHash) -> Change {
    let change = state.invalidate(hash).expect("memory does not break");
    change.expect("the block is known")
}

fn reconsider(state: &mut State<MemoryStore>, hash: &BlockHash) -> Change {
    let change = state.reconsider(hash).expect("memory does not break");
    change.expect("the block is known")
}

fn advance(state: &mut State<MemoryStore>) {
    while state.advance().expect("memory does not break").is_some() {}
}

/// ```text
/// 0 ── a1 ── a2 ── a3
///       └── b2
/// ```
fn forked() -> (State<MemoryStore>, Branch, Branch) {
    let mut a = Branch::new(&params());
    a.mine(&[pay(&[(allocation(0), 10 * COIN)], &[10 * COIN])]);
    let mut b = a.fork(1, 1);
    a.mine_empty(2);
    b.mine_empty(1);
    let mut state = open();
    connect_all(&mut state, &a);
    accept(&mut state, b.at(2));
    (state, a, b)
}

#[test]
fn best_of_what_remains_takes_over_and_gives_way_again() {
    let (mut state, a, b) = forked();
    let change = invalidate(&mut state, &a.at(2).hash());
    assert_eq!(
        moved_hashes(&change.disconnected),
        [a.at(3).hash(), a.at(2).hash()]
    );
    assert_eq!(moved_hashes(&change.connected), [b.at(2).hash()]);
    assert_eq!(state.tip().hash, b.at(2).hash());
    check_coins(&state, &b);
    check_digest_and_supply(&state, &b);
    check_reopened(&state);

    let change = reconsider(&mut state, &a.at(2).hash());
    assert_eq!(moved_hashes(&change.disconnected), [b.at(2).hash()]);
    assert_eq!(
        moved_hashes(&change.connected),
        [a.at(2).hash(), a.at(3).hash()]
    );
    assert_eq!(change.rejected, []);
    check_digest_and_supply(&state, &a);
    check_reopened(&state);
}

#[test]
fn whole_chain_can_be_taken_off_and_put_back() {
    let (mut state, a, _) = forked();
    let change = invalidate(&mut state, &a.at(1).hash());
    assert_eq!(change.disconnected.len(), 3);
    assert_eq!(change.connected, []);
    assert_eq!(state.tip().hash, params().genesis_hash());
    check_reopened(&state);
    // Its tip speaks for all below it.
    reconsider(&mut state, &a.at(3).hash());
    check_digest_and_supply(&state, &a);
}

#[test]
fn marked_block_and_all_above_it_are_refused_until_reconsidered() {
    let (mut state, a, b) = forked();
    invalidate(&mut state, &a.at(2).hash());
    let mut longer = a.clone();
    longer.mine_empty(1);
    let verdict = accept(&mut state, longer.at(4));
    assert!(matches!(verdict, Acceptance::Invalid(_)), "{verdict:?}");
    assert_eq!(state.tip().hash, b.at(2).hash());
    reconsider(&mut state, &a.at(2).hash());
    connect_all(&mut state, &longer);
    assert_eq!(state.tip().hash, longer.at(4).hash());
}

#[test]
fn side_block_is_marked_without_a_change_and_never_chosen() {
    let (mut state, a, b) = forked();
    let change = invalidate(&mut state, &b.at(2).hash());
    assert_eq!(change, Change::default());
    invalidate(&mut state, &a.at(2).hash());
    assert_eq!(state.tip().hash, a.at(1).hash());
    check_reopened(&state);
}

#[test]
fn mark_of_its_own_outlives_the_pardon_of_a_block_below() {
    let (mut state, a, b) = forked();
    invalidate(&mut state, &a.at(1).hash());
    let own = invalidate(&mut state, &a.at(3).hash());
    assert_eq!(own, Change::default());
    // Speaks for the ancestor a1, and for what stands on that alone.
    reconsider(&mut state, &b.at(2).hash());
    let status = |hash| state.tree().get(&hash).expect("it is known").status;
    assert_eq!(status(a.at(3).hash()), Status::Forbidden);
    assert!(status(a.at(2).hash()).has_body());
    assert_eq!(state.tip().height.to_u32(), 2);
    check_reopened(&state);
}

#[test]
fn block_that_truly_breaks_a_rule_fails_again() {
    let params = params();
    let mut a = Branch::new(&params);
    a.mine_empty(1);
    let mut bad = a.clone();
    let greedy = bad.next_taking(minichain_chain::amount::MAX_MONEY, &[]);
    bad.push(greedy);
    let mut state = open();
    connect_all(&mut state, &a);
    assert!(matches!(
        accept(&mut state, bad.at(2)),
        Acceptance::Invalid(_)
    ));
    let change = reconsider(&mut state, &bad.at(2).hash());
    assert_eq!(change.rejected.len(), 1);
    assert_eq!(state.tip().hash, a.at(1).hash());
    check_reopened(&state);
}

#[test]
fn unknown_blocks_and_the_genesis_block_are_refused() {
    let (mut state, a, _) = forked();
    let hash = BlockHash::from_bytes([9; 32]);
    let unknown = Ok(Err(SteerError::Unknown { hash }));
    assert_eq!(state.invalidate(&hash), unknown);
    assert_eq!(state.reconsider(&hash), unknown);
    let genesis = params().genesis_hash();
    assert_eq!(state.invalidate(&genesis), Ok(Err(SteerError::Genesis)));
    assert_eq!(state.tip().hash, a.at(3).hash());
}

/// What the rules and the marks together allow, from scratch.
struct Model<'a> {
    tree: &'a [Known],
    marks: BTreeSet<usize>,
    tip: BlockHash,
}

impl Model<'_> {
    fn hash(&self, index: usize) -> BlockHash {
        self.tree[index].branch.tip().hash()
    }

    fn is_below(&self, lower: usize, upper: usize) -> bool {
        let hash = self.hash(lower);
        let mut way = self.tree[upper].branch.blocks.iter();
        way.any(|block| block.hash() == hash)
    }

    fn invalidate(&mut self, index: usize) {
        self.marks.insert(index);
    }

    fn reconsider(&mut self, index: usize) {
        let marks = std::mem::take(&mut self.marks);
        self.marks = marks
            .into_iter()
            .filter(|mark| !self.is_below(*mark, index) && !self.is_below(index, *mark))
            .collect();
    }

    /// Every block has the same work, so the highest wins, and the tip stays
    /// among equals.
    fn check(&mut self, state: &State<MemoryStore>) {
        let is_usable = |index: &usize| {
            self.tree[*index].is_valid
                && !self.marks.iter().any(|mark| self.is_below(*mark, *index))
        };
        let height = |index: usize| self.tree[index].branch.height();
        let usable: Vec<_> = (0..self.tree.len()).filter(is_usable).collect();
        let best = usable.iter().map(|index| height(*index)).max();
        let best: Vec<_> = usable
            .into_iter()
            .filter(|index| Some(height(*index)) == best)
            .collect();
        let tip = state.tip().hash;
        let found = best.iter().find(|index| self.hash(**index) == tip);
        let found = *found.unwrap_or_else(|| panic!("tip {tip} is not among {best:?}"));
        if best.iter().any(|index| self.hash(*index) == self.tip) {
            assert_eq!(tip, self.tip, "the tip stays among equals");
        }
        self.tip = tip;
        check_coins(state, &self.tree[found].branch);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 20, ..ProptestConfig::default() })]

    #[test]
    fn tip_and_coins_equal_the_model_after_every_order(
        plans in plans(),
        leg_coins in prop::sample::select(vec![0, 6, LEG_COINS]),
        orders in prop::collection::vec((any::<bool>(), any::<Index>()), 1..12),
    ) {
        let tree = grow(&params(), &plans);
        let mut state = open();
        state.set_leg_coins(leg_coins);
        for known in &tree[1..] {
            accept(&mut state, known.branch.tip());
            advance(&mut state);
        }
        let mut model = Model { tree: &tree, marks: BTreeSet::new(), tip: state.tip().hash };
        for (is_invalidating, index) in orders {
            let index = index.index(tree.len());
            let hash = model.hash(index);
            if index == 0 || !state.tree().contains(&hash) {
                continue;
            }
            if is_invalidating {
                invalidate(&mut state, &hash);
                model.invalidate(index);
            } else {
                reconsider(&mut state, &hash);
                model.reconsider(index);
            }
            advance(&mut state);
            model.check(&state);
            check_reopened(&state);
        }
    }
}
