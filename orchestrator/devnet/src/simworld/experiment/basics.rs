//! Experiments about mining, relay and forks where little goes wrong.

use minichain_protocol::event::Event;
use minichain_sim::link::{Latency, Paths};
use minichain_sim::queue::{MILLI, Micros, SECOND};
use minichain_sim::setup::Peering;
use minichain_sim::world::Cuts;

use super::network::{SPACING_S, assert_safe, graph, mined_at, pass, run, setup, world};
use super::statistics::{SIGMAS, real, row, spread};
use super::ways::{latency, shortest};
use super::{Ended, Row, Size, Watch};

/// Kolmogorov's bound on sqrt(n) times the largest distance, at 1 in 1,000.
const KS_MAX: f64 = 1.95;

fn spacing() -> Micros {
    u64::from(SPACING_S) * SECOND
}

/// Times between blocks at constant difficulty.
pub fn poisson(size: Size, watch: &Watch<'_>, rows: &mut Vec<Row>) -> Result<(), Ended> {
    let mut world = world(setup(1, size.miners, 0))?;
    let mut found = Vec::new();
    run(&mut world, size.blocks, watch, |told| {
        found.extend(mined_at(&told));
    })?;
    assert_safe(&world)?;
    let gaps = found
        .windows(2)
        .map(|pair| real(pair[1] - pair[0]) / real(spacing()));
    let mut gaps: Vec<f64> = gaps.collect();
    gaps.sort_by(f64::total_cmp);
    let count = real(gaps.len() as u64);
    let mean = gaps.iter().sum::<f64>() / count;
    let longer = |than: f64| real(gaps.iter().filter(|gap| **gap > than).count() as u64) / count;
    let spread = |share: f64| spread(share, count);
    let (one, six) = ((-1.0_f64).exp(), (-6.0_f64).exp());
    let distances = gaps.iter().zip(0_u64..).map(|(gap, rank)| {
        let law = 1.0 - (-gap).exp();
        (law - real(rank) / count)
            .abs()
            .max((real(rank + 1) / count - law).abs())
    });
    let largest = distances.fold(0.0, f64::max);
    rows.extend([
        row(
            "mean interval, in target intervals",
            1.0,
            mean,
            SIGMAS / count.sqrt(),
        ),
        row(
            "share longer than 1 interval",
            one,
            longer(1.0),
            spread(one),
        ),
        row(
            "share longer than 6 intervals",
            six,
            longer(6.0),
            spread(six),
        ),
        row(
            "Kolmogorov-Smirnov distance times sqrt(n)",
            0.0,
            largest * count.sqrt(),
            KS_MAX,
        ),
    ]);
    Ok(())
}

struct Graph {
    setup: minichain_sim::setup::Setup,
    edges: Vec<(usize, usize, Micros)>,
}

/// A random graph of miners with a latency for each link.
fn random_graph(seed: u64, miners: usize, drawn: &Latency) -> Graph {
    let joined = graph(seed, miners, miners);
    let mut setup = setup(seed, miners, 0);
    setup.links.paths = Paths::Everywhere(drawn.clone());
    let edges = joined
        .iter()
        .map(|(a, b)| (*a, *b, latency(drawn, seed, (*a, *b))));
    let edges = edges.collect();
    setup.peering = Peering::Edges(joined);
    Graph { setup, edges }
}

/// When a block reaches every node, against shortest ways.
pub fn flooding(size: Size, watch: &Watch<'_>, rows: &mut Vec<Row>) -> Result<(), Ended> {
    let (min, max) = (10 * MILLI, 200 * MILLI);
    let Graph { setup, edges } = random_graph(2, size.miners, &Latency::Uniform { min, max });
    let mut world = world(setup)?;
    let mut found = Vec::new();
    let mut heard = Vec::new();
    run(&mut world, size.blocks, watch, |told| match told.event {
        Event::BlockMined { hash, .. } => found.push((hash, told.place, told.at)),
        Event::BlockArrived { hash, .. } => heard.push((hash, told.place, told.at)),
        _ => {}
    })?;
    assert_safe(&world)?;
    let ways: Vec<Vec<Micros>> = (0..size.miners)
        .map(|from| shortest(from, size.miners, &edges))
        .collect();
    let origins: std::collections::BTreeMap<_, _> = found
        .iter()
        .map(|(hash, place, at)| (*hash, (*place, *at)))
        .collect();
    let (mut exact, mut all) = (0, 0);
    for (hash, place, at) in heard {
        let Some((origin, found_at)) = origins.get(&hash) else {
            continue;
        };
        all += 1;
        exact += u64::from(at - found_at == ways[*origin][place]);
    }
    let wanted = real(found.len() as u64) * real(size.miners as u64 - 1);
    rows.extend([
        row(
            "arrivals, of blocks times other nodes",
            1.0,
            real(all) / wanted,
            0.01,
        ),
        row(
            "share that arrive by the shortest way, to the microsecond",
            1.0,
            real(exact) / real(all.max(1)),
            0.0,
        ),
    ]);
    Ok(())
}

/// Two equal halves cut off from each other.
pub fn halves(size: Size, watch: &Watch<'_>, rows: &mut Vec<Row>) -> Result<(), Ended> {
    let (mut shorter, mut agreed) = (0, 0);
    for seed in 0..size.networks {
        let mut setup = setup(seed, size.miners, 0);
        setup.links.paths = Paths::Everywhere(Latency::Constant(50 * MILLI));
        let mut world = world(setup)?;
        world.run_until(spacing() / 100);
        let before = heights(&world);
        let half = size.miners / 2;
        let sides = (0..half).map(|place| (place, 1)).collect();
        world.set_cuts(Cuts {
            sides,
            ..Cuts::default()
        });
        run(&mut world, size.blocks, watch, |_| {})?;
        let tall = heights(&world);
        let side = |places: std::ops::Range<usize>| {
            let grown = places.map(|place| tall[place] - before[place]);
            grown.max().unwrap_or_default()
        };
        shorter += u64::from(side(0..half).min(side(half..size.miners)));
        world.set_cuts(Cuts::default());
        let settled = world.now() + 10 * spacing();
        pass(&mut world, settled, spacing(), watch)?;
        assert_safe(&world)?;
        let tips: std::collections::BTreeSet<_> = (0..world.len())
            .filter_map(|place| Some(world.node(place)?.state().tip().hash))
            .collect();
        agreed += u64::from(tips.len() == 1);
    }
    let networks = real(size.networks);
    // E[min] of two Poisson variables of mean m: m - sqrt(m / pi), and the
    // deviation of the minimum is below that of one of them.
    let m = real(size.blocks) / 2.0;
    let expected = m - (m / std::f64::consts::PI).sqrt();
    let deviation = (m / networks).sqrt();
    rows.extend([
        row(
            "length of the shorter side",
            expected,
            real(shorter) / networks,
            SIGMAS * deviation,
        ),
        row(
            "networks on one tip after the heal",
            1.0,
            real(agreed) / networks,
            0.0,
        ),
    ]);
    Ok(())
}

fn heights(world: &minichain_sim::world::World) -> Vec<u32> {
    let nodes = (0..world.len()).map(|place| world.node(place));
    nodes
        .map(|node| node.map_or(0, |node| node.state().tip().height.to_u32()))
        .collect()
}
