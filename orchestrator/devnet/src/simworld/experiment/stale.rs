//! Experiments about blocks that lose a race because news takes time.

use minichain_sim::link::{Latency, Paths};
use minichain_sim::queue::{MILLI, Micros, SECOND};
use minichain_sim::random::Stream;
use minichain_sim::setup::Peering;

use super::network::{Fate, Found, RATE, assert_safe, connected, graph, run, seeds_of, with_rates};
use super::statistics::{SIGMAS, real, row};
use super::ways::{latency, shortest};
use super::{Ended, Row, Size, Watch};

/// Delays, in block intervals, that the constant delay is tried with.
pub const DELAYS: [f64; 4] = [0.1, 0.5, 1.0, 2.0];
/// Seconds between blocks with a constant delay: with the longest delay a
/// request and its answer still take less than the node's shortest time-out.
const DELAY_SPACING_S: u32 = 1;
/// Round trips after which every connection is open and has told its status.
const READY_TRIPS: u64 = 8;

/// Everybody hears of a block the same time after it was found: all miners have
/// a line to one node in the middle that passes blocks on at once.
pub fn constant_delay(size: Size, watch: &Watch<'_>, rows: &mut Vec<Row>) -> Result<(), Ended> {
    for (number, delay) in (0..).zip(&DELAYS) {
        let mut all = Fate::default();
        for seed in seeds_of(number, size) {
            all += star(seed, *delay, size, watch)?;
        }
        let expected = delay / (1.0 + delay);
        // Blocks come in cycles of one that stays and a Poisson number that do
        // not: the renewal theorem gives the spread of the number of cycles.
        let spread = (delay / (1.0 + delay).powi(3) / real(all.found)).sqrt();
        let what = format!("stale rate at a delay of {delay} intervals");
        rows.push(row(&what, expected, all.stale(), SIGMAS * spread));
    }
    Ok(())
}

fn star(seed: u64, delay: f64, size: Size, watch: &Watch<'_>) -> Result<Fate, Ended> {
    let middle = size.miners;
    let mut rates = vec![RATE; size.miners];
    rates.push(0);
    let mut setup = with_rates(seed, DELAY_SPACING_S, &rates);
    let half = half_of(delay);
    setup.links.paths = Paths::Everywhere(Latency::Constant(half));
    setup.peering = Peering::Edges((0..size.miners).map(|miner| (miner, middle)).collect());
    let mut world = connected(setup, READY_TRIPS * 2 * half + SECOND, watch)?;
    let mut found = Found::default();
    run(&mut world, size.blocks, watch, |told| found.note(&told))?;
    assert_safe(&world)?;
    Ok(found.fate(&world, middle))
}

/// Half of so many intervals.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a few seconds in microseconds"
)]
fn half_of(delay: f64) -> Micros {
    (delay * real(u64::from(DELAY_SPACING_S) * SECOND) / 2.0).round() as Micros
}

/// Seconds between blocks where delays are small beside them.
const RARE_SPACING_S: u32 = 60;

/// A random graph, unequal miners, and delays that are small beside the
/// interval.
pub fn small_delay(size: Size, watch: &Watch<'_>, rows: &mut Vec<Row>) -> Result<(), Ended> {
    let drawn = Latency::Uniform {
        min: 200 * MILLI,
        max: 1_000 * MILLI,
    };
    let (mut all, mut expected, mut largest) = (Fate::default(), 0.0, 0.0_f64);
    for seed in 0..size.networks {
        let mut chance = Stream::new(seed, "hash rates", &[]);
        let rates: Vec<u64> = (0..size.miners)
            .map(|_| 100 + chance.below(1_900))
            .collect();
        let joined = graph(seed, size.miners, size.miners);
        let edges: Vec<_> = joined
            .iter()
            .map(|(a, b)| (*a, *b, latency(&drawn, seed, (*a, *b))))
            .collect();
        let delay = mean_delay(&rates, &edges);
        let in_intervals = delay / real(u64::from(RARE_SPACING_S) * SECOND);
        expected += in_intervals / real(size.networks);
        largest = largest.max(in_intervals);
        let mut setup = with_rates(seed, RARE_SPACING_S, &rates);
        setup.links.paths = Paths::Everywhere(drawn.clone());
        setup.peering = Peering::Edges(joined);
        let mut world = connected(setup, 30 * SECOND, watch)?;
        let mut found = Found::default();
        run(&mut world, size.blocks, watch, |told| found.note(&told))?;
        assert_safe(&world)?;
        all += found.fate(&world, 0);
    }
    // The formula is the first term of a series; the second is the square.
    let tolerance = SIGMAS * (expected / real(all.found)).sqrt() + expected.powi(2);
    rows.extend([
        row(
            "stale rate, mean of all graphs",
            expected,
            all.stale(),
            tolerance,
        ),
        row(
            "largest mean delay in intervals, which must be small",
            0.0,
            largest,
            0.05,
        ),
    ]);
    Ok(())
}

/// Mean delay between the finder of a block and the power elsewhere, both drawn
/// by hash rate.
fn mean_delay(rates: &[u64], edges: &[(usize, usize, Micros)]) -> f64 {
    let total: f64 = rates.iter().map(|rate| real(*rate)).sum();
    let from = |(finder, rate): (usize, &u64)| {
        let ways = shortest(finder, rates.len(), edges);
        let heard = ways
            .iter()
            .zip(rates)
            .map(|(way, rate)| real(*way) * real(*rate));
        real(*rate) * heard.sum::<f64>()
    };
    rates.iter().enumerate().map(from).sum::<f64>() / total.powi(2)
}
