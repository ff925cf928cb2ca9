//! The file against a model, crashes, damage and a full disk.

use std::collections::BTreeMap;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::PathBuf;

use minichain_chain::amount::Amount;
use minichain_chain::block::Header;
use minichain_chain::hash::MerkleRoot;
use minichain_chain::hash::Txid;
use minichain_chain::height::Height;
use minichain_chain::pow::CompactTarget;
use minichain_chain::script::Script;
use minichain_chain::store::{MemoryStore, Status};
use minichain_chain::time::UnixSeconds;
use minichain_chain::transaction::{Transaction, TxIn, TxOut, Witness};
use proptest::prelude::*;

use super::*;

mod broken;
mod crash;

const CACHE: u64 = 1 << 20;

fn open(dir: &Path) -> RedbStore {
    RedbStore::open(dir, CACHE).unwrap()
}

fn header(number: u32) -> Header {
    Header {
        version: 1,
        previous: BlockHash::ZERO,
        merkle_root: MerkleRoot::ZERO,
        time: UnixSeconds(number),
        bits: CompactTarget(0x207f_ffff),
        nonce: number,
    }
}

fn stored_header(number: u32, status: Status) -> StoredHeader {
    StoredHeader {
        header: header(number),
        sequence: u64::from(number),
        status,
    }
}

fn outpoint(number: u32) -> OutPoint {
    let mut txid = [0; 32];
    txid[..4].copy_from_slice(&(number / 4).to_be_bytes());
    OutPoint {
        txid: Txid::from_bytes(txid),
        vout: number % 4,
    }
}

fn coin(number: u32) -> Coin {
    Coin {
        output: TxOut {
            value: Amount::from_sat(u64::from(number)),
            script_pubkey: Script::p2tr(&[7; 32]),
        },
        height: Height(number),
        is_coinbase: number.is_multiple_of(2),
    }
}

fn block(number: u32) -> Arc<Block> {
    let transaction = Transaction {
        version: 2,
        inputs: vec![TxIn {
            previous_output: OutPoint::NULL,
            script_sig: Script::from_bytes(&number.to_le_bytes()),
            sequence: 0,
            witness: Witness(vec![vec![0; 32]]),
        }],
        outputs: vec![coin(number).output],
        lock_time: 0,
    };
    Arc::new(Block {
        header: header(number),
        transactions: vec![transaction],
    })
}

fn tip(number: u32) -> StoredTip {
    StoredTip {
        hash: header(number).hash(),
        utxo_count: u64::from(number),
        utxo_total: Amount::from_sat(u64::from(number)),
        muhash: minichain_chain::coins::Digest::default(),
    }
}

/// Numbers that generated batches use.
const NUMBERS: u32 = 24;

/// Everything a store says about the keys in use.
type Content = (
    Vec<StoredHeader>,
    Option<StoredTip>,
    Vec<Option<Arc<Block>>>,
    Vec<Option<Undo>>,
    Vec<Option<Coin>>,
);

fn content(store: &impl Store) -> Result<Content, StoreError> {
    let hashes: Vec<_> = (0..NUMBERS).map(|number| header(number).hash()).collect();
    Ok((
        store.headers()?,
        store.tip()?,
        hashes
            .iter()
            .map(|hash| store.block(hash))
            .collect::<Result<_, _>>()?,
        hashes
            .iter()
            .map(|hash| store.undo(hash))
            .collect::<Result<_, _>>()?,
        (0..NUMBERS)
            .map(|number| store.coin(&outpoint(number)))
            .collect::<Result<_, _>>()?,
    ))
}

#[derive(Clone, Debug)]
enum Step {
    Apply(Box<Batch>),
    Commit,
    Lazily(u64),
    Crash,
    Close,
}

fn batch() -> impl Strategy<Value = Batch> {
    let numbers = || prop::collection::btree_set(0..NUMBERS, 0..4);
    let status = prop::sample::select(vec![Status::HeaderOnly, Status::Valid, Status::Invalid]);
    let coins = prop::collection::btree_map(0..NUMBERS, any::<bool>(), 0..6);
    (
        numbers(),
        status,
        numbers(),
        numbers(),
        numbers(),
        coins,
        prop::option::of(0..NUMBERS),
    )
        .prop_map(
            |(headers, status, removed, blocks, undos, coins, new_tip)| Batch {
                headers: headers
                    .into_iter()
                    .map(|number| stored_header(number, status))
                    .collect(),
                headers_removed: removed
                    .into_iter()
                    .map(|number| header(number).hash())
                    .collect(),
                blocks: blocks
                    .into_iter()
                    .map(|number| (header(number).hash(), block(number)))
                    .collect(),
                undos: undos
                    .into_iter()
                    .map(|number| {
                        (
                            header(number).hash(),
                            Undo {
                                spent: vec![coin(number)],
                            },
                        )
                    })
                    .collect(),
                coins: coins
                    .into_iter()
                    .map(|(number, comes)| (outpoint(number), comes.then(|| coin(number))))
                    .collect(),
                tip: new_tip.map(tip),
            },
        )
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => batch().prop_map(|batch| Step::Apply(Box::new(batch))),
        2 => Just(Step::Commit),
        2 => (0..3_000_u64).prop_map(Step::Lazily),
        1 => Just(Step::Crash),
        1 => Just(Step::Close),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn file_behaves_like_maps_and_keeps_what_was_committed(
        steps in prop::collection::vec(step(), 1..25),
    ) {
        let dir = tempfile::tempdir().unwrap();
        let mut store = open(dir.path());
        let (mut model, mut durable) = (MemoryStore::new(), MemoryStore::new());
        let mut now_ms = 0;
        for step in steps {
            match step {
                Step::Apply(mut batch) => {
                    // The chain makes only coins that are not there.
                    batch.coins.retain(|outpoint, coin| {
                        coin.is_none() || model.coin(outpoint).unwrap().is_none()
                    });
                    store.apply(Batch::clone(&batch)).unwrap();
                    model.apply(*batch).unwrap();
                }
                Step::Commit => {
                    store.commit().unwrap();
                    durable = model.clone();
                }
                Step::Lazily(elapsed_ms) => {
                    now_ms += elapsed_ms;
                    store.commit_lazily(now_ms).unwrap();
                    if store.pending.is_empty() {
                        durable = model.clone();
                    }
                }
                Step::Crash => {
                    drop(store);
                    store = open(dir.path());
                    model = durable.clone();
                }
                Step::Close => {
                    store.commit().unwrap();
                    durable = model.clone();
                    drop(store);
                    store = open(dir.path());
                }
            }
            prop_assert_eq!(content(&store).unwrap(), content(&model).unwrap());
        }
    }
}

#[test]
fn new_store_is_empty() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(&dir.path().join("made/if/missing"));
    assert!(store.headers().unwrap().is_empty());
    assert_eq!(store.tip().unwrap(), None);
}

#[test]
fn lazy_commits_gather_until_time_count_or_size() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(dir.path());
    let one = |number| Batch {
        blocks: vec![(header(number).hash(), block(number))],
        ..Batch::default()
    };
    store.commit_lazily(0).unwrap();
    assert_eq!(store.next_commit_due_ms(), None, "nothing waits");
    store.apply(one(1)).unwrap();
    store.commit_lazily(1_000).unwrap();
    assert_eq!(store.next_commit_due_ms(), Some(2_000));
    store.apply(one(2)).unwrap();
    store.commit_lazily(1_900).unwrap();
    assert_eq!(
        store.next_commit_due_ms(),
        Some(2_000),
        "later calls do not put it off"
    );
    store.commit_if_due(1_999).unwrap();
    assert!(!store.pending.is_empty());
    store.commit_if_due(2_000).unwrap();
    assert!(store.pending.is_empty());
    assert_eq!(store.next_commit_due_ms(), None);
    for number in 0..u32::try_from(LAZY_BLOCKS).unwrap() {
        assert_eq!(store.pending.blocks(), number as usize);
        store.apply(one(number)).unwrap();
        store.commit_lazily(3_000).unwrap();
    }
    assert!(store.pending.is_empty(), "so many blocks do not wait");
}

#[test]
fn coin_that_comes_and_goes_before_a_commit_costs_the_disk_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(dir.path());
    let change = |coin| Batch {
        coins: BTreeMap::from([(outpoint(1), coin)]),
        ..Batch::default()
    };
    store.apply(change(Some(coin(1)))).unwrap();
    store.apply(change(None)).unwrap();
    assert!(store.pending.is_empty());
    store.apply(change(Some(coin(1)))).unwrap();
    store.commit().unwrap();
    // Now the disk has it: gone, back and gone again must reach the disk.
    for coin in [None, Some(coin(1)), None] {
        store.apply(change(coin)).unwrap();
    }
    store.commit().unwrap();
    drop(store);
    assert_eq!(open(dir.path()).coin(&outpoint(1)).unwrap(), None);
}

#[test]
fn too_much_to_wait_is_committed_without_an_order() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(dir.path());
    let coins = u32::try_from(PENDING_BYTES_MAX / 200).unwrap();
    let half = |from: u32| Batch {
        coins: (from..from + coins / 2 + 1)
            .map(|number| (outpoint(number), Some(coin(number))))
            .collect(),
        ..Batch::default()
    };
    store.apply(half(0)).unwrap();
    assert!(!store.pending.is_empty());
    store.apply(half(coins)).unwrap();
    assert!(store.pending.is_empty());
    drop(store);
    let store = open(dir.path());
    assert_eq!(store.coin(&outpoint(coins)).unwrap(), Some(coin(coins)));
    let mut count = 0;
    store.each_coin(|_, _| count += 1).unwrap();
    assert_eq!(count, 2 * (coins / 2 + 1));
}

#[test]
fn headers_come_in_the_order_of_their_sequence() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(dir.path());
    let headers = [5, 1, 3]
        .map(|number| stored_header(number, Status::Valid))
        .to_vec();
    store
        .apply(Batch {
            headers,
            ..Batch::default()
        })
        .unwrap();
    store.commit().unwrap();
    let headers = vec![
        stored_header(2, Status::HeaderOnly),
        stored_header(5, Status::Invalid),
    ];
    store
        .apply(Batch {
            headers,
            ..Batch::default()
        })
        .unwrap();
    let got = store.headers().unwrap();
    assert_eq!(
        got.iter().map(|header| header.sequence).collect::<Vec<_>>(),
        [1, 2, 3, 5]
    );
    assert_eq!(got[3].status, Status::Invalid);
}
