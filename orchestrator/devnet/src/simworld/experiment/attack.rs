//! Experiments with a miner that holds its blocks back.

use std::collections::BTreeSet;

use minichain_protocol::event::Event;
use minichain_sim::adversary::{Strategy, Tally};
use minichain_sim::link::{Latency, Paths};
use minichain_sim::queue::{MILLI, SECOND};
use minichain_sim::setup::Peering;
use minichain_sim::world::World;

use super::network::{
    Fate, Found, SPACING_S, assert_safe, connected, graph, run, seeds_of, with_rates,
};
use super::profile::rate;
use super::statistics::{SIGMAS, real, row, spread};
use super::{Ended, Row, Size, Watch};

/// Shares of power and confirmations that double-spending is tried with.
pub const SPENDS: [(f64, u32); 8] = [
    (0.1, 1),
    (0.1, 2),
    (0.1, 3),
    (0.1, 6),
    (0.3, 1),
    (0.3, 2),
    (0.3, 3),
    (0.3, 6),
];
/// Intervals that pass between two looks at how often the attacker has tried, and
/// for every attempt at most; a tenth of that would be many.
const LOOK: u64 = 100;
const INTERVALS_PER_ATTEMPT: u64 = 1_000;

/// An attacker against one honest miner and a payee who waits.
pub fn double_spend(size: Size, watch: &Watch<'_>, rows: &mut Vec<Row>) -> Result<(), Ended> {
    let (mut successes, mut reversed) = (0, 0);
    for (number, (share, confirmations)) in (0..).zip(SPENDS) {
        let mut all = Tally::default();
        for seed in seeds_of(number, size) {
            let (tally, seen) = attempts(seed, share, confirmations, size.blocks, watch)?;
            all.attempts += tally.attempts;
            all.successes += tally.successes;
            reversed += seen;
            watch.passed(size.blocks);
        }
        successes += all.successes;
        let expected = reversal(share, confirmations);
        let measured = real(all.successes) / real(all.attempts.max(1));
        let what = format!("reversed with {share} of the power, {confirmations} confirmations");
        let tolerance = spread(expected, real(all.attempts));
        rows.push(row(&what, expected, measured, tolerance));
    }
    rows.push(row(
        "reversals that the payee's node saw, of those published",
        1.0,
        real(reversed) / real(successes),
        0.0,
    ));
    Ok(())
}

/// Chance that a payment with so many confirmations is reversed by an attacker
/// with this share of power (Rosenfeld 2014, equation 1).
pub fn reversal(share: f64, confirmations: u32) -> f64 {
    let (p, q) = (1.0 - share, share);
    let n = i32::try_from(confirmations).unwrap_or(i32::MAX);
    let mut ways = 1.0; // of m successes before the n-th failure
    let mut sum = 0.0;
    for m in 0..=n {
        sum += ways * (p.powi(n) * q.powi(m) - p.powi(m) * q.powi(n));
        ways *= f64::from(m + n) / f64::from(m + 1);
    }
    1.0 - sum
}

/// Lets an attacker try so often; tells what came of it, and how often the
/// payee's chain lost as many blocks as it had waited for.
fn attempts(
    seed: u64,
    share: f64,
    confirmations: u32,
    wanted: u64,
    watch: &Watch<'_>,
) -> Result<(Tally, u64), Ended> {
    let (attacker, payee) = (1, 2);
    let rates = [rate(1.0 - share), rate(share), 0];
    let mut setup = with_rates(seed, SPACING_S, &rates);
    setup.links.paths = Paths::Everywhere(Latency::Constant(MILLI));
    let mut world = connected(setup, 10 * SECOND, watch)?;
    let behind_max = hopeless(share);
    world.corrupt(
        attacker,
        Strategy::DoubleSpend {
            confirmations,
            behind_max,
        },
    );
    let mut reversed = 0;
    let tally = |world: &World| world.tally(attacker).unwrap_or_default();
    let mut passed = 0;
    // Progress is told in attempts.
    let deaf = watch.deaf();
    while tally(&world).attempts < wanted {
        if passed >= wanted.max(LOOK) * INTERVALS_PER_ATTEMPT {
            let tried = tally(&world).attempts;
            return Err(format!(
                "the attacker has tried {tried} times in {passed} intervals, not {wanted}"
            )
            .into());
        }
        passed += LOOK;
        run(&mut world, LOOK, &deaf, |told| {
            if let Event::TipChanged { disconnected, .. } = &told.event {
                let is_deep = disconnected.len() >= confirmations as usize;
                reversed += u64::from(told.place == payee && is_deep);
            }
        })?;
    }
    assert_safe(&world)?;
    Ok((tally(&world), reversed))
}

/// Blocks behind from which the chance to catch up is below 1 in 100,000.
fn hopeless(share: f64) -> u32 {
    let ratio = share / (1.0 - share);
    let chances = (1_u32..).zip(std::iter::successors(Some(ratio), |chance| {
        Some(chance * ratio)
    }));
    let mut slim = chances.filter(|(_, chance)| *chance < 1e-5);
    slim.next().map_or(1, |(behind, _)| behind)
}

/// Shares of power of the selfish miner, of the honest power that takes its side
/// in a race, and its revenue by the paper.
pub const SELFISH: [(f64, f64); 4] = [(0.4, 0.0), (0.3, 0.5), (1.0 / 3.0, 0.0), (0.25, 0.5)];
/// The revenue's deviation is below this over the root of the number of blocks.
const REVENUE_SPREAD: f64 = 0.87;
/// Power and links of a selfish miner on a network that decides itself.
const ALPHA: f64 = 0.35;
const LINKS: usize = 6;

/// A selfish miner, first with races decided as the model says, then with races
/// that the network decides.
pub fn selfish(size: Size, watch: &Watch<'_>, rows: &mut Vec<Row>) -> Result<(), Ended> {
    for (number, (alpha, gamma)) in (0..).zip(SELFISH) {
        let (mut all, mut races) = (Fate::default(), Races::default());
        for seed in seeds_of(number, size) {
            let (fate, tally) = forced(seed, (alpha, gamma), size, watch)?;
            all += fate;
            races.add(tally);
        }
        let what = format!("revenue with {alpha:.4} of the power, gamma {gamma}");
        rows.push(revenue_row(&what, revenue(alpha, gamma), all));
        let what = format!("gamma forced on that, of {} races", races.all);
        let tolerance = spread(gamma, real(races.all));
        rows.push(row(&what, gamma, races.gamma(), tolerance));
    }
    let (mut all, mut races) = (Fate::default(), Races::default());
    for seed in seeds_of(SELFISH.len() as u64, size) {
        let (fate, tally) = emerging(seed, size, watch)?;
        all += fate;
        races.add(tally);
    }
    let gamma = races.gamma();
    let what = format!("revenue with {ALPHA} of the power, gamma {gamma:.3} by the network");
    rows.push(revenue_row(&what, revenue(ALPHA, gamma), all));
    Ok(())
}

/// Races that honest miners decided.
#[derive(Default)]
struct Races {
    all: u64,
    followed: u64,
}

impl Races {
    const fn add(&mut self, tally: Tally) {
        self.all += tally.followed + tally.passed;
        self.followed += tally.followed;
    }

    /// The share in which they took the selfish side.
    fn gamma(&self) -> f64 {
        real(self.followed) / real(self.all.max(1))
    }
}

fn revenue_row(what: &str, expected: f64, fate: Fate) -> Row {
    let measured = real(fate.own) / real(fate.main);
    let tolerance = SIGMAS * REVENUE_SPREAD / real(fate.main).sqrt();
    row(what, expected, measured, tolerance)
}

/// Share of the blocks that a selfish miner has on the chain (Eyal and Sirer
/// 2014, equation 8).
pub fn revenue(alpha: f64, gamma: f64) -> f64 {
    let honest = 1.0 - alpha;
    let gained = alpha * honest.powi(2) * (4.0 * alpha + gamma * (1.0 - 2.0 * alpha));
    (gained - alpha.powi(3)) / (1.0 - alpha * (1.0 + (2.0 - alpha) * alpha))
}

/// Honest miners of equal power reach each other through one node in the middle,
/// the selfish one has a much faster line to each. In a race it sends its block
/// to its allies alone, who so have it before the honest one; all others hear of
/// the honest one first.
fn forced(
    seed: u64,
    (alpha, gamma): (f64, f64),
    size: Size,
    watch: &Watch<'_>,
) -> Result<(Fate, Tally), Ended> {
    let honest = size.miners;
    let (middle, selfish) = (honest, honest + 1);
    let near = honest / 2;
    let (near_power, far_power) = sides(1.0 - alpha, gamma, near, honest - near);
    let mut rates = vec![near_power; near];
    rates.resize(honest, far_power);
    rates.extend([0, rate(alpha)]);
    let mut setup = with_rates(seed, SPACING_S, &rates);
    let zones = [(middle, 1), (selfish, 2)];
    for (place, zone) in zones {
        setup.nodes[place].zone = zone;
    }
    let (fast, slow) = (Latency::Constant(MILLI), Latency::Constant(50 * MILLI));
    let from_others = vec![slow.clone(), slow, fast.clone()];
    let matrix = vec![from_others.clone(), from_others, vec![fast; 3]];
    setup.links.paths = Paths::Zones(matrix);
    let to_middle = (0..honest).map(|one| (one, middle));
    let to_selfish = (0..honest).map(|one| (one, selfish));
    setup.peering = Peering::Edges(to_middle.chain(to_selfish).collect());
    let mut world = connected(setup, 10 * SECOND, watch)?;
    let allies: BTreeSet<usize> = match gamma > 0.0 {
        true => (0..near).collect(),
        false => BTreeSet::new(),
    };
    let allies = Some(allies);
    world.corrupt(selfish, Strategy::Selfish { allies });
    outcome(&mut world, selfish, size, watch)
}

/// Power of each near and each far miner. A miner whose own block is in the race
/// stays with it: of the near side's share s one part in `near` is lost in the
/// races that it began, so that gamma = s - s^2 / near.
fn sides(honest: f64, gamma: f64, near: usize, far: usize) -> (u64, u64) {
    let (near, far) = (real(near as u64), real(far as u64));
    let share = match gamma > 0.0 {
        true => near / 2.0 * (1.0 - (1.0 - 4.0 * gamma / near).sqrt()),
        false => near / (near + far),
    };
    (
        rate(honest * share / near),
        rate(honest * (1.0 - share) / far),
    )
}

/// A selfish miner with a few links into a random network.
fn emerging(seed: u64, size: Size, watch: &Watch<'_>) -> Result<(Fate, Tally), Ended> {
    let honest = size.miners;
    let selfish = honest;
    let each = rate((1.0 - ALPHA) / real(honest as u64));
    let mut rates = vec![each; honest];
    rates.push(rate(ALPHA));
    let mut setup = with_rates(seed, SPACING_S, &rates);
    setup.links.paths = Paths::Everywhere(Latency::Uniform {
        min: 20 * MILLI,
        max: 200 * MILLI,
    });
    let mut edges = graph(seed, honest, honest);
    let links = LINKS.min(honest);
    edges.extend((0..links).map(|link| (selfish, link * honest / links)));
    setup.peering = Peering::Edges(edges);
    let mut world = connected(setup, 10 * SECOND, watch)?;
    world.corrupt(selfish, Strategy::Selfish { allies: None });
    outcome(&mut world, selfish, size, watch)
}

fn outcome(
    world: &mut World,
    selfish: usize,
    size: Size,
    watch: &Watch<'_>,
) -> Result<(Fate, Tally), Ended> {
    let mut found = Found::default();
    run(world, size.blocks, watch, |told| found.note(&told))?;
    assert_safe(world)?;
    let tally = world.tally(selfish).unwrap_or_default();
    Ok((found.fate(world, selfish), tally))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reversals_are_those_of_the_papers_table() {
        // Rosenfeld 2014, table 1.
        for (share, confirmations, wanted) in [
            (0.1, 1, 0.2),
            (0.1, 2, 0.056),
            (0.1, 3, 0.017_12),
            (0.1, 6, 0.000_591),
            (0.3, 1, 0.6),
            (0.3, 2, 0.432),
            (0.3, 3, 0.326_16),
            (0.3, 6, 0.156_45),
        ] {
            let chance = reversal(share, confirmations);
            assert!(
                (chance - wanted).abs() < 1e-5,
                "{share} {confirmations}: {chance}"
            );
        }
    }

    #[test]
    fn revenue_is_that_of_the_paper() {
        for ((alpha, gamma), wanted) in SELFISH.into_iter().zip([0.4837, 0.3269, 1.0 / 3.0, 0.25]) {
            let revenue = revenue(alpha, gamma);
            assert!(
                (revenue - wanted).abs() < 1e-4,
                "{alpha} {gamma}: {revenue}"
            );
        }
    }

    #[test]
    fn the_near_side_is_as_large_as_gamma_wants_without_the_finder() {
        let (near, far) = sides(1.0, 0.5, 10, 10);
        let share = real(10 * near) / real(rate(1.0));
        assert!((share * (1.0 - share / 10.0) - 0.5).abs() < 1e-4, "{share}");
        assert!((real(10 * (near + far)) / real(rate(1.0)) - 1.0).abs() < 1e-4);
    }

    #[test]
    fn an_attacker_gives_up_late() {
        assert_eq!(hopeless(0.1), 6);
        assert_eq!(hopeless(0.3), 14);
    }
}
