//! A node that finds itself on the losing side of a long fork.

use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Instant;

use minichain_chain::block::Block;
use minichain_chain::codec::{decode, encode};
use minichain_chain::mempool::MempoolLimits;
use minichain_chain::params::Params;
use minichain_chain::state::State;
use minichain_chain::time::{UnixMillis, UnixSeconds};
use minichain_node::store::RedbStore;
use minichain_node::verifier::ThreadedVerifier;
use minichain_protocol::config::{Config, Timing};
use minichain_protocol::input::{Call, Input, Now};
use minichain_protocol::node::Node;
use minichain_protocol::output::Outbox;

use crate::maker::{Maker, Purse};
use crate::{size, timing};

/// Coins of the bank that one splitting transaction makes.
const SPLIT: u32 = 20_000;
const EACH: u64 = 100_000;
const CACHE_BYTES: u64 = 32 << 20;
const CALL: Call = Call(1);
const COMMIT_BLOCKS: usize = 8_192;
const COMMIT_BYTES: usize = 24 << 20;

/// Names the folder of a prepared chain to the process that measures.
const PREPARED: &str = "MINICHAIN_BENCH_REORG_DIR";

/// Near-empty branches of two lengths, and one of payments.
pub fn run() {
    let depth = size("MINICHAIN_BENCH_REORG_BLOCKS", 5_000);
    let full = size("MINICHAIN_BENCH_REORG_FULL_BLOCKS", 400);
    reorganise(depth, 0);
    reorganise(4 * depth, 0);
    reorganise(full, 1_000);
}

/// Whether this process was started to measure, which it did.
pub fn measured() -> bool {
    let dir = std::env::var_os(PREPARED);
    dir.inspect(|dir| measure(Path::new(dir))).is_some()
}

/// ```text
/// common ── a1 ── … ── a(depth)              `payments` in each
///        └─ b1 ── … ── b(depth) ── b(depth+1)     others of the same coins
/// ```
fn reorganise(depth: u32, payments: u32) {
    let dir = tempfile::tempdir().unwrap();
    let mut maker = Maker::new(&dir.path().join("genesis.yaml"));
    let params = maker.params.clone();
    let data = dir.path().join("data");
    let mut state = open(&params, &data);
    let mut coins = Vec::new();
    while coins.len() < (depth * payments) as usize {
        let (split, made) = maker.split(SPLIT, EACH);
        coins.extend(made);
        take(&mut state, maker.block(vec![split]));
    }
    let mut other = maker.clone();
    other.tag = b"other";
    let coins = |number: u32| {
        let at = (number * payments) as usize;
        &coins[at..at + payments as usize]
    };
    for number in 0..depth {
        let block = block_of(&mut maker, coins(number), EACH / 2);
        take(&mut state, block);
    }
    for number in 0..depth {
        // The last ones stay unspent, so that their payments come back.
        let used = if number < depth / 2 {
            coins(number)
        } else {
            &[]
        };
        let block = block_of(&mut other, used, EACH / 4);
        take(&mut state, block);
    }
    let last = other.block(Vec::new());
    state.store_mut().commit().unwrap();
    drop(state);
    std::fs::write(dir.path().join("last"), encode(&last)).unwrap();
    print!("a reorganisation of {depth} blocks with {payments} payments each: ");
    std::io::stdout().flush().unwrap();
    // A process of its own has no memory left over from the making.
    let mut child = Command::new(std::env::current_exe().unwrap());
    let child = child.env(PREPARED, dir.path());
    assert!(child.status().unwrap().success());
}

fn block_of(maker: &mut Maker, coins: &[Purse], value: u64) -> Block {
    let pay = |coin: &Purse| maker.pay(&[*coin], &[value, EACH - value - 500]);
    let payments = coins.iter().map(pay).collect();
    maker.block(payments)
}

fn take(state: &mut State<RedbStore>, block: Block) {
    let now = UnixSeconds(u32::MAX);
    state.accept_block(Arc::new(block), now).unwrap();
    let store = state.store_mut();
    store.commit_beyond(COMMIT_BLOCKS, COMMIT_BYTES).unwrap();
}

fn measure(dir: &Path) {
    let params = Maker::new(&dir.join("genesis.yaml")).params;
    let block: Block = decode(&std::fs::read(dir.join("last")).unwrap()).unwrap();
    let block = Arc::new(block);
    let hash = block.hash();
    let state = open(&params, &dir.join("data"));
    assert_ne!(state.tip().hash, block.header.previous);
    let config = Config {
        user_agent: "bench".into(),
        mining: None,
        mempool: MempoolLimits::default(),
        timing: Timing::from_spacing_s(params.spacing_s),
    };
    let mut node = Node::new(config, state, 1);
    let now = Now {
        monotonic_ms: 1,
        unix: UnixMillis(u64::from(u32::MAX) * 1_000),
    };
    let mut out = Outbox::default();
    node.handle(now, Input::Started, &mut out).unwrap();
    let before = timing::memory_mib("VmRSS:");
    timing::forget_peak();
    let begin = Instant::now();
    node.handle(now, Input::BlockSubmitted { call: CALL, block }, &mut out)
        .unwrap();
    let judged = begin.elapsed();
    node.store_mut().commit().unwrap();
    let took = begin.elapsed();
    assert_eq!(node.state().tip().hash, hash);
    println!(
        "{:.1} s, of them {:.1} s to commit; memory {before:.0} MiB before, at most {:.0} MiB \
         more on the way; {} payments wait again",
        took.as_secs_f64(),
        (took - judged).as_secs_f64(),
        timing::memory_mib("VmHWM:") - before,
        node.mempool().len(),
    );
}

fn open(params: &Params, data: &Path) -> State<RedbStore> {
    let store = RedbStore::open(data, CACHE_BYTES).unwrap();
    let verifier = Box::new(ThreadedVerifier::new(0).unwrap());
    State::open_with(params.clone(), store, verifier).unwrap()
}
