//! What a miner works on.

use std::sync::Arc;

use minichain_chain::amount::Amount;
use minichain_chain::block::Block;
use minichain_chain::mempool::{Mempool, MempoolLimits};
use minichain_chain::params::Params;
use minichain_chain::script::Script;
use minichain_chain::state::State;
use minichain_chain::store::MemoryStore;
use minichain_chain::template::{self, Template};
use minichain_chain::time::UnixSeconds;
use minichain_chain::transaction::{OutPoint, Transaction};

use crate::common::pay::pay;
use crate::common::{
    ALLOCATIONS, COIN, GENESIS_TIME, NOW, SPACING_S, connect, key, open_with, params, solve,
};

const TEN: u64 = 10 * COIN;

struct Setting {
    state: State<MemoryStore>,
    pool: Mempool,
    genesis: Transaction,
}

impl Setting {
    fn new(params: Params) -> Self {
        let genesis = params.genesis_block().transactions[0].clone();
        let pool = Mempool::new(MempoolLimits::default());
        Self {
            state: open_with(params),
            pool,
            genesis,
        }
    }

    fn payment(&self, number: u32, fee: u64) -> Transaction {
        pay(&[(self.genesis.outpoint(number), TEN)], &[TEN - fee])
    }

    fn submit(&mut self, tx: &Transaction) {
        let accepted = self.pool.accept(Arc::new(tx.clone()), &self.state, NOW);
        accepted.expect("the store works").expect("it is fine");
    }

    fn build(&self) -> Template {
        let output_key = key().output_key();
        template::build(&self.state, &self.pool, output_key, 7, b"miner", NOW)
    }

    fn connect(&mut self, template: &Template) -> Arc<Block> {
        let mut block = template.block.clone();
        solve(&mut block.header);
        let block = Arc::new(block);
        connect(&mut self.state, &block);
        let followed =
            self.pool
                .on_tip_changed(&[], &[Arc::clone(&block).into()], &self.state, NOW);
        followed.expect("the store works");
        block
    }
}

fn child(parent: &Transaction, fee: u64) -> Transaction {
    let value = parent.outputs[0].value.to_sat();
    pay(&[(parent.outpoint(0), value)], &[value - fee])
}

fn chosen(template: &Template) -> Vec<minichain_chain::hash::Txid> {
    template.block.transactions[1..]
        .iter()
        .map(Transaction::txid)
        .collect()
}

#[test]
fn empty_pool_gives_a_block_with_the_subsidy() {
    let mut setting = Setting::new(params());
    let template = setting.build();
    assert_eq!(template.height.to_u32(), 1);
    assert_eq!(template.fees, Amount::ZERO);
    assert_eq!(template.block.header.nonce, 0);
    assert_eq!(template.block.header.time, NOW);
    assert_eq!(template.block.header.bits.to_target(), Ok(template.target));
    let coinbase = &template.block.transactions[0];
    assert_eq!(coinbase.outputs[0].value, Amount::from_sat(50 * COIN));
    assert_eq!(
        coinbase.outputs[0].script_pubkey,
        Script::p2tr(&key().output_key())
    );
    let script = coinbase.inputs[0].script_sig.as_bytes();
    assert!(script.ends_with(b"miner"));
    setting.connect(&template);
}

#[test]
fn better_payers_come_first_and_their_fees_are_collected() {
    let mut setting = Setting::new(params());
    let txs = [
        setting.payment(0, 1_000),
        setting.payment(1, 3_000),
        setting.payment(2, 2_000),
    ];
    for tx in &txs {
        setting.submit(tx);
    }
    let template = setting.build();
    assert_eq!(
        chosen(&template),
        [txs[1].txid(), txs[2].txid(), txs[0].txid()]
    );
    assert_eq!(template.fees, Amount::from_sat(6_000));
    let reward = template.block.transactions[0].outputs[0].value;
    assert_eq!(reward, Amount::from_sat(50 * COIN + 6_000));
    setting.connect(&template);
    assert!(setting.pool.is_empty());
}

#[test]
fn child_that_pays_brings_its_parent_along_and_before_it() {
    let mut setting = Setting::new(params());
    let poor = setting.payment(0, 100);
    let rich = child(&poor, 20_000);
    let fair = setting.payment(1, 5_000);
    for tx in [&poor, &fair, &rich] {
        setting.submit(tx);
    }
    let template = setting.build();
    assert_eq!(chosen(&template), [poor.txid(), rich.txid(), fair.txid()]);
    setting.connect(&template);
}

#[test]
fn poor_child_of_a_rich_parent_waits_for_its_turn() {
    let mut setting = Setting::new(params());
    let rich = setting.payment(0, 20_000);
    let poor = child(&rich, 100);
    let fair = setting.payment(1, 5_000);
    for tx in [&rich, &poor, &fair] {
        setting.submit(tx);
    }
    assert_eq!(
        chosen(&setting.build()),
        [rich.txid(), fair.txid(), poor.txid()]
    );
}

#[test]
fn block_is_filled_to_its_weight_with_the_best() {
    let small = Params {
        block_weight_max: 4_000,
        ..params()
    };
    let mut setting = Setting::new(small);
    let txs: Vec<_> = (0..ALLOCATIONS)
        .map(|number| setting.payment(number, 1_000 + u64::from(number)))
        .collect();
    for tx in &txs {
        setting.submit(tx);
    }
    let template = setting.build();
    assert!(template.block.weight() <= 4_000);
    let expected: Vec<_> = txs.iter().rev().take(4).map(Transaction::txid).collect();
    assert_eq!(chosen(&template), expected);
    setting.connect(&template);
    assert_eq!(setting.pool.len(), 4);
    let template = setting.build();
    setting.connect(&template);
    assert!(setting.pool.is_empty());
}

#[test]
fn time_is_above_the_median_even_if_the_clock_went_back() {
    let mut setting = Setting::new(params());
    for _ in 0..3 {
        let template = setting.build();
        setting.connect(&template);
    }
    let early = GENESIS_TIME.saturating_sub(SPACING_S);
    let output_key = key().output_key();
    let template = template::build(&setting.state, &setting.pool, output_key, 0, b"", early);
    let median = setting
        .state
        .tree()
        .median_time_past(&setting.state.tip().hash);
    assert_eq!(
        Some(template.block.header.time),
        median.map(|time: UnixSeconds| time.saturating_add(1))
    );
    setting.connect(&template);
}

#[test]
fn extra_nonce_tells_templates_apart_and_long_tags_are_cut() {
    let setting = Setting::new(params());
    let build = |extra_nonce, tag: &[u8]| {
        let output_key = key().output_key();
        template::build(
            &setting.state,
            &setting.pool,
            output_key,
            extra_nonce,
            tag,
            NOW,
        )
    };
    let root = |template: &Template| template.block.header.merkle_root;
    assert_ne!(root(&build(1, b"")), root(&build(2, b"")));
    assert_eq!(root(&build(1, b"")), root(&build(1, b"")));
    let mut setting = Setting::new(params());
    let long = build(3, &[b'x'; 1_000]);
    assert!(long.block.weight() < template::COINBASE_WEIGHT_RESERVED);
    setting.connect(&long);
}

#[test]
fn rewards_of_templates_can_be_spent_when_mature() {
    let mut setting = Setting::new(params());
    let template = setting.build();
    let first = setting.connect(&template);
    for _ in 1..params().coinbase_maturity {
        let template = setting.build();
        setting.connect(&template);
    }
    let reward: OutPoint = first.transactions[0].outpoint(0);
    let spend = pay(&[(reward, 50 * COIN)], &[50 * COIN - 500]);
    setting.submit(&spend);
    let template = setting.build();
    assert_eq!(chosen(&template), [spend.txid()]);
    setting.connect(&template);
}
