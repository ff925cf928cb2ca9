//! Sums hold, and no coin is spent for nothing.

use proptest::prelude::*;

use super::*;
use crate::rate::OUTPUT_VBYTES;

const RATE: FeeRate = FeeRate::from_sat_per_kvb(1_000);

fn sats(values: &[u64]) -> Vec<Amount> {
    values.iter().copied().map(Amount::from_sat).collect()
}

fn target(amount: u64) -> Target {
    Target {
        amount: Amount::from_sat(amount),
        outputs: 1,
        rate: RATE,
    }
}

#[test]
fn smallest_sufficient_coin_is_spent_alone() {
    let values = sats(&[50_000, 9_000, 20_000, 10_000]);
    let choice = choose(&values, &target(9_520)).unwrap();
    assert_eq!(choice.picked, [3]);
    // 11 + 58 + 43: the rest, 368, pays no output of 43 and 330 more.
    assert_eq!(choice.fee, Amount::from_sat(112 + 368));
    assert_eq!(choice.change, None);
}

#[test]
fn change_comes_back_where_it_is_no_dust() {
    let choice = choose(&sats(&[100_000]), &target(50_000)).unwrap();
    assert_eq!(choice.fee, Amount::from_sat(11 + 58 + 2 * 43));
    assert_eq!(choice.change, Some(Amount::from_sat(50_000 - 155)));
    // One below dust goes to the fee, dust itself comes back.
    let rest = 155 + DUST.to_sat();
    let at_dust = choose(&sats(&[10_000 + rest]), &target(10_000)).unwrap();
    assert_eq!(at_dust.change, Some(DUST));
    let below = choose(&sats(&[10_000 + rest - 1]), &target(10_000)).unwrap();
    assert_eq!((below.change, below.fee.to_sat()), (None, rest - 1));
}

#[test]
fn largest_coins_are_joined_where_none_suffices() {
    let values = sats(&[1_000, 7_000, 3_000, 6_000]);
    let choice = choose(&values, &target(12_000)).unwrap();
    assert_eq!(choice.picked, [1, 3]);
}

#[test]
fn coins_below_their_own_cost_are_left_alone() {
    let values = sats(&[58; 1_000]);
    let Err(SelectError::Short { have, .. }) = choose(&values, &target(500)) else {
        panic!("worthless coins pay nothing");
    };
    assert_eq!(have, Amount::ZERO);
}

#[test]
fn too_many_pieces_are_told_from_too_little() {
    let pieces = sats(&vec![1_000; INPUTS_MAX + 1]);
    let error = choose(&pieces, &target(400_000)).unwrap_err();
    assert!(
        matches!(error, SelectError::TooManyPieces { .. }),
        "{error}"
    );
    let error = choose(&sats(&[1_000]), &target(5_000)).unwrap_err();
    let needed = Amount::from_sat(5_112);
    let have = Amount::from_sat(1_000);
    assert_eq!(error, SelectError::Short { have, needed });
}

#[test]
fn all_of_it_leaves_the_fee() {
    let (choice, left) = sweep(&sats(&[1_000, 2_000, 10]), RATE).unwrap();
    assert_eq!(choice.picked, [0, 1]);
    assert_eq!(choice.fee.to_sat(), 11 + 2 * 58 + 43);
    assert_eq!(left.to_sat() + choice.fee.to_sat(), 3_000);
    assert!(sweep(&sats(&[300]), RATE).is_err());
    assert!(sweep(&[], RATE).is_err());
}

proptest! {
    #[test]
    fn inputs_are_outputs_and_fee(
        values in prop::collection::vec(1_u64..2_000_000, 0..60),
        amount in 1_u64..5_000_000,
        sat_per_kvb in 0_u64..20_000,
    ) {
        let target = Target { rate: FeeRate::from_sat_per_kvb(sat_per_kvb), ..target(amount) };
        let values = sats(&values);
        let worth: u64 = values
            .iter()
            .map(|value| value.to_sat().saturating_sub(target.rate.fee(INPUT_VBYTES).to_sat()))
            .sum();
        match choose(&values, &target) {
            Ok(choice) => {
                let have: u64 = choice.picked.iter().map(|at| values[*at].to_sat()).sum();
                let change = choice.change.map_or(0, Amount::to_sat);
                prop_assert_eq!(have, amount + choice.fee.to_sat() + change);
                let owed = target.fee(choice.picked.len(), choice.change.is_some());
                prop_assert!(choice.fee >= owed);
                // What goes to the fee on top is less than dust and its output.
                let most = owed.to_sat() + DUST.to_sat() + target.rate.fee(OUTPUT_VBYTES).to_sat() + 1;
                prop_assert!(choice.fee.to_sat() <= most);
                prop_assert!(choice.picked.is_sorted());
                // Without its smallest coin it would not suffice.
                if choice.picked.len() > 1 {
                    let least = choice.picked.iter().map(|at| values[*at].to_sat()).min().unwrap();
                    let fewer = choice.picked.len() - 1;
                    prop_assert!(have - least < amount + target.fee(fewer, false).to_sat());
                }
            }
            Err(SelectError::Short { .. }) => {
                prop_assert!(worth <= amount + target.fee(0, false).to_sat() + values.len() as u64);
            }
            Err(error) => prop_assert!(false, "{}", error),
        }
    }
}
