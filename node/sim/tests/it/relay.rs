//! Ways to pass a block on, and what its size costs.

use minichain_sim::link::{Latency, Paths};
use minichain_sim::queue::{MILLI, Micros};
use minichain_sim::setup::Peering;

use crate::support::{
    LATENCY, arrivals, assert_safe, delays, has_one_tip, height, pair, seconds, setup, world,
};

#[test]
fn an_announced_block_takes_three_ways_and_a_pushed_one_takes_one() {
    let pushed = delays(pair());
    assert!(pushed.iter().all(|delay| *delay == LATENCY), "{pushed:?}");
    let mut announcing = pair();
    announcing.gossip.announces = true;
    let announced = delays(announcing.clone());
    let is_thrice = |delay: &Micros| *delay == 3 * LATENCY;
    assert!(announced.iter().all(is_thrice), "{announced:?}");
    for node in &mut announcing.nodes {
        node.pushes = true;
    }
    let among_pushers = delays(announcing);
    assert_eq!(among_pushers, pushed);
}

#[test]
fn ballast_takes_its_time_on_the_line() {
    let mut heavy = pair();
    heavy.ballast_bytes = 1_000_000;
    heavy.nodes[0].upload = Some(1_000_000);
    let second = seconds(1);
    let near = |delay: &Micros| (second + LATENCY..second + LATENCY + 10 * MILLI).contains(delay);
    let delays = delays(heavy);
    // The line carries one block after the other.
    let alone = delays.iter().filter(|delay| near(delay)).count();
    assert!(alone > delays.len() / 2, "{delays:?}");
    assert!(delays.iter().all(|delay| *delay >= second + LATENCY));
}

#[test]
fn announced_blocks_reach_everybody_in_a_sparse_network() {
    let mut setup = setup(5, 40, 10);
    setup.peering = Peering::Random { outbound: 3 };
    setup.gossip.announces = true;
    setup.ballast_bytes = 10_000;
    for node in &mut setup.nodes {
        node.upload = Some(200_000);
    }
    setup.links.paths = Paths::Everywhere(Latency::Uniform {
        min: 10 * MILLI,
        max: 60 * MILLI,
    });
    let mut world = world(setup);
    world.run_until(seconds(1_000));
    let ended = world.now() + seconds(120);
    assert!(!world.run_while(ended, |world| !has_one_tip(world)));
    assert!(height(&world, 39) > 140);
    assert_safe(&mut world);
}

/// The first nodes have all their connections in the mesh, for whoever comes to
/// them has too few.
#[test]
fn a_node_lets_go_whom_it_has_too_many_of_though_it_knows_no_others() {
    let mut setup = setup(3, 16, 1);
    setup.links.paths = Paths::Everywhere(Latency::Constant(LATENCY));
    (setup.gossip.degree_low, setup.gossip.degree) = (2, 2);
    setup.gossip.degree_high = 3;
    let arrivals = arrivals(&mut world(setup), seconds(1_000));
    let first = arrivals
        .iter()
        .filter(|one| one.heard - one.found == LATENCY);
    let blocks: std::collections::BTreeSet<Micros> = arrivals.iter().map(|one| one.found).collect();
    let each = first.count() / blocks.len();
    assert!(
        (1..=3).contains(&each),
        "{each} nodes hear of a block at first"
    );
}
