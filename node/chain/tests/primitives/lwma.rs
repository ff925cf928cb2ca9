//! LWMA: how the rule behaves.

use minichain_chain::difficulty::{
    Anchor, DifficultyError, Rule, Sample, Schedule, lwma_next_target, next_bits,
};
use minichain_chain::height::Height;
use minichain_chain::pow::{CompactTarget, Target, U256};
use minichain_chain::time::UnixSeconds;
use proptest::collection::vec;
use proptest::prelude::*;

const BITS: CompactTarget = CompactTarget(0x1e01_2345);
const SPACING_S: u32 = 5;
const WINDOW: u32 = 60;

proptest! {
    #[test]
    fn a_chain_on_schedule_keeps_its_target(
        blocks in 1_u32..200,
        spacing_s in 1_u32..1_000,
        window in 1_u32..200,
    ) {
        let samples: Vec<_> = (0..blocks).map(|n| sample(1_000 + n * spacing_s)).collect();
        let next = lwma_next_target(&samples, window, spacing_s, Target::MAX);
        let next = next.expect("valid parameters").to_u256();
        let before = target().to_u256();
        // Divisions round down; nothing that three bytes of bits could show.
        prop_assert!(next <= before && before - next <= before >> 60_u32);
    }

    #[test]
    fn slower_blocks_make_it_easier_and_faster_ones_harder(
        times in vec(0_u32..40, 61),
        place in 1_usize..61,
        more in 1_u32..30,
    ) {
        let chain = |solve_times: &[u32]| {
            let mut time = 1_000;
            let samples: Vec<_> = solve_times
                .iter()
                .map(|solve_s| {
                    time += solve_s + 1;
                    sample(time)
                })
                .collect();
            next(&samples)
        };
        let mut slower = times.clone();
        slower[place] += more;
        prop_assert!(chain(&slower) >= chain(&times));
        if slower[place] < 6 * SPACING_S {
            prop_assert!(chain(&slower) > chain(&times));
        }
    }

    #[test]
    fn a_younger_block_counts_more(early in 1_usize..60, gap in 1_usize..60) {
        let late = early + gap;
        prop_assume!(late <= 60);
        let slow_at = |slow: usize| {
            let mut time = 1_000;
            let samples: Vec<_> = (0..=60)
                .map(|n| {
                    time += if n == slow { 3 * SPACING_S } else { SPACING_S };
                    sample(time)
                })
                .collect();
            next(&samples)
        };
        prop_assert!(slow_at(late) > slow_at(early));
    }

    #[test]
    fn one_forged_time_is_worth_six_spacings_at_most(forged in any::<u32>()) {
        let mut samples: Vec<_> = (0..=60).map(|n| sample(1_000 + n * SPACING_S)).collect();
        samples[60].time = UnixSeconds(forged);
        // The youngest of 60 weighs 60 of 1830 parts; five more spacings on it
        // make the target larger by 300 / 1830.
        let bound = target().to_u256() / U256::from(1_830_u32) * U256::from(2_131_u32);
        prop_assert!(next(&samples).to_u256() <= bound);
    }

    #[test]
    fn no_inputs_pass_the_limits_or_panic(
        headers in vec((any::<u32>(), any::<u32>()), 0..70),
        window in prop_oneof![0_u32..100, any::<u32>()],
        spacing_s in prop_oneof![0_u32..100, any::<u32>()],
        limit_bits in 0x0101_0000_u32..0x2100_ffff,
    ) {
        let Ok(limit) = CompactTarget(limit_bits).to_target() else { return Ok(()) };
        let samples: Vec<_> = headers
            .iter()
            .map(|&(time, bits)| Sample { time: UnixSeconds(time), bits: CompactTarget(bits) })
            .collect();
        match lwma_next_target(&samples, window, spacing_s, limit) {
            Ok(next) => prop_assert!(next >= Target::MIN && next <= limit),
            Err(DifficultyError::ZeroParameter) => prop_assert!(window == 0 || spacing_s == 0),
            Err(DifficultyError::NoSamples) => prop_assert!(samples.is_empty()),
            Err(DifficultyError::Bits(_)) => {
                prop_assert!(samples.iter().any(|sample| sample.bits.to_target().is_err()));
            }
            Err(error) => prop_assert!(false, "{}", error),
        }
    }
}

#[test]
fn the_first_blocks_start_from_the_target_of_the_oldest() {
    let next = next(&[sample(1_000)]);
    let before = target().to_u256();
    assert!(before - next.to_u256() <= U256::from(WINDOW));
}

#[test]
fn headers_before_the_window_do_not_count() {
    let mut samples: Vec<_> = (0..80).map(|n| sample(1_000 + n * 7)).collect();
    let expected = next(&samples[19..]);
    assert_eq!(next(&samples), expected);
    samples[18].bits = CompactTarget(0x1d00_ffff);
    assert_eq!(next(&samples), expected);
}

#[test]
fn times_that_stand_still_or_go_backwards_count_as_one_second() {
    let mut samples: Vec<_> = (0..=60).map(|n| sample(1_000 + n * SPACING_S)).collect();
    let mut with = |time: u32| {
        samples[30].time = UnixSeconds(time);
        next(&samples)
    };
    let before = 1_000 + 29 * SPACING_S;
    let one_second = with(before + 1);
    assert_ne!(with(before + 2), one_second);
    for time in [before, before - 1, 1, 0] {
        assert_eq!(with(time), one_second, "{time}");
    }
}

#[test]
fn the_rule_reads_window_and_one_header() {
    let schedule = schedule();
    assert_eq!(schedule.rule.samples_needed(), 61);
    let samples: Vec<_> = (0..=60).map(|n| sample(1_000 + n * 4)).collect();
    let expected = next(&samples).to_compact();
    assert_eq!(next_bits(&schedule, Height(60), &samples), Ok(expected));
    assert_eq!(
        next_bits(&schedule, Height(60), &[]),
        Err(DifficultyError::NoSamples)
    );
}

#[test]
fn the_interval_returns_to_the_spacing_after_a_jump_of_the_hash_rate() {
    let mean_s = simulate(
        &schedule(),
        2_000,
        |block| if block < 1_000 { 1.0 } else { 4.0 },
    );
    assert!((mean_s - 5.0).abs() < 0.25, "{mean_s}");
}

/// Mines `blocks` with exponentially distributed solve times from a fixed
/// seed and returns the mean interval in seconds over the last half, leaving
/// out the 200 blocks in which a jump at half-way is answered. `hash_rate` is
/// relative to the one the anchor's target was made for.
pub fn simulate(schedule: &Schedule, blocks: u32, hash_rate: impl Fn(u32) -> f64) -> f64 {
    let anchor_target = schedule
        .anchor
        .bits
        .to_target()
        .expect("a target")
        .to_u256()
        .as_f64();
    let mut random: u64 = 0x9e37_79b9_7f4a_7c15;
    let mut now_s = f64::from(schedule.anchor.previous_time.0) + f64::from(schedule.spacing_s);
    let mut samples = vec![Sample {
        time: to_seconds(now_s),
        bits: schedule.anchor.bits,
    }];
    let counted_from = blocks / 2 + 200;
    let mut counted_from_s = now_s;
    for block in 1..=blocks {
        let first = samples.len().saturating_sub(schedule.rule.samples_needed());
        let bits =
            next_bits(schedule, Height(block - 1), &samples[first..]).expect("valid parameters");
        let difficulty = anchor_target / bits.to_target().expect("a target").to_u256().as_f64();
        random = random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let uniform =
            (f64::from(u32::try_from(random >> 32).expect("32 bits")) + 1.0) / 4_294_967_297.0;
        now_s += -uniform.ln() * f64::from(schedule.spacing_s) * difficulty / hash_rate(block);
        samples.push(Sample {
            time: to_seconds(now_s),
            bits,
        });
        if block == counted_from {
            counted_from_s = now_s;
        }
    }
    (now_s - counted_from_s) / f64::from(blocks - counted_from)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a positive time"
)]
fn to_seconds(time_s: f64) -> UnixSeconds {
    UnixSeconds(time_s as u32)
}

fn schedule() -> Schedule {
    Schedule {
        rule: Rule::Lwma { window: WINDOW },
        spacing_s: SPACING_S,
        limit: Target::MAX,
        anchor: Anchor {
            height: Height(0),
            previous_time: UnixSeconds(1_000),
            bits: BITS,
        },
    }
}

fn sample(time: u32) -> Sample {
    Sample {
        time: UnixSeconds(time),
        bits: BITS,
    }
}

fn target() -> Target {
    BITS.to_target().expect("bits of a constant")
}

fn next(samples: &[Sample]) -> Target {
    lwma_next_target(samples, WINDOW, SPACING_S, Target::MAX).expect("valid parameters")
}
