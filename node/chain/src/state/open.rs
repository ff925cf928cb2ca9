//! Opening a store: a new one gets the genesis block, any other must fit.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::{LEG_COINS, State};
use crate::coins::{
    CoinStats, Overlay, SequentialVerifier, SignatureVerifier, Undo, connect_genesis,
};
use crate::hash::BlockHash;
use crate::params::{Params, ParamsError};
use crate::rules::header::check_height;
use crate::store::{Batch, Status, Store, StoreError, StoredHeader, StoredTip};
use crate::tree::{Index, Tree};

/// Why a store cannot be opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// The store belongs to another network.
    #[error(
        "the store holds a chain with genesis {stored}, this network's is {ours}; use another \
         data folder, or the genesis file the store was made with"
    )]
    OtherGenesis {
        /// Genesis hash of the store.
        stored: BlockHash,
        /// Genesis hash of the parameters.
        ours: BlockHash,
    },
    /// The store broke, or pieces are missing.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// No network can run on the parameters.
    #[error(transparent)]
    Params(#[from] ParamsError),
}

impl<S: Store> State<S> {
    /// As [`State::open_with`], signatures being checked one after the other.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn open(params: Params, store: S) -> Result<Self, OpenError> {
        Self::open_with(params, store, Box::new(SequentialVerifier))
    }

    /// Opens a store, new or not. If a crash came between storing a block and
    /// connecting it, the block is connected now.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn open_with(
        params: Params,
        mut store: S,
        verifier: Box<dyn SignatureVerifier>,
    ) -> Result<Self, OpenError> {
        let params = params.check()?;
        let mut headers = store.headers()?;
        if headers.is_empty() && store.tip()?.is_none() {
            begin(&params, &mut store)?;
            headers = store.headers()?;
        }
        let tip = store
            .tip()?
            .ok_or_else(|| StoreError::corrupt("the tip is missing"))?;
        let next_sequence = headers
            .iter()
            .map(|stored| stored.sequence + 1)
            .max()
            .unwrap_or(0);
        let tree = plant(&params, headers)?;
        let active = active_chain(&tree, &tip)?;
        let mut state = Self {
            params,
            store,
            tree,
            active,
            candidates: BTreeSet::new(),
            coins: tip.coin_stats(),
            next_sequence,
            leg_coins: LEG_COINS,
            last_seen_wins: false,
            last_named: None,
            verifier: verifier.into(),
        };
        state.check_tip()?;
        state.find_candidates();
        while state.activate_best()?.is_progress() {}
        Ok(state)
    }

    /// The tip's own pieces are there, as a sample of the rest.
    fn check_tip(&self) -> Result<(), StoreError> {
        let tip = self.tip().hash;
        self.stored_block(&tip)?;
        self.stored_undo(&tip).map(drop)
    }

    /// Finds anew what has more work than the tip.
    pub(super) fn find_candidates(&mut self) {
        let work = self.tip().chainwork;
        let better = self
            .tree
            .iter()
            .filter(|entry| entry.is_connectable && entry.chainwork > work);
        self.candidates = better
            .filter_map(|entry| {
                let index = self.tree.index_of(&entry.hash)?;
                Some((entry.chainwork, Reverse(entry.sequence), index))
            })
            .collect();
    }
}

/// Writes the genesis block and its coins.
fn begin<S: Store>(params: &Params, store: &mut S) -> Result<(), StoreError> {
    let block = params.genesis_block();
    let hash = block.hash();
    let mut overlay = Overlay::new(&*store, CoinStats::default());
    connect_genesis(&block, &mut overlay)?;
    let (coins, stats) = overlay.into_changes(&SequentialVerifier);
    store.apply(Batch {
        headers: vec![StoredHeader {
            header: block.header,
            sequence: 0,
            status: Status::Valid,
        }],
        blocks: vec![(hash, Arc::new(block))],
        undos: vec![(hash, Undo::default())],
        coins,
        tip: Some(StoredTip::new(hash, &stats)),
        ..Batch::default()
    })
}

/// Links the stored headers.
fn plant(params: &Params, headers: Vec<StoredHeader>) -> Result<Tree, OpenError> {
    let count = headers.len();
    let mut above: BTreeMap<BlockHash, Vec<StoredHeader>> = BTreeMap::new();
    for stored in headers {
        above
            .entry(stored.header.previous)
            .or_default()
            .push(stored);
    }
    let ours = params.genesis_hash();
    let roots = above.remove(&BlockHash::ZERO).unwrap_or_default();
    let [genesis] = roots.as_slice() else {
        return Err(StoreError::corrupt("there is not exactly one genesis header").into());
    };
    let stored = genesis.header.hash();
    if stored != ours {
        return Err(OpenError::OtherGenesis { stored, ours });
    }
    let mut tree = Tree::new(genesis);
    let mut waiting = vec![tree.genesis_index()];
    while let Some(parent) = waiting.pop() {
        let (below, height) = (tree.at(parent).hash, tree.at(parent).height);
        for stored in above.remove(&below).unwrap_or_default() {
            let hash = stored.header.hash();
            let height = check_height(height)
                .map_err(|_| StoreError::corrupt("a header stands too high"))?;
            waiting.push(tree.insert(parent, (hash, height), &stored));
        }
    }
    if tree.len() != count {
        return Err(StoreError::corrupt("headers are missing below stored ones").into());
    }
    Ok(tree)
}

/// The way from the genesis block to the stored tip, all of it valid.
fn active_chain(tree: &Tree, tip: &StoredTip) -> Result<Vec<Index>, StoreError> {
    let index = tree
        .index_of(&tip.hash)
        .ok_or_else(|| StoreError::corrupt(format!("the tip's header {} is missing", tip.hash)))?;
    let mut active: Vec<_> = tree.way_down(index).collect();
    active.reverse();
    let is_valid = |index: &Index| tree.at(*index).status == Status::Valid;
    if active.iter().all(is_valid) {
        return Ok(active);
    }
    Err(StoreError::corrupt(
        "the chain below the tip has blocks that were never connected",
    ))
}
