//! What the mempool takes, refuses, orders and gives back.

use std::sync::Arc;

use minichain_chain::amount::Amount;
use minichain_chain::mempool::{
    FeeRate, Mempool, MempoolError, MempoolLimits, REASONS, TRANSACTION_WEIGHT_MAX, memory_bytes,
};
use minichain_chain::script::Script;
use minichain_chain::state::{Acceptance, State};
use minichain_chain::store::MemoryStore;
use minichain_chain::transaction::{OutPoint, Transaction, TxOut};

use crate::common::pay::{own_output, pay, sign, unsigned};
use crate::common::{
    Branch, COIN, MATURITY, NOW, accept, allocation, connect, open, open_with, params,
};

const TEN: u64 = 10 * COIN;

struct Setting {
    state: State<MemoryStore>,
    pool: Mempool,
    branch: Branch,
}

impl Setting {
    fn new() -> Self {
        Self::with(MempoolLimits::default())
    }

    fn with(limits: MempoolLimits) -> Self {
        let branch = Branch::new(&params());
        Self {
            state: open(),
            pool: Mempool::new(limits),
            branch,
        }
    }

    fn submit(
        &mut self,
        tx: &Transaction,
    ) -> Result<Vec<minichain_chain::hash::Txid>, MempoolError> {
        let result = self.pool.accept(Arc::new(tx.clone()), &self.state, NOW);
        let result = result.expect("the store works");
        if let Err(error) = &result {
            assert!(REASONS.contains(&error.rule()));
        }
        result.map(|accepted| accepted.evicted)
    }

    fn takes(&mut self, tx: &Transaction) {
        assert_eq!(self.submit(tx), Ok(Vec::new()));
        assert!(self.pool.contains(&tx.txid()));
    }

    fn refuses(&mut self, tx: &Transaction) -> MempoolError {
        let before: Vec<_> = self.pool.txids().collect();
        let error = self.submit(tx).expect_err("it must be refused");
        assert!(before.into_iter().eq(self.pool.txids()));
        error
    }

    /// Mines on the branch and follows.
    fn mine(&mut self, transactions: &[Transaction]) {
        let block = self.branch.mine(transactions);
        connect(&mut self.state, &block);
        self.pool
            .on_tip_changed(&[], &[block.into()], &self.state, NOW)
            .expect("the store works");
    }

    /// Hands over the branch's blocks above `height`, of which the last makes
    /// it the best.
    fn reorganise(&mut self, branch: Branch, height: usize) {
        for block in &branch.blocks[height + 1..] {
            if let Acceptance::TipChanged {
                disconnected,
                connected,
                ..
            } = accept(&mut self.state, block)
            {
                let followed =
                    self.pool
                        .on_tip_changed(&disconnected, &connected, &self.state, NOW);
                followed.expect("the store works");
            }
        }
        assert_eq!(self.state.tip().hash, branch.tip().hash());
        self.branch = branch;
    }
}

/// Pays `fee` out of an allocation.
fn payment(number: u32, fee: u64) -> Transaction {
    pay(&[(allocation(number), TEN)], &[TEN - fee])
}

fn child(parent: &Transaction, fee: u64) -> Transaction {
    let value = parent.outputs[0].value.to_sat();
    pay(&[(parent.outpoint(0), value)], &[value - fee])
}

#[test]
fn payment_is_taken_once() {
    let mut setting = Setting::new();
    let tx = payment(0, 1_000);
    let accepted = setting
        .pool
        .accept(Arc::new(tx.clone()), &setting.state, NOW);
    let accepted = accepted.expect("the store works").expect("it is fine");
    assert_eq!(accepted.txid, tx.txid());
    assert_eq!(accepted.fee, Amount::from_sat(1_000));
    assert_eq!(accepted.vsize, tx.vsize());
    assert_eq!(
        setting.pool.get(&tx.txid()).map(|tx| tx.txid()),
        Some(tx.txid())
    );
    assert_eq!(setting.pool.vbytes(), tx.vsize());
    assert_eq!(setting.pool.bytes(), memory_bytes(&tx));
    assert!(setting.pool.is_spent(&allocation(0)));
    let error = setting.refuses(&tx);
    assert_eq!(error, MempoolError::AlreadyKnown { txid: tx.txid() });
    assert!(!error.is_never_valid());
}

#[test]
fn confirmed_transaction_is_told_from_one_without_inputs() {
    let mut setting = Setting::new();
    let tx = payment(0, 1_000);
    let later = child(&child(&tx, 1_000), 1_000);
    assert_eq!(setting.refuses(&later).rule(), "missing_inputs");
    setting.mine(std::slice::from_ref(&tx));
    assert_eq!(
        setting.refuses(&tx),
        MempoolError::AlreadyConfirmed { txid: tx.txid() }
    );
}

#[test]
fn output_a_waiting_parent_does_not_have_is_never_valid() {
    let mut setting = Setting::new();
    let parent = payment(0, 1_000);
    setting.takes(&parent);
    let error = setting.refuses(&pay(
        &[(
            OutPoint {
                vout: 1,
                ..parent.outpoint(0)
            },
            5,
        )],
        &[1],
    ));
    assert_eq!(error.rule(), "invalid_form");
    assert!(error.is_never_valid());
}

#[test]
fn broken_transactions_are_blamed_on_their_sender() {
    let mut setting = Setting::new();
    let mut forged = payment(0, 1_000);
    forged.inputs[0].witness.0[0][3] ^= 1;
    let overspent = pay(&[(allocation(0), TEN)], &[TEN + 1]);
    let mut odd_output = payment(0, 1_000);
    odd_output.outputs[0].script_pubkey = Script(vec![0x51]);
    let reward = Branch::new(&params()).next(&[]).transactions[0].clone();
    let expected = [
        (forged, "invalid_signature"),
        (overspent, "invalid_amounts"),
        (odd_output, "invalid_form"),
        (reward, "coinbase"),
    ];
    for (tx, rule) in expected {
        let error = setting.refuses(&tx);
        assert_eq!(error.rule(), rule);
        assert!(error.is_never_valid());
    }
}

#[test]
fn lock_time_and_maturity_are_those_of_the_next_block() {
    let mut setting = Setting::new();
    setting.mine(&[]);
    let reward = setting.branch.tip().transactions[0].outpoint(0);
    let spend = pay(&[(reward, 50 * COIN)], &[50 * COIN - 1_000]);
    let mut locked = payment(0, 1_000);
    locked.lock_time = 3;
    locked.inputs[0].sequence = 0;
    let locked = sign(locked, &[(allocation(0), TEN)]);
    assert_eq!(
        setting.refuses(&locked),
        MempoolError::NonFinal { lock_time: 3 }
    );
    let from = u64::from(1 + MATURITY);
    assert_eq!(
        setting.refuses(&spend),
        MempoolError::Immature {
            outpoint: reward,
            from
        }
    );
    setting.mine(&[]);
    setting.mine(&[]);
    setting.takes(&locked);
    setting.takes(&spend);
}

#[test]
fn fee_must_reach_the_floor() {
    let mut setting = Setting::new();
    let vsize = payment(0, 0).vsize();
    let needed = (vsize * 100).div_ceil(1_000);
    let error = setting.refuses(&payment(0, needed - 1));
    assert_eq!(error.rule(), "fee_too_low");
    assert!(
        error
            .to_string()
            .contains(&Amount::from_sat(needed).to_string()),
        "{error}"
    );
    setting.takes(&payment(0, needed));
}

#[test]
fn large_transactions_find_their_own_way_into_blocks() {
    let mut big = params();
    big.block_weight_max = 4_000_000;
    let first = big.genesis_block().transactions[0].outpoint(0);
    let mut setting = Setting::new();
    setting.state = open_with(big);
    let with_data = |bytes: usize| {
        let data = TxOut {
            value: Amount::ZERO,
            script_pubkey: Script(vec![0x6a; bytes]),
        };
        let tx = unsigned(&[(first, TEN)], vec![own_output(COIN), data]);
        sign(tx, &[(first, TEN)])
    };
    let most = usize::try_from((TRANSACTION_WEIGHT_MAX - 1_000) / 4).expect("small");
    setting.takes(&with_data(most));
    let mut other = Setting::new();
    other.state = setting.state;
    assert_eq!(other.refuses(&with_data(most + 1_000)).rule(), "too_heavy");
}

#[test]
fn unconfirmed_chains_have_a_limit() {
    let mut setting = Setting::new();
    let mut tx = payment(0, 1_000);
    for _ in 0..25 {
        setting.takes(&tx);
        tx = child(&tx, 1_000);
    }
    assert_eq!(
        setting.refuses(&tx),
        MempoolError::TooLongChain {
            count: 26,
            max: 25,
            kin: "ancestors"
        }
    );
    // Once the first is confirmed there is room for one more.
    let first = payment(0, 1_000);
    setting.mine(&[first]);
    setting.takes(&tx);
}

#[test]
fn many_small_outputs_count_for_the_memory_they_take() {
    let mut tx = payment(0, 100_000);
    let burn = TxOut {
        value: Amount::ZERO,
        script_pubkey: Script::op_return(b""),
    };
    tx.outputs.extend(std::iter::repeat_n(burn, 5_000));
    let held = 5_000 * (size_of::<TxOut>() + size_of::<usize>()) as u64;
    assert!(memory_bytes(&tx) > held, "{} for {held}", memory_bytes(&tx));
    assert!(memory_bytes(&tx) > 5 * tx.total_size());
}

/// Room for four payments without descendants.
fn small_pool() -> Setting {
    let bytes_max = 4 * memory_bytes(&payment(0, 0));
    Setting::with(MempoolLimits {
        bytes_max,
        ..MempoolLimits::default()
    })
}

#[test]
fn full_pool_drops_what_pays_least_with_all_that_needs_it() {
    let mut setting = small_pool();
    let cheap = payment(0, 1_000);
    let cheap_child = child(&cheap, 1_200);
    let fair = payment(1, 3_000);
    let good = payment(2, 4_000);
    for tx in [&cheap, &cheap_child, &fair, &good] {
        setting.takes(tx);
    }
    assert_eq!(setting.refuses(&payment(3, 1_000)), MempoolError::Full);
    let evicted = setting
        .submit(&payment(3, 2_000))
        .expect("it pays more than the cheapest");
    let mut expected = vec![cheap.txid(), cheap_child.txid()];
    expected.sort();
    assert_eq!(evicted, expected);
    assert_eq!(setting.pool.len(), 3);
    assert!(setting.pool.contains(&fair.txid()) && setting.pool.contains(&good.txid()));
    assert!(!setting.pool.is_spent(&allocation(0)));
}

#[test]
fn child_that_pays_for_its_parent_keeps_it() {
    let mut setting = small_pool();
    let poor_parent = payment(0, 100);
    let rich_child = child(&poor_parent, 9_000);
    let fair = payment(1, 2_000);
    let good = payment(2, 4_000);
    for tx in [&poor_parent, &rich_child, &fair, &good] {
        setting.takes(tx);
    }
    let evicted = setting
        .submit(&payment(3, 3_000))
        .expect("it pays more than one");
    assert_eq!(evicted, [fair.txid()]);
}

#[test]
fn candidate_never_pushes_out_its_own_parents() {
    let mut setting = small_pool();
    let parent = payment(0, 100);
    let others = [payment(1, 2_000), payment(2, 3_000), payment(3, 4_000)];
    setting.takes(&parent);
    for tx in &others {
        setting.takes(tx);
    }
    let evicted = setting
        .submit(&child(&parent, 2_500))
        .expect("it pays more than one");
    assert_eq!(evicted, [others[0].txid()]);
    assert!(setting.pool.contains(&parent.txid()));
}

#[test]
fn fee_rates_compare_exactly() {
    let rate = |fee, vsize| FeeRate::new(Amount::from_sat(fee), vsize);
    assert_eq!(rate(1, 2), rate(2, 4));
    assert!(rate(1_000_000_007, 3) > rate(1_000_000_006, 3));
    assert!(rate(2_100_000_000_000_000, 99_999) > rate(2_100_000_000_000_000, 100_000));
    assert_eq!(rate(150, 100).to_sat_per_kvb(), 1_500);
}

#[test]
fn block_confirms_its_transactions_and_removes_their_rivals() {
    let mut setting = Setting::new();
    let confirmed = payment(0, 1_000);
    let stays = child(&confirmed, 1_000);
    let loser = payment(1, 1_000);
    let orphaned = child(&loser, 1_000);
    for tx in [&confirmed, &stays, &loser, &orphaned] {
        setting.takes(tx);
    }
    setting.mine(&[confirmed, payment(1, 2_000)]);
    assert_eq!(setting.pool.txids().collect::<Vec<_>>(), [stays.txid()]);
    let entry = setting.pool.entry(&stays.txid()).expect("it waits");
    assert_eq!((entry.ancestors.count, entry.parents.len()), (1, 0));
}

/// The middle of a chain of three goes, its parent stays.
#[test]
fn parent_forgets_all_that_went_with_a_rival_s_victim() {
    // Whichever order the names have, the sums must be right.
    for fee in 1_000..1_016 {
        let mut setting = Setting::new();
        let parent = payment(0, 1_000);
        let value = parent.outputs[0].value.to_sat();
        let joined = [(parent.outpoint(0), value), (allocation(1), TEN)];
        let victim = pay(&joined, &[value + TEN - fee]);
        let last = child(&victim, 1_000);
        for tx in [&parent, &victim, &last] {
            setting.takes(tx);
        }
        setting.mine(&[payment(1, 2_000)]);
        let entry = setting.pool.entry(&parent.txid()).expect("it waits");
        assert_eq!(setting.pool.len(), 1);
        assert_eq!(entry.descendants.count, 1);
        assert_eq!(entry.descendants.fees, Amount::from_sat(1_000));
        assert!(entry.children.is_empty());
    }
}

/// ```text
/// 0 ── a1 (parent, lost) ── a2 (child)      grandchild waits
///  └── b1 (rival of lost) ── b2 ── b3
/// ```
#[test]
fn transactions_of_a_left_branch_wait_again() {
    let mut setting = Setting::new();
    let parent = payment(0, 1_000);
    let lost = payment(1, 1_000);
    let first_child = child(&parent, 1_000);
    let grandchild = child(&first_child, 1_000);
    let reward_free = payment(2, 0);
    setting.mine(&[parent.clone(), lost.clone(), reward_free.clone()]);
    setting.mine(std::slice::from_ref(&first_child));
    setting.takes(&grandchild);

    let mut rival = setting.branch.fork(0, 1);
    rival.mine(&[payment(1, 5_000)]);
    rival.mine_empty(2);
    setting.reorganise(rival, 0);
    let mut expected = [
        parent.txid(),
        first_child.txid(),
        grandchild.txid(),
        reward_free.txid(),
    ];
    expected.sort();
    assert_eq!(setting.pool.txids().collect::<Vec<_>>(), expected);
    let entry = setting.pool.entry(&grandchild.txid()).expect("it waits");
    assert_eq!(entry.ancestors.count, 3);
    assert_eq!(setting.refuses(&lost).rule(), "missing_inputs");
}

/// ```text
/// 0 ── a1 ── a2 ── a3 ── a4       spend of a1's reward waits
///  └── b1 ── … ── b5
/// ```
#[test]
fn spend_of_a_vanished_reward_vanishes() {
    let mut setting = Setting::new();
    for _ in 0..4 {
        setting.mine(&[]);
    }
    let reward = setting.branch.at(1).transactions[0].outpoint(0);
    let spend = pay(&[(reward, 50 * COIN)], &[50 * COIN - 1_000]);
    setting.takes(&spend);
    setting.takes(&child(&spend, 1_000));
    let mut rival = setting.branch.fork(0, 1);
    rival.mine_empty(5);
    setting.reorganise(rival, 0);
    assert!(setting.pool.is_empty());
    assert_eq!((setting.pool.bytes(), setting.pool.vbytes()), (0, 0));
}
