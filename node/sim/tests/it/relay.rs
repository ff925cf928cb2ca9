//! Ways to pass a block on, and what its size costs.

use minichain_protocol::event::Event;
use minichain_sim::link::{Latency, Paths};
use minichain_sim::queue::{MILLI, Micros};
use minichain_sim::setup::{Peering, Setup};

use crate::support::{assert_safe, has_one_tip, height, seconds, setup, world};

const LATENCY: Micros = 50 * MILLI;

/// One miner and one neighbour, far apart.
fn pair() -> Setup {
    let mut setup = setup(1, 2, 1);
    setup.links.paths = Paths::Everywhere(Latency::Constant(LATENCY));
    setup.timing.status_poll_ms = 1 << 40;
    setup
}

/// Times from a find to the neighbour's hearing of it.
fn delays(setup: Setup) -> Vec<Micros> {
    let mut world = world(setup);
    world.record();
    world.run_until(seconds(200));
    assert_safe(&mut world);
    let (mut found, mut delays) = (std::collections::BTreeMap::new(), Vec::new());
    for told in world.take_told() {
        match told.event {
            Event::BlockMined { hash, .. } => {
                found.insert(hash, told.at);
            }
            Event::BlockArrived { hash, .. } => delays.push(told.at - found[&hash]),
            _ => {}
        }
    }
    assert!(delays.len() > 20, "{delays:?}");
    delays
}

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
