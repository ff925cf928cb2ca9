//! From a topology to a simulated network.

use std::collections::BTreeMap;
use std::path::PathBuf;

use devnet_blueprint::topology::Peers;
use devnet_blueprint::{Blueprint, EngineInput, NodePlan, PlanInput, ProcessInput, Subnet};
use devnet_blueprint::{Topology, plan};
use devnet_scenario::fault::NodeName;
use devnet_scenario::model::{GossipWish, SimWish};
use minichain_chain::params::Params;
use minichain_sim::link::{Latency, Paths};
use minichain_sim::queue::Micros;
use minichain_sim::setup::{CpuCost, Gossip, NodeSetup, Peering, Planted, Setup};

use super::ENGINE;
use super::genesis::{params, scaled};

/// When every simulated network is born, seconds since 1970 (the begin of
/// 2026): a run shall not depend on the day it is made.
pub const EPOCH_S: u32 = 1_767_225_600;
/// One-way latency between nodes that nothing slows, as on one host.
const LATENCY: Micros = 250;
/// In larger networks nodes find this many others by themselves, not all.
const MESH_MAX: usize = 64;
const OUTBOUND: usize = 8;

/// A network that can be simulated.
#[derive(Clone, Debug)]
pub struct Planned {
    /// Every node and the genesis file, as they would run as processes.
    pub blueprint: Blueprint,
    /// The rules of its chain.
    pub params: Params,
    /// A mistake that its nodes make on purpose.
    pub planted: Option<Planted>,
    /// What the scenario tells of lines and machines.
    pub sim: SimWish,
    peering: Peering,
    seed: u64,
}

impl Planned {
    /// Plans the network of a checked topology, on lines and machines that cost
    /// nothing.
    ///
    /// # Errors
    /// A whole sentence that says what cannot be planned.
    pub fn new(topology: &Topology, name: &str, seed: u64) -> Result<Self, String> {
        let topology = &without_programs(topology, name);
        let block = Subnet::new([127, 64, 0, 0].into(), 16).map_err(|error| error.to_string())?;
        let input = PlanInput {
            seed,
            created_at_s: EPOCH_S,
            run_id: ENGINE.into(),
            owner: ENGINE.into(),
            rpc_password: ENGINE.into(),
            engine: EngineInput::Process(ProcessInput {
                block,
                state_dir: PathBuf::from("/").join(ENGINE),
                binary: PathBuf::from("/").join(ENGINE),
            }),
            previous: None,
        };
        let blueprint = plan(topology, &input).map_err(|error| error.to_string())?;
        let genesis = blueprint
            .genesis
            .as_ref()
            .ok_or("there is no genesis file")?;
        Ok(Self {
            params: params(genesis)?,
            planted: None,
            sim: SimWish::default(),
            peering: peering(topology, &blueprint),
            seed,
            blueprint,
        })
    }

    /// The network for the simulator.
    pub fn setup(&self) -> Setup {
        let sim = &self.sim;
        let nodes = self.blueprint.nodes.iter();
        let nodes = nodes.map(|plan| node_setup(plan, sim)).collect();
        let mut setup = Setup::new(self.seed, self.params.clone(), nodes);
        setup.peering = match (&self.peering, sim.outbound) {
            (Peering::Everybody | Peering::Random { .. }, Some(outbound)) => Peering::Random {
                outbound: outbound as usize,
            },
            (peering, _) => peering.clone(),
        };
        setup.planted = self.planted;
        let latency = sim.latency.map_or(LATENCY, |time| time.us);
        setup.links.paths = Paths::Everywhere(Latency::Constant(latency));
        setup.start_jitter = sim.start_jitter.us;
        setup.gossip = gossip(&sim.gossip, setup.gossip);
        setup.ballast_bytes = sim.block_ballast.map_or(0, |ballast| ballast.0);
        setup.cpu = CpuCost {
            block_us: sim.cpu.block.us,
            input_us: sim.cpu.input.us,
            kilobyte_us: sim.cpu.kilobyte.us,
        };
        setup
    }
}

/// Gossip as it is wished; what is unset stays as near to `usual` as what is set
/// allows.
fn gossip(wish: &GossipWish, usual: Gossip) -> Gossip {
    let said = |count: Option<u32>| count.map(|count| count as usize);
    let (low, high) = (said(wish.degree_low), said(wish.degree_high));
    let nearest = usual.degree.max(low.unwrap_or(0));
    let nearest = nearest.min(high.unwrap_or(usize::MAX));
    let degree = said(wish.degree).unwrap_or(nearest);
    Gossip {
        degree,
        degree_low: low.unwrap_or_else(|| usual.degree_low.min(degree)),
        degree_high: high.unwrap_or_else(|| usual.degree_high.max(degree)),
        lazy: said(wish.lazy).unwrap_or(usual.lazy),
        heartbeat: wish.heartbeat.map_or(usual.heartbeat, |time| time.us),
        ..usual
    }
}

/// One node for the simulator, on the machine that it is told of.
pub fn node_setup(plan: &NodePlan, sim: &SimWish) -> NodeSetup {
    let mining = &plan.config.mining;
    let machine = sim.machine(&plan.name, &plan.group, plan.zone.as_deref());
    NodeSetup {
        upload: machine.line.upload.map(|rate| rate.bytes_s),
        download: machine.line.download.map(|rate| rate.bytes_s),
        skew_ms: machine.skew_ms,
        name: plan.name.clone(),
        hash_rate: match mining.enabled {
            true => scaled(mining.hash_rate),
            false => 0,
        },
        reward_key: mining.enabled.then_some(minichain_sim::setup::NOBODY),
        ..NodeSetup::default()
    }
}

/// Which programs nodes run has no meaning here.
fn without_programs(topology: &Topology, name: &str) -> Topology {
    let mut topology = topology.clone();
    name.clone_into(&mut topology.name);
    topology.engine = devnet_blueprint::topology::EngineHints::default();
    for group in &mut topology.groups {
        (group.image, group.binary) = (None, None);
    }
    for settings in topology.nodes.values_mut() {
        (settings.image, settings.binary) = (None, None);
    }
    topology
}

fn peering(topology: &Topology, blueprint: &Blueprint) -> Peering {
    match &topology.peers {
        Peers::Mesh if blueprint.nodes.len() <= MESH_MAX => Peering::Everybody,
        Peers::Mesh => Peering::Random { outbound: OUTBOUND },
        Peers::Edges(edges) => {
            let names = blueprint.nodes.iter().map(|node| &node.name).zip(0..);
            let places: BTreeMap<&NodeName, usize> = names.collect();
            let place = |name: &NodeName| places.get(name).copied();
            let known = edges.iter();
            let known = known.filter_map(|(from, to)| Some((place(from)?, place(to)?)));
            Peering::Edges(known.collect())
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use minichain_chain::hash::BlockHash;
    use minichain_protocol::event::Event;
    use minichain_sim::queue::SECOND;
    use minichain_sim::world::{Condition, World};

    use super::*;
    use crate::scenario_file::ScenarioFile;
    use crate::simworld::play::Play;

    const FIVE: &str = "{ nodes: 5, miners: 2, block_time: 1s }";

    fn file(topology: &str, sim: &str) -> ScenarioFile {
        let text = format!("name: a\ntopology: {topology}\n{sim}\nsteps: [heal]\n");
        ScenarioFile::simulated(Path::new("a.yaml"), text).expect("a sound scenario")
    }

    fn planned(topology: &str, sim: &str, seed: u64) -> Planned {
        Play::planned(&file(topology, sim), "sim-a", seed).expect("a plan")
    }

    /// The world of five nodes that are told this.
    fn world(sim: &str, seed: u64) -> World {
        World::new(planned(FIVE, sim, seed).setup()).expect("a world")
    }

    /// When each node starts.
    fn starts(sim: &str, seed: u64) -> Vec<Micros> {
        let mut world = world(sim, seed);
        let mut starts = vec![None; world.len()];
        while starts.iter().any(Option::is_none) && world.step() {
            let (now, world) = (world.now(), &world);
            for (place, start) in starts.iter_mut().enumerate() {
                if start.is_none() && world.condition(place) == Condition::Up {
                    *start = Some(now);
                }
            }
        }
        starts.into_iter().flatten().collect()
    }

    #[test]
    fn nodes_start_late_by_a_lot_that_the_seed_draws() {
        assert_eq!(starts("", 7), [0; 5]);
        let late = "sim: { start_jitter: 2s }";
        let drawn = starts(late, 7);
        let mut apart = drawn.clone();
        apart.sort_unstable();
        apart.dedup();
        assert_eq!(apart.len(), 5, "{drawn:?}");
        assert!(drawn.iter().all(|start| *start <= 2 * SECOND), "{drawn:?}");
        assert_eq!(starts(late, 7), drawn);
        assert_ne!(starts(late, 8), drawn);
    }

    /// Times from each find to every other node's telling of the block, by what
    /// `heard` takes out of its events.
    fn delays_by(
        heard: fn(&Event) -> Vec<BlockHash>,
        world: &mut World,
        until: Micros,
    ) -> BTreeMap<BlockHash, Vec<Micros>> {
        world.record();
        world.run_until(until);
        let mut found = BTreeMap::new();
        let mut delays: BTreeMap<BlockHash, Vec<Micros>> = BTreeMap::new();
        for told in world.take_told() {
            if let Event::BlockMined { hash, .. } = told.event {
                found.insert(hash, (told.at, told.place));
            }
            for hash in heard(&told.event) {
                // What was found before has been told of.
                if let Some((at, finder)) = found.get(&hash)
                    && *finder != told.place
                {
                    delays.entry(hash).or_default().push(told.at - at);
                }
            }
        }
        delays
    }

    /// As [`delays_by`], of blocks that came by gossip.
    fn delays(world: &mut World, until: Micros) -> BTreeMap<BlockHash, Vec<Micros>> {
        let heard = |event: &Event| match event {
            Event::BlockArrived { hash, .. } => vec![*hash],
            _ => Vec::new(),
        };
        delays_by(heard, world, until)
    }

    /// The shortest time from a find to another node's having the block.
    fn fastest(sim: &str) -> Micros {
        let delays = delays(&mut world(sim, 1), 60 * SECOND);
        let fastest = delays.into_values().flatten().min();
        fastest.expect("blocks arrive")
    }

    #[test]
    fn blocks_take_the_way_and_then_their_validation() {
        assert_eq!(fastest(""), LATENCY);
        assert_eq!(fastest("sim: { latency: 20ms }"), 20_000);
        let slow = "sim: { latency: 20ms, cpu: { block: 5ms } }";
        assert_eq!(fastest(slow), 25_000);
        assert_eq!(fastest("sim: { cpu: { block: 60us } }"), LATENCY + 60);
        // A block has some hundred bytes at least.
        let by_byte = fastest("sim: { cpu: { kilobyte: 100ms } }");
        assert!((LATENCY + 10_000..SECOND).contains(&by_byte), "{by_byte}");
    }

    #[test]
    fn half_the_line_takes_a_block_twice_as_long() {
        let takes = |lines: &str| {
            let sim = format!("sim: {{ block_ballast: 10kB, {lines} }}");
            fastest(&sim) - LATENCY
        };
        // A block has some hundred bytes beside its ballast.
        let whole = takes("upload: 1MB/s");
        assert!((10_100..11_000).contains(&whole), "{whole}");
        assert_eq!(takes("upload: 500kB/s"), 2 * whole);
        assert_eq!(takes("download: 1MB/s"), whole);
        assert_eq!(takes("download: 250kB/s"), 4 * whole);
        assert_eq!(takes("upload: 1MB/s, download: 500kB/s"), 3 * whole);
        assert_eq!(takes("nodes: [{ on: miner, upload: 250kB/s }]"), 4 * whole);
        assert_eq!(takes("nodes: [{ on: observer-0, upload: 250kB/s }]"), 0);
    }

    #[test]
    fn what_leaves_a_thin_line_leaves_one_after_the_other() {
        let topology = "{ nodes: 5, miners: 1, block_time: 5s }";
        let sim = "sim: { upload: 100kB/s, block_ballast: 10kB }";
        let mut thin = World::new(planned(topology, sim, 1).setup()).expect("a world");
        let delays = delays(&mut thin, 300 * SECOND);
        let fastest = delays.values().flatten().min().expect("blocks arrive");
        let takes = fastest - LATENCY;
        let all: Vec<&Vec<Micros>> = delays.values().filter(|times| times.len() == 4).collect();
        assert!(all.len() > 20, "{delays:?}");
        for times in all {
            let mut apart = times.clone();
            apart.sort_unstable();
            // Whoever has it sends it on, so twice as many have it after each turn.
            assert!(apart[1] >= LATENCY + 2 * takes, "{takes}: {apart:?}");
            assert!(apart[3] >= LATENCY + 3 * takes, "{takes}: {apart:?}");
        }
    }

    #[test]
    fn nodes_have_the_lines_and_clocks_that_are_said_of_them() {
        let sim = "sim: { upload: 1MB/s, nodes: [{ on: miner, download: 64kB/s }, \
                   { on: [miner-1, observer-0], upload: 2MB/s, clock_skew: -2s }] }";
        let world = world(sim, 1);
        let told: Vec<_> = (0..world.len())
            .map(|place| world.setup_of(place))
            .map(|node| (node.name.as_str(), node.upload, node.download, node.skew_ms))
            .collect();
        let (slow, fast) = (Some(1_000_000), Some(2_000_000));
        assert_eq!(
            told,
            [
                ("bootstrap-0", slow, None, 0),
                ("miner-0", slow, Some(64_000), 0),
                ("miner-1", fast, Some(64_000), -2_000),
                ("observer-0", fast, None, -2_000),
                ("observer-1", slow, None, 0),
            ]
        );
    }

    const SIXTEEN: &str = "{ nodes: 16, miners: 2, block_time: 5s }";

    fn mean(all: impl Iterator<Item = u64>) -> u64 {
        let all: Vec<u64> = all.collect();
        assert!(!all.is_empty());
        all.iter().sum::<u64>() / all.len() as u64
    }

    /// How many nodes hear of a block from its finder, in hundredths.
    fn first_wave(sim: &str) -> u64 {
        let setup = planned(SIXTEEN, sim, 1).setup();
        let delays = delays(&mut World::new(setup).expect("a world"), 500 * SECOND);
        let first = |times: &Vec<Micros>| times.iter().filter(|time| **time == LATENCY).count();
        mean(delays.values().map(|times| 100 * first(times) as u64))
    }

    #[test]
    fn a_finder_tells_as_many_as_the_mesh_has_degrees() {
        let thin = first_wave("sim: { gossip: { degree: 2, degree_high: 3 } }");
        assert!((100..=350).contains(&thin), "{thin}");
        let usual = first_wave("");
        assert!((500..=1_300).contains(&usual), "{usual}");
        let all = first_wave("sim: { gossip: { degree: 15, degree_low: 15 } }");
        assert_eq!(all, 1_500);
    }

    #[test]
    fn outside_the_mesh_nodes_hear_of_blocks_at_a_heartbeat() {
        // Blocks are so far apart that the nodes' own polls hardly ever tell first.
        let topology = "{ nodes: 16, miners: 2, block_time: 60s }";
        let connected = |event: &Event| match event {
            Event::TipChanged { connected, .. } => connected.iter().map(|one| one.hash).collect(),
            _ => Vec::new(),
        };
        let takes = |gossip: &str| {
            let sim = format!("sim: {{ gossip: {{ degree: 1, degree_high: 1, {gossip} }} }}");
            let mut world = World::new(planned(topology, &sim, 1).setup()).expect("a world");
            let delays = delays_by(connected, &mut world, 6_000 * SECOND);
            mean(delays.into_values().flatten())
        };
        let (often, seldom) = (takes("heartbeat: 100ms"), takes("heartbeat: 2s"));
        assert!(seldom > 3 * often, "{often} {seldom}");
        let nobody = takes("heartbeat: 100ms, lazy: 0");
        assert!(nobody > 3 * often, "{often} {nobody}");
    }

    #[test]
    fn degrees_that_are_unsaid_stay_as_near_to_the_usual_as_the_others_allow() {
        let degrees = |said: &str| {
            let sim = format!("sim: {{ gossip: {{ {said} }} }}");
            let gossip = planned(FIVE, &sim, 1).setup().gossip;
            (gossip.degree_low, gossip.degree, gossip.degree_high)
        };
        assert_eq!(degrees(""), (5, 6, 12));
        assert_eq!(degrees("degree: 3"), (3, 3, 12));
        assert_eq!(degrees("degree: 20"), (5, 20, 20));
        assert_eq!(degrees("degree_low: 8"), (8, 8, 12));
        assert_eq!(degrees("degree_high: 4"), (4, 4, 4));
        assert_eq!(degrees("degree_low: 2, degree_high: 4"), (2, 4, 4));
    }

    #[test]
    fn nodes_dial_as_many_as_is_said() {
        let connections = |sim: &str| {
            let setup = planned(SIXTEEN, sim, 1).setup();
            let mut world = World::new(setup).expect("a world");
            world.run_until(10 * SECOND);
            let ends = (0..world.len()).map(|place| world.peers_of(place).len());
            ends.sum::<usize>() / 2
        };
        assert_eq!(connections(""), 16 * 15 / 2);
        let few = connections("sim: { outbound: 2 }");
        assert!((24..=32).contains(&few), "{few}");
    }

    #[test]
    fn as_many_blocks_come_a_retransmission_late_as_links_lose_by_nature() {
        let topology = "{ nodes: 2, miners: 1, block_time: 1s }";
        let late = |sim: &str| {
            let network = Play::network(&file(topology, sim), "sim-a", 1);
            let mut network = network.expect("a network");
            let world = network.world_mut();
            let end = world.now() + 400 * SECOND;
            let delays: Vec<Micros> = delays(world, end).into_values().flatten().collect();
            assert!(delays.len() > 200);
            let late = delays.iter().filter(|time| **time >= 200_000).count();
            100 * late / delays.len()
        };
        assert_eq!(late(""), 0);
        // Three deviations of the share are 8 %.
        assert!((12..=28).contains(&late("sim: { loss: 20% }")));
    }
}
