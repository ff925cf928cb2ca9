//! A long chain of near-empty blocks: imported by the program, taken apart
//! into what costs how much, and served by a node.

use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use minichain_chain::block::Block;
use minichain_chain::codec::{decode, encode};
use minichain_chain::params::Params;
use minichain_chain::rules::block::check_form;
use minichain_chain::state::State;
use minichain_chain::store::MemoryStore;
use minichain_chain::time::UnixSeconds;
use minichain_node::db::archive::{Reader, Writer};

use crate::maker::Maker;
use crate::timing::Timed;
use crate::{node, size};

/// Coins of one splitting transaction, and such transactions.
const COINS_PER_BLOCK: u32 = 20_000;
const COIN_BLOCKS: u32 = 50;

pub fn run() {
    let blocks = size("MINICHAIN_BENCH_BLOCKS", 100_000);
    let dir = tempfile::tempdir().unwrap();
    let (file, genesis, mut maker) = near_empty(blocks, dir.path());

    let data = dir.path().join("data");
    let (took, busy) = node::import(&file, &data, &genesis);
    println!(
        "import of {blocks} near-empty blocks: {:.0} blocks a second, {:.0} a second of processor \
         time",
        f64::from(blocks) / took.as_secs_f64(),
        f64::from(blocks) / busy.as_secs_f64()
    );
    shares(&file, &maker.params, took);

    let bank = maker.bank;
    let more = dir.path().join("more.bin");
    let chain = read(&file).chain((0..COIN_BLOCKS).map(|_| {
        let (split, _) = maker.split(COINS_PER_BLOCK, 10);
        maker.block(vec![split])
    }));
    let params = Maker::new(&genesis).params;
    write(&more, &params, chain);
    assert!(bank.1 > 0);
    let (took, _) = node::import(&more, &data, &genesis);
    println!(
        "import of {COIN_BLOCKS} blocks with {COINS_PER_BLOCK} new coins each on top: {:.1} s",
        took.as_secs_f64()
    );
    node::measure(&data, &genesis);
}

/// Writes a chain of blocks with nothing but rewards; its file, the file of its
/// rules, and who goes on with it.
fn near_empty(blocks: u32, folder: &Path) -> (PathBuf, PathBuf, Maker) {
    let (file, genesis) = (folder.join("chain.bin"), folder.join("genesis.yaml"));
    let mut maker = Maker::new(&genesis);
    let params = maker.params.clone();
    write(&file, &params, (0..blocks).map(|_| maker.block(Vec::new())));
    (file, genesis, maker)
}

/// A node that joins late.
pub fn sync() {
    let blocks = size("MINICHAIN_BENCH_SYNC_BLOCKS", 20_000);
    let dir = tempfile::tempdir().unwrap();
    let (file, genesis, _) = near_empty(blocks, dir.path());
    let data = dir.path().join("data");
    node::import(&file, &data, &genesis);
    node::follow(&data, &genesis, blocks);
}

/// What the same blocks cost without a disk, and their hashes alone.
pub fn shares(file: &Path, params: &Params, took: Duration) {
    let begin = Instant::now();
    let mut hashes = Duration::ZERO;
    let mut reading = Duration::ZERO;
    let (verifier, spent) = Timed::new();
    let mut state = State::open_with(params.clone(), MemoryStore::new(), verifier).unwrap();
    let mut before = Instant::now();
    for block in read(file) {
        reading += before.elapsed();
        let at = Instant::now();
        std::hint::black_box(block.hash());
        check_form(&block, params.block_weight_max.into()).unwrap();
        hashes += at.elapsed();
        state
            .accept_block(Arc::new(block), UnixSeconds(u32::MAX))
            .unwrap();
        before = Instant::now();
    }
    // The hashes were computed once more for their measurement.
    let memory = begin.elapsed() - hashes;
    let share = |part: Duration| 100.0 * part.as_secs_f64() / took.as_secs_f64();
    println!(
        "of its time: hashing {:.0} %, signatures {:.0} %, storage {:.0} %; \
         in memory and on one thread reading takes {:.1} s, all {:.1} s",
        share(hashes),
        share(spent.signatures()),
        share(took.saturating_sub(memory.saturating_sub(reading))),
        reading.as_secs_f64(),
        memory.as_secs_f64(),
    );
}

pub fn write(file: &Path, params: &Params, blocks: impl Iterator<Item = Block>) {
    let stream = BufWriter::with_capacity(1 << 20, File::create(file).unwrap());
    let mut writer = Writer::new(stream, params.genesis_hash()).unwrap();
    for block in blocks {
        writer.block(block.hash(), &encode(&block)).unwrap();
    }
    writer.finish().unwrap();
}

fn read(file: &Path) -> impl Iterator<Item = Block> + use<> {
    let stream = std::io::BufReader::with_capacity(1 << 20, File::open(file).unwrap());
    let mut reader = Reader::new(stream).unwrap();
    std::iter::from_fn(move || {
        reader
            .next_block()
            .unwrap()
            .map(|block| decode(&block).unwrap())
    })
}
