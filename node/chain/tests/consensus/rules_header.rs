//! Each test breaks one rule of headers and only that one.

use std::sync::Arc;

use minichain_chain::block::{Block, Header};
use minichain_chain::height::Height;
use minichain_chain::pow::CompactTarget;
use minichain_chain::rules::RULES;
use minichain_chain::rules::header::{
    HEIGHT_MAX, HeaderError, check_height, check_time_not_ahead, median_time,
};
use minichain_chain::state::{Acceptance, HeaderAcceptance};
use minichain_chain::time::UnixSeconds;

use crate::common::{
    Branch, FUTURE_LIMIT_S, GENESIS_TIME, NOW, SPACING_S, accept, connect, connect_all, open,
    params, solve, unsolve,
};

/// A state with a tip, and the header of a good next block.
fn next_header() -> (
    minichain_chain::state::State<minichain_chain::store::MemoryStore>,
    Header,
) {
    let mut branch = Branch::new(&params());
    branch.mine_empty(12);
    let mut state = open();
    connect_all(&mut state, &branch);
    (state, branch.next(&[]).header)
}

fn refused(change: impl FnOnce(&mut Header)) -> HeaderError {
    let (mut state, mut header) = next_header();
    change(&mut header);
    let known = state.tree().len();
    let acceptance = state.accept_header(header, NOW).expect("the store works");
    assert_eq!(
        state.tree().len(),
        known,
        "a broken header must not be kept"
    );
    let HeaderAcceptance::Invalid(error) = acceptance else {
        panic!("expected a refusal, got {acceptance:?}");
    };
    assert!(RULES.contains(&error.rule()));
    // The same header with a body meets the same rule.
    let block = Arc::new(Block {
        header,
        transactions: Vec::new(),
    });
    assert_eq!(
        accept(&mut state, &block),
        Acceptance::Invalid(error.into())
    );
    error
}

#[test]
fn good_header_is_new_then_known() {
    let (mut state, header) = next_header();
    assert_eq!(state.accept_header(header, NOW), Ok(HeaderAcceptance::New));
    assert_eq!(
        state.accept_header(header, NOW),
        Ok(HeaderAcceptance::Known)
    );
    assert_eq!(state.tree().best_header().hash, header.hash());
    assert_ne!(state.tip().hash, header.hash());
}

#[test]
fn bits_must_name_a_target() {
    let error = refused(|header| header.bits = CompactTarget(0x2080_0001));
    assert_eq!(error.rule(), "bits_malformed");
}

#[test]
fn target_must_not_exceed_the_limit() {
    let error = refused(|header| {
        header.bits = CompactTarget(0x2100_ffff);
        solve(header);
    });
    assert_eq!(error.rule(), "bits_above_limit");
}

#[test]
fn hash_must_meet_the_target() {
    assert_eq!(refused(unsolve).rule(), "proof_of_work");
}

#[test]
fn bits_must_be_the_expected_ones() {
    let error = refused(|header| {
        header.bits = CompactTarget(0x207f_fffe);
        solve(header);
    });
    assert_eq!(error.rule(), "bits_unexpected");
}

#[test]
fn time_must_be_above_the_median_of_eleven() {
    // The chain's heights 2 to 12 have the median at height 7.
    let median = GENESIS_TIME.saturating_add(7 * SPACING_S);
    let error = refused(|header| {
        header.time = median;
        solve(header);
    });
    assert_eq!(
        error,
        HeaderError::TimeTooOld {
            time: median,
            median
        }
    );

    let (mut state, mut header) = next_header();
    header.time = median.saturating_add(1);
    solve(&mut header);
    assert_eq!(state.accept_header(header, NOW), Ok(HeaderAcceptance::New));
}

#[test]
fn time_ahead_of_the_clock_is_neither_kept_nor_punished() {
    let (mut state, mut header) = next_header();
    header.time = NOW.saturating_add(FUTURE_LIMIT_S + 2);
    solve(&mut header);
    let block = Arc::new(Block {
        header,
        transactions: Vec::new(),
    });
    assert_eq!(
        state.accept_header(header, NOW),
        Ok(HeaderAcceptance::TooNew { ahead_s: 2 })
    );
    assert_eq!(
        accept(&mut state, &block),
        Acceptance::TooNew { ahead_s: 2 }
    );
    assert!(!state.tree().contains(&header.hash()));
    // Two seconds later the same header is fine.
    let later = NOW.saturating_add(2);
    assert_eq!(
        state.accept_header(header, later),
        Ok(HeaderAcceptance::New)
    );
    let error = check_time_not_ahead(header.time, NOW, FUTURE_LIMIT_S).map_err(|e| e.rule());
    assert_eq!(error, Err("time_too_new"));
}

#[test]
fn unknown_parent_is_an_orphan() {
    let mut branch = Branch::new(&params());
    branch.mine_empty(2);
    let mut state = open();
    let missing = branch.at(1).hash();
    let orphan = branch.at(2);
    assert_eq!(accept(&mut state, orphan), Acceptance::Orphan { missing });
    let header = state.accept_header(orphan.header, NOW);
    assert_eq!(header, Ok(HeaderAcceptance::Orphan { missing }));
    assert_eq!(state.tree().len(), 1);
}

/// ```text
/// genesis ── bad ── child
/// ```
#[test]
fn nothing_stands_on_an_invalid_block() {
    let mut branch = Branch::new(&params());
    let mut bad = branch.next(&[]);
    bad.transactions[0].outputs[0].value = minichain_chain::amount::MAX_MONEY;
    crate::common::commit_and_solve(&mut bad);
    let bad = branch.push(bad);
    let child = branch.mine(&[]);
    let mut state = open();
    assert!(matches!(accept(&mut state, &bad), Acceptance::Invalid(_)));
    let error = HeaderError::ParentInvalid { parent: bad.hash() };
    assert_eq!(
        accept(&mut state, &child),
        Acceptance::Invalid(error.into())
    );
    let again = accept(&mut state, &bad);
    assert_eq!(again, Acceptance::Invalid(HeaderError::KnownInvalid.into()));
    assert_eq!(HeaderError::KnownInvalid.rule(), "known_invalid");
    assert_eq!(error.rule(), "parent_invalid");
}

#[test]
fn known_block_is_a_duplicate() {
    let mut branch = Branch::new(&params());
    let block = branch.mine(&[]);
    let mut state = open();
    connect(&mut state, &block);
    assert_eq!(accept(&mut state, &block), Acceptance::Duplicate);
    let genesis = Arc::new(params().genesis_block());
    assert_eq!(accept(&mut state, &genesis), Acceptance::Duplicate);
}

#[test]
fn heights_end() {
    assert_eq!(check_height(Height(6)), Ok(Height(7)));
    assert_eq!(check_height(HEIGHT_MAX), Err(HeaderError::HeightExhausted));
    assert_eq!(
        check_height(Height(u32::MAX)).map_err(|e| e.rule()),
        Err("height_exhausted")
    );
}

#[test]
fn median_of_few_times_is_the_upper_middle() {
    let median = |times: &[u32]| median_time(times.iter().copied().map(UnixSeconds).collect()).0;
    assert_eq!(median(&[]), 0);
    assert_eq!(median(&[5]), 5);
    assert_eq!(median(&[9, 5]), 9);
    assert_eq!(median(&[9, 1, 5]), 5);
    assert_eq!(median(&[11, 3, 7, 1, 9, 2, 8, 4, 10, 6, 5]), 6);
}
