//! Every check finds what it is for.

use std::sync::Arc;

use minichain_chain::amount::Amount;
use minichain_chain::block::{Block, Header};
use minichain_chain::difficulty;
use minichain_chain::hash::MerkleRoot;
use minichain_chain::mempool::MempoolLimits;
use minichain_chain::params::{Allocation, Proof, Reward, dev_account_key};
use minichain_chain::pow::Target;
use minichain_chain::script::Script;
use minichain_chain::signature::sign_all_inputs;
use minichain_chain::state::State;
use minichain_chain::store::{Batch, Status, StoredHeader};
use minichain_chain::time::UnixSeconds;
use minichain_chain::transaction::{Transaction, TxIn, TxOut, Witness};
use minichain_protocol::config::{Config, Timing};

use super::*;
use crate::archive::NodeStore;

const REWARD: u64 = 50;
const ALLOCATED: u64 = 1_000_000;

pub fn params() -> Params {
    let target = Target::from_hash_rate(1_000, 5).to_compact();
    let target = target.to_target().expect("a target");
    Params {
        network: "sim-check".into(),
        address_prefix: "sim".into(),
        genesis_time: UnixSeconds(1_700_000_000),
        spacing_s: 5,
        difficulty: difficulty::Rule::Fixed,
        initial_target: target,
        pow_limit: target,
        future_limit_s: 15,
        reward: Reward {
            initial: Amount::from_sat(REWARD),
            halving_interval: 0,
        },
        coinbase_maturity: 10,
        block_weight_max: 4_000_000,
        allocations: vec![Allocation {
            account: "alice".into(),
            amount: Amount::from_sat(ALLOCATED),
            output_key: dev_account_key(&[7; 32], "alice").output_key(),
        }],
        proof: Proof::Simulated,
    }
}

/// Checks, and an archive that takes any block.
struct Bench {
    checks: Checks,
    archive: Archive,
    store: NodeStore,
    sequence: u64,
}

impl Bench {
    fn new() -> Self {
        let archive = Archive::default();
        let state = State::open(params(), archive.store()).expect("an empty store opens");
        let mut checks = Checks::new(&params());
        checks.grow(2);
        Self {
            checks,
            store: state.store().clone(),
            archive,
            sequence: 10,
        }
    }

    fn genesis(&self) -> Block {
        params().genesis_block()
    }

    fn allocation(&self) -> OutPoint {
        let txid = self.genesis().transactions[0].txid();
        OutPoint { txid, vout: 0 }
    }

    /// Puts a block on another without any rule, and enters it.
    fn put(&mut self, parent: BlockHash, reward: u64, spends: &[OutPoint]) -> (Block, Broken) {
        self.sequence += 1;
        let height = self.checks.pages[&parent].height + 1;
        let mut transactions = vec![coinbase(height, reward, self.sequence)];
        transactions.extend(spends.iter().map(|outpoint| spend(*outpoint)));
        let header = Header {
            version: 1,
            previous: parent,
            merkle_root: MerkleRoot::from_bytes(transactions[0].txid().to_bytes()),
            time: UnixSeconds(1_700_000_000 + height * 5),
            bits: params().initial_bits(),
            nonce: 0,
        };
        let block = Block {
            header,
            transactions,
        };
        let stored = StoredHeader {
            header,
            sequence: self.sequence,
            status: Status::BodyStored,
        };
        let hash = block.hash();
        let batch = Batch {
            headers: vec![stored],
            blocks: vec![(hash, Arc::new(block.clone()))],
            ..Batch::default()
        };
        self.store.apply(batch).expect("memory does not fail");
        let broken = self.checks.enter(&block, hash, &self.archive);
        (block, broken)
    }
}

type Broken = Vec<(Rule, String)>;

fn coinbase(height: u32, reward: u64, extra: u64) -> Transaction {
    Transaction {
        version: 2,
        inputs: vec![TxIn {
            previous_output: OutPoint::NULL,
            script_sig: Script::coinbase(Height(height), extra, b"x"),
            sequence: 0,
            witness: Witness::new(),
        }],
        outputs: vec![output(reward)],
        lock_time: 0,
    }
}

fn output(sats: u64) -> TxOut {
    let key = dev_account_key(&[7; 32], "alice").output_key();
    TxOut {
        value: Amount::from_sat(sats),
        script_pubkey: Script::p2tr(&key),
    }
}

/// Spends an output into one of 10 base units.
fn spend(previous_output: OutPoint) -> Transaction {
    Transaction {
        version: 2,
        inputs: vec![TxIn {
            previous_output,
            script_sig: Script::new(),
            sequence: 0,
            witness: Witness::new(),
        }],
        outputs: vec![output(10)],
        lock_time: 0,
    }
}

fn rules(broken: &Broken) -> Vec<Rule> {
    broken.iter().map(|(rule, _)| *rule).collect()
}

fn node(archive: &Archive) -> Node<NodeStore> {
    let state = State::open(params(), archive.store()).expect("an empty store opens");
    let config = Config {
        user_agent: "check".into(),
        mining: None,
        mempool: MempoolLimits::default(),
        timing: Timing::from_spacing_s(5),
    };
    Node::new(config, state, 1)
}

#[test]
fn an_honest_block_is_fine() {
    let mut bench = Bench::new();
    let genesis = bench.genesis().hash();
    let spent = bench.allocation();
    // The fee is what the spend leaves.
    let (block, broken) = bench.put(genesis, REWARD + ALLOCATED - 10, &[spent]);
    assert_eq!(broken, []);
    let page = &bench.checks.pages[&block.hash()];
    assert_eq!((page.total_sats, page.coins), (ALLOCATED + REWARD, 2));
}

#[test]
fn a_coin_spent_twice_on_one_branch_is_found_and_on_two_branches_is_none() {
    let mut bench = Bench::new();
    let genesis = bench.genesis().hash();
    let spent = bench.allocation();
    let (first, broken) = bench.put(genesis, 0, &[spent]);
    assert_eq!(broken, []);
    let (_, on_another) = bench.put(genesis, 1, &[spent]);
    assert_eq!(on_another, []);
    let (_, broken) = bench.put(first.hash(), 0, &[spent]);
    assert_eq!(rules(&broken), [Rule::Coins], "{broken:?}");
    assert!(broken[0].1.contains("spent"), "{broken:?}");
}

#[test]
fn a_coin_that_nobody_made_or_only_another_branch_is_found() {
    let mut bench = Bench::new();
    let genesis = bench.genesis().hash();
    let (side, _) = bench.put(genesis, REWARD, &[]);
    let made = OutPoint {
        txid: side.transactions[0].txid(),
        vout: 0,
    };
    let nobodys = OutPoint { vout: 7, ..made };
    for outpoint in [made, nobodys] {
        let (_, broken) = bench.put(genesis, 0, &[outpoint]);
        assert_eq!(rules(&broken)[0], Rule::Coins, "{broken:?}");
    }
}

#[test]
fn an_unripe_reward_is_found() {
    let mut bench = Bench::new();
    let mut tip = bench.genesis().hash();
    let mut made = Vec::new();
    for _ in 0..10 {
        let (block, _) = bench.put(tip, REWARD, &[]);
        let txid = block.transactions[0].txid();
        made.push(OutPoint { txid, vout: 0 });
        tip = block.hash();
    }
    let (_, broken) = bench.put(tip, 0, &[made[0]]);
    assert_eq!(broken, [], "ten blocks old");
    let (_, broken) = bench.put(tip, 1, &[made[1]]);
    assert_eq!(rules(&broken), [Rule::Coins], "nine blocks old: {broken:?}");
}

#[test]
fn a_reward_above_the_schedule_is_found() {
    let mut bench = Bench::new();
    let genesis = bench.genesis().hash();
    let (_, broken) = bench.put(genesis, REWARD + 1, &[]);
    assert_eq!(rules(&broken), [Rule::Supply], "{broken:?}");
}

#[test]
fn coins_that_do_not_add_up_are_found() {
    let mut bench = Bench::new();
    let genesis = bench.genesis().hash();
    let stats = |count, total| CoinStats {
        count,
        total: Amount::from_sat(total),
        ..CoinStats::default()
    };
    bench
        .checks
        .watch_coins(0, 0, genesis, &stats(1, ALLOCATED));
    assert_eq!(bench.checks.violations(), []);
    bench
        .checks
        .watch_coins(0, 0, genesis, &stats(1, ALLOCATED - 1));
    bench
        .checks
        .watch_coins(0, 1, genesis, &stats(2, ALLOCATED));
    let found = bench.checks.violations().iter();
    let found: Vec<_> = found.map(|one| (one.place, one.rule)).collect();
    assert_eq!(found, [(0, Rule::Supply), (1, Rule::Coins)]);
}

#[test]
fn work_that_falls_is_found_unless_the_node_was_started_anew() {
    let mut bench = Bench::new();
    let work = |number: u32| Chainwork::from_u256(number.into());
    bench.checks.watch_work(0, 0, work(5));
    bench.checks.watch_work(0, 0, work(6));
    bench.checks.begin(0);
    bench.checks.watch_work(0, 0, work(3));
    assert_eq!(bench.checks.violations(), []);
    bench.checks.watch_work(0, 0, work(3));
    assert_eq!(bench.checks.violations()[0].rule, Rule::Work);
}

#[test]
fn a_fault_of_a_node_is_found() {
    let mut bench = Bench::new();
    let message = "impossible".to_owned();
    let node = node(&Archive::default());
    let event = Event::Fault { message };
    bench.checks.watch(3, 1, &event, &node, &bench.archive);
    let found = &bench.checks.violations()[0];
    assert_eq!((found.at, found.place, found.rule), (3, 1, Rule::Fault));
}

#[test]
fn a_transaction_that_waits_for_a_coin_that_is_gone_is_found() {
    let mut bench = Bench::new();
    let state = State::open(params(), Archive::default().store()).expect("it opens");
    let mut pool = Mempool::new(MempoolLimits::default());
    let mut transaction = spend(bench.allocation());
    let key = dev_account_key(&[7; 32], "alice");
    let spent = [output(ALLOCATED)];
    sign_all_inputs(&mut transaction, &spent, &key, &[0; 32]).expect("one output for each input");
    let taken = pool.accept(Arc::new(transaction), &state, UnixSeconds(0));
    taken.expect("memory does not fail").expect("it is valid");
    bench.checks.watch_mempool(0, 0, &pool, |_| true);
    assert_eq!(bench.checks.violations(), []);
    bench.checks.watch_mempool(0, 0, &pool, |_| false);
    assert_eq!(bench.checks.violations()[0].rule, Rule::Mempool);
}
