//! What lies between two nodes: latency of every kind, and lines that carry one
//! thing after the other.

use minichain_sim::link::{Condition, Drawn, Latency, Path, Paths};
use minichain_sim::queue::{MILLI, Micros};
use minichain_sim::setup::Setup;

use crate::support::{Arrival, LATENCY, arrivals, delays, pair, params, seconds, world};

/// One of each kind with randomness in it, with its least, its most and its mean
/// in milliseconds.
fn kinds() -> [(Latency, [Micros; 3]); 3] {
    let uniform = Latency::Uniform {
        min: 100 * MILLI,
        max: 300 * MILLI,
    };
    let normal = Latency::Normal {
        mean: 200 * MILLI,
        deviation: 40 * MILLI,
        min: 50 * MILLI,
    };
    let pareto = Latency::Pareto {
        scale: 100 * MILLI,
        shape: 4.0,
        max: 1_000 * MILLI,
    };
    [
        (uniform, [100, 300, 200]),
        (normal, [50, 400, 200]),
        (pareto, [100, 1_000, 133]),
    ]
}

fn with(latency: &Latency, drawn: Drawn) -> Setup {
    let mut setup = pair();
    setup.links.paths = Paths::Everywhere(latency.clone());
    setup.links.drawn = drawn;
    setup
}

#[test]
fn a_latency_drawn_once_is_that_of_every_message() {
    for (latency, _) in kinds() {
        let setup = with(&latency, Drawn::OncePerLink);
        let path = Path::new(&latency, Drawn::OncePerLink, setup.seed, [0, 1]);
        let delays = delays(setup);
        let is_it = |delay: &Micros| Some(*delay) == path.base();
        assert!(delays.iter().all(is_it), "{latency:?}: {delays:?}");
    }
}

#[test]
fn a_latency_drawn_for_every_message_has_its_bounds_and_its_mean() {
    for (latency, [least, most, mean]) in kinds() {
        let delays = delays(with(&latency, Drawn::PerMessage));
        let (first, last) = (delays.iter().min(), delays.iter().max());
        assert!(first >= Some(&(least * MILLI)) && last <= Some(&(most * MILLI)));
        assert_ne!(first, last, "{latency:?}");
        let measured = delays.iter().sum::<Micros>() / delays.len() as u64;
        // Four deviations of the mean of twenty are below 60 ms for each kind.
        let off = measured.abs_diff(mean * MILLI);
        assert!(off < 60 * MILLI, "{latency:?}: {measured}");
    }
}

#[test]
fn each_way_between_two_zones_has_its_own_latency() {
    let ways = |there: Micros, back: Micros| {
        let [free, there, back] = [0, there, back].map(Latency::Constant);
        vec![vec![free.clone(), there], vec![back, free]]
    };
    for (there, back) in [(30 * MILLI, 70 * MILLI), (90 * MILLI, 10 * MILLI)] {
        let mut setup = pair();
        setup.params = params(5, 2 * crate::support::RATE);
        setup.nodes[1].hash_rate = crate::support::RATE;
        setup.nodes[1].zone = 1;
        setup.links.paths = Paths::Zones(ways(there, back));
        let arrivals = arrivals(&mut world(setup), seconds(300));
        for Arrival {
            place,
            found,
            heard,
        } in arrivals
        {
            let wanted = if place == 1 { there } else { back };
            assert_eq!(heard - found, wanted, "to node {place}");
        }
    }
}

/// A line that needs nearly as long for a block as the next one takes to be
/// found, so that blocks queue.
fn crowded() -> Setup {
    let mut setup = pair();
    setup.params = params(1, crate::support::RATE);
    setup.ballast_bytes = 900_000;
    setup
}

/// On a line of a megabyte a second each of those blocks takes 0.9 s behind the
/// one before.
fn assert_queue(arrivals: &[Arrival]) {
    let takes = 900 * MILLI;
    let mut heard: Vec<Micros> = arrivals.iter().map(|one| one.heard).collect();
    heard.sort_unstable();
    assert!(heard.windows(2).all(|pair| pair[1] - pair[0] >= takes));
    let delays = arrivals.iter().map(|one| one.heard - one.found);
    let waited = delays.clone().filter(|delay| *delay > LATENCY + 2 * takes);
    assert!(waited.count() > 5, "nothing waited: {arrivals:?}");
    assert!(delays.min() >= Some(LATENCY + takes));
}

#[test]
fn a_line_out_carries_one_block_after_the_other() {
    let mut setup = crowded();
    setup.nodes[0].upload = Some(1_000_000);
    assert_queue(&arrivals(&mut world(setup), seconds(100)));
}

#[test]
fn a_line_in_carries_one_block_after_the_other() {
    let mut setup = crowded();
    setup.nodes[1].download = Some(1_000_000);
    assert_queue(&arrivals(&mut world(setup), seconds(100)));
}

#[test]
fn a_link_with_a_rate_carries_one_block_after_the_other() {
    let mut world = world(crowded());
    let thin = Condition {
        rate: Some(1_000_000),
        ..Condition::default()
    };
    world.set_condition(0, 1, thin);
    assert_queue(&arrivals(&mut world, seconds(100)));
}

#[test]
fn a_jitter_scatters_what_a_link_delivers() {
    let mut world = world(pair());
    let shaky = Condition {
        delay: 200 * MILLI,
        jitter: 30 * MILLI,
        ..Condition::default()
    };
    world.set_condition(0, 1, shaky);
    let arrivals = arrivals(&mut world, seconds(200));
    let delays: Vec<Micros> = arrivals.iter().map(|one| one.heard - one.found).collect();
    let mean = delays.iter().sum::<Micros>() / delays.len() as u64;
    assert!(mean.abs_diff(250 * MILLI) < 30 * MILLI, "{mean}");
    let spread = delays.iter().max().zip(delays.iter().min());
    assert!(spread.is_some_and(|(most, least)| most - least > 30 * MILLI));
}
