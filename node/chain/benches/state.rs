//! What the chain costs: headers in, blocks in, and the questions that sync
//! asks while it is far behind.
//!
//! Run with `cargo bench -p minichain-chain --bench state`. Figures named by
//! a number of headers should grow in proportion to it, or not at all.

use std::hint::black_box;
use std::sync::Arc;

use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use minichain_chain::amount::Amount;
use minichain_chain::block::{Block, Header};
use minichain_chain::difficulty::Rule;
use minichain_chain::hash::{BlockHash, MerkleRoot};
use minichain_chain::mempool::{Mempool, MempoolLimits};
use minichain_chain::params::{Allocation, Params, Proof, Reward, dev_account_key};
use minichain_chain::pow::{CompactTarget, Searcher};
use minichain_chain::script::Script;
use minichain_chain::signature::{SecretKey, sign_all_inputs};
use minichain_chain::state::{Acceptance, HeaderAcceptance, State};
use minichain_chain::store::MemoryStore;
use minichain_chain::template;
use minichain_chain::time::UnixSeconds;
use minichain_chain::transaction::{OutPoint, SEQUENCE_FINAL, Transaction, TxIn, TxOut, Witness};

const SPACING_S: u32 = 5;
const GENESIS_TIME: UnixSeconds = UnixSeconds(1_700_000_000);
/// Later than any block here.
const NOW: UnixSeconds = UnixSeconds(1_800_000_000);
const PAYMENTS: u32 = 1_000;
const PAYMENT_SATS: u64 = 100_000;
const HEADERS: [usize; 3] = [5_000, 10_000, 20_000];

criterion_group!(benches, headers, questions, block, pool);
criterion_main!(benches);

/// Headers of an empty tree, one after the other.
fn headers(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("accept_headers");
    group.sample_size(10);
    for (name, rule) in [
        ("asert", Rule::Asert { half_life_s: 3_600 }),
        ("lwma_90", Rule::Lwma { window: 90 }),
    ] {
        let params = params(rule);
        let all = header_chain(&params, HEADERS[2]);
        for count in HEADERS {
            group.throughput(Throughput::Elements(count as u64));
            group.bench_function(BenchmarkId::new(name, count), |bencher| {
                bencher.iter_batched(
                    || open(&params),
                    |mut state| {
                        take_headers(&mut state, &all[..count]);
                        state
                    },
                    BatchSize::PerIteration,
                );
            });
        }
    }
    group.finish();
}

/// What sync asks of a tree whose bodies are all missing.
fn questions(criterion: &mut Criterion) {
    let params = params(Rule::Asert { half_life_s: 3_600 });
    let all = header_chain(&params, HEADERS[2]);
    let mut group = criterion.benchmark_group("questions");
    for count in HEADERS {
        let mut state = open(&params);
        take_headers(&mut state, &all[..count]);
        let best = state.tree().best_header().hash;
        let genesis = state.tip().hash;
        group.bench_function(BenchmarkId::new("missing_bodies_128", count), |bencher| {
            bencher.iter(|| black_box(&state).missing_bodies(128));
        });
        group.bench_function(BenchmarkId::new("locator", count), |bencher| {
            bencher.iter(|| black_box(&state).tree().locator(&best));
        });
        group.bench_function(BenchmarkId::new("fork_point", count), |bencher| {
            bencher.iter(|| black_box(&state).tree().fork_point(&genesis, &best));
        });
        group.bench_function(BenchmarkId::new("headers_after_2000", count), |bencher| {
            let tree = state.tree();
            bencher.iter(|| tree.headers_after(&best, &[genesis], &BlockHash::ZERO, 2_000));
        });
        group.bench_function(BenchmarkId::new("next_bits", count), |bencher| {
            bencher.iter(|| black_box(&state).next_bits(&best));
        });
    }
    group.finish();
}

/// A block of a thousand payments: connected, and connected again after it
/// was taken off.
fn block(criterion: &mut Criterion) {
    let (params, payments) = network_with_payments();
    let blocks = [
        Arc::new(next_block(&params, &params.genesis_block(), 1, &payments)),
        Arc::new(next_block(&params, &params.genesis_block(), 2, &[])),
    ];
    let rival = Arc::new(next_block(&params, &blocks[1], 3, &[]));
    let mut group = criterion.benchmark_group("block_of_1000_payments");
    group.sample_size(10);
    group.throughput(Throughput::Elements(u64::from(PAYMENTS)));
    group.bench_function("connect", |bencher| {
        bencher.iter_batched(
            || open(&params),
            |mut state| {
                connect(&mut state, &blocks[0]);
                state
            },
            BatchSize::PerIteration,
        );
    });
    group.bench_function("replace_by_two_empty_blocks", |bencher| {
        bencher.iter_batched(
            || {
                let mut state = open(&params);
                connect(&mut state, &blocks[0]);
                let side = state.accept_block(Arc::clone(&blocks[1]), NOW);
                assert!(matches!(side, Ok(Acceptance::SideBranch { .. })));
                state
            },
            |mut state| {
                connect(&mut state, &rival);
                state
            },
            BatchSize::PerIteration,
        );
    });
    group.finish();
}

/// A thousand payments into the pool, out of it into a template, and off it.
fn pool(criterion: &mut Criterion) {
    let (params, payments) = network_with_payments();
    let state = open(&params);
    let payments: Vec<_> = payments.into_iter().map(Arc::new).collect();
    let filled = || {
        let mut pool = Mempool::new(MempoolLimits::default());
        for tx in &payments {
            let accepted = pool.accept(Arc::clone(tx), &state, params.genesis_time);
            assert!(matches!(accepted, Ok(Ok(_))), "{accepted:?}");
        }
        pool
    };
    let mut group = criterion.benchmark_group("pool_of_1000_payments");
    group.sample_size(10);
    group.throughput(Throughput::Elements(u64::from(PAYMENTS)));
    group.bench_function("accept", |bencher| bencher.iter(filled));
    let pool = filled();
    group.bench_function("template", |bencher| {
        bencher.iter(|| template::build(&state, &pool, [7; 32], 0, b"bench", NOW));
    });
    group.finish();
}

fn params(difficulty: Rule) -> Params {
    // Every second hash meets it.
    let target = CompactTarget(0x207f_ffff)
        .to_target()
        .expect("bits of a constant");
    Params {
        network: "bench".into(),
        address_prefix: "bench".into(),
        genesis_time: GENESIS_TIME,
        spacing_s: SPACING_S,
        difficulty,
        initial_target: target,
        pow_limit: target,
        future_limit_s: 15,
        reward: Reward {
            initial: Amount::from_sat(5_000_000_000),
            halving_interval: 0,
        },
        coinbase_maturity: 10,
        block_weight_max: 4_000_000,
        allocations: Vec::new(),
        proof: Proof::Hash,
    }
}

fn key() -> SecretKey {
    dev_account_key(&[7; 32], "bench")
}

/// A network with an allocation for each payment, and the payments.
fn network_with_payments() -> (Params, Vec<Transaction>) {
    let mut params = params(Rule::Fixed);
    let output_key = key().output_key();
    params.allocations = (0..PAYMENTS)
        .map(|number| Allocation {
            account: format!("account-{number}"),
            amount: Amount::from_sat(PAYMENT_SATS),
            output_key,
        })
        .collect();
    let allocations = params.genesis_block().transactions.swap_remove(0);
    let txid = allocations.txid();
    let payments = (0..PAYMENTS).map(|vout| payment(OutPoint { txid, vout }));
    let payments = payments.collect();
    (params, payments)
}

/// Two outputs, as with change.
fn payment(previous_output: OutPoint) -> Transaction {
    let output = |sats| TxOut {
        value: Amount::from_sat(sats),
        script_pubkey: Script::p2tr(&key().output_key()),
    };
    let mut tx = Transaction {
        version: 2,
        inputs: vec![TxIn {
            previous_output,
            script_sig: Script::new(),
            sequence: SEQUENCE_FINAL,
            witness: Witness::new(),
        }],
        outputs: vec![output(40_000), output(50_000)],
        lock_time: 0,
    };
    sign_all_inputs(&mut tx, &[output(PAYMENT_SATS)], &key(), &[0; 32])
        .expect("one output per input");
    tx
}

fn open(params: &Params) -> State<MemoryStore> {
    State::open(params.clone(), MemoryStore::new()).expect("an empty store opens")
}

fn take_headers(state: &mut State<MemoryStore>, headers: &[Header]) {
    for header in headers {
        let accepted = state.accept_header(*header, NOW);
        assert_eq!(accepted, Ok(HeaderAcceptance::New));
    }
}

fn connect(state: &mut State<MemoryStore>, block: &Arc<Block>) {
    let accepted = state.accept_block(Arc::clone(block), NOW);
    assert!(
        matches!(accepted, Ok(Acceptance::TipChanged { .. })),
        "{accepted:?}"
    );
}

/// Headers on schedule, so that the bits stay easy.
fn header_chain(params: &Params, count: usize) -> Vec<Header> {
    let mut state = open(params);
    let mut headers = Vec::with_capacity(count);
    let mut below = params.genesis_block().header;
    for _ in 0..count {
        let previous = below.hash();
        let mut header = Header {
            version: 4,
            previous,
            merkle_root: MerkleRoot::from_bytes([1; 32]),
            time: below.time.saturating_add(SPACING_S),
            bits: state.next_bits(&previous),
            nonce: 0,
        };
        solve(&mut header);
        take_headers(&mut state, &[header]);
        headers.push(header);
        below = header;
    }
    headers
}

fn solve(header: &mut Header) {
    let mut searcher = Searcher::new(header).expect("the bits name a target");
    header.nonce = searcher
        .search(0..u32::MAX)
        .expect("every second hash will do");
}

/// A block on top of `parent`, made by way of a template so that it commits
/// to its witnesses; `tag` makes it differ.
fn next_block(params: &Params, parent: &Block, tag: u64, payments: &[Transaction]) -> Block {
    let mut state = open(params);
    if parent.hash() != params.genesis_hash() {
        connect(&mut state, &Arc::new(parent.clone()));
    }
    let mut pool = Mempool::new(MempoolLimits::default());
    for tx in payments {
        let accepted = pool.accept(Arc::new(tx.clone()), &state, params.genesis_time);
        assert!(matches!(accepted, Ok(Ok(_))), "{accepted:?}");
    }
    let time = parent.header.time.saturating_add(SPACING_S);
    let mut block = template::build(&state, &pool, [7; 32], tag, b"bench", time).block;
    assert_eq!(block.transactions.len(), payments.len() + 1);
    solve(&mut block.header);
    block
}
