//! Ways through the tree, and the bound on headers off the best branch.

use minichain_chain::block::Header;
use minichain_chain::hash::BlockHash;
use minichain_chain::height::Height;
use minichain_chain::state::{HeaderAcceptance, State};
use minichain_chain::store::{MemoryStore, Store};
use minichain_chain::tree::side_headers_max;

use crate::common::{Branch, NOW, SPACING_S, connect_all, hashes, open, params, solve};

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

#[test]
fn bound_grows_with_the_chain() {
    assert_eq!(side_headers_max(Height(0)), 10_000);
    assert_eq!(side_headers_max(Height(1_000_000)), 1_010_000);
}
