//! The miner at trivial difficulty.

use std::sync::mpsc::{Receiver, channel};

use minichain_chain::amount::Amount;
use minichain_chain::block::Header;
use minichain_chain::hash::{BlockHash, MerkleRoot};
use minichain_chain::height::Height;
use minichain_chain::pow::{CompactTarget, Target};
use minichain_chain::time::UnixSeconds;

use super::*;

/// Longer than any of these searches can take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

fn template(target: Target, time: UnixSeconds, mark: u8) -> Arc<Template> {
    let header = Header {
        version: 1,
        previous: BlockHash::from_bytes([mark; 32]),
        merkle_root: MerkleRoot::ZERO,
        time,
        bits: target.to_compact(),
        nonce: 0,
    };
    Arc::new(Template {
        block: Block {
            header,
            transactions: Vec::new(),
        },
        height: Height(1),
        fees: Amount::ZERO,
        target,
    })
}

fn easy(mark: u8) -> Arc<Template> {
    template(Target::from_hash_rate(50, 1), UnixSeconds(1), mark)
}

fn impossible(mark: u8) -> Arc<Template> {
    template(Target::MIN, UnixSeconds(1), mark)
}

fn start(hash_rate: f64) -> (Miner, Receiver<Arc<Block>>) {
    let (sender, receiver) = channel();
    let config = MinerConfig {
        hash_rate,
        first_nonce: u32::MAX - 10,
    };
    let miner = Miner::start(config, Clock::default(), move |block| {
        // The test may have seen enough.
        let _ = sender.send(block);
    })
    .unwrap();
    (miner, receiver)
}

#[test]
fn solution_meets_the_target_and_bears_the_present_time() {
    let (miner, blocks) = start(1e6);
    let before = Clock::default().now_s();
    miner.mine(easy(7));
    let block = blocks.recv_timeout(PATIENCE).unwrap();
    assert_eq!(block.header.previous, BlockHash::from_bytes([7; 32]));
    let target = block.header.bits.to_target().unwrap();
    assert!(target.is_met_by(&block.header.hash()));
    assert!(block.header.time >= before && block.header.time <= Clock::default().now_s());
    let stats = miner.stats();
    assert_eq!(stats.blocks_found, 1);
    assert!(stats.hashes >= 1);
}

#[test]
fn one_template_brings_one_block() {
    let (miner, blocks) = start(1e6);
    for mark in 1..=5 {
        miner.mine(easy(mark));
        let block = blocks.recv_timeout(PATIENCE).unwrap();
        assert_eq!(block.header.previous, BlockHash::from_bytes([mark; 32]));
    }
    drop(miner);
    assert!(
        blocks.recv().is_err(),
        "a solved template must not be solved again"
    );
}

#[test]
fn new_template_replaces_a_hopeless_one() {
    let (miner, blocks) = start(1e9);
    miner.mine(impossible(1));
    miner.mine(easy(2));
    let block = blocks.recv_timeout(PATIENCE).unwrap();
    assert_eq!(block.header.previous, BlockHash::from_bytes([2; 32]));
}

#[test]
fn stopping_and_ending_interrupt_a_search_at_full_speed() {
    let (miner, blocks) = start(1e15);
    miner.mine(impossible(1));
    while miner.stats().hashes == 0 {
        std::thread::yield_now();
    }
    assert!(miner.stats().is_mining);
    miner.stop_mining();
    assert!(!miner.stats().is_mining);
    miner.mine(impossible(2));
    drop(miner);
    assert!(blocks.try_recv().is_err());
}

#[test]
fn template_with_senseless_bits_does_no_harm() {
    let (miner, blocks) = start(1e6);
    let mut broken = Template::clone(&easy(1));
    broken.block.header.bits = CompactTarget(0);
    miner.mine(Arc::new(broken));
    miner.mine(easy(2));
    assert!(blocks.recv_timeout(PATIENCE).is_ok());
}

#[test]
fn header_time_never_falls_below_the_template() {
    let far = UnixSeconds(u32::MAX - 5);
    let template = template(Target::MAX, far, 1);
    let mut work = Work::new(&template, UnixSeconds(5), 0).unwrap();
    assert_eq!(work.solved(0).header.time, far);
    work.set_time(UnixSeconds(6));
    assert_eq!(work.solved(0).header.time, far);
    work.set_time(UnixSeconds(u32::MAX));
    assert_eq!(work.solved(0).header.time, UnixSeconds(u32::MAX));
}

#[test]
fn nonces_wrap_around_and_end() {
    let template = impossible(1);
    let mut work = Work::new(&template, UnixSeconds(5), u32::MAX - 3).unwrap();
    assert_eq!(work.try_nonces(100).count, 3);
    assert_eq!(work.try_nonces(100).count, 100);
    work.set_time(UnixSeconds(6));
    assert_eq!(work.try_nonces(1_000).count, 3);
}

#[test]
fn search_counts_the_hashes_it_did() {
    let template = easy(1);
    let mut work = Work::new(&template, UnixSeconds(5), 0).unwrap();
    let mut total = 0;
    let solution = loop {
        let tried = work.try_nonces(7);
        total += tried.count;
        if let Some(nonce) = tried.solution {
            break nonce;
        }
    };
    assert_eq!(total, u64::from(solution) + 1);
}
