//! aserti3-2d: the published runs, and how the rule behaves.

use minichain_chain::difficulty::{
    Anchor, DifficultyError, Rule, Sample, Schedule, asert_next_target, next_bits,
};
use minichain_chain::height::Height;
use minichain_chain::pow::{BitsError, CompactTarget, Target, U256};
use minichain_chain::time::UnixSeconds;
use proptest::prelude::*;

use crate::lwma::simulate;

const RUNS: [(&str, &str, usize); 12] = [
    ("run01", include_str!("../vectors/asert/run01"), 10),
    ("run02", include_str!("../vectors/asert/run02"), 10),
    ("run03", include_str!("../vectors/asert/run03"), 10),
    ("run04", include_str!("../vectors/asert/run04"), 225),
    ("run05", include_str!("../vectors/asert/run05"), 225),
    ("run06", include_str!("../vectors/asert/run06"), 1_000),
    ("run07", include_str!("../vectors/asert/run07"), 1_000),
    ("run08", include_str!("../vectors/asert/run08"), 500),
    ("run09", include_str!("../vectors/asert/run09"), 10),
    ("run10", include_str!("../vectors/asert/run10"), 10),
    ("run11", include_str!("../vectors/asert/run11"), 1_000),
    ("run12", include_str!("../vectors/asert/run12"), 10_000),
];

const SPACING_S: u32 = 600;
const HALF_LIFE_S: u32 = 2 * 24 * 3600;

/// Some runs use heights of 64 bits and times below zero. The rule sees only
/// differences, so both are moved into our types' range.
const HEIGHT_SHIFT: i128 = 1_000;
const TIME_SHIFT: i128 = 1_000_000_000;

#[test]
fn the_published_runs_are_reproduced() {
    let limit = target(0x1d00_ffff);
    let mut rows = 0;
    for (name, text, expected_rows) in RUNS {
        let run = Run::read(text);
        assert_eq!(run.rows.len(), expected_rows, "{name}");
        for (height, time_s, bits) in run.rows {
            let next =
                asert_next_target(&run.anchor, height, time_s, SPACING_S, HALF_LIFE_S, limit);
            let next = next.expect("a published row").to_compact();
            assert_eq!(next, bits, "{name}, height {height}, time {time_s}");
            rows += 1;
        }
    }
    assert_eq!(rows, 14_000);
}

proptest! {
    #[test]
    fn a_chain_on_schedule_keeps_the_anchors_target(blocks in 0_u32..1_000_000, spacing_s in 1_u32..1_000) {
        let time = 1_000_u64 + u64::from(spacing_s) * u64::from(blocks + 1);
        prop_assume!(u32::try_from(time).is_ok());
        let next = at(blocks, u32::try_from(time).expect("assumed"), spacing_s, 150, Target::MAX);
        prop_assert_eq!(next, Ok(target(BITS)));
    }

    #[test]
    fn half_lives_behind_or_ahead_double_or_halve(steps in 0_u32..40, half_life_s in 1_u32..100_000) {
        let on_time = 600 * 10_000_u32;
        let late = asert_next_target(&ANCHOR, Height(10_009), seconds(1_000 + on_time + 600 * 10 + steps * half_life_s), 600, half_life_s, Target::MAX);
        prop_assert_eq!(late, Ok(scaled(target(BITS), steps)));
        prop_assume!(steps * half_life_s < on_time);
        let early = asert_next_target(&ANCHOR, Height(10_009), seconds(1_000 + on_time + 600 * 10 - steps * half_life_s), 600, half_life_s, Target::MAX);
        prop_assert_eq!(early.map(Target::to_u256), Ok(target(BITS).to_u256() >> steps));
    }

    #[test]
    fn a_later_tip_never_makes_it_harder(blocks in 0_u32..100_000, time in any::<u32>(), more in any::<u32>()) {
        let earlier = at(blocks, time, 5, 150, Target::MAX);
        let later = at(blocks, time.saturating_add(more), 5, 150, Target::MAX);
        prop_assert!(earlier.expect("valid parameters") <= later.expect("valid parameters"));
    }

    #[test]
    fn no_inputs_pass_the_limits_or_panic(
        anchor_bits in any::<u32>(),
        previous_time in any::<u32>(),
        blocks in any::<u32>(),
        time in any::<u32>(),
        spacing_s in any::<u32>(),
        half_life_s in any::<u32>(),
        limit_bits in 0x0101_0000_u32..0x2100_ffff,
    ) {
        let Ok(limit) = CompactTarget(limit_bits).to_target() else { return Ok(()) };
        let anchor = Anchor {
            height: Height::GENESIS,
            previous_time: UnixSeconds(previous_time),
            bits: CompactTarget(anchor_bits),
        };
        match asert_next_target(&anchor, Height(blocks), seconds(time), spacing_s, half_life_s, limit) {
            Ok(next) => prop_assert!(next >= Target::MIN && next <= limit),
            Err(DifficultyError::ZeroParameter) => prop_assert!(spacing_s == 0 || half_life_s == 0),
            Err(DifficultyError::Bits(_)) => prop_assert!(anchor.bits.to_target().is_err()),
            Err(error) => prop_assert!(false, "{}", error),
        }
    }

    #[test]
    fn the_integers_stay_close_to_the_exponential(blocks in 0_u32..10_000, time in 0_u32..100_000) {
        let next = at(blocks, time, 5, 1_800, Target::MAX).expect("valid parameters");
        let behind_s = f64::from(time) - 1_000.0 - 5.0 * f64::from(blocks + 1);
        let exact = target(BITS).to_u256().as_f64() * (behind_s / 1_800.0).exp2();
        prop_assume!(exact > 1e9 && exact < 1e76);
        let ratio = next.to_u256().as_f64() / exact;
        // The cubic is good to 0.013 %, the exponent to 2^-16.
        prop_assert!((ratio - 1.0).abs() < 0.000_2, "{}", ratio);
    }
}

#[test]
fn the_cubic_reaches_its_largest_value_without_overflow() {
    // A fraction of 65535/65536, where the sum nearly fills 64 bits.
    let next = asert_next_target(
        &ANCHOR,
        Height(0),
        seconds(1_000 + 65_535 + 1),
        1,
        65_536,
        Target::MAX,
    )
    .expect("valid parameters");
    let ratio = next.to_u256().as_f64() / target(BITS).to_u256().as_f64();
    assert!((ratio - 2.0).abs() < 0.001, "{ratio}");
}

#[test]
fn the_target_is_held_between_one_and_the_limit() {
    let limit = target(0x1f00_ffff);
    assert_eq!(at(0, u32::MAX, 5, 150, limit), Ok(limit));
    assert_eq!(at(u32::MAX, 0, 5, 150, limit), Ok(Target::MIN));
}

#[test]
fn parameters_that_make_no_sense_are_refused() {
    let limit = Target::MAX;
    assert_eq!(at(0, 0, 0, 150, limit), Err(DifficultyError::ZeroParameter));
    assert_eq!(at(0, 0, 5, 0, limit), Err(DifficultyError::ZeroParameter));
    let high = Anchor {
        height: Height(5),
        ..ANCHOR
    };
    assert_eq!(
        asert_next_target(&high, Height(4), seconds(0), 5, 150, limit),
        Err(DifficultyError::BelowAnchor {
            tip: Height(4),
            anchor: Height(5)
        })
    );
    let zero = Anchor {
        bits: CompactTarget(0),
        ..ANCHOR
    };
    assert_eq!(
        asert_next_target(&zero, Height(0), seconds(0), 5, 150, limit),
        Err(DifficultyError::Bits(BitsError::Zero { bits: 0 }))
    );
}

#[test]
fn the_rule_needs_the_tip_only() {
    let schedule = schedule(Rule::Asert { half_life_s: 150 });
    assert_eq!(schedule.rule.samples_needed(), 1);
    assert_eq!(
        next_bits(&schedule, Height(3), &[]),
        Err(DifficultyError::NoSamples)
    );
    let tip = Sample {
        time: seconds(1_031),
        bits: CompactTarget(1),
    };
    let alone = next_bits(&schedule, Height(3), &[tip]).expect("valid parameters");
    let older = Sample {
        time: seconds(7),
        bits: CompactTarget(2),
    };
    assert_eq!(next_bits(&schedule, Height(3), &[older, tip]), Ok(alone));
    assert_eq!(
        at(3, 1_031, 5, 150, Target::MAX).map(Target::to_compact),
        Ok(alone)
    );
}

#[test]
fn the_fixed_rule_never_moves() {
    let schedule = schedule(Rule::Fixed);
    assert_eq!(schedule.rule.samples_needed(), 0);
    assert_eq!(
        next_bits(&schedule, Height(9), &[]),
        Ok(CompactTarget(BITS))
    );
}

#[test]
fn the_interval_returns_to_the_spacing_after_a_jump_of_the_hash_rate() {
    let schedule = schedule(Rule::Asert { half_life_s: 150 });
    let mean_s = simulate(
        &schedule,
        2_000,
        |block| if block < 1_000 { 1.0 } else { 4.0 },
    );
    assert!((mean_s - 5.0).abs() < 0.25, "{mean_s}");
}

const BITS: u32 = 0x1e01_2345;

const ANCHOR: Anchor = Anchor {
    height: Height::GENESIS,
    previous_time: UnixSeconds(1_000),
    bits: CompactTarget(BITS),
};

fn schedule(rule: Rule) -> Schedule {
    Schedule {
        rule,
        spacing_s: 5,
        limit: Target::MAX,
        anchor: ANCHOR,
    }
}

fn at(
    blocks: u32,
    time: u32,
    spacing_s: u32,
    half_life_s: u32,
    limit: Target,
) -> Result<Target, DifficultyError> {
    asert_next_target(
        &ANCHOR,
        Height(blocks),
        seconds(time),
        spacing_s,
        half_life_s,
        limit,
    )
}

fn target(bits: u32) -> Target {
    CompactTarget(bits).to_target().expect("bits of a constant")
}

fn seconds(time: u32) -> UnixSeconds {
    UnixSeconds(time)
}

/// Doubled `steps` times, or the largest target if that does not fit.
fn scaled(target: Target, steps: u32) -> Target {
    let value = target.to_u256();
    if steps <= value.leading_zeros() {
        Target::new(value << steps).expect("not zero")
    } else {
        Target::new(U256::MAX).expect("not zero")
    }
}

struct Run {
    anchor: Anchor,
    rows: Vec<(Height, UnixSeconds, CompactTarget)>,
}

impl Run {
    fn read(text: &str) -> Self {
        let header = |names: &[&str]| {
            let line = text
                .lines()
                .find(|line| names.iter().any(|name| line.contains(name)));
            let (_, value) = line
                .and_then(|line| line.split_once(": "))
                .expect("a header line");
            value.trim()
        };
        let anchor_height: i128 = header(&["anchor height"]).parse().expect("a height");
        let height = |text: &str| {
            let height: i128 = text.parse().expect("a height");
            Height(u32::try_from(height - anchor_height + HEIGHT_SHIFT).expect("near the anchor"))
        };
        let time = |text: &str| {
            let time_s: i128 = text.parse().expect("a time");
            UnixSeconds(u32::try_from(time_s + TIME_SHIFT).expect("in range"))
        };
        let bits = |text: &str| {
            let digits = text.trim_start_matches("0x");
            CompactTarget(u32::from_str_radix(digits, 16).expect("bits"))
        };
        let rows = text
            .lines()
            .filter(|line| !(line.trim().is_empty() || line.starts_with('#')))
            .map(|line| {
                let fields: Vec<_> = line.split_whitespace().collect();
                assert_eq!(fields.len(), 4, "{line}");
                (height(fields[1]), time(fields[2]), bits(fields[3]))
            });
        Self {
            anchor: Anchor {
                height: height(header(&["anchor height"])),
                previous_time: time(header(&["anchor ancestor time", "anchor parent time"])),
                bits: bits(header(&["anchor nBits"])),
            },
            rows: rows.collect(),
        }
    }
}
