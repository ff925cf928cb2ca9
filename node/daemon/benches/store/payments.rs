//! A chain of full blocks, imported.

use crate::maker::{Maker, Purse};
use crate::raw::Raw;
use crate::{blocks, node, size, timing};

const PAYMENTS: u32 = 1_000;
const RAW: u32 = 20_000;

pub fn run() {
    let count = size("MINICHAIN_BENCH_PAYMENT_BLOCKS", 100);
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("chain.bin");
    let genesis = dir.path().join("genesis.yaml");
    let mut maker = Maker::new(&genesis);
    let params = maker.params.clone();
    let (split, mut coins) = maker.split(2 * PAYMENTS, 1_000_000);
    let first = maker.block(vec![split]);
    let rest = (0..count).map(|_| {
        let payments: Vec<_> = coins
            .chunks(2)
            .map(|pair: &[Purse]| maker.pay(pair, &[1_000_000, 1_000_000]))
            .collect();
        let made = payments
            .iter()
            .flat_map(|tx| [0, 1].map(|vout| (tx.outpoint(vout), 1_000_000)));
        coins = made.collect();
        maker.block(payments)
    });
    blocks::write(&file, &params, std::iter::once(first).chain(rest));

    let raw = Raw::new(RAW);
    let cores = std::thread::available_parallelism().unwrap().get();
    let ticks = timing::ticks();
    let before = raw.time(cores);
    let raw_ticks = timing::ticks() - ticks;
    let (took, busy) = node::import(&file, &dir.path().join("data"), &genesis);
    let bare = (before + raw.time(cores)).as_secs_f64() / 2.0 / f64::from(RAW);
    let signatures = f64::from(count) * f64::from(2 * PAYMENTS);
    println!(
        "import of {count} blocks of {PAYMENTS} payments with 2 inputs: {:.0} signatures a \
         second, {:.2} of the {:.0} of bare checks on {cores} cores",
        signatures / took.as_secs_f64(),
        bare * signatures / took.as_secs_f64(),
        1.0 / bare,
    );
    println!(
        "bare checks need {:.2} of its processor time",
        raw_ticks as f64 / 100.0 / f64::from(RAW) * signatures / busy.as_secs_f64()
    );
    blocks::shares(&file, &params, took);
}
