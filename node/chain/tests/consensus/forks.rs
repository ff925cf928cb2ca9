//! Which branch becomes the active chain.

use minichain_chain::amount::{Amount, MAX_MONEY};
use minichain_chain::block::Block;
use minichain_chain::hash::BlockHash;
use minichain_chain::height::Height;
use minichain_chain::rules::header::HeaderError;
use minichain_chain::state::{Acceptance, HeaderAcceptance, STEP_BLOCKS};
use minichain_chain::store::Status;

use crate::common::pay::pay;
use crate::common::{
    Branch, COIN, NOW, accept, allocation, connect, connect_all, hashes, moved_hashes, naive, open,
    params,
};

const TEN: u64 = 10 * COIN;

fn greedy(branch: &Branch) -> Block {
    branch.next_taking(MAX_MONEY, &[])
}

fn tip_changed(acceptance: Acceptance) -> (Vec<BlockHash>, Vec<BlockHash>) {
    let Acceptance::TipChanged {
        disconnected,
        connected,
        rejected,
    } = acceptance
    else {
        panic!("expected a new tip, got {acceptance:?}");
    };
    assert_eq!(rejected, []);
    (moved_hashes(&disconnected), moved_hashes(&connected))
}

fn assert_side_branch(acceptance: &Acceptance) {
    assert_eq!(
        *acceptance,
        Acceptance::SideBranch {
            rejected: Vec::new()
        }
    );
}

/// ```text
/// 0 ── a1 ── a2
///  └── b1 ── b2 ── b3
/// ```
#[test]
fn heavier_branch_replaces_the_tip() {
    let mut a = Branch::new(&params());
    let a1 = a.mine(&[pay(&[(allocation(0), TEN)], &[TEN])]);
    let a2 = a.mine(&[]);
    let mut b = a.fork(0, 1);
    b.mine_empty(3);

    let mut state = open();
    connect_all(&mut state, &a);
    assert_side_branch(&accept(&mut state, b.at(1)));
    assert_side_branch(&accept(&mut state, b.at(2)));
    assert_eq!(state.tip().hash, a2.hash());
    assert_eq!(state.tree().leaves().len(), 2);

    let (disconnected, connected) = tip_changed(accept(&mut state, b.at(3)));
    assert_eq!(disconnected, [a2.hash(), a1.hash()]);
    assert_eq!(connected, hashes(&b.blocks[1..]));
    assert_eq!(state.tip().hash, b.tip().hash());
    assert!(state.is_active(&b.at(2).hash()) && !state.is_active(&a2.hash()));
    assert_eq!(state.active_at(b.height()), Some(b.tip().hash()));
    // What only the other branch spent is unspent again.
    assert!(
        state
            .coin(&allocation(0))
            .expect("the store works")
            .is_some()
    );
}

/// ```text
/// 0 ── a1
///  └── b1
/// ```
#[test]
fn first_seen_of_equal_branches_stays() {
    let mut a = Branch::new(&params());
    a.mine_empty(1);
    let mut b = a.fork(0, 1);
    b.mine_empty(1);
    for (first, second) in [(&a, &b), (&b, &a)] {
        let mut state = open();
        connect(&mut state, first.tip());
        assert_side_branch(&accept(&mut state, second.tip()));
        assert_eq!(state.tip().hash, first.tip().hash());
    }
}

/// A header sent early, its body late, wins no tie: what counts is when the
/// block could first be connected.
///
/// ```text
/// 0 ── a1
///  └── b1   header first, body last
/// ```
#[test]
fn early_header_with_late_body_wins_no_tie() {
    let mut a = Branch::new(&params());
    a.mine_empty(1);
    let mut b = a.fork(0, 1);
    b.mine_empty(1);
    let mut state = open();
    assert_eq!(
        state.accept_header(b.tip().header, NOW),
        Ok(HeaderAcceptance::New)
    );
    connect(&mut state, a.tip());
    assert_side_branch(&accept(&mut state, b.tip()));
    assert_eq!(state.tip().hash, a.tip().hash());
}

/// ```text
/// 0 ── a1 ── a2
///  └── b1 ── B2 ── b3 ── b4     B2 takes too much
/// ```
#[test]
fn failing_branch_restores_the_old_tip() {
    let mut a = Branch::new(&params());
    a.mine(&[pay(&[(allocation(0), TEN)], &[TEN])]);
    a.mine_empty(1);
    let mut b = a.fork(0, 1);
    b.mine(&[pay(&[(allocation(0), TEN)], &[1, 2])]);
    let bad = greedy(&b);
    let bad = b.push(bad);
    b.mine_empty(2);

    let mut state = open();
    connect_all(&mut state, &a);
    let before = (state.utxo_info(), state.store().coins().count());
    assert_side_branch(&accept(&mut state, b.at(1)));
    assert_side_branch(&accept(&mut state, b.at(2)));
    let Acceptance::Invalid(error) = accept(&mut state, b.at(3)) else {
        panic!("the branch must fail");
    };
    // The block that came is not the one that broke the rule.
    assert_eq!(
        error,
        HeaderError::ParentInvalid { parent: bad.hash() }.into()
    );
    assert_eq!((state.utxo_info(), state.store().coins().count()), before);
    assert_eq!(state.tip().hash, a.tip().hash());
    let status = |height| {
        state
            .tree()
            .get(&b.at(height).hash())
            .map(|entry| entry.status)
    };
    assert_eq!(status(1), Some(Status::BodyStored));
    assert_eq!(status(2), Some(Status::Invalid));
    assert_eq!(status(3), Some(Status::InvalidAncestor));
    assert_eq!(status(4), None);
    assert_eq!(state.tree().best_header().hash, a.tip().hash());
    assert!(matches!(
        accept(&mut state, b.at(4)),
        Acceptance::Invalid(_)
    ));
    connect(&mut state, &a.mine(&[]));
}

/// Out of a failing branch the valid part is kept if it is the best.
///
/// ```text
/// 0 ── a1
///  └── b1 ── b2 ── B3      bodies: b2, B3, then b1
/// ```
#[test]
fn valid_part_of_a_failing_branch_becomes_active() {
    let mut a = Branch::new(&params());
    a.mine_empty(1);
    let mut b = a.fork(0, 1);
    b.mine_empty(2);
    let bad = greedy(&b);
    let bad = b.push(bad);

    let mut state = open();
    connect_all(&mut state, &a);
    for block in &b.blocks[1..] {
        assert_eq!(
            state.accept_header(block.header, NOW),
            Ok(HeaderAcceptance::New)
        );
    }
    assert_eq!(state.missing_bodies(10), hashes(&b.blocks[1..]));
    assert_eq!(accept(&mut state, b.at(2)), Acceptance::AwaitingParents);
    assert_eq!(accept(&mut state, &bad), Acceptance::AwaitingParents);
    assert_eq!(state.missing_bodies(10), [b.at(1).hash()]);
    let Acceptance::TipChanged {
        disconnected,
        connected,
        rejected,
    } = accept(&mut state, b.at(1))
    else {
        panic!("expected a new tip");
    };
    assert_eq!(moved_hashes(&disconnected), [a.tip().hash()]);
    assert_eq!(moved_hashes(&connected), hashes(&b.blocks[1..3]));
    let rejected: Vec<_> = rejected
        .iter()
        .map(|(hash, error)| (*hash, error.rule()))
        .collect();
    assert_eq!(rejected, [(bad.hash(), "reward_too_high")]);
    assert_eq!(state.missing_bodies(10), []);
}

/// ```text
/// 0 ── a1 ── a2
///  └── b1 ── B2 ── b3      bodies: B2, b3, then b1
/// ```
#[test]
fn kept_blocks_that_turn_out_invalid_are_reported_on_a_side_branch() {
    let mut a = Branch::new(&params());
    a.mine_empty(2);
    let mut b = a.fork(0, 1);
    b.mine_empty(1);
    let bad = greedy(&b);
    let bad = b.push(bad);
    b.mine_empty(1);

    let mut state = open();
    connect_all(&mut state, &a);
    for block in &b.blocks[1..] {
        assert_eq!(
            state.accept_header(block.header, NOW),
            Ok(HeaderAcceptance::New)
        );
    }
    assert_eq!(accept(&mut state, &bad), Acceptance::AwaitingParents);
    assert_eq!(accept(&mut state, b.at(3)), Acceptance::AwaitingParents);
    let Acceptance::SideBranch { rejected } = accept(&mut state, b.at(1)) else {
        panic!("expected a side branch");
    };
    let rejected: Vec<_> = rejected
        .iter()
        .map(|(hash, error)| (*hash, error.rule()))
        .collect();
    assert_eq!(rejected, [(bad.hash(), "reward_too_high")]);
    assert_eq!(state.tip().hash, a.tip().hash());
}

#[test]
fn bodies_may_come_in_any_order() {
    let mut branch = Branch::new(&params());
    branch.mine_empty(20);
    let mut state = open();
    for block in &branch.blocks[1..] {
        assert_eq!(
            state.accept_header(block.header, NOW),
            Ok(HeaderAcceptance::New)
        );
    }
    for block in branch.blocks[2..].iter().rev() {
        assert_eq!(accept(&mut state, block), Acceptance::AwaitingParents);
    }
    let (disconnected, connected) = tip_changed(accept(&mut state, branch.at(1)));
    assert!(disconnected.is_empty());
    assert_eq!(connected, hashes(&branch.blocks[1..]));
}

/// ```text
/// 0 ── 1 ── … ── 100 a
///       └── … ──────── 102 b
/// ```
#[test]
fn deep_reorg_and_back_restores_the_digest() {
    let mut a = Branch::new(&params());
    a.mine_empty(1);
    let mut b = a.fork(1, 1);
    let chain_of_payments = |branch: &mut Branch, sats: u64, count: usize| {
        let mut outpoint = (allocation(3), TEN);
        for step in 0..count as u64 {
            let tx = pay(&[outpoint], &[sats - step]);
            outpoint = (tx.outpoint(0), sats - step);
            branch.mine(&[tx]);
        }
    };
    chain_of_payments(&mut a, TEN, 99);
    chain_of_payments(&mut b, TEN - 500, 101);
    let mut state = open();
    connect_all(&mut state, &a);
    let at_a = state.utxo_info();
    for block in &b.blocks[2..] {
        accept(&mut state, block);
    }
    assert_eq!(state.tip().hash, b.tip().hash());
    assert_eq!(
        state.utxo_info().muhash,
        naive::muhash(&naive::coins_after(&b.blocks))
    );

    a.mine_empty(3);
    for block in &a.blocks[101..] {
        accept(&mut state, block);
    }
    assert_eq!(state.tip().hash, a.tip().hash());
    let back = state.utxo_info_at(&at_a.hash).expect("the store works");
    assert_eq!(back, Some(at_a));
}

#[test]
fn coins_at_every_active_block_can_be_asked_for() {
    let mut branch = Branch::new(&params());
    let first = pay(&[(allocation(0), TEN)], &[4 * COIN, 5 * COIN]);
    let second = pay(&[(first.outpoint(1), 5 * COIN)], &[COIN]);
    branch.mine(&[first, second]);
    branch.mine_empty(MATURITY_AND_ONE);
    let reward = branch.at(1).transactions[0].outpoint(0);
    branch.mine(&[pay(&[(reward, 50 * COIN)], &[COIN])]);
    let mut state = open();
    connect_all(&mut state, &branch);
    for height in 0..branch.blocks.len() {
        let expected = naive::coins_after(&branch.blocks[..=height]);
        let found = state.utxo_info_at(&branch.blocks[height].hash());
        let found = found
            .expect("the store works")
            .expect("the block is active");
        assert_eq!(found.height.to_u32() as usize, height);
        assert_eq!(found.muhash, naive::muhash(&expected), "height {height}");
        assert_eq!(found.count, expected.len() as u64, "height {height}");
        let total: u64 = expected
            .values()
            .map(|coin| coin.output.value.to_sat())
            .sum();
        assert_eq!(found.total.to_sat(), total, "height {height}");
    }
    let mut side = branch.fork(0, 1);
    accept(&mut state, &side.mine(&[]));
    assert_eq!(state.utxo_info_at(&side.tip().hash()), Ok(None));
}

const MATURITY_AND_ONE: u32 = crate::common::MATURITY + 1;

#[test]
fn unspent_outputs_and_burned_ones_are_the_supply() {
    let mut branch = Branch::new(&params());
    let mut burn = pay(&[(allocation(0), TEN)], &[TEN - 100]);
    burn.outputs[0].script_pubkey = minichain_chain::script::Script::op_return(b"gone");
    let burn = crate::common::pay::sign(burn, &[(allocation(0), TEN)]);
    branch.mine(&[burn]);
    let modest = branch.next_taking(Amount::from_sat(3), &[]);
    branch.push(modest);
    branch.mine_empty(15);
    let mut state = open();
    connect_all(&mut state, &branch);
    let info = state.utxo_info();
    let burned = naive::burned(&params(), &branch.blocks);
    assert_eq!(burned.to_sat(), TEN + 50 * COIN - 3);
    assert_eq!(
        info.total.checked_add(burned),
        Some(params().supply_at(info.height))
    );
}

/// ```text
/// 0 ── 1 ── 2 ── … ── 200
/// ```
/// Block 1 comes last, when all above it wait.
#[test]
fn many_waiting_blocks_connect_in_bounded_steps() {
    let mut branch = Branch::new(&params());
    branch.mine_empty(200);
    let mut state = open();
    for block in &branch.blocks[1..] {
        let header = state.accept_header(block.header, NOW);
        assert_eq!(header, Ok(HeaderAcceptance::New));
    }
    for block in &branch.blocks[2..] {
        let waits = accept(&mut state, block);
        assert_eq!(waits, Acceptance::AwaitingParents);
    }
    let Acceptance::TipChanged { connected, .. } = accept(&mut state, branch.at(1)) else {
        panic!("block 1 connects");
    };
    assert_eq!(connected.len(), STEP_BLOCKS);
    let mut joined = connected;
    while let Some(change) = state.advance().expect("memory does not fail") {
        assert!(state.tip().height.to_u32() as usize <= joined.len() + STEP_BLOCKS);
        assert!(change.disconnected.is_empty() && change.rejected.is_empty());
        joined.extend(change.connected);
    }
    assert!(!state.can_advance());
    assert_eq!(moved_hashes(&joined), hashes(&branch.blocks[1..]));
    assert_eq!(state.tip().hash, branch.tip().hash());
}

/// ```text
/// 0 ── a1 ── … ── a100
///  └── b1 ── … ── b180, of which b150 breaks a rule
/// ```
#[test]
fn step_of_a_reorganisation_ends_only_above_the_old_tip_and_a_later_flaw_keeps_it() {
    let mut a = Branch::new(&params());
    a.mine_empty(100);
    let mut b = a.fork(0, 1);
    b.mine_empty(149);
    let reward = b.params.subsidy(Height(150)).to_sat() + 1;
    let flawed = b.next_taking(Amount::from_sat(reward), &[]);
    b.push(flawed);
    b.mine_empty(30);
    let mut state = open();
    connect_all(&mut state, &a);
    for block in &b.blocks[1..] {
        let header = state.accept_header(block.header, NOW);
        assert_eq!(header, Ok(HeaderAcceptance::New));
    }
    for block in &b.blocks[2..] {
        accept(&mut state, block);
    }
    let Acceptance::TipChanged {
        disconnected,
        connected,
        ..
    } = accept(&mut state, b.at(1))
    else {
        panic!("the other branch has more work");
    };
    assert_eq!((disconnected.len(), connected.len()), (100, 101));
    let mut rejected = Vec::new();
    while let Some(change) = state.advance().expect("memory does not fail") {
        rejected.extend(change.rejected);
    }
    assert_eq!(rejected.len(), 1);
    assert_eq!(state.tip().hash, b.at(149).hash());
}
