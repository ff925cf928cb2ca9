//! Network parameters: what is refused, and what the genesis hash commits to.

use minichain_chain::amount::{Amount, MAX_MONEY};
use minichain_chain::block::Block;
use minichain_chain::difficulty::Rule;
use minichain_chain::height::Height;
use minichain_chain::params::{Allocation, Params, ParamsError, Proof, Reward, dev_account_key};
use minichain_chain::pow::{Target, U256};
use minichain_chain::rules::block::{check_coinbase_first, check_merkle_root};
use minichain_chain::time::UnixSeconds;

use crate::common::{ALLOCATIONS, COIN, key, params};

fn refused(change: impl FnOnce(&mut Params)) -> ParamsError {
    let mut params = params();
    change(&mut params);
    params
        .check()
        .expect_err("these parameters must be refused")
}

#[test]
fn usual_parameters_are_fine() {
    assert_eq!(params().check(), Ok(params()));
}

#[test]
fn odd_names_are_refused() {
    for name in ["", "has space", "ümlaut", "a_b", &"x".repeat(33)] {
        let error = refused(|params| params.network = name.to_owned());
        assert!(
            matches!(error, ParamsError::Name { .. }),
            "{name:?}: {error}"
        );
        assert!(error.to_string().contains("network"), "{error}");
    }
    for prefix in ["", "Mini", "a1", "a-b", &"x".repeat(17)] {
        let error = refused(|params| params.address_prefix = prefix.to_owned());
        assert!(
            matches!(error, ParamsError::Name { .. }),
            "{prefix:?}: {error}"
        );
    }
    for account in ["", "two words", "tab\t", &"x".repeat(65)] {
        let error = refused(|params| params.allocations[0].account = account.to_owned());
        assert!(
            matches!(error, ParamsError::Name { .. }),
            "{account:?}: {error}"
        );
    }
}

#[test]
fn numbers_out_of_range_are_refused() {
    let changes: [fn(&mut Params); 9] = [
        |params| params.spacing_s = 0,
        |params| params.spacing_s = 86_401,
        |params| params.future_limit_s = 9,
        |params| params.coinbase_maturity = 0,
        |params| params.coinbase_maturity = 1_000_001,
        |params| params.block_weight_max = 3_999,
        |params| params.block_weight_max = 4_000_001,
        |params| params.difficulty = Rule::Lwma { window: 2 },
        |params| params.difficulty = Rule::Lwma { window: 1_001 },
    ];
    for change in changes {
        let error = refused(change);
        assert!(matches!(error, ParamsError::OutOfRange { .. }), "{error}");
    }
}

#[test]
fn half_life_must_be_ten_future_limits() {
    let with = |half_life_s| {
        move |params: &mut Params| {
            params.difficulty = Rule::Asert { half_life_s };
            params.future_limit_s = 15;
        }
    };
    let error = refused(with(149));
    assert!(
        matches!(error, ParamsError::HalfLifeTooShort { needed_s: 150, .. }),
        "{error}"
    );
    let mut fine = params();
    with(150)(&mut fine);
    assert!(fine.check().is_ok());
}

#[test]
fn targets_must_fit_bits_and_each_other() {
    let odd = Target::new(U256::from(0x0123_4567_u32)).expect("not zero");
    let error = refused(|params| params.initial_target = odd);
    let ParamsError::TargetNotCompact { rounded, .. } = error else {
        panic!("unexpected: {error}");
    };
    assert_eq!(rounded.to_u256(), U256::from(0x0123_4500_u32));

    let harder = Target::new(U256::from(0xffff_u32)).expect("not zero");
    let error = refused(|params| params.pow_limit = harder);
    assert!(
        matches!(error, ParamsError::InitialTargetAboveLimit { .. }),
        "{error}"
    );
}

#[test]
fn allocations_must_be_distinct_spendable_and_in_range() {
    let error = refused(|params| params.allocations[1].account = "account-0".into());
    assert!(
        matches!(error, ParamsError::DuplicateAccount { .. }),
        "{error}"
    );

    let error = refused(|params| params.allocations[1].amount = Amount::ZERO);
    assert!(
        matches!(error, ParamsError::EmptyAllocation { .. }),
        "{error}"
    );

    // No point of the curve has this x coordinate.
    let error = refused(|params| params.allocations[1].output_key = [0xff; 32]);
    assert!(
        matches!(error, ParamsError::AllocationKey { .. }),
        "{error}"
    );

    let error = refused(|params| params.allocations[1].amount = MAX_MONEY);
    assert!(
        matches!(
            error,
            ParamsError::TooMuchMoney {
                field: "the allocations"
            }
        ),
        "{error}"
    );

    let too_much = Amount::from_sat(MAX_MONEY.to_sat() + 1);
    let error = refused(|params| params.reward.initial = too_much);
    assert!(
        matches!(
            error,
            ParamsError::TooMuchMoney {
                field: "the block rewards"
            }
        ),
        "{error}"
    );

    let error = refused(|params| {
        params.block_weight_max = 4_000;
        params.allocations = (0..30).map(allocation).collect();
    });
    assert!(
        matches!(error, ParamsError::GenesisTooHeavy { count: 30, .. }),
        "{error}"
    );
}

fn allocation(number: u32) -> Allocation {
    Allocation {
        account: format!("a{number}"),
        amount: Amount::from_sat(1),
        output_key: key().output_key(),
    }
}

#[test]
fn every_parameter_changes_the_genesis_hash() {
    let changes: [fn(&mut Params); 15] = [
        |params| params.network.push('x'),
        |params| params.address_prefix.push('x'),
        |params| params.genesis_time = UnixSeconds(1),
        |params| params.spacing_s += 1,
        |params| params.difficulty = Rule::Lwma { window: 60 },
        |params| params.difficulty = Rule::Asert { half_life_s: 60 },
        |params| params.initial_target = Target::MIN,
        |params| params.pow_limit = Target::MAX,
        |params| params.future_limit_s += 1,
        |params| params.reward.initial = Amount::from_sat(1),
        |params| params.reward.halving_interval += 1,
        |params| params.coinbase_maturity += 1,
        |params| params.block_weight_max += 1,
        |params| params.allocations[0].account.push('x'),
        |params| drop(params.allocations.pop()),
    ];
    let mut seen = vec![params().genesis_hash()];
    for change in changes {
        let mut changed = params();
        change(&mut changed);
        seen.push(changed.genesis_hash());
    }
    // A letter that moves from one name to the next is a change, too.
    let mut moved = params();
    moved.network.pop();
    moved.address_prefix.insert(0, 't');
    seen.push(moved.genesis_hash());

    let count = seen.len();
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), count);
}

#[test]
fn genesis_block_has_the_allocations_and_commits_to_the_parameters() {
    let block: Block = params().genesis_block();
    assert_eq!(
        check_merkle_root(&block, &[block.transactions[0].names()]),
        Ok(())
    );
    assert_eq!(check_coinbase_first(&block), Ok(()));
    let outputs = &block.transactions[0].outputs;
    assert_eq!(outputs.len(), ALLOCATIONS as usize + 1);
    for output in &outputs[..ALLOCATIONS as usize] {
        assert_eq!(output.value, Amount::from_sat(10 * COIN));
        assert_eq!(output.script_pubkey.is_p2tr(), Some(key().output_key()));
    }
    let commitment = outputs[ALLOCATIONS as usize].script_pubkey.as_bytes();
    assert!(commitment.ends_with(&params().commitment()));
    assert_eq!(outputs[ALLOCATIONS as usize].value, Amount::ZERO);
}

#[test]
fn subsidy_halves_and_sums_to_the_supply() {
    let params = params();
    let sats = |height| params.subsidy(Height(height)).to_sat();
    assert_eq!(sats(0), 0);
    assert_eq!(
        [sats(1), sats(9), sats(10), sats(19), sats(20)].map(|sat| sat / (COIN / 2)),
        [100, 100, 50, 50, 25]
    );
    assert_eq!(sats(10_000), 0);
    let allocated = u64::from(ALLOCATIONS) * 10 * COIN;
    let mut sum = allocated;
    for height in 0..1_000 {
        sum += sats(height);
        assert_eq!(
            params.supply_at(Height(height)).to_sat(),
            sum,
            "height {height}"
        );
    }
}

#[test]
fn rewards_end_where_all_money_exists() {
    let mut params = params();
    params.reward = Reward {
        initial: Amount::from_sat(50 * COIN),
        halving_interval: 0,
    };
    // 21,000,000 coins less 80 allocated ones, 50 a block.
    let last_whole = Height((21_000_000 - 80) / 50);
    assert_eq!(params.subsidy(last_whole), Amount::from_sat(50 * COIN));
    let rest = params.subsidy(Height(last_whole.to_u32() + 1));
    assert_eq!(rest, Amount::from_sat(20 * COIN));
    assert_eq!(
        params.subsidy(Height(last_whole.to_u32() + 2)),
        Amount::ZERO
    );
    assert_eq!(params.supply_at(Height(u32::MAX)), MAX_MONEY);

    // Bitcoin's own schedule ends just short of its 21 million.
    params.reward.halving_interval = 210_000;
    params.allocations.clear();
    // Its genesis block counts as height 0 of the first era, and pays nobody.
    let expected = 2_099_999_997_690_000 - 50 * COIN;
    assert_eq!(params.supply_at(Height(7_000_000)).to_sat(), expected);
}

#[test]
fn dev_keys_follow_from_seed_and_name() {
    let seed = [7; 32];
    let alice = dev_account_key(&seed, "alice");
    assert_eq!(dev_account_key(&seed, "alice").to_bytes(), alice.to_bytes());
    assert_ne!(dev_account_key(&seed, "bob").to_bytes(), alice.to_bytes());
    assert_ne!(
        dev_account_key(&[8; 32], "alice").to_bytes(),
        alice.to_bytes()
    );
}

#[test]
fn work_without_proof_is_only_for_networks_named_as_simulated() {
    let error = refused(|params| params.proof = Proof::Simulated);
    assert!(
        matches!(error, ParamsError::SimulatedName { .. }),
        "{error}"
    );
    assert!(error.to_string().contains("sim-"), "{error}");
    let simulated = Params {
        network: "sim-lab".to_owned(),
        proof: Proof::Simulated,
        ..params()
    };
    assert_eq!(simulated.clone().check(), Ok(simulated.clone()));
    let named_alike = Params {
        proof: Proof::Hash,
        ..simulated.clone()
    };
    assert_ne!(simulated.genesis_hash(), named_alike.genesis_hash());
}
