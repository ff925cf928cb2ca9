//! What a block costs: searching, checking signatures, reading bytes.
//!
//! Run with `cargo bench -p minichain-chain`. The ratio of `midstate` to
//! `plain` is what the prepared search saves.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use minichain_chain::amount::Amount;
use minichain_chain::block::{Block, Header};
use minichain_chain::codec::{decode, encode};
use minichain_chain::hash::{BlockHash, MerkleRoot, Txid};
use minichain_chain::merkle::transaction_root;
use minichain_chain::pow::{CompactTarget, Searcher};
use minichain_chain::script::Script;
use minichain_chain::signature::{SecretKey, SighashCache, sign_all_inputs, verify_input};
use minichain_chain::time::UnixSeconds;
use minichain_chain::transaction::{OutPoint, Transaction, TxIn, TxOut, Witness};

const NONCES: u32 = 10_000;

criterion_group!(benches, header_search, signature_check, block_bytes);
criterion_main!(benches);

fn header_search(criterion: &mut Criterion) {
    let header = hard_header();
    let mut group = criterion.benchmark_group("header_search");
    group.throughput(Throughput::Elements(u64::from(NONCES)));
    group.bench_function("plain", |bencher| {
        let target = header.bits.to_target().expect("bits of a constant");
        bencher.iter(|| {
            (0..NONCES).find(|&nonce| {
                target.is_met_by(
                    &Header {
                        nonce,
                        ..black_box(header)
                    }
                    .hash(),
                )
            })
        });
    });
    group.bench_function("midstate", |bencher| {
        let mut searcher = Searcher::new(&header).expect("bits of a constant");
        bencher.iter(|| searcher.search(black_box(0..NONCES)));
    });
    group.finish();
}

fn signature_check(criterion: &mut Criterion) {
    let secret = SecretKey::from_bytes([7; 32]).expect("below the curve order");
    let (mut tx, prevouts) = payment(&secret);
    sign_all_inputs(&mut tx, &prevouts, &secret, &[0; 32]).expect("one output per input");
    let cache = SighashCache::new(&tx, &prevouts).expect("one output per input");
    criterion.bench_function("verify_input", |bencher| {
        bencher.iter(|| verify_input(black_box(&cache), 0).expect("signed above"));
    });
}

fn block_bytes(criterion: &mut Criterion) {
    let bytes = bitcoin_test_data::blocks::mainnet_702861();
    let block: Block = decode(bytes).expect("a block of the main net");
    let mut group = criterion.benchmark_group("mainnet_block_702861");
    group.sample_size(20);
    group.throughput(Throughput::Bytes(bytes.len() as u64));
    group.bench_function("decode", |bencher| {
        bencher.iter(|| decode::<Block>(black_box(bytes)).expect("decoded above"));
    });
    group.bench_function("encode", |bencher| {
        bencher.iter(|| encode(black_box(&block)));
    });
    group.bench_function("merkle_root", |bencher| {
        bencher.iter(|| transaction_root(black_box(&block.transactions)));
    });
    group.finish();
}

/// A header no nonce below [`NONCES`] solves.
fn hard_header() -> Header {
    Header {
        version: 1,
        previous: BlockHash::ZERO,
        merkle_root: MerkleRoot::from_bytes([1; 32]),
        time: UnixSeconds(1_700_000_000),
        bits: CompactTarget(0x1700_ffff),
        nonce: 0,
    }
}

fn payment(secret: &SecretKey) -> (Transaction, Vec<TxOut>) {
    let output = |sat| TxOut {
        value: Amount::from_sat(sat),
        script_pubkey: Script::p2tr(&secret.output_key()),
    };
    let input = TxIn {
        previous_output: OutPoint {
            txid: Txid::from_bytes([9; 32]),
            vout: 0,
        },
        script_sig: Script::new(),
        sequence: u32::MAX,
        witness: Witness::new(),
    };
    let tx = Transaction {
        version: 2,
        inputs: vec![input],
        outputs: vec![output(900)],
        lock_time: 0,
    };
    (tx, vec![output(1_000)])
}
