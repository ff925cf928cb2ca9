//! Ways through the tree, and the bound on headers off the best branch.

use std::collections::BTreeSet;

use minichain_chain::block::Header;
use minichain_chain::hash::{BlockHash, MerkleRoot};
use minichain_chain::height::Height;
use minichain_chain::state::{HeaderAcceptance, State};
use minichain_chain::store::{Batch, MemoryStore, Store, StoreError};
use minichain_chain::tree::side_headers_max;

use crate::common::store::{Gate, Gated};
use crate::common::{Branch, NOW, SPACING_S, connect_all, hashes, open, params, solve};

/// Breaks when told to forget what was never stored.
#[derive(Debug, Default)]
struct Strict {
    headers: BTreeSet<BlockHash>,
    batches: usize,
}

impl Gate for Strict {
    fn before(&mut self, batch: &Batch) -> Result<(), StoreError> {
        for hash in &batch.headers_removed {
            if !self.headers.remove(hash) {
                return Err(StoreError::corrupt(format!("{hash} was never stored")));
            }
        }
        let stored = batch.headers.iter().map(|stored| stored.header.hash());
        self.headers.extend(stored);
        self.batches += 1;
        Ok(())
    }
}

/// A header beside the one at `height`, told apart by `number`.
fn sibling(main: &Branch, height: u32, number: usize) -> Header {
    let mut root = [0; 32];
    root[..8].copy_from_slice(&(number as u64).to_le_bytes());
    let mut header = main.at(height).header;
    header.merkle_root = MerkleRoot::from_bytes(root);
    solve(&mut header);
    header
}

/// Adds empty headers on top of `parent`; returns their hashes.
fn extend(
    state: &mut State<MemoryStore>,
    parent: &Header,
    count: usize,
    version: i32,
) -> Vec<Header> {
    let mut headers = Vec::new();
    let mut below = *parent;
    for _ in 0..count {
        let mut header = Header {
            version,
            previous: below.hash(),
            time: below.time.saturating_add(SPACING_S),
            ..below
        };
        solve(&mut header);
        assert_eq!(state.accept_header(header, NOW), Ok(HeaderAcceptance::New));
        headers.push(header);
        below = header;
    }
    headers
}

fn hashes_of(headers: &[Header]) -> Vec<BlockHash> {
    headers.iter().map(Header::hash).collect()
}

/// ```text
/// 0 ── 1 ── … ── 500 ── … ── 3000 a
///                  └─── … ── 2000 b
/// ```
#[test]
fn ancestors_forks_and_locators_match_plain_walks() {
    let mut state = open();
    let genesis = state.tree().genesis().header;
    let a = extend(&mut state, &genesis, 3_000, 1);
    let b = extend(&mut state, &a[499], 1_500, 2);
    let tree = state.tree();
    let (tip_a, tip_b) = (a[2_999].hash(), b[1_499].hash());

    for height in (1..=3_000_u32).step_by(7) {
        let expected = a[height as usize - 1].hash();
        assert_eq!(
            tree.ancestor(&tip_a, Height(height)).map(|one| one.hash),
            Some(expected)
        );
        assert!(tree.is_ancestor(&expected, &tip_a));
        assert_eq!(tree.is_ancestor(&expected, &tip_b), height <= 500);
        let from_b = tree
            .ancestor(&tip_b, Height(height.min(2_000)))
            .expect("it has one");
        let fork = tree
            .fork_point(&expected, &from_b.hash)
            .expect("both are known");
        assert_eq!(fork.height.to_u32(), height.min(500));
    }
    assert!(tree.ancestor(&tip_b, Height(2_001)).is_none());
    assert_eq!(tree.best_header().hash, tip_a);
    assert_eq!(tree.leaves().len(), 2);

    let locator = tree.locator(&tip_a);
    assert_eq!(locator[0], tip_a);
    assert_eq!(
        locator[..10],
        hashes_of(&a[2_990..]).into_iter().rev().collect::<Vec<_>>()
    );
    assert_eq!(locator.last(), Some(&tree.genesis().hash));
    assert!(locator.len() < 30, "{}", locator.len());
    let mut gaps = locator.windows(2).map(|pair| {
        let height = |hash| tree.get(hash).map_or(0, |entry| entry.height.to_u32());
        height(&pair[0]) - height(&pair[1])
    });
    assert!(gaps.by_ref().take(9).all(|gap| gap == 1));
    let rest: Vec<_> = gaps.collect();
    assert!(
        rest.windows(2).all(|pair| pair[1] <= 2 * pair[0]),
        "{rest:?}"
    );
    assert_eq!(tree.locator(&BlockHash::from_bytes([9; 32])), []);
    assert_eq!(tree.locator(&tree.genesis().hash), [tree.genesis().hash]);
}

#[test]
fn headers_after_a_locator_continue_the_active_chain() {
    let mut a = Branch::new(&params());
    a.mine_empty(8);
    let mut b = a.fork(3, 1);
    b.mine_empty(2);
    let mut state = open();
    connect_all(&mut state, &a);
    for block in &b.blocks[4..] {
        crate::common::accept(&mut state, block);
    }
    let ask = |locator: &[BlockHash], stop: BlockHash, max: usize| {
        hashes_of(&state.headers_after(locator, &stop, max))
    };
    let none = BlockHash::ZERO;
    // A peer on the other branch gets what follows the fork.
    let theirs = state.tree().locator(&b.tip().hash());
    assert_eq!(ask(&theirs, none, 100), hashes(&a.blocks[4..]));
    assert_eq!(ask(&theirs, none, 2), hashes(&a.blocks[4..6]));
    assert_eq!(ask(&theirs, a.at(5).hash(), 100), hashes(&a.blocks[4..6]));
    // A peer that knows nothing of ours starts at the beginning.
    assert_eq!(
        ask(&[BlockHash::from_bytes([1; 32])], none, 3),
        hashes(&a.blocks[1..4])
    );
    assert_eq!(ask(&[a.tip().hash()], none, 100), []);
}

/// ```text
/// 0 ── 1 ── … ── 40       best
///  ├── … 6 headers        little work, many of them
///  ├── … 6 headers
///  …
///  └── … 30 headers       honest, more work than the flood
/// ```
#[test]
fn flood_of_cheap_headers_is_bounded_and_does_not_displace_better_branches() {
    let mut state = open();
    let genesis = state.tree().genesis().header;
    let best = extend(&mut state, &genesis, 40, 1);
    let honest = extend(&mut state, &genesis, 30, 2);
    let max = side_headers_max(Height(40));
    let mut refused = 0;
    for version in 3..i32::try_from(max / 3).expect("small") {
        let mut below = genesis;
        for _ in 0..6 {
            let mut header = Header {
                version,
                previous: below.hash(),
                time: below.time.saturating_add(SPACING_S),
                ..below
            };
            solve(&mut header);
            match state.accept_header(header, NOW).expect("the store works") {
                HeaderAcceptance::New => below = header,
                HeaderAcceptance::LowWork => {
                    assert!(!state.tree().contains(&header.hash()));
                    refused += 1;
                    break;
                }
                other => panic!("unexpected: {other:?}"),
            }
        }
        assert!(state.tree().len() <= max + 41);
    }
    assert!(refused > 0, "the flood was larger than the bound");
    for header in best.iter().chain(&honest) {
        assert!(state.tree().contains(&header.hash()));
    }
    // The store forgot the same headers.
    let stored = state.store().headers().expect("memory does not fail");
    assert_eq!(stored.len(), state.tree().len());
    let reopened = State::open(params(), state.store().clone()).expect("it opens");
    assert_eq!(reopened.tree().best_header().hash, best[39].hash());

    // The honest branch may still grow past the best one.
    let grown = extend(&mut state, &honest[29], 11, 2);
    assert_eq!(state.tree().best_header().hash, grown[10].hash());
}

/// ```text
/// 0 ── 1 ── 2       best
/// │    ├─── …       as many beside 2 as are kept
/// └─── …            beside 1, with less work
/// ```
#[test]
fn refused_headers_cost_the_store_nothing() {
    let mut main = Branch::new(&params());
    main.mine_empty(2);
    let mut state =
        State::open(params(), Gated::<Strict>::default()).expect("an empty store opens");
    for block in &main.blocks[1..] {
        let kept = state.accept_header(block.header, NOW);
        assert_eq!(kept, Ok(HeaderAcceptance::New));
    }
    let max = side_headers_max(Height(2));
    for number in 0..max {
        let kept = state.accept_header(sibling(&main, 2, number), NOW);
        assert_eq!(kept, Ok(HeaderAcceptance::New));
    }
    let batches = state.store().gate.batches;
    for number in 0..10 {
        let refused = state.accept_header(sibling(&main, 1, number), NOW);
        assert_eq!(refused, Ok(HeaderAcceptance::LowWork));
    }
    assert_eq!(state.store().gate.batches, batches);
    // What makes room at others' cost has the store forget just those.
    let kept = state.accept_header(sibling(&main, 2, max), NOW);
    assert_eq!(kept, Ok(HeaderAcceptance::New));
    assert_eq!(state.store().gate.headers.len(), state.tree().len());
}

#[test]
fn bound_grows_with_the_chain() {
    assert_eq!(side_headers_max(Height(0)), 10_000);
    assert_eq!(side_headers_max(Height(1_000_000)), 1_010_000);
}
