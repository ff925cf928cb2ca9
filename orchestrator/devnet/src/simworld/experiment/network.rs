//! Networks that experiments are made on: no payments, no polls, blocks that
//! are heard of by gossip alone.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::{AddAssign, Range};

use minichain_chain::amount::Amount;
use minichain_chain::difficulty::Rule;
use minichain_chain::hash::BlockHash;
use minichain_chain::params::{Params, Proof, Reward};
use minichain_chain::pow::Target;
use minichain_chain::time::UnixSeconds;
use minichain_protocol::event::Event;
use minichain_sim::queue::{Micros, SECOND};
use minichain_sim::setup::{NOBODY, NodeSetup, Setup};
use minichain_sim::world::{Place, Told, World};

use super::statistics::real;
use super::{Ended, Size, Watch};

/// Seconds between blocks unless an experiment wants others: long beside what
/// travels.
pub const SPACING_S: u32 = 600;
/// Hashes a second of one miner.
pub const RATE: u64 = 1_000;
/// Nobody polls or renews a template within a run.
const NEVER_MS: u64 = 1 << 40;
/// Intervals that pass between two looks at what nodes told.
const SLICE: u64 = 20;
/// Looks within an interval at whether anybody still waits for the result.
const LOOKS: u64 = 64;

/// The seeds of a table's row, so that no two rows share their luck.
pub const fn seeds_of(row: u64, size: Size) -> Range<u64> {
    row * size.networks..(row + 1) * size.networks
}

/// So many miners with equal rates, and further nodes that only relay.
pub fn setup(seed: u64, miners: usize, relays: usize) -> Setup {
    let rates = (0..miners + relays).map(|number| if number < miners { RATE } else { 0 });
    with_rates(seed, SPACING_S, &rates.collect::<Vec<_>>())
}

/// A node for every rate, in hashes a second; together they find a block every
/// `spacing_s` at constant difficulty.
pub fn with_rates(seed: u64, spacing_s: u32, rates: &[u64]) -> Setup {
    let node = |(number, rate): (usize, &u64)| NodeSetup {
        name: format!("node-{number}"),
        hash_rate: *rate,
        ..NodeSetup::default()
    };
    let nodes = rates.iter().enumerate().map(node).collect();
    let mut setup = Setup::new(seed, params(spacing_s, rates.iter().sum()), nodes);
    setup.timing.status_poll_ms = NEVER_MS;
    setup.timing.template_age_ms = NEVER_MS;
    // Every connection carries every block at once.
    setup.gossip.degree = usize::MAX;
    setup.gossip.degree_low = usize::MAX;
    setup.gossip.degree_high = usize::MAX;
    setup
}

fn params(spacing_s: u32, rate: u64) -> Params {
    let target = target(rate, spacing_s);
    Params {
        network: "sim-experiment".into(),
        address_prefix: "sim".into(),
        genesis_time: UnixSeconds(super::super::plan::EPOCH_S),
        spacing_s,
        difficulty: Rule::Fixed,
        initial_target: target,
        pow_limit: target,
        future_limit_s: (3 * spacing_s).max(600),
        reward: Reward {
            initial: Amount::from_sat(1_000),
            halving_interval: 0,
        },
        coinbase_maturity: 100,
        block_weight_max: 4_000_000,
        allocations: Vec::new(),
        proof: Proof::Simulated,
    }
}

/// The target at which so many hashes a second find a block every `spacing_s`,
/// as a header can express it.
pub fn target(rate: u64, spacing_s: u32) -> Target {
    let compact = Target::from_hash_rate(rate, spacing_s).to_compact();
    compact.to_target().unwrap_or(Target::MAX)
}

/// A world at its begin, which keeps what its nodes tell.
///
/// # Errors
/// There can be no such world.
pub fn world(setup: Setup) -> Result<World, Ended> {
    let mut world = World::new(setup).map_err(|error| error.to_string())?;
    world.record();
    Ok(world)
}

/// A world whose miners begin once everybody is connected; until then whatever
/// is found would be found alone.
///
/// # Errors
/// As [`world`], or it was interrupted.
pub fn connected(mut setup: Setup, ready_after: Micros, watch: &Watch<'_>) -> Result<World, Ended> {
    let rates: Vec<u64> = setup.nodes.iter().map(|node| node.hash_rate).collect();
    for node in &mut setup.nodes {
        if node.hash_rate > 0 {
            node.reward_key = Some(NOBODY);
            node.hash_rate = 0;
        }
    }
    let mut world = world(setup)?;
    pass(&mut world, ready_after, SECOND, watch)?;
    for (place, rate) in rates.into_iter().enumerate() {
        if rate > 0 {
            world.set_hash_rate(place, rate);
        }
    }
    Ok(world)
}

/// A run in which a node broke a rule proves nothing.
///
/// # Errors
/// What was broken.
pub fn assert_safe(world: &World) -> Result<(), Ended> {
    match world.violations().first() {
        None => Ok(()),
        Some(broken) => Err(format!("the network broke a rule: {broken:?}").into()),
    }
}

/// Lets so many intervals pass, in slices; hands on what nodes told.
///
/// # Errors
/// It was interrupted.
pub fn run(
    world: &mut World,
    blocks: u64,
    watch: &Watch<'_>,
    mut take: impl FnMut(Told),
) -> Result<(), Ended> {
    let interval = u64::from(world.params().spacing_s) * SECOND;
    let end = world.now() + blocks * interval;
    while world.now() < end {
        let slice = (world.now() + SLICE * interval).min(end);
        let passed = (slice - world.now()) / interval;
        pass(world, slice, interval / LOOKS, watch)?;
        world.take_told().into_iter().for_each(&mut take);
        watch.passed(passed);
    }
    Ok(())
}

/// Lets time pass up to a moment, and looks after every `part` of it whether
/// anybody still waits.
///
/// # Errors
/// Nobody does.
pub fn pass(world: &mut World, end: Micros, part: Micros, watch: &Watch<'_>) -> Result<(), Ended> {
    while world.now() < end {
        watch.goes_on()?;
        let next = world.now().saturating_add(part.max(1));
        world.run_until(next.min(end));
    }
    Ok(())
}

/// When blocks were found, by a miner's own word.
pub fn mined_at(told: &Told) -> Option<Micros> {
    matches!(told.event, Event::BlockMined { .. }).then_some(told.at)
}

/// Who found which block.
#[derive(Debug, Default)]
pub struct Found(BTreeMap<BlockHash, Place>);

/// What became of the blocks of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fate {
    /// Blocks found.
    pub found: u64,
    /// Of these, on the main chain.
    pub main: u64,
    /// Of those, found by the node asked for.
    pub own: u64,
}

impl Fate {
    /// Share of the blocks found that are not on the main chain.
    pub fn stale(&self) -> f64 {
        1.0 - real(self.main) / real(self.found)
    }
}

impl AddAssign for Fate {
    fn add_assign(&mut self, other: Self) {
        self.found += other.found;
        self.main += other.main;
        self.own += other.own;
    }
}

impl Found {
    /// Notes a block that was found.
    pub fn note(&mut self, told: &Told) {
        if let Event::BlockMined { hash, .. } = told.event {
            self.0.insert(hash, told.place);
        }
    }

    /// What became of them, by the tip with most work; `of` is the node whose
    /// share is asked for.
    pub fn fate(&self, world: &World, of: Place) -> Fate {
        let tips = (0..world.len()).filter_map(|place| Some(world.node(place)?.state().tip()));
        let best = tips.max_by_key(|tip| tip.chainwork).map(|tip| tip.hash);
        let mut fate = Fate {
            found: self.0.len() as u64,
            ..Fate::default()
        };
        let below = |hash: &BlockHash| Some(world.archive().place(hash)?.0);
        for hash in std::iter::successors(best, below) {
            if let Some(finder) = self.0.get(&hash) {
                fate.main += 1;
                fate.own += u64::from(*finder == of);
            }
        }
        fate
    }
}

/// A random connected graph: a ring, and chords drawn by the seed.
pub fn graph(seed: u64, nodes: usize, chords: usize) -> Vec<(usize, usize)> {
    let mut chance = minichain_sim::random::Stream::new(seed, "graph", &[]);
    let mut edges: BTreeSet<(usize, usize)> = BTreeSet::new();
    let mut add = |a: usize, b: usize| {
        if a != b {
            edges.insert((a.min(b), a.max(b)));
        }
    };
    for node in 0..nodes {
        add(node, (node + 1) % nodes);
    }
    for _ in 0..chords {
        let mut draw = || usize::try_from(chance.below(nodes as u64)).unwrap_or_default();
        let (a, b) = (draw(), draw());
        add(a, b);
    }
    edges.into_iter().collect()
}
