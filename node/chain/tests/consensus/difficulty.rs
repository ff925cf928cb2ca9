//! Difficulty rules at work in a chain. The rules themselves have vectors of
//! their own.

use std::sync::Arc;

use minichain_chain::difficulty::Rule;
use minichain_chain::mempool::{Mempool, MempoolLimits};
use minichain_chain::params::Params;
use minichain_chain::pow::{Target, U256};
use minichain_chain::state::{Acceptance, State};
use minichain_chain::store::MemoryStore;
use minichain_chain::template;
use minichain_chain::time::UnixSeconds;

use crate::common::{GENESIS_TIME, SPACING_S, easy_bits, key, open_with, params, solve};

fn network(rule: Rule) -> Params {
    let limit = easy_bits().to_target().expect("these bits name a target");
    let initial = Target::new(limit.to_u256() >> 3_u32)
        .expect("not zero")
        .to_compact();
    Params {
        difficulty: rule,
        initial_target: initial.to_target().expect("rounded"),
        pow_limit: limit,
        ..params()
    }
}

/// Mines a block at a time by the clock; returns its work.
fn mine_at(state: &mut State<MemoryStore>, now: UnixSeconds) -> U256 {
    let pool = Mempool::new(MempoolLimits::default());
    let template = template::build(state, &pool, key().output_key(), 0, b"", now);
    let mut block = template.block;
    assert_eq!(block.header.time, now);
    assert_eq!(block.header.bits.to_target(), Ok(template.target));
    solve(&mut block.header);
    let acceptance = state
        .accept_block(Arc::new(block), now)
        .expect("the store works");
    assert!(
        matches!(acceptance, Acceptance::TipChanged { .. }),
        "{acceptance:?}"
    );
    template.target.work().to_u256()
}

fn run(rule: Rule, spacing_s: u32, blocks: u32) -> (U256, U256) {
    let mut state = open_with(network(rule));
    // An old genesis block owes nothing.
    let mut now = GENESIS_TIME.saturating_add(1_000_000);
    let first = mine_at(&mut state, now);
    let mut last = first;
    for _ in 1..blocks {
        now = now.saturating_add(spacing_s);
        last = mine_at(&mut state, now);
    }
    (first, last)
}

const RULES: [Rule; 2] = [Rule::Asert { half_life_s: 150 }, Rule::Lwma { window: 10 }];

#[test]
fn blocks_on_time_keep_the_difficulty() {
    for rule in RULES {
        let (first, last) = run(rule, SPACING_S, 30);
        assert_eq!(first, U256::from(16_u32), "{rule:?}");
        assert!((15..=17_u32).contains(&last.as_u32()), "{rule:?}: {last}");
    }
}

#[test]
fn fast_blocks_raise_the_difficulty_and_slow_ones_lower_it_to_the_limit() {
    for rule in RULES {
        let (first, fast) = run(rule, 1, 30);
        assert!(fast > first * 3 / 2, "{rule:?}: {fast}");
        let (_, slow) = run(rule, 60, 30);
        assert_eq!(slow, U256::from(2_u32), "{rule:?}: the easiest allowed");
    }
}

#[test]
fn fixed_difficulty_stays() {
    for spacing_s in [1, 60] {
        let (first, last) = run(Rule::Fixed, spacing_s, 20);
        assert_eq!(first, last);
    }
}
