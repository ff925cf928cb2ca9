//! Rules and nodes for small worlds.

use minichain_chain::amount::Amount;
use minichain_chain::difficulty::Rule;
use minichain_chain::params::{Allocation, Params, Proof, Reward, dev_account_key};
use minichain_chain::pow::Target;
use minichain_chain::signature::SecretKey;
use minichain_chain::time::UnixSeconds;
use minichain_protocol::event::Event;
use minichain_sim::link::{Latency, Paths};
use minichain_sim::queue::{MILLI, Micros, SECOND};
use minichain_sim::setup::{NodeSetup, Setup};
use minichain_sim::world::{Place, World};

pub const RATE: u64 = 1_000;

pub fn key() -> SecretKey {
    dev_account_key(&[7; 32], "alice")
}

/// A network with a block every `spacing_s` at a total of so many hashes a
/// second.
pub fn params(spacing_s: u32, total_rate: u64) -> Params {
    let initial = Target::from_hash_rate(total_rate, spacing_s);
    let initial_target = initial.to_compact().to_target().expect("a target");
    let limit = Target::from_hash_rate(total_rate.div_ceil(8), spacing_s);
    Params {
        network: "sim-it".into(),
        address_prefix: "sim".into(),
        genesis_time: UnixSeconds(1_700_000_000),
        spacing_s,
        difficulty: Rule::Asert {
            half_life_s: (spacing_s * 30).max(300),
        },
        initial_target,
        pow_limit: limit.to_compact().to_target().expect("a target"),
        future_limit_s: (spacing_s * 3).clamp(10, 30),
        reward: Reward {
            initial: Amount::from_sat(5_000_000_000),
            halving_interval: 50,
        },
        coinbase_maturity: 10,
        block_weight_max: 4_000_000,
        allocations: vec![Allocation {
            account: "alice".into(),
            amount: Amount::from_sat(1_000_000_000),
            output_key: key().output_key(),
        }],
        proof: Proof::Simulated,
    }
}

pub fn nodes(count: usize, miners: usize) -> Vec<NodeSetup> {
    let node = |number| NodeSetup {
        name: format!("node-{number}"),
        hash_rate: if number < miners { RATE } else { 0 },
        ..NodeSetup::default()
    };
    (0..count).map(node).collect()
}

/// So many nodes with a block every five seconds.
pub fn setup(seed: u64, count: usize, miners: usize) -> Setup {
    Setup::new(seed, params(5, miners as u64 * RATE), nodes(count, miners))
}

pub fn world(setup: Setup) -> World {
    World::new(setup).expect("a world")
}

pub fn height(world: &World, place: usize) -> u32 {
    world.node(place).expect("it runs").state().tip().height.0
}

pub fn has_one_tip(world: &World) -> bool {
    let tip = |place| world.node(place).map(|node| node.state().tip().hash);
    let mut tips = (0..world.len()).filter_map(tip);
    let first = tips.next();
    tips.all(|tip| Some(tip) == first)
}

pub fn seconds(seconds: u64) -> Micros {
    seconds * SECOND
}

pub fn assert_safe(world: &mut World) {
    world.compare_coins();
    assert_eq!(world.violations().first(), None);
}

/// Between the two of [`pair`].
pub const LATENCY: Micros = 50 * MILLI;

/// One miner and one neighbour, far apart.
pub fn pair() -> Setup {
    let mut setup = setup(1, 2, 1);
    setup.links.paths = Paths::Everywhere(Latency::Constant(LATENCY));
    setup.timing.status_poll_ms = 1 << 40;
    setup
}

/// A block that was heard of.
#[derive(Clone, Copy, Debug)]
pub struct Arrival {
    pub place: Place,
    pub found: Micros,
    pub heard: Micros,
}

/// Runs a world for so long; which blocks nodes heard of from others, and when.
pub fn arrivals(world: &mut World, until: Micros) -> Vec<Arrival> {
    world.record();
    world.run_until(until);
    assert_safe(world);
    let (mut found, mut arrivals) = (std::collections::BTreeMap::new(), Vec::new());
    for told in world.take_told() {
        match told.event {
            Event::BlockMined { hash, .. } => {
                found.insert(hash, told.at);
            }
            Event::BlockArrived { hash, .. } => arrivals.push(Arrival {
                place: told.place,
                found: found[&hash],
                heard: told.at,
            }),
            _ => {}
        }
    }
    assert!(arrivals.len() > 20, "{arrivals:?}");
    arrivals
}

/// Times from a find to the neighbour's hearing of it.
pub fn delays(setup: Setup) -> Vec<Micros> {
    let arrivals = arrivals(&mut world(setup), seconds(200));
    arrivals.iter().map(|one| one.heard - one.found).collect()
}
