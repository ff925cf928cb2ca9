//! Attacks on the bounds of the header tree.

#[path = "../common/mod.rs"]
#[expect(dead_code, reason = "other test programs use the rest")]
mod common;

use std::sync::Arc;

use common::{Branch, NOW, accept, coinbase, commit_and_solve, connect, connect_all, open, params};
use minichain_chain::block::{Block, Header};
use minichain_chain::hash::MerkleRoot;
use minichain_chain::height::Height;
use minichain_chain::state::{Acceptance, HeaderAcceptance, State};
use minichain_chain::store::MemoryStore;
use minichain_chain::tree::side_headers_max;

/// A rival of `block`, told apart by `number`.
fn rival(branch: &Branch, block: &Block, height: Height, number: u64) -> Arc<Block> {
    let mut rival = block.clone();
    let reward = branch.params.subsidy(height);
    rival.transactions[0] = coinbase(height, number, reward);
    commit_and_solve(&mut rival);
    Arc::new(rival)
}

fn take(state: &mut State<MemoryStore>, header: Header) -> HeaderAcceptance {
    state.accept_header(header, NOW).expect("the store works")
}

/// Bodies, which are bounded elsewhere, must not use up the room for headers:
/// a node that refused the first header of a rival branch could never follow
/// that branch, however much work it gained.
#[test]
fn kept_side_blocks_leave_room_for_a_better_branch() {
    let mut state = open();
    let mut main = Branch::new(&params());
    main.mine_empty(2);
    let mut better = main.fork(1, 77);
    better.mine_empty(2);
    connect_all(&mut state, &main);
    for number in 0..=side_headers_max(Height(2)) as u64 {
        let side = rival(&main, main.at(1), Height(1), 1_000 + number);
        assert!(matches!(
            accept(&mut state, &side),
            Acceptance::SideBranch { .. }
        ));
    }
    assert_eq!(take(&mut state, better.at(2).header), HeaderAcceptance::New);
    assert_eq!(take(&mut state, better.at(3).header), HeaderAcceptance::New);
    assert_eq!(state.missing_bodies(9), common::hashes(&better.blocks[2..]));
    assert!(matches!(
        accept(&mut state, better.at(2)),
        Acceptance::SideBranch { .. }
    ));
    connect(&mut state, better.at(3));
}

/// What is worse than all that is kept is refused again and again, and what
/// is no worse still finds room.
#[test]
fn refusing_a_flood_does_not_shut_out_what_has_more_work() {
    let mut state = open();
    let mut main = Branch::new(&params());
    main.mine_empty(3);
    connect_all(&mut state, &main);
    let sibling = |height: u32, number: usize| {
        let mut root = [0; 32];
        root[..8].copy_from_slice(&(number as u64).to_le_bytes());
        let mut header = main.at(height).header;
        header.merkle_root = MerkleRoot::from_bytes(root);
        common::solve(&mut header);
        header
    };
    let max = side_headers_max(Height(3));
    for number in 0..max {
        assert_eq!(take(&mut state, sibling(2, number)), HeaderAcceptance::New);
    }
    for number in 0..100 {
        let cheap = sibling(1, number);
        assert_eq!(take(&mut state, cheap), HeaderAcceptance::LowWork);
        assert!(!state.tree().contains(&cheap.hash()));
        assert_eq!(state.tree().len(), 4 + max);
    }
    assert_eq!(take(&mut state, sibling(2, max)), HeaderAcceptance::New);
    assert_eq!(state.tree().len(), 4 + max - max / 10);
    assert_eq!(take(&mut state, sibling(1, 0)), HeaderAcceptance::New);
}
