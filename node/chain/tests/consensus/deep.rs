//! Reorganisations deeper than what fits into one batch.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::rc::Rc;
use std::sync::{Arc, Weak};

use minichain_chain::amount::MAX_MONEY;
use minichain_chain::block::Block;
use minichain_chain::mempool::{Mempool, MempoolLimits};
use minichain_chain::state::{Acceptance, Change, STEP_BLOCKS, State};
use minichain_chain::store::{Batch, MemoryStore, StoreError};
use minichain_chain::transaction::Transaction;

use crate::common::pay::pay;
use crate::common::store::{Gate, Gated};
use crate::common::{
    Branch, COIN, NOW, accept, allocation, connect_all, hashes, moved_hashes, naive, params,
};

/// What one batch may change here, and what a block of these tests changes at most.
const LEG_COINS: usize = 10;
const BLOCK_COINS: usize = 8;

/// Remembers what a crash after each batch would leave, and what batches held.
#[derive(Clone, Debug, Default)]
struct Watch {
    snapshots: Rc<RefCell<Vec<MemoryStore>>>,
    coins_max: Rc<Cell<usize>>,
    lent: Rc<RefCell<Vec<Weak<Block>>>>,
    lent_max: Rc<Cell<usize>>,
}

impl Gate for Watch {
    fn before(&mut self, batch: &Batch) -> Result<(), StoreError> {
        let repeated = batch.undos.iter().map(|(_, undo)| undo.spent.len());
        let coins = batch.coins.len() + repeated.sum::<usize>();
        self.coins_max.set(self.coins_max.get().max(coins));
        Ok(())
    }

    fn after(&mut self, store: &MemoryStore) {
        self.snapshots.borrow_mut().push(store.clone());
    }

    /// As from a disk: a block of its own each time.
    fn lend(&self, block: &Arc<Block>) -> Arc<Block> {
        let block = Arc::new(Block::clone(block));
        let mut lent = self.lent.borrow_mut();
        lent.retain(|one| one.strong_count() > 0);
        lent.push(Arc::downgrade(&block));
        self.lent_max.set(self.lent_max.get().max(lent.len()));
        block
    }
}

impl Watch {
    fn forget(&self) {
        self.snapshots.borrow_mut().clear();
        self.coins_max.set(0);
        self.lent_max.set(0);
    }
}

/// A payment in every tenth block, the first one in block 1.
fn payments(sats: u64) -> Vec<Transaction> {
    let pay = |number| pay(&[(allocation(number), 10 * COIN)], &[sats, COIN]);
    (0..8).map(pay).collect()
}

fn grow(branch: &mut Branch, height: u32, payments: &[Transaction]) {
    while branch.height().to_u32() < height {
        let below = branch.height().to_u32() as usize;
        let due = payments
            .get(below / 10)
            .filter(|_| below.is_multiple_of(10));
        branch.mine(due.map(std::slice::from_ref).unwrap_or_default());
    }
}

/// A state with small legs on branch `a`; blocks of `b` but the last wait.
fn before_the_last_block(a: &Branch, b: &Branch) -> (State<Gated<Watch>>, Watch) {
    let store = Gated::<Watch>::default();
    let watch = store.gate.clone();
    let mut state = State::open(params(), store).expect("an empty store opens");
    state.set_leg_coins(LEG_COINS);
    connect_all(&mut state, a);
    for block in &b.blocks[1..b.blocks.len() - 1] {
        accept(&mut state, block);
    }
    assert_eq!(state.tip().hash, a.tip().hash());
    watch.forget();
    (state, watch)
}

/// How many tips the snapshots have, and what each leads to when it is opened.
fn check_survivors(watch: &Watch, allowed: &[&Branch]) -> usize {
    let mut tips = BTreeSet::new();
    for snapshot in watch.snapshots.borrow().iter() {
        let stored = minichain_chain::store::Store::tip(snapshot).expect("memory does not fail");
        tips.insert(stored.expect("there is a tip").hash);
        let survivor = State::open(params(), snapshot.clone()).expect("it opens");
        let tip = survivor.tip().hash;
        let branch = allowed.iter().find(|branch| branch.tip().hash() == tip);
        let branch = branch.expect("a crash leads to the old tip or the new one");
        let coins = naive::coins_after(&branch.blocks);
        assert_eq!(survivor.utxo_info().muhash, naive::muhash(&coins));
    }
    tips.len()
}

/// ```text
/// 0 ── a1 ── … ── a90
///  └── b1 ── … ── b91
/// ```
#[test]
fn deep_reorganisation_takes_many_batches_and_a_crash_after_any_leads_to_its_end() {
    let (mut a, mut b) = (Branch::new(&params()), Branch::new(&params()));
    b.tag = 1;
    grow(&mut a, 90, &payments(2 * COIN));
    grow(&mut b, 91, &payments(3 * COIN));
    let (mut state, watch) = before_the_last_block(&a, &b);
    let Acceptance::TipChanged {
        disconnected,
        connected,
        rejected,
    } = accept(&mut state, b.tip())
    else {
        panic!("the other branch has more work");
    };
    let mut left = hashes(&a.blocks[1..]);
    left.reverse();
    assert_eq!(moved_hashes(&disconnected), left);
    assert_eq!(moved_hashes(&connected), hashes(&b.blocks[1..]));
    assert_eq!(rejected, []);
    let expected = naive::coins_after(&b.blocks);
    assert_eq!(state.utxo_info().muhash, naive::muhash(&expected));
    assert!(state.store().inner.coins().eq(expected.iter()));
    assert!(check_survivors(&watch, &[&a, &b]) > 10);
    assert!(watch.coins_max.get() <= LEG_COINS + BLOCK_COINS);
}

/// ```text
/// 0 ── a1 ── … ── a90
///  └── b1 ── … ── B80 ── … ── b91      B80 takes too much
/// ```
#[test]
fn flaw_deep_in_the_other_branch_leads_back_to_the_old_tip() {
    let (mut a, mut b) = (Branch::new(&params()), Branch::new(&params()));
    b.tag = 1;
    grow(&mut a, 90, &payments(2 * COIN));
    grow(&mut b, 79, &payments(3 * COIN));
    let greedy = b.next_taking(MAX_MONEY, &[]);
    b.push(greedy);
    grow(&mut b, 91, &[]);
    let (mut state, watch) = before_the_last_block(&a, &b);
    let verdict = accept(&mut state, b.tip());
    assert!(matches!(verdict, Acceptance::Invalid(_)), "{verdict:?}");
    assert_eq!(state.tip().hash, a.tip().hash());
    assert!(
        state
            .store()
            .inner
            .coins()
            .eq(naive::coins_after(&a.blocks).iter())
    );
    assert!(check_survivors(&watch, &[&a]) > 20);
    assert!(!state.can_advance());
    a.mine_empty(1);
    connect_all(&mut state, &a);
}

/// ```text
/// 0 ── a1 ── … ── a90        a1 is called invalid
///  └── b1 ── … ── b70
/// ```
#[test]
fn long_way_down_ends_with_the_mark_or_leads_back() {
    let (mut a, mut b) = (Branch::new(&params()), Branch::new(&params()));
    b.tag = 1;
    grow(&mut a, 90, &payments(2 * COIN));
    grow(&mut b, 71, &payments(3 * COIN));
    let (mut state, watch) = before_the_last_block(&a, &b);
    let steered = state.invalidate(&a.at(1).hash());
    let change: Change = steered.expect("the store works").expect("it is known");
    assert_eq!(change.disconnected.len(), 90);
    let mut connected = change.connected.len();
    while let Some(change) = state.advance().expect("the store works") {
        assert!(change.disconnected.is_empty());
        connected += change.connected.len();
    }
    assert_eq!(connected, 70);
    b.blocks.pop();
    assert_eq!(state.tip().hash, b.tip().hash());
    assert!(check_survivors(&watch, &[&a, &b]) > 10);
    assert!(watch.coins_max.get() <= LEG_COINS + BLOCK_COINS);
}

/// ```text
/// 0 ── a1 ── … ── a300       with payments
///  └── b1 ── … ── b301
/// ```
#[test]
fn payments_wait_again_after_a_deep_reorganisation_that_holds_few_bodies() {
    let (mut a, mut b) = (Branch::new(&params()), Branch::new(&params()));
    b.tag = 1;
    let paid = payments(2 * COIN);
    grow(&mut a, 300, &paid);
    // One of them is made impossible, one is confirmed by both.
    let rival = pay(&[(allocation(0), 10 * COIN)], &[COIN]);
    grow(&mut b, 301, &[rival, paid[1].clone()]);
    let (mut state, watch) = before_the_last_block(&a, &b);
    let mut pool = Mempool::new(MempoolLimits::default());
    let waiting = pay(&[(paid[7].outpoint(0), 2 * COIN)], &[COIN]);
    let taken = pool.accept(Arc::new(waiting.clone()), &state, NOW);
    assert!(taken.expect("the store works").is_ok());
    let Acceptance::TipChanged {
        disconnected,
        connected,
        ..
    } = accept(&mut state, b.tip())
    else {
        panic!("the other branch has more work");
    };
    assert_eq!((disconnected.len(), connected.len()), (300, 301));
    let followed = pool.on_tip_changed(&disconnected, &connected, &state, NOW);
    followed.expect("the store works");
    let held = watch.lent_max.get();
    // Each of the two lists, once as the step's and once as the whole way's,
    // and the blocks just looked at.
    assert!(
        (STEP_BLOCKS..=4 * STEP_BLOCKS + 2).contains(&held),
        "{held}"
    );
    let found: BTreeSet<_> = pool.txids().collect();
    let back = paid[2..].iter().chain([&waiting]).map(Transaction::txid);
    assert_eq!(found, back.collect());
}
