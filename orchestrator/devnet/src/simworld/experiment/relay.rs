//! Experiments on networks like those of live chains: regions, bandwidth, blocks
//! of real size, and relay by announcement.

use std::collections::{BTreeMap, BTreeSet};

use minichain_protocol::event::Event;
use minichain_sim::link::Paths;
use minichain_sim::queue::{Micros, SECOND};
use minichain_sim::random::Stream;
use minichain_sim::setup::{Peering, Setup};

use super::network::{Fate, Found, RATE, assert_safe, connected, run, with_rates};
use super::profile::{self, BLOCK_BYTES, POOL_BYTES_PER_S, POOLS, Profile, REGIONS, drawn, matrix};
use super::statistics::{factor_row, quantile, real, row, spread};
use super::{Ended, Row, Size, Watch};

/// Seconds between blocks, and the published stale rates: blocks announced to
/// all, and blocks pushed among pools (Gervais et al. 2016, results page).
const INTERVALS: [(u32, f64, f64); 4] = [
    (600, 0.0151, 0.0013),
    (60, 0.0215, 0.0035),
    (10, 0.0477, 0.0173),
    (1, 0.2674, 0.1244),
];
/// Networks that [`intervals`] simulates.
pub const RUNS: u64 = 2 * INTERVALS.len() as u64;
/// Connections of a pool, and of any other node by its own wish.
const POOL_LINKS: usize = 700;
const OUTBOUND: usize = 8;
/// A stale rate may be off by this factor.
const FACTOR: f64 = 2.0;
/// Time until everybody is connected.
const READY: Micros = 20 * SECOND;

/// Block intervals against stale rates, by announcement and by push.
pub fn intervals(size: Size, watch: &Watch<'_>, rows: &mut Vec<Row>) -> Result<(), Ended> {
    for is_pushed in [false, true] {
        let relay = if is_pushed { "pushed" } else { "announced" };
        let (mut rates, mut fewest) = (Vec::new(), u64::MAX);
        for (spacing_s, announced, pushed) in INTERVALS {
            let fate = pools(spacing_s, is_pushed, size, watch)?;
            let stale = fate.stale();
            rates.push(stale);
            let published = if is_pushed { pushed } else { announced };
            let what = format!("stale rate at {spacing_s} s, blocks {relay}");
            // Few stale blocks scatter by more than the factor.
            let chance = |share| spread(share, real(fate.found));
            rows.push(factor_row(&what, published, stale, FACTOR, chance));
            fewest = fewest.min(fate.found);
        }
        let slack = |stale: f64| spread(stale, real(fewest));
        let is_ordered = rates
            .windows(2)
            .all(|pair: &[f64]| pair[0] <= pair[1] + slack(pair[0].max(pair[1])));
        // From end to end more than chance does.
        let ends = rates.first().zip(rates.last());
        let has_grown = ends.is_some_and(|(first, last)| first + slack(*last) < *last);
        let what = format!("stale rates grow as intervals shrink, blocks {relay} (1: they do)");
        rows.push(row(
            &what,
            1.0,
            f64::from(u8::from(is_ordered && has_grown)),
            0.0,
        ));
    }
    Ok(())
}

/// Pools with the power, regions and connections of the paper among ordinary
/// nodes; the size of a block is in proportion to the interval.
fn pools(spacing_s: u32, is_pushed: bool, size: Size, watch: &Watch<'_>) -> Result<Fate, Ended> {
    let profile = &profile::BITCOIN;
    let ordinary = size.miners;
    let mut rates: Vec<u64> = POOLS
        .iter()
        .map(|(share, _)| profile::rate(*share))
        .collect();
    rates.resize(POOLS.len() + ordinary, 0);
    let seed = u64::from(spacing_s);
    let mut setup = with_rates(seed, spacing_s, &rates);
    setup.gossip.announces = true;
    setup.ballast_bytes = BLOCK_BYTES * u64::from(spacing_s) / 600;
    setup.links.paths = Paths::Zones(matrix());
    for (place, node) in setup.nodes.iter_mut().enumerate() {
        if let Some((_, region)) = POOLS.get(place) {
            node.zone = *region;
            node.upload = Some(POOL_BYTES_PER_S);
            node.download = Some(POOL_BYTES_PER_S);
            node.pushes = is_pushed;
        } else {
            profile.place(node, place - POOLS.len(), ordinary);
        }
    }
    let mut chance = Stream::new(seed, "links", &[]);
    let mut links = BTreeSet::new();
    for pool in 0..POOLS.len() {
        links.extend((0..pool).map(|other| (other, pool)));
        let wanted = POOL_LINKS.min(ordinary * 7 / 10);
        let others = POOLS.len()..POOLS.len() + ordinary;
        join(&mut links, pool, others, wanted, &mut chance);
    }
    for node in POOLS.len()..POOLS.len() + ordinary {
        let others = POOLS.len()..POOLS.len() + ordinary;
        join(&mut links, node, others, OUTBOUND, &mut chance);
    }
    setup.peering = Peering::Edges(links.into_iter().collect());
    let mut world = connected(setup, READY, watch)?;
    let mut found = Found::default();
    run(&mut world, size.blocks, watch, |told| found.note(&told))?;
    assert_safe(&world)?;
    Ok(found.fate(&world, 0))
}

/// Connects a node to so many different others, drawn by lot.
fn join(
    links: &mut BTreeSet<(usize, usize)>,
    node: usize,
    others: std::ops::Range<usize>,
    wanted: usize,
    chance: &mut Stream,
) {
    let mut others: Vec<usize> = others.filter(|other| *other != node).collect();
    chance.shuffle(&mut others);
    let ordered = |other: usize| (node.min(other), node.max(other));
    links.extend(others.into_iter().take(wanted).map(ordered));
}

/// Times that blocks take, by the profiles of two chains.
pub const PROFILES: u64 = 2;

/// How fast blocks spread, against published simulations and measurements.
pub fn propagation(size: Size, watch: &Watch<'_>, rows: &mut Vec<Row>) -> Result<(), Ended> {
    for profile in [&profile::BITCOIN, &profile::LITECOIN] {
        let delays = spread_of(profile, size, watch)?;
        for (share, published, factor, source) in profile.published {
            let what = format!(
                "{}-like, seconds until {} % have a block ({source})",
                profile.name,
                share * 100.0
            );
            let measured = quantile(&delays, *share);
            rows.push(factor_row(&what, *published, measured, *factor, |_| 0.0));
        }
    }
    Ok(())
}

/// Seconds from a block's find until a node has it, for every block and node, in
/// order.
fn spread_of(profile: &Profile, size: Size, watch: &Watch<'_>) -> Result<Vec<f64>, Ended> {
    let mut world = connected(network(profile, size), READY, watch)?;
    let mut found = BTreeMap::new();
    let mut delays = Vec::new();
    run(&mut world, size.blocks, watch, |told| match told.event {
        Event::BlockMined { hash, .. } => {
            found.insert(hash, told.at);
        }
        Event::BlockArrived { hash, .. } => {
            let since = found.get(&hash).map(|at| told.at - at);
            delays.extend(since.map(|since| real(since) / real(SECOND)));
        }
        _ => {}
    })?;
    assert_safe(&world)?;
    delays.sort_by(f64::total_cmp);
    Ok(delays)
}

/// A network of the profile: nodes in their regions, of which every tenth mines,
/// with as many links as drawn from the distribution.
fn network(profile: &Profile, size: Size) -> Setup {
    let nodes = profile.nodes.min(size.miners);
    let rates = (0..nodes).map(|place| if place % 10 == 0 { RATE } else { 0 });
    let seed = 1;
    let mut setup = with_rates(seed, profile.spacing_s, &rates.collect::<Vec<_>>());
    setup.gossip.announces = true;
    setup.ballast_bytes = profile.block_bytes;
    setup.links.paths = Paths::Zones(matrix());
    let mut order: Vec<usize> = (0..nodes).collect();
    Stream::new(seed, "regions", &[]).shuffle(&mut order);
    for (node, rank) in setup.nodes.iter_mut().zip(order) {
        profile.place(node, rank, nodes);
    }
    let mut chance = Stream::new(seed, "links", &[]);
    let mut links = BTreeSet::new();
    for node in 0..nodes {
        let wanted = drawn(profile.degrees, chance.share());
        join(&mut links, node, 0..nodes, wanted, &mut chance);
    }
    setup.peering = Peering::Edges(links.into_iter().collect());
    setup
}

const _: () = assert!(REGIONS == 6, "the tables of this folder have six regions");
