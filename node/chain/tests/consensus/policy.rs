//! Who may replace whom, who makes room, and who has waited too long.

use std::sync::Arc;

use minichain_chain::amount::Amount;
use minichain_chain::hash::Txid;
use minichain_chain::mempool::{
    Accepted, FLOOR_HALVING_BLOCKS, Mempool, MempoolError, MempoolLimits, REASONS, REPLACED_MAX,
    memory_bytes,
};
use minichain_chain::state::State;
use minichain_chain::store::MemoryStore;
use minichain_chain::time::UnixSeconds;
use minichain_chain::transaction::Transaction;

use crate::common::pay::pay;
use crate::common::{Branch, COIN, NOW, allocation, connect, open, params};

const TEN: u64 = 10 * COIN;

struct Setting {
    state: State<MemoryStore>,
    pool: Mempool,
    branch: Branch,
    now: UnixSeconds,
}

impl Setting {
    fn new(limits: MempoolLimits) -> Self {
        Self {
            state: open(),
            pool: Mempool::new(limits),
            branch: Branch::new(&params()),
            now: NOW,
        }
    }

    fn submit(&mut self, tx: &Transaction) -> Result<Accepted, MempoolError> {
        let tx = Arc::new(tx.clone());
        let foretold = self.pool.check(&tx, &self.state);
        let result = self.pool.accept(tx, &self.state, self.now);
        assert_eq!(foretold, result);
        result.expect("the store works")
    }

    fn takes(&mut self, tx: &Transaction) -> Accepted {
        self.submit(tx).expect("it is fine")
    }

    fn refuses(&mut self, tx: &Transaction) -> MempoolError {
        let revision = self.pool.revision();
        let error = self.submit(tx).expect_err("it must be refused");
        assert_eq!(self.pool.revision(), revision);
        assert!(REASONS.contains(&error.rule()));
        assert!(!error.is_never_valid());
        error
    }

    fn mine_empty(&mut self, count: u32) {
        for _ in 0..count {
            let block = self.branch.mine(&[]);
            connect(&mut self.state, &block);
            let followed = self
                .pool
                .on_tip_changed(&[], &[block.into()], &self.state, self.now);
            followed.expect("the store works");
        }
    }

    fn waiting(&self) -> Vec<Txid> {
        self.pool
            .iter_by_arrival(0)
            .map(|entry| entry.txid)
            .collect()
    }
}

fn usual() -> Setting {
    Setting::new(MempoolLimits::default())
}

fn payment(number: u32, fee: u64) -> Transaction {
    pay(&[(allocation(number), TEN)], &[TEN - fee])
}

fn child(parent: &Transaction, fee: u64) -> Transaction {
    let value = parent.outputs[0].value.to_sat();
    pay(&[(parent.outpoint(0), value)], &[value - fee])
}

/// What the incremental rate asks for.
fn step(tx: &Transaction) -> u64 {
    (tx.vsize() * 100).div_ceil(1_000)
}

#[test]
fn a_replacement_pays_for_all_it_replaces_and_for_its_own_way() {
    let mut setting = usual();
    let first = payment(0, 1_000);
    let dependant = child(&first, 5_000);
    setting.takes(&first);
    setting.takes(&dependant);
    let needed = 6_000 + step(&first);
    let error = setting.refuses(&payment(0, needed - 1));
    let expected = MempoolError::InsufficientFee {
        fee: Amount::from_sat(needed - 1),
        needed: Amount::from_sat(needed),
        rival: None,
    };
    assert_eq!(
        (error.core_reason(), &error),
        ("insufficient fee", &expected)
    );
    let second = payment(0, needed);
    let accepted = setting.takes(&second);
    let mut replaced = vec![first.txid(), dependant.txid()];
    replaced.sort();
    assert_eq!((accepted.replaced, accepted.evicted), (replaced, vec![]));
    assert_eq!(setting.waiting(), [second.txid()]);
    assert_eq!(setting.pool.bytes(), memory_bytes(&second));
    assert_eq!(setting.pool.spender(&allocation(0)), Some(second.txid()));
}

#[test]
fn a_replacement_has_a_higher_rate_than_each_it_conflicts_with() {
    let mut setting = usual();
    let first = payment(0, 1_000);
    setting.takes(&first);
    // Twice the fee, but more than twice the size.
    let inputs: Vec<_> = (0..4).map(|number| (allocation(number), TEN)).collect();
    let large = pay(&inputs, &[4 * TEN - 2_000]);
    assert!(large.vsize() > 2 * first.vsize());
    let error = setting.refuses(&large);
    assert!(
        matches!(error, MempoolError::InsufficientFee { rival: Some(rival), .. } if rival == first.txid()),
        "{error:?}"
    );
    setting.takes(&pay(&inputs, &[4 * TEN - 9_000]));
}

#[test]
fn a_replacement_cannot_depend_on_what_it_replaces() {
    let mut setting = usual();
    let first = payment(0, 1_000);
    setting.takes(&first);
    let value = first.outputs[0].value.to_sat();
    let both = [(allocation(0), TEN), (first.outpoint(0), value)];
    let error = setting.refuses(&pay(&both, &[TEN]));
    assert_eq!(error, MempoolError::SpendsReplaced { txid: first.txid() });
    assert_eq!(error.core_reason(), "bad-txns-spends-conflicting-tx");
}

#[test]
fn a_replacement_adds_no_unconfirmed_inputs_but_may_keep_them() {
    let mut setting = usual();
    let (parent, other) = (payment(0, 1_000), payment(1, 1_000));
    let first = child(&parent, 1_000);
    for tx in [&parent, &other, &first] {
        setting.takes(tx);
    }
    let coin = |tx: &Transaction| (tx.outpoint(0), tx.outputs[0].value.to_sat());
    let added = pay(&[coin(&parent), coin(&other)], &[2 * TEN - 90_000]);
    let error = setting.refuses(&added);
    let outpoint = other.outpoint(0);
    let expected = MempoolError::ReplacementAddsUnconfirmed { outpoint };
    assert_eq!(error, expected);
    assert_eq!(error.core_reason(), "replacement-adds-unconfirmed");
    let accepted = setting.takes(&child(&parent, 9_000));
    assert_eq!(accepted.replaced, [first.txid()]);
}

#[test]
fn a_replacement_replaces_a_hundred_at_most() {
    let limits = MempoolLimits {
        descendants_max: 1_000,
        descendant_vbytes_max: 1_000_000,
        ..MempoolLimits::default()
    };
    let mut setting = Setting::new(limits);
    let outputs = [1_000_000; REPLACED_MAX];
    let parent = pay(&[(allocation(0), TEN)], &outputs);
    setting.takes(&parent);
    for vout in 0..u32::try_from(REPLACED_MAX).expect("small") {
        setting.takes(&pay(&[(parent.outpoint(vout), 1_000_000)], &[999_000]));
    }
    let error = setting.refuses(&payment(0, COIN));
    let (count, max) = (REPLACED_MAX + 1, REPLACED_MAX);
    assert_eq!(error, MempoolError::TooManyReplaced { count, max });
    assert_eq!(error.core_reason(), "too many potential replacements");
}

#[test]
fn a_forged_replacement_changes_nothing() {
    let mut setting = usual();
    let first = payment(0, 1_000);
    setting.takes(&first);
    let mut forged = payment(0, 90_000);
    forged.inputs[0].witness.0[0][7] ^= 1;
    let error = setting.submit(&forged).expect_err("forged");
    assert_eq!(
        (error.rule(), error.is_never_valid()),
        ("invalid_signature", true)
    );
    assert_eq!(setting.waiting(), [first.txid()]);
}

#[test]
fn descendants_have_a_limit_that_a_replacement_does_not_add_to() {
    let mut setting = usual();
    let outputs = [TEN / 30; 29];
    let parent = pay(&[(allocation(0), TEN)], &outputs);
    setting.takes(&parent);
    let spend = |vout, fee| pay(&[(parent.outpoint(vout), TEN / 30)], &[TEN / 30 - fee]);
    for vout in 0..24 {
        setting.takes(&spend(vout, 1_000));
    }
    let error = setting.refuses(&spend(24, 1_000));
    let (count, max, kin) = (26, 25, "descendants");
    assert_eq!(error, MempoolError::TooLongChain { count, max, kin });
    assert_eq!(error.core_reason(), "too-long-mempool-chain");
    setting.takes(&spend(3, 9_000));
}

#[test]
fn the_size_of_a_family_has_a_limit() {
    let parent = payment(0, 1_000);
    let size = parent.vsize();
    let with = |ancestor_vbytes_max, descendant_vbytes_max| {
        let mut setting = Setting::new(MempoolLimits {
            ancestor_vbytes_max,
            descendant_vbytes_max,
            ..MempoolLimits::default()
        });
        setting.takes(&parent);
        setting.submit(&child(&parent, 1_000))
    };
    let refused = |vbytes, max, kin| Err(MempoolError::TooLargeChain { vbytes, max, kin });
    let (both, least) = (2 * size, 2 * size - 1);
    assert!(with(both, both).is_ok());
    assert_eq!(with(least, both), refused(both, least, "ancestors"));
    assert_eq!(with(both, least), refused(both, least, "descendants"));
}

#[test]
fn what_was_pushed_out_does_not_come_back_for_the_same_fee_until_blocks_have_come() {
    let bytes_max = 2 * memory_bytes(&payment(0, 0));
    let limits = MempoolLimits {
        bytes_max,
        ..MempoolLimits::default()
    };
    let mut setting = Setting::new(limits);
    let cheap = payment(0, 2_000);
    setting.takes(&cheap);
    setting.takes(&payment(1, 8_000));
    assert_eq!(setting.pool.min_fee_rate_sat_per_kvb(), 100);
    assert_eq!(setting.takes(&payment(2, 9_000)).evicted, [cheap.txid()]);
    let floor = 2_000 * 1_000 / cheap.vsize() + 100;
    assert_eq!(setting.pool.min_fee_rate_sat_per_kvb(), floor);
    let error = setting.refuses(&cheap);
    assert_eq!(
        (error.rule(), error.core_reason()),
        ("below_floor", "mempool min fee not met")
    );
    let full = setting.refuses(&payment(3, 5_000));
    assert_eq!((full.rule(), full.core_reason()), ("full", "mempool full"));
    // While the pool is full the floor takes its whole time.
    setting.mine_empty(FLOOR_HALVING_BLOCKS - 1);
    assert_eq!(setting.pool.min_fee_rate_sat_per_kvb(), floor);
    setting.mine_empty(1);
    assert_eq!(setting.pool.min_fee_rate_sat_per_kvb(), floor / 2);
    // Once it is empty, a quarter; and a floor near nothing is none.
    setting.now = setting.now.saturating_add(15 * 24 * 60 * 60);
    assert_eq!(setting.pool.expire(setting.now).len(), 2);
    setting.mine_empty(FLOOR_HALVING_BLOCKS / 4);
    assert_eq!(setting.pool.min_fee_rate_sat_per_kvb(), floor / 4);
    setting.mine_empty(FLOOR_HALVING_BLOCKS * 3);
    assert_eq!(setting.pool.min_fee_rate_sat_per_kvb(), 100);
    setting.takes(&cheap);
}

#[test]
fn what_waits_too_long_goes_with_all_that_depends_on_it() {
    let limits = MempoolLimits {
        expiry_s: 100,
        ..MempoolLimits::default()
    };
    let mut setting = Setting::new(limits);
    let old = payment(0, 1_000);
    setting.takes(&old);
    setting.now = NOW.saturating_add(60);
    let (young_child, young) = (child(&old, 1_000), payment(1, 1_000));
    setting.takes(&young_child);
    setting.takes(&young);
    assert_eq!(setting.pool.expire(NOW.saturating_add(100)), []);
    let mut gone = vec![old.txid(), young_child.txid()];
    gone.sort();
    assert_eq!(setting.pool.expire(NOW.saturating_add(101)), gone);
    assert_eq!(setting.waiting(), [young.txid()]);
    // A clock that went back lets nothing expire.
    assert_eq!(setting.pool.expire(UnixSeconds(0)), []);
}

#[test]
fn digests_tell_what_waits_and_not_how_it_came() {
    let (mut one, mut other) = (usual(), usual());
    let empty = one.pool.digest();
    let payments = [payment(0, 1_000), payment(1, 1_000), payment(2, 1_000)];
    for tx in &payments {
        one.takes(tx);
    }
    for tx in payments.iter().rev() {
        assert_ne!(one.pool.digest(), other.pool.digest());
        other.takes(tx);
    }
    assert_eq!(one.pool.digest(), other.pool.digest());
    assert_ne!(one.pool.digest(), empty);
}
