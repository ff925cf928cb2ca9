//! Experiments about the difficulty rule: how ASERT answers a step of the hash
//! rate, and how much it wavers while nothing changes.

use std::f64::consts::LN_2;

use minichain_chain::difficulty::Rule;
use minichain_sim::queue::{Micros, SECOND};
use minichain_sim::setup::Setup;
use minichain_sim::world::World;

use super::network::{RATE, SPACING_S, assert_safe, mined_at, run, target, with_rates, world};
use super::statistics::{SIGMAS, real, row};
use super::{Ended, Row, Size, Watch};

/// What the hash rate is multiplied by.
pub const FACTORS: [f64; 3] = [2.0, 0.5, 10.0];
/// Intervals in the half-life of the steps: that of Bitcoin Cash, two days.
const STEP_HALF_LIFE: u32 = 288;
/// Intervals in the half-life while nothing changes.
const CALM_HALF_LIFE: u32 = 30;
/// Blocks are counted this part of a half-life before and after the moment.
const WINDOW: f64 = 0.1;
/// Share that a rate of blocks may be off, and the deviation of the target.
const RATE_SHARE: f64 = 0.04;
const CALM_SHARE: f64 = 0.1;
/// How much easier than the first target a block may become.
const EASIER_MAX: u64 = 64;

/// The rate of blocks at `t` half-lives after the hash rate was multiplied by a
/// factor, over the wanted one. The target follows d ln(target) / dt =
/// (ln 2 / h) (1 - rate), so the rate follows the logistic equation.
pub fn answer(factor: f64, t: f64) -> f64 {
    1.0 / (1.0 - (1.0 - 1.0 / factor) * (-t).exp2())
}

/// Networks in which nothing changes, at most.
const CALM_NETWORKS: u64 = 6;

/// Intervals that all of it takes.
pub const fn length(size: Size) -> u64 {
    let calm = if size.networks < CALM_NETWORKS {
        size.networks
    } else {
        CALM_NETWORKS
    };
    size.networks * FACTORS.len() as u64 * STEP_HALF_LIFE as u64 * 2 + calm * size.blocks
}

/// Steps of the hash rate, and calm.
pub fn asert(size: Size, watch: &Watch<'_>, rows: &mut Vec<Row>) -> Result<(), Ended> {
    for factor in FACTORS {
        let mut counts = [0, 0];
        for seed in 0..size.networks {
            let found = step(seed, factor, watch)?;
            for (count, t) in counts.iter_mut().zip([1.0, 2.0]) {
                let near = |at: &&f64| (**at - t).abs() <= WINDOW;
                *count += found.iter().filter(near).count() as u64;
            }
            watch.passed(u64::from(STEP_HALF_LIFE) * 2);
        }
        let wanted = 2.0 * WINDOW * f64::from(STEP_HALF_LIFE) * real(size.networks);
        for (count, t) in counts.into_iter().zip([1.0, 2.0]) {
            let expected = answer(factor, t);
            let what = format!("block rate {t} half-lives after the hash rate times {factor}");
            // A count of Poisson's, should there be few networks.
            let chance = SIGMAS * (expected / wanted).sqrt();
            let tolerance = (expected * RATE_SHARE).max(chance);
            rows.push(row(&what, expected, real(count) / wanted, tolerance));
        }
    }
    rows.push(calm(size, watch)?);
    Ok(())
}

/// One miner under ASERT.
fn setup(seed: u64, half_life: u32) -> Setup {
    let mut setup = with_rates(seed, SPACING_S, &[RATE]);
    setup.params.difficulty = Rule::Asert {
        half_life_s: half_life * SPACING_S,
    };
    setup.params.pow_limit = target(RATE / EASIER_MAX, SPACING_S);
    setup
}

/// Multiplies the hash rate when block 1 is there, from which the schedule
/// counts; tells when blocks were found, in half-lives since.
fn step(seed: u64, factor: f64, watch: &Watch<'_>) -> Result<Vec<f64>, Ended> {
    let mut world = world(setup(seed, STEP_HALF_LIFE))?;
    let is_low = |world: &World| height(world) == 0;
    world.run_while(Micros::MAX, is_low);
    let begin = world.now();
    world.take_told();
    world.set_hash_rate(0, scaled(factor));
    let mut found = Vec::new();
    let intervals = u64::from(STEP_HALF_LIFE) * 22 / 10;
    run(&mut world, intervals, &watch.deaf(), |told| {
        found.extend(mined_at(&told));
    })?;
    assert_safe(&world)?;
    let half_life = f64::from(STEP_HALF_LIFE) * real(u64::from(SPACING_S) * SECOND);
    let since = found.into_iter().map(|at| real(at - begin) / half_life);
    Ok(since.collect())
}

fn height(world: &World) -> u32 {
    let node = world.node(0);
    node.map_or(0, |node| node.state().tip().height.to_u32())
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a small multiple of the rate"
)]
fn scaled(factor: f64) -> u64 {
    (factor * real(RATE)).round() as u64
}

/// How much ln(target) wavers at a constant hash rate: each block moves it by
/// (x - 1) / N for an exponential x, and draws it back by a share 1 / N.
fn calm(size: Size, watch: &Watch<'_>) -> Result<Row, Ended> {
    let mut logarithms = Vec::new();
    for seed in 0..size.networks.min(CALM_NETWORKS) {
        let mut world = world(setup(seed, CALM_HALF_LIFE))?;
        run(&mut world, size.blocks, watch, |_| {})?;
        assert_safe(&world)?;
        logarithms.extend(targets(&world));
    }
    let count = real(logarithms.len() as u64);
    let mean = logarithms.iter().sum::<f64>() / count;
    let square = logarithms.iter().map(|one| (one - mean).powi(2));
    let deviation = (square.sum::<f64>() / count).sqrt();
    let memory = f64::from(CALM_HALF_LIFE) / LN_2;
    let expected = (1.0 / (2.0 * memory)).sqrt();
    // Values two memories apart know nothing of each other.
    let independent = count / (2.0 * memory);
    let chance = SIGMAS * expected / (2.0 * independent).sqrt();
    let tolerance = (expected * CALM_SHARE).max(chance);
    let what = "deviation of ln(target) at a constant hash rate";
    Ok(row(what, expected, deviation, tolerance))
}

/// ln of the target of every block of the chain, from five half-lives on.
fn targets(world: &World) -> Vec<f64> {
    let tip = world.node(0).map(|node| node.state().tip().hash);
    let below = |hash: &_| Some(world.archive().place(hash)?.0);
    let chain = std::iter::successors(tip, below);
    let late = chain.take_while(|hash| {
        let place = world.archive().place(hash);
        place.is_some_and(|(_, height)| height.to_u32() > 5 * CALM_HALF_LIFE)
    });
    let bits = late.filter_map(|hash| Some(world.archive().block(&hash)?.header.bits));
    let target = bits.filter_map(|bits| bits.to_target().ok());
    // Difficulty is a constant over the target.
    target.map(|target| -target.difficulty().ln()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_begins_at_the_step_and_ends_at_one() {
        for factor in FACTORS {
            assert!((answer(factor, 0.0) - factor).abs() < 1e-9);
            assert!((answer(factor, 40.0) - 1.0).abs() < 1e-9);
        }
        assert!((answer(10.0, 1.0) - 1.0 / 0.55).abs() < 1e-9);
    }
}
