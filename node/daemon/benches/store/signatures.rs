//! One block of a thousand payments with two inputs each, against the same
//! number of bare signature checks on the same cores.

use std::sync::Arc;
use std::time::Instant;

use minichain_chain::block::Block;
use minichain_chain::state::{Acceptance, State};
use minichain_chain::store::MemoryStore;
use minichain_chain::time::UnixSeconds;

use crate::maker::{Maker, Purse};
use crate::median;
use crate::raw::Raw;
use crate::timing::{self, Timed};

const PAYMENTS: u32 = 1_000;
const ROUNDS: usize = 15;

pub fn run() {
    let dir = tempfile::tempdir().unwrap();
    let mut maker = Maker::new(&dir.path().join("genesis.yaml"));
    let (split, coins) = maker.split(2 * PAYMENTS, 1_000_000);
    let first = maker.block(vec![split]);
    let pay = |pair: &[Purse]| maker.pay(pair, &[1_500_000, 500_000]);
    let payments = coins.chunks(2).map(pay).collect();
    let second = Arc::new(maker.block(payments));
    let raw = Raw::new(2 * PAYMENTS);
    let cores = std::thread::available_parallelism().unwrap().get();

    let (mut rates, mut ratios) = (Vec::new(), Vec::new());
    let (mut shares, mut settled_ratios) = (Vec::new(), Vec::new());
    let (mut bare_ticks, mut block_ticks) = (0, 0);
    for _ in 0..ROUNDS {
        let ticks = timing::ticks();
        let before = raw.time(cores);
        bare_ticks += timing::ticks() - ticks;
        let (verifier, spent) = Timed::new();
        let state = State::open_with(maker.params.clone(), MemoryStore::new(), verifier);
        let mut state = state.unwrap();
        connect(&mut state, &Arc::new(first.clone()));
        let _ = state.coin_stats().muhash.finished();
        let signatures_before = spent.signatures();
        let ticks = timing::ticks();
        let begin = Instant::now();
        connect(&mut state, &second);
        let took = begin.elapsed();
        // The digest of the coins is nobody's concern before the commit.
        let _ = state.coin_stats().muhash.finished();
        let settled = begin.elapsed();
        block_ticks += timing::ticks() - ticks;
        let after = raw.time(cores);
        let bare = (before + after) / 2;
        rates.push(f64::from(2 * PAYMENTS) / bare.as_secs_f64());
        ratios.push(bare.as_secs_f64() / took.as_secs_f64());
        settled_ratios.push(bare.as_secs_f64() / settled.as_secs_f64());
        let checks = spent.signatures() - signatures_before;
        shares.push(checks.as_secs_f64() / took.as_secs_f64());
    }
    println!(
        "bare checks on {cores} cores: {:.0} a second, median of {ROUNDS}",
        median(rates)
    );
    println!(
        "bare checks need {:.3} of the processor time of such a block with its digest",
        bare_ticks as f64 / block_ticks as f64
    );
    println!(
        "a block of {PAYMENTS} payments with 2 inputs and 2 outputs reaches {:.3} of that, {:.3} \
         with the digest of its coins; {:.0} % of its time are signatures; medians of {ROUNDS}",
        median(ratios),
        median(settled_ratios),
        100.0 * median(shares),
    );
}

fn connect(state: &mut State<MemoryStore>, block: &Arc<Block>) {
    let accepted = state.accept_block(Arc::clone(block), UnixSeconds(u32::MAX));
    assert!(
        matches!(accepted, Ok(Acceptance::TipChanged { .. })),
        "{accepted:?}"
    );
}
