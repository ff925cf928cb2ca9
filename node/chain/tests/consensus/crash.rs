//! A crash at any moment leaves a state the chain was once in.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use minichain_chain::block::Block;
use minichain_chain::coins::{Coin, Undo};
use minichain_chain::hash::BlockHash;
use minichain_chain::params::Params;
use minichain_chain::state::{OpenError, State};
use minichain_chain::store::{
    Batch, MemoryStore, Status, Store, StoreError, StoredHeader, StoredTip,
};
use minichain_chain::transaction::OutPoint;

use crate::common::pay::pay;
use crate::common::store::{Gate, Gated};
use crate::common::{Branch, COIN, NOW, accept, allocation, connect_all, naive, open, params};

/// Remembers what a crash after each batch would leave.
#[derive(Clone, Debug, Default)]
struct Recording {
    snapshots: Rc<RefCell<Vec<MemoryStore>>>,
}

impl Gate for Recording {
    fn after(&mut self, store: &MemoryStore) {
        self.snapshots.borrow_mut().push(store.clone());
    }
}

/// ```text
/// 0 ── a1 ── a2 ── a3
///       └─── b2 ── b3 ── b4
///             └─── C3 ── c4 ── c5      C3 takes too much
/// ```
fn history() -> [Branch; 3] {
    let mut a = Branch::new(&params());
    a.mine(&[pay(&[(allocation(0), 10 * COIN)], &[4 * COIN, 6 * COIN])]);
    let mut b = a.fork(1, 1);
    a.mine(&[pay(&[(allocation(1), 10 * COIN)], &[COIN])]);
    a.mine_empty(1);
    b.mine(&[pay(&[(allocation(1), 10 * COIN)], &[2 * COIN])]);
    let mut c = b.fork(2, 2);
    b.mine_empty(2);
    let bad = c.next_taking(minichain_chain::amount::MAX_MONEY, &[]);
    c.push(bad);
    c.mine_empty(2);
    [a, b, c]
}

#[test]
fn every_batch_leaves_a_store_that_opens_and_goes_on() {
    let branches = history();
    let recording = Gated::<Recording>::default();
    let snapshots = Rc::clone(&recording.gate.snapshots);
    let mut state = State::open(params(), recording).expect("an empty store opens");
    for branch in &branches {
        for block in &branch.blocks[1..] {
            state
                .accept_block(Arc::clone(block), NOW)
                .expect("the store works");
        }
    }
    let end = state.utxo_info();
    assert_eq!(end.hash, branches[1].tip().hash());

    let snapshots = snapshots.borrow();
    assert!(snapshots.len() > 15, "every block takes at least one batch");
    for (number, snapshot) in snapshots.iter().enumerate() {
        let mut survivor = State::open(params(), snapshot.clone())
            .unwrap_or_else(|error| panic!("after batch {number}: {error}"));
        let tip = survivor.tip().hash;
        let way = branches
            .iter()
            .flat_map(|branch| (0..branch.blocks.len()).map(move |end| &branch.blocks[..=end]))
            .find(|way| way.last().is_some_and(|block| block.hash() == tip))
            .expect("the tip is a block of the history");
        assert_eq!(
            survivor.utxo_info().muhash,
            naive::muhash(&naive::coins_after(way))
        );
        for branch in &branches {
            for block in &branch.blocks[1..] {
                accept(&mut survivor, block);
            }
        }
        assert_eq!(survivor.utxo_info(), end, "after batch {number}");
    }
}

/// The body was stored, the crash came before it was connected.
#[test]
fn block_stored_before_a_crash_is_connected_on_opening() {
    let mut branch = Branch::new(&params());
    let block = branch.mine(&[]);
    let mut store = open().store().clone();
    let stored = StoredHeader {
        header: block.header,
        sequence: 9,
        status: Status::BodyStored,
    };
    store
        .apply(Batch {
            headers: vec![stored],
            blocks: vec![(block.hash(), Arc::clone(&block))],
            ..Batch::default()
        })
        .expect("memory does not fail");
    let state = State::open(params(), store).expect("it opens");
    assert_eq!(state.tip().hash, block.hash());
}

#[test]
fn store_of_another_network_is_refused() {
    let mut other: Params = params();
    other.network.push('x');
    let (stored, ours) = (params().genesis_hash(), other.genesis_hash());
    let store = open().store().clone();
    let error = State::open(other, store)
        .map(drop)
        .expect_err("another genesis");
    assert_eq!(error, OpenError::OtherGenesis { stored, ours });
    let message = error.to_string();
    assert!(
        message.contains(&stored.to_string()) && message.contains("data folder"),
        "{message}"
    );
}

#[test]
fn bad_parameters_are_refused_before_the_store_is_touched() {
    let mut bad = params();
    bad.spacing_s = 0;
    let error = State::open(bad, MemoryStore::new())
        .map(drop)
        .expect_err("no spacing");
    assert!(matches!(error, OpenError::Params(_)), "{error}");
}

/// A store some of whose pieces are gone.
#[derive(Clone, Debug)]
struct Lacking {
    inner: MemoryStore,
    lacks: Piece,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Piece {
    Tip,
    Headers,
    GenesisHeader,
    MiddleHeader,
    TipHeader,
    TipBlock,
    TipUndo,
    Validity,
}

impl Store for Lacking {
    fn headers(&self) -> Result<Vec<StoredHeader>, StoreError> {
        let mut headers = self.inner.headers()?;
        match self.lacks {
            Piece::Headers => headers.clear(),
            Piece::GenesisHeader => drop(headers.remove(0)),
            Piece::MiddleHeader => drop(headers.remove(2)),
            Piece::TipHeader => drop(headers.pop()),
            Piece::Validity => headers[2].status = Status::BodyStored,
            Piece::Tip | Piece::TipBlock | Piece::TipUndo => {}
        }
        Ok(headers)
    }

    fn tip(&self) -> Result<Option<StoredTip>, StoreError> {
        if self.lacks == Piece::Tip {
            Ok(None)
        } else {
            self.inner.tip()
        }
    }

    fn block(&self, hash: &BlockHash) -> Result<Option<Arc<Block>>, StoreError> {
        if self.lacks == Piece::TipBlock {
            Ok(None)
        } else {
            self.inner.block(hash)
        }
    }

    fn undo(&self, hash: &BlockHash) -> Result<Option<Undo>, StoreError> {
        if self.lacks == Piece::TipUndo {
            Ok(None)
        } else {
            self.inner.undo(hash)
        }
    }

    fn coin(&self, outpoint: &OutPoint) -> Result<Option<Coin>, StoreError> {
        self.inner.coin(outpoint)
    }

    fn apply(&mut self, batch: Batch) -> Result<(), StoreError> {
        self.inner.apply(batch)
    }
}

#[test]
fn missing_pieces_are_named() {
    let mut branch = Branch::new(&params());
    branch.mine_empty(4);
    let mut state = open();
    connect_all(&mut state, &branch);
    let pieces = [
        Piece::Tip,
        Piece::Headers,
        Piece::GenesisHeader,
        Piece::MiddleHeader,
        Piece::TipHeader,
        Piece::TipBlock,
        Piece::TipUndo,
        Piece::Validity,
    ];
    for lacks in pieces {
        let store = Lacking {
            inner: state.store().clone(),
            lacks,
        };
        let error = State::open(params(), store)
            .map(drop)
            .expect_err("a piece is missing");
        assert!(
            matches!(error, OpenError::Store(StoreError::Corrupt { .. })),
            "{lacks:?}: {error:?}"
        );
        let message = error.to_string();
        assert!(
            message.starts_with("the store is corrupt: "),
            "{lacks:?}: {message}"
        );
    }
}

/// Fails every write from some moment on.
#[derive(Debug, Default)]
struct Failing {
    writes_left: usize,
}

impl Gate for Failing {
    fn before(&mut self, _batch: &Batch) -> Result<(), StoreError> {
        let left = self.writes_left.checked_sub(1);
        self.writes_left = left.ok_or_else(|| StoreError::io("no space left on device"))?;
        Ok(())
    }
}

#[test]
fn full_disk_is_an_error_and_loses_nothing_written() {
    let mut branch = Branch::new(&params());
    branch.mine_empty(3);
    for writes_left in 1..10 {
        let store = Gated {
            inner: MemoryStore::new(),
            gate: Failing { writes_left },
        };
        let mut state = State::open(params(), store).expect("one write is enough to begin");
        let failure = branch.blocks[1..]
            .iter()
            .find_map(|block| state.accept_block(Arc::clone(block), NOW).err());
        let error = failure.expect("three blocks take more writes");
        assert!(error.to_string().contains("no space left"), "{error}");
        let survivor = State::open(params(), state.store().inner.clone()).expect("it opens");
        let height = survivor.tip().height.to_u32() as usize;
        let expected = naive::coins_after(&branch.blocks[..=height]);
        assert_eq!(survivor.utxo_info().muhash, naive::muhash(&expected));
    }
}
